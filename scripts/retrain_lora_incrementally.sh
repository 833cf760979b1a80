#!/bin/sh
# The first half of git skillmesh nightly: an adapter that nobody has judged yet.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=program.sh
. "$here/program.sh"
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
