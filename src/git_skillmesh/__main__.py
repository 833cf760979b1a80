"""`python -m git_skillmesh`."""

from .cli.main import run

if __name__ == "__main__":
    run()
