"""The file that a shim starts with `python -I`: it finds its own package wherever that lies.

In: nothing. Out: the package on `sys.path`. An isolated interpreter sees neither PYTHONPATH nor
the user's site-packages, but the package may have been installed in just such a place.
"""

import os
import sys

if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        os.nice(10)  # first of all: the imports already compete with the user's next commit
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
    if root not in sys.path:
        sys.path.insert(0, root)
    from git_skillmesh.hooks.main import run

    run()
