"""Helpers for tests: real repositories in temporary folders, real processes, no mocks."""
