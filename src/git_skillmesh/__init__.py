"""git skillmesh: the memory of a repository, for people who work with coding agents."""

__version__ = "0.1.0"
