"""One module a tool, or a few that belong together: arguments in, bounded text out."""
