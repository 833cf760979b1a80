#!/bin/sh
# git skillmesh train.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=program.sh
. "$here/program.sh"
usage="usage: train_lora.sh BASE DATA [OPTION…]"
case ${1:-} in
-h | --help)
    cat <<END
$usage
Train an adapter for the model BASE, a folder or a hub id, on the data set DATA. Options are those
of: git skillmesh train
END
    exit 0
    ;;
esac
if [ $# -lt 2 ]; then
    echo "$usage" >&2
    exit 2
fi
base=$1
data=$2
shift 2
exec "$program" train --base="$base" --data="$data" "$@"
