"""Training of adapters: from a data set and a base to a folder that is complete."""
