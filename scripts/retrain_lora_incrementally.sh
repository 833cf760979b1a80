#!/bin/sh
# The first half of git skillmesh nightly: an adapter that nobody has judged yet.
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
usage: retrain_lora_incrementally.sh [OPTION…]
Judge what is new, export it and train with it, from the active adapter on; evaluate and deploy
nothing. Options are those of: git skillmesh nightly
END
    exit 0
    ;;
esac
exec "$program" nightly "$@" --step rewards export-rl train
