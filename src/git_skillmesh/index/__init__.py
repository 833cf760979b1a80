"""The local tier: catalogue, segments, vectors, and how they follow the tree."""
