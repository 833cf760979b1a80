"""The report for a lead: what was learned, what it prevented, what became of agents' code."""
