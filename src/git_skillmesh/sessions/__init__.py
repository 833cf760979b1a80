"""Conversations with coding agents: read, redacted, kept in git, linked to lines."""
