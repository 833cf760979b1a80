"""Adapters: the folder that keeps them, judgements, deployment, engines, a server to try them."""
