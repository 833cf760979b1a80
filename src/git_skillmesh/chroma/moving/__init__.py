"""Move collections between Chroma stores, bring older ones up to date, take in those of others."""
