#!/bin/sh
# git skillmesh nightly, for schedulers that want a file. GIT_SKILLMESH names another program.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
if [ -n "${GIT_SKILLMESH:-}" ]; then
    program=$GIT_SKILLMESH
elif [ -x "$here/../.venv/bin/git-skillmesh" ]; then
    program=$here/../.venv/bin/git-skillmesh
else
    program=git-skillmesh
fi
case ${1:-} in
-h | --help)
    cat <<END
usage: nightly_analysis.sh [OPTION…]
Judge, export, train, evaluate and deploy, as far as there is anything new, in the repository around
the current folder. Options are those of: git skillmesh nightly
END
    exit 0
    ;;
esac
exec "$program" nightly "$@"
