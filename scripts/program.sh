# shellcheck shell=sh disable=SC2154  # $here is set by whoever sources this
# Sourced, with $here set to this folder: names the program to start in $program, the one in
# $GIT_SKILLMESH, that of this checkout, or that of the system.
if [ -n "${GIT_SKILLMESH:-}" ]; then
    program=$GIT_SKILLMESH
elif [ -x "$here/../.venv/bin/git-skillmesh" ]; then
    program=$here/../.venv/bin/git-skillmesh
else
    # shellcheck disable=SC2034  # whoever sources this reads it
    program=git-skillmesh
fi
