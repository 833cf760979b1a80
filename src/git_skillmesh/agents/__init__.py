"""Coding agents: what is written into their configuration, and taken out again exactly."""
