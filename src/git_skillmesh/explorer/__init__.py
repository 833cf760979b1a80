"""The explorer: what the page shows of a repository, served here or written to a folder."""
