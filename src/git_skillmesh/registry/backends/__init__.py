"""Where the vectors of cards are kept: in memory, or in Chroma."""
