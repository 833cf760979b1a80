#!/bin/sh
# git skillmesh backup into a folder, with dated names, for schedulers that want a file.
# GIT_SKILLMESH names another program.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
if [ -n "${GIT_SKILLMESH:-}" ]; then
    program=$GIT_SKILLMESH
elif [ -x "$here/../.venv/bin/git-skillmesh" ]; then
    program=$here/../.venv/bin/git-skillmesh
else
    program=git-skillmesh
fi
usage="usage: backup_chroma.sh FOLDER [OPTION…]"
case ${1:-} in
-h | --help)
    cat <<END_OF_HELP
$usage
Put what must not be lost of the repository around the current folder, the collections that only
Chroma holds among it, into a file with a dated name in FOLDER, and keep the last 7 of these, or as
many as the variable KEEP says. Options are those of: git skillmesh backup
END_OF_HELP
    exit 0
    ;;
"" | -*)
    echo "$usage" >&2
    exit 2
    ;;
esac
folder=$1
shift
mkdir -p -- "$folder"
exec "$program" backup "$@" --keep "${KEEP:-7}" -- "$folder"
