#!/bin/sh
# linli-district-backup: a base backup of the district's database (PostgreSQL 15, chapter 26.3). With the log of changes
# that linli-district-archive keeps, the database can be restored as it was at any time since (linli-district-restore).
#
# LINLI_BACKUPS        folder, default /var/backups/linli-district; on another disk than the database
# LINLI_BACKUPS_KEPT   so many base backups are kept, default 7
# PGHOST, PGPORT, PGUSER as for psql
set -eu
umask 077

folder="${LINLI_BACKUPS:-/var/backups/linli-district}"
kept="${LINLI_BACKUPS_KEPT:-7}"
programs="${LINLI_PG_BIN:-/usr/lib/postgresql/15/bin}"
case "$kept" in
    '' | *[!0-9]* | 0)
        echo "LINLI_BACKUPS_KEPT=$kept 不是正整数 is not a number of backups, such as 7" >&2
        exit 2
        ;;
esac
mkdir -p -- "$folder/base" "$folder/wal"

# The one of a run that was interrupted.
rm -rf -- "$folder"/base/*.partial
name="$(date -u +%Y%m%dT%H%M%SZ)"
target="$folder/base/$name"
"$programs/pg_basebackup" --pgdata="$target.partial" --format=tar --compress=client-zstd:3 --wal-method=stream \
    --checkpoint=fast --manifest-checksums=SHA256 --label="linli-district $name"
# It leaves its part of the log as it is.
[ ! -f "$target.partial/pg_wal.tar" ] || zstd -q --rm -- "$target.partial/pg_wal.tar"
for part in "$target.partial"/*.tar.zst; do
    zstd -q -t -- "$part"
done
mv -- "$target.partial" "$target"
sync -- "$folder/base"

# The oldest ones, and the log before the oldest that is left.
ls -1 -- "$folder/base" | sort -r | tail -n "+$((kept + 1))" | while read -r old; do
    rm -rf -- "${folder:?}/base/$old"
done
oldest="$(ls -1 -- "$folder/base" | sort | head -n 1)"
first="$(tar --zstd -xOf "$folder/base/$oldest/base.tar.zst" backup_label | sed -n 's/^START WAL LOCATION: .*(file \([0-9A-F]*\))$/\1/p')"
[ -n "$first" ] && "$programs/pg_archivecleanup" -x .zst "$folder/wal" "$first"

echo "备份完成 backed up: $target ($(du -sh -- "$target" | cut -f 1)); 保留 kept: $(ls -1 -- "$folder/base" | wc -l)"
