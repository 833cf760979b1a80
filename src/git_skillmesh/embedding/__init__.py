"""Text in, vectors out: the tokens, the protocol, the built-in model, configured providers."""
