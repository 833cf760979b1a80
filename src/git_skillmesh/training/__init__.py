"""What became of conversations, as rewards; data sets made of it; adapters trained and judged."""
