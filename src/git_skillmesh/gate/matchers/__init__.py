"""One module a kind of matcher: a learning in, places in a text out."""
