"""Data sets for training, made of conversations and of what became of their code."""
