#!/bin/sh
# git skillmesh nightly, for schedulers that want a file. GIT_SKILLMESH names another program.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=program.sh
. "$here/program.sh"
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
