"""What a change may not bring in: learnings, applied to what it adds and to nothing else."""
