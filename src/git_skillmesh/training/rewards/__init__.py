"""What became of the work of each exchange, read from git, as a verdict and a score."""
