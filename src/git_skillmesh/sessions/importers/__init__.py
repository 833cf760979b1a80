"""Transcripts of coding agents in, sessions out: one module a format."""
