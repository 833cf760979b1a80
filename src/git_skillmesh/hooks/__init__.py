"""Entry points for git, pre-commit and hook managers. Standard library only at import time."""
