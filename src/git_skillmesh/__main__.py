"""`python -m git_skillmesh`."""

from .cli.main import run

run()
