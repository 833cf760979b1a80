"""The Chroma tier: the shared collections, written by one short-lived process at a time."""
