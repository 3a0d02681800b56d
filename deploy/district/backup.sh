#!/bin/sh
# A base backup of the district's database, verified; with the archived WAL it restores any moment since (docs/district.md).
#   ./backup.sh FOLDER      as root or postgres; FOLDER is made
set -eu
folder=${1:?usage: backup.sh FOLDER}
as_postgres() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
as_postgres pg_basebackup --pgdata "$folder" --wal-method stream --checkpoint fast --manifest-checksums SHA256 --progress
as_postgres /usr/lib/postgresql/15/bin/pg_verifybackup "$folder"
