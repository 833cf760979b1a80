#!/bin/sh
# git skillmesh adapters deploy.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
if [ -n "${GIT_SKILLMESH:-}" ]; then
    program=$GIT_SKILLMESH
elif [ -x "$here/../.venv/bin/git-skillmesh" ]; then
    program=$here/../.venv/bin/git-skillmesh
else
    program=git-skillmesh
fi
usage="usage: deploy_adapter.sh NAME [OPTION…]"
case ${1:-} in
-h | --help)
    cat <<END
$usage
Make the adapter NAME the active one if it was judged better. Options are those of:
git skillmesh adapters deploy
END
    exit 0
    ;;
"" | -*)
    echo "$usage" >&2
    exit 2
    ;;
esac
exec "$program" adapters deploy "$@"
