"""Advice on a change, from a model that is told what the memory knows of it."""
