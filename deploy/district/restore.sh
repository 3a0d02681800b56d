#!/bin/sh
# linli-district-restore [--list] [--from NAME] [--at TIME] FOLDER
#
# 从备份恢复区级数据库。Restores the district's database from a backup into FOLDER, which must be empty or absent. With
# the log of changes it then goes on to its last minute, or to TIME. The database that runs is not touched: what is
# restored can be looked at first. The last lines say how it is put in the place of the other.
#
#   --list        已有备份 which backups there are
#   --from NAME   从哪个备份 from which, default the latest (the latest before TIME)
#   --at TIME     恢复到的时刻 such as "2026-11-30 09:00:00+08"; default everything
#
# LINLI_BACKUPS   folder of the backups, default /var/backups/linli-district
set -eu
umask 077

folder="${LINLI_BACKUPS:-/var/backups/linli-district}"
programs="${LINLI_PG_BIN:-/usr/lib/postgresql/15/bin}"
from=
at=
target=
wrong() {
    echo "linli-district-restore: $*" >&2
    exit 2
}
while [ $# -gt 0 ]; do
    case "$1" in
        --list)
            for backup in "$folder"/base/*Z; do
                [ -d "$backup" ] || wrong "$folder 中没有备份 there is no backup in $folder"
                echo "$(basename "$backup")  $(du -sh -- "$backup" | cut -f 1)"
            done
            exit 0
            ;;
        --from) from="${2:?--from NAME}" && shift ;;
        --at) at="${2:?--at TIME}" && shift ;;
        -h | --help)
            sed -n '2,/^set -eu/{/^set -eu/d;s/^# \{0,1\}//;p}' "$0"
            exit 0
            ;;
        -*) wrong "没有这个选项 no such option: $1; --help" ;;
        *)
            [ -z "$target" ] || wrong "只写一个目录 one folder, not $target and $1"
            target="$1"
            ;;
    esac
    shift
done
[ -n "$target" ] || wrong "恢复到哪个目录？into which folder? --help"
[ ! -e "$target" ] || [ -z "$(ls -A -- "$target")" ] || wrong "$target 不是空目录 is not empty"
limit=99991231T235959Z
if [ -n "$at" ]; then
    limit="$(date -u -d "$at" +%Y%m%dT%H%M%SZ)" || wrong "--at $at: 写成 write it as \"2026-11-30 09:00:00+08\""
fi
if [ -z "$from" ]; then
    from="$(ls -1 -- "$folder/base" 2>/dev/null | grep 'Z$' | sort | awk -v limit="$limit" '$0 <= limit' | tail -n 1)"
    [ -n "$from" ] || wrong "$folder 中没有${at:+在 $at 之前的}备份 there is no backup${at:+ before $at} in $folder"
fi
backup="$folder/base/$from"
[ -f "$backup/base.tar.zst" ] || wrong "没有备份 there is no backup $from; --list"

mkdir -p -- "$target"
chmod 700 -- "$target"
echo "正在解开 unpacking $backup …"
tar --zstd -xf "$backup/base.tar.zst" -C "$target"
mkdir -p -- "$target/pg_wal"
tar --zstd -xf "$backup/pg_wal.tar.zst" -C "$target/pg_wal"
cp -- "$backup/backup_manifest" "$target/"
echo "正在校验 comparing it with its manifest …"
"$programs/pg_verifybackup" --quiet "$target"
{
    echo "restore_command = 'zstd -q -d -f -o \"%p\" \"$folder/wal/%f.zst\"'"
    echo "recovery_target_action = 'promote'"
    [ -z "$at" ] || echo "recovery_target_time = '$at'"
} >> "$target/postgresql.auto.conf"
: > "$target/recovery.signal"

cat <<END
已就绪 ready: $target
启用 to put it in its place (as root):
  systemctl stop linli-district postgresql@15-main
  mv /var/lib/postgresql/15/main /var/lib/postgresql/15/main.before
  mv $target /var/lib/postgresql/15/main && chown -R postgres:postgres /var/lib/postgresql/15/main
  systemctl start postgresql@15-main linli-district
恢复之后各网关会重发尚未确认的数据。Gateways send again what no database has confirmed to them; what they were told is
stored and is not in this backup shows as a gap of their data.
END
