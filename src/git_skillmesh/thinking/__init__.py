"""Working memory: thoughts in, kept under the memory ref; sessions, summaries and matches out."""
