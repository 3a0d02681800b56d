#!/bin/sh
# linli-district-archive FILE NAME: keeps one file of PostgreSQL's log of changes beside the backups (archive_command).
# It is there whole and on the disk, or the answer is an error and PostgreSQL tries again.
set -eu

kept="${LINLI_BACKUPS:-/var/backups/linli-district}/wal"
target="$kept/$2.zst"
if [ -e "$target" ]; then
    # After a crash PostgreSQL sends a file again; another content under one name must never replace it.
    zstd -q -d -c -- "$target" | cmp -s - "$1" && exit 0
    echo "linli-district-archive: $target is there already with another content" >&2
    exit 1
fi
mkdir -p -- "$kept"
zstd -q -f -o "$target.partial" -- "$1"
sync -- "$target.partial"
mv -- "$target.partial" "$target"
sync -- "$kept"
