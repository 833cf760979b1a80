"""Which exchanges made which lines of a commit."""
