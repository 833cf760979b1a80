#!/bin/sh
# git skillmesh adapters deploy.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=program.sh
. "$here/program.sh"
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
