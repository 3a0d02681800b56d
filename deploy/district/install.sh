#!/bin/sh
# install.sh --host NAME [--port PORT] [--program FILE] [--root FOLDER]
#
# 在一台机器上安装区级平台。Sets up a district on one machine with Debian 12: broker (mosquitto), database
# (PostgreSQL 15), linli-district, nightly backups. Run it as root. Run again, it changes nothing that was decided
# before: secrets, certificates that are still good, and a district.toml that was edited stay.
#
#   --host NAME      网关用来连接的域名或地址 the name or address that the gateways connect to
#   --port PORT      消息端口 port of the broker, default 8883
#   --program FILE   linli-district 程序 the program, default ./linli-district
#   --root FOLDER    只把文件写到此目录下，不安装、不启动 only write the files, below FOLDER; install and start nothing
set -eu
umask 077

here="$(cd -- "$(dirname -- "$0")" && pwd)"
host=
port=8883
plain=1883
program=./linli-district
root=
wrong() {
    echo "install.sh: $*" >&2
    exit 2
}
while [ $# -gt 0 ]; do
    case "$1" in
        --host) host="${2:?--host NAME}" && shift ;;
        --port) port="${2:?--port PORT}" && shift ;;
        # Two districts on one machine, and tests.
        --plain-port) plain="${2:?--plain-port PORT}" && shift ;;
        --program) program="${2:?--program FILE}" && shift ;;
        --root) root="${2:?--root FOLDER}" && shift ;;
        -h | --help)
            sed -n '2,/^set -eu/{/^set -eu/d;s/^# \{0,1\}//;p}' "$0"
            exit 0
            ;;
        *) wrong "没有这个选项 no such option: $1; --help" ;;
    esac
    shift
done
case "$host" in
    '') wrong "缺少 --host：网关连接本机用的域名或地址 the name or address that the gateways connect to; --help" ;;
    *[!A-Za-z0-9.:-]*) wrong "--host $host 不是域名或地址 is not a name or an address" ;;
esac
case "$port$plain" in *[!0-9]*) wrong "--port $port 不是端口 is not a port" ;; esac
[ -n "$root" ] || [ "$(id -u)" = 0 ] || wrong "请用 root 运行 run it as root, or with --root FOLDER to look first"
[ -n "$root" ] || [ -x "$program" ] || wrong "没有程序 there is no program $program; --program FILE"

etc="$root/etc/linli-district"
backups="$root/var/backups/linli-district"
say() {
    echo "==> $*"
}
# The owner of a file, where users are there.
owned() {
    [ -n "$root" ] || chown "$1" -- "$2"
}

# === What it stands on ===

if [ -z "$root" ]; then
    say "安装 installing mosquitto, postgresql-15, zstd"
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        mosquitto postgresql-15 postgresql-client-15 zstd openssl >/dev/null
    id linli-district >/dev/null 2>&1 ||
        useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin linli-district
    install -m 0755 -- "$program" /usr/local/bin/linli-district
fi
mkdir -p -- "$etc/broker" "$etc/handover" "$backups/base" "$backups/wal" "$root/etc/mosquitto/conf.d" \
    "$root/etc/postgresql/15/main/conf.d" "$root/etc/systemd/system" "$root/usr/local/sbin"
if [ -z "$root" ]; then
    # mosquitto reads below broker/ as its own user, PostgreSQL writes the backups as its own.
    chmod 0711 -- "$etc"
    chown mosquitto:mosquitto -- "$etc/broker"
    chown -R postgres:postgres -- "$backups"
fi

# === Certificates: an authority of the district's own ===

if [ ! -f "$etc/authority.key" ]; then
    say "生成区证书机构 making the district's authority"
    openssl ecparam -name prime256v1 -genkey -noout -out "$etc/authority.key"
    openssl req -x509 -new -key "$etc/authority.key" -sha256 -days 7300 -subj "/CN=linli district authority" \
        -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign" \
        -out "$etc/broker/ca.pem"
fi
case "$host" in
    *[!0-9.]*) case "$host" in *:*) kind=IP ;; *) kind=DNS ;; esac ;;
    *) kind=IP ;;
esac
# Anew when it ends within 60 days, or names another host. Gateways trust the authority: nothing changes for them.
if ! openssl x509 -in "$etc/broker/broker.pem" -noout -checkend 5184000 >/dev/null 2>&1 ||
    ! openssl x509 -in "$etc/broker/broker.pem" -noout -ext subjectAltName | tr -d ' ' |
        grep -Eq "^($kind|IPAddress):$host\$"; then
    say "为 $host 签发证书 making the broker's certificate for $host"
    openssl ecparam -name prime256v1 -genkey -noout -out "$etc/broker/broker.key"
    openssl req -new -key "$etc/broker/broker.key" -subj "/CN=$host" -out "$etc/broker/broker.csr"
    printf 'subjectAltName=%s:%s\nextendedKeyUsage=serverAuth\nbasicConstraints=critical,CA:FALSE\n' \
        "$kind" "$host" > "$etc/broker/broker.ext"
    openssl x509 -req -in "$etc/broker/broker.csr" -CA "$etc/broker/ca.pem" -CAkey "$etc/authority.key" \
        -set_serial "0x$(openssl rand -hex 16)" -sha256 -days 825 -extfile "$etc/broker/broker.ext" \
        -out "$etc/broker/broker.pem" 2>/dev/null
    rm -f -- "$etc/broker/broker.csr" "$etc/broker/broker.ext"
fi
for file in ca.pem broker.pem broker.key; do
    owned mosquitto:mosquitto "$etc/broker/$file"
done
echo "mqtts://$host:$port" > "$etc/broker/address"

# === Users ===

if [ ! -f "$etc/broker-password" ]; then
    openssl rand -base64 24 > "$etc/broker-password"
    : > "$etc/broker/passwords"
    mosquitto_passwd -b "$etc/broker/passwords" district "$(cat -- "$etc/broker-password")"
fi
owned linli-district:linli-district "$etc/broker-password"
[ -f "$etc/broker/rules" ] || printf 'user district\ntopic read linli/1/#\ntopic write linli/1/+/+/ack\n' > "$etc/broker/rules"
for file in passwords rules; do
    owned mosquitto:mosquitto "$etc/broker/$file"
done

# === Configuration ===

memory="$(awk '/^MemTotal:/ {print int($2 / 1024)}' /proc/meminfo)"
sed -e "s|@PLAIN_PORT@|$plain|" -e "s|@PORT@|$port|" \
    -e "s|@QUEUE@|$((memory / 4 * 1048576))|" -e "s|/etc/linli-district|$etc|" \
    "$here/mosquitto.conf" > "$root/etc/mosquitto/conf.d/linli-district.conf"
sed -e "s|@BUFFERS@|$((memory / 8))MB|" -e "s|@CACHE@|$((memory / 2))MB|" \
    "$here/postgresql.conf" > "$root/etc/postgresql/15/main/conf.d/linli-district.conf"
chmod 0644 -- "$root/etc/mosquitto/conf.d/linli-district.conf" "$root/etc/postgresql/15/main/conf.d/linli-district.conf"
if [ ! -f "$etc/district.toml" ]; then
    cat > "$etc/district.toml" <<END
# 区级平台。The district's service; \`linli-district check\` tells what is wrong.

[database]
# By the socket, as the user of the same name: no password.
url = "postgres://linli-district@%2Fvar%2Frun%2Fpostgresql/linli"

[mqtt]
url = "mqtt://127.0.0.1:$plain"
username = "district"
password = "file:broker-password"

[web]
# Only this machine: on another address it needs certificate = "broker/broker.pem" and key, or a proxy with TLS.
listen = "127.0.0.1:8090"
END
fi
owned linli-district:linli-district "$etc/district.toml"
for unit in linli-district.service linli-district-backup.service linli-district-backup.timer; do
    install -m 0644 -- "$here/$unit" "$root/etc/systemd/system/$unit"
done
for script in archive backup centre restore; do
    install -m 0755 -- "$here/$script.sh" "$root/usr/local/sbin/linli-district-$script"
done
if [ -n "$root" ]; then
    say "文件已写入 the files are below $root"
    exit 0
fi

# === Start ===

say "启动 starting"
systemctl daemon-reload
# Debian's own listener would be a second way in.
[ ! -f /etc/mosquitto/conf.d/default.conf ] || mv /etc/mosquitto/conf.d/default.conf /etc/mosquitto/conf.d/default.conf.before
systemctl enable --quiet mosquitto postgresql
systemctl restart mosquitto postgresql@15-main
runuser -u postgres -- psql -Xqtc "SELECT 1 FROM pg_roles WHERE rolname = 'linli-district'" | grep -q 1 ||
    runuser -u postgres -- createuser --no-superuser --no-createdb --no-createrole linli-district
runuser -u postgres -- psql -Xqtc "SELECT 1 FROM pg_database WHERE datname = 'linli'" | grep -q 1 ||
    runuser -u postgres -- createdb --owner=linli-district --encoding=UTF8 linli
systemctl enable --quiet --now linli-district linli-district-backup.timer
[ "$(stat -c %d /var/lib/postgresql)" != "$(stat -c %d "$backups")" ] || cat <<'END'
注意：备份与数据库在同一块磁盘上，磁盘损坏则都会丢失；请把另一块磁盘挂载到 /var/backups/linli-district。
Note: the backups are on the database's own disk and would be lost with it: mount another one at
/var/backups/linli-district.
END
cat <<END
区级平台已运行。The district runs: systemctl status linli-district
下一步，登记各中心 next, enrol the centres: linli-district-centre add CENTRE GATEWAY --name 名称 --phone 电话
END
