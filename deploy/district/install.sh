#!/bin/sh
# install.sh --host NAME [--gateways NETWORK] [--port PORT] [--program FILE] [--root FOLDER]
#
# 在一台机器上安装区级平台。Sets up a district on one machine with Debian 12: broker (mosquitto), database
# (PostgreSQL 15), linli-district, nightly backups. Run it as root. Run again, it changes nothing that was decided
# before: secrets, certificates that are still good, and a district.toml that was edited stay.
#
#   --host NAME      网关用来连接的域名或地址 the name or address that the gateways connect to
#   --gateways NETWORK  网关所在的网络，可从中领取证书 the network of the gateways, such as 10.20.0.0/16: from there they
#                    get their certificates, on --enrol-port; without it only from this machine
#   --port PORT      消息端口（口令） port of the broker for gateways with a password, default 8883
#   --certificate-port PORT  消息端口（证书） the same for those with a certificate, default 8884
#   --enrol-port PORT  领取证书的端口 port where gateways get their certificates, default 8443
#   --program FILE   linli-district 程序 the program, default ./linli-district
#   --root FOLDER    只把文件写到此目录下，不安装、不启动 only write the files, below FOLDER; install and start nothing
set -eu
umask 077

here="$(cd -- "$(dirname -- "$0")" && pwd)"
host=
port=8883
certificate_port=8884
enrol_port=8443
gateways=
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
        --certificate-port) certificate_port="${2:?--certificate-port PORT}" && shift ;;
        --enrol-port) enrol_port="${2:?--enrol-port PORT}" && shift ;;
        --gateways) gateways="${2:?--gateways NETWORK}" && shift ;;
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
case "$port$plain$certificate_port$enrol_port" in *[!0-9]*) wrong "--port $port 不是端口 is not a port" ;; esac
case "$gateways" in *[!0-9a-fA-F.:/]*) wrong "--gateways $gateways 不是网络 is not a network such as 10.20.0.0/16" ;; esac
[ -n "$root" ] || [ "$(id -u)" = 0 ] || wrong "请用 root 运行 run it as root, or with --root FOLDER to look first"
[ -n "$root" ] || [ -x "$program" ] || wrong "没有程序 there is no program $program; --program FILE"

etc="$root/etc/linli-district"
state="$root/var/lib/linli-district"
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
    missing=
    for package in mosquitto postgresql-15 postgresql-client-15 zstd openssl; do
        dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing="$missing $package"
    done
    # What is there stays as it is: a machine without a network needs none.
    if [ -n "$missing" ]; then
        say "安装 installing$missing"
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing >/dev/null
    fi
    id linli-district >/dev/null 2>&1 ||
        useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin linli-district
    install -m 0755 -- "$program" /usr/local/bin/linli-district
fi
mkdir -p -- "$etc/broker" "$etc/handover" "$backups/base" "$backups/wal" "$root/etc/mosquitto/conf.d" \
    "$root/etc/postgresql/15/main/conf.d" "$root/etc/systemd/system" "$root/usr/local/sbin" "$state/broker"
chmod 0755 -- "$state" "$state/broker"
if [ -z "$root" ]; then
    # mosquitto reads below broker/ as its own user, PostgreSQL writes the backups as its own.
    chmod 0711 -- "$etc"
    chown mosquitto:mosquitto -- "$etc/broker"
    chown -R postgres:postgres -- "$backups"
    chown linli-district:linli-district -- "$state" "$state/broker"
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
# Another authority for gateways: whoever takes its key can be a gateway, but not the broker.
if [ ! -f "$etc/centres-authority.pem" ]; then
    say "生成网关证书机构 making the authority for gateways"
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$etc/centres-authority.key" 2>/dev/null
    openssl req -x509 -new -key "$etc/centres-authority.key" -sha256 -days 7300 -subj "/CN=linli centres authority" \
        -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign" \
        -out "$etc/broker/centres-ca.pem"
    cat -- "$etc/centres-authority.key" "$etc/broker/centres-ca.pem" > "$etc/centres-authority.pem"
    rm -f -- "$etc/centres-authority.key"
fi
owned linli-district:linli-district "$etc/centres-authority.pem"
# The broker does not start without a list of void certificates; linli-district writes the next ones.
if [ ! -f "$state/broker/void.pem" ]; then
    work="$(mktemp -d)"
    : > "$work/index"
    printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s\ndefault_md=sha256\ndefault_crl_days=3650\n' "$work/index" > "$work/cnf"
    openssl ca -config "$work/cnf" -gencrl -cert "$etc/broker/centres-ca.pem" -keyfile "$etc/centres-authority.pem" \
        -out "$state/broker/void.pem" 2>/dev/null
    rm -rf -- "$work"
fi
for file in ca.pem broker.pem broker.key centres-ca.pem; do
    owned mosquitto:mosquitto "$etc/broker/$file"
done
# The service shows the broker's certificate where gateways get theirs.
cp -- "$etc/broker/broker.pem" "$etc/enrolment.pem"
cp -- "$etc/broker/broker.key" "$etc/enrolment.key"
cp -- "$etc/broker/ca.pem" "$etc/trust.pem"
for file in enrolment.pem enrolment.key trust.pem; do
    owned linli-district:linli-district "$etc/$file"
done
echo "mqtts://$host:$port" > "$etc/broker/address"

# === Users ===

if [ ! -f "$etc/broker-password" ]; then
    openssl rand -base64 24 > "$etc/broker-password"
    : > "$etc/broker/passwords"
    mosquitto_passwd -b "$etc/broker/passwords" district "$(cat -- "$etc/broker-password")"
fi
owned linli-district:linli-district "$etc/broker-password"
if [ ! -f "$state/broker/rules" ]; then
    if [ -f "$etc/broker/rules" ]; then
        mv -- "$etc/broker/rules" "$state/broker/rules"
    else
        printf 'user district\ntopic read linli/1/#\ntopic write linli/1/+/+/ack\n' > "$state/broker/rules"
    fi
fi
owned mosquitto:mosquitto "$etc/broker/passwords"
for file in rules void.pem; do
    owned linli-district:linli-district "$state/broker/$file"
    chmod 0644 -- "$state/broker/$file"
done

# === Configuration ===

memory="$(awk '/^MemTotal:/ {print int($2 / 1024)}' /proc/meminfo)"
sed -e "s|@PLAIN_PORT@|$plain|" -e "s|@PORT@|$port|" \
    -e "s|@CERTIFICATE_PORT@|$certificate_port|" -e "s|/var/lib/linli-district|$state|" \
    -e "s|@QUEUE@|$((memory / 4 * 1048576))|" -e "s|/etc/linli-district|$etc|" \
    "$here/mosquitto.conf" > "$root/etc/mosquitto/conf.d/linli-district.conf"
sed -e "s|@BUFFERS@|$((memory / 8))MB|" -e "s|@CACHE@|$((memory / 2))MB|" \
    "$here/postgresql.conf" > "$root/etc/postgresql/15/main/conf.d/linli-district.conf"
chmod 0644 -- "$root/etc/mosquitto/conf.d/linli-district.conf" "$root/etc/postgresql/15/main/conf.d/linli-district.conf"
enrol_on=127.0.0.1
[ -z "$gateways" ] || enrol_on=0.0.0.0
enrolment="[enrolment]
# Gateways get their certificates here, with a code of linli-district-centre add.
authority = \"centres-authority.pem\"
trust = \"trust.pem\"
brokers = [\"mqtts://$host:$certificate_port\"]
url = \"https://$host:$enrol_port\"
listen = \"$enrol_on:$enrol_port\"
certificate = \"enrolment.pem\"
key = \"enrolment.key\"
broker_files = \"$state/broker\""
if [ -f "$etc/district.toml" ] && ! grep -q '^\[enrolment\]' "$etc/district.toml"; then
    say "district.toml 保持不变；要签发证书请加入 stays as it is; for certificates add:"
    printf '%s\n' "$enrolment"
fi
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

$enrolment
END
fi
owned linli-district:linli-district "$etc/district.toml"
# Root, too, is the service's user at the database: `linli-district users add` and the other verbs work for it.
hba="$root/etc/postgresql/15/main/pg_hba.conf"
if [ -f "$hba" ] && ! grep -q 'map=linli' "$hba"; then
    sed -i '1i local linli linli-district peer map=linli' "$hba"
    printf 'linli linli-district linli-district\nlinli root linli-district\n' >> "$root/etc/postgresql/15/main/pg_ident.conf"
fi
for unit in linli-district.service linli-district-broker.path linli-district-broker.service \
    linli-district-backup.service linli-district-backup.timer; do
    install -m 0644 -- "$here/$unit" "$root/etc/systemd/system/$unit"
done
if [ -n "$gateways" ]; then
    mkdir -p -- "$root/etc/systemd/system/linli-district.service.d"
    printf '# Written by install.sh --gateways.\n[Service]\nIPAddressAllow=%s\n' "$gateways" \
        > "$root/etc/systemd/system/linli-district.service.d/gateways.conf"
fi
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
# The user postgres may not read the folder where this began.
cd /
runuser -u postgres -- psql -Xqtc "SELECT 1 FROM pg_roles WHERE rolname = 'linli-district'" | grep -q 1 ||
    runuser -u postgres -- createuser --no-superuser --no-createdb --no-createrole linli-district
runuser -u postgres -- psql -Xqtc "SELECT 1 FROM pg_database WHERE datname = 'linli'" | grep -q 1 ||
    runuser -u postgres -- createdb --owner=linli-district --encoding=UTF8 linli
systemctl enable --quiet --now linli-district linli-district-broker.path linli-district-backup.timer
[ "$(stat -c %d /var/lib/postgresql)" != "$(stat -c %d "$backups")" ] || cat <<'END'
注意：备份与数据库在同一块磁盘上，磁盘损坏则都会丢失；请把另一块磁盘挂载到 /var/backups/linli-district。
Note: the backups are on the database's own disk and would be lost with it: mount another one at
/var/backups/linli-district.
END
cat <<END
区级平台已运行。The district runs: systemctl status linli-district
下一步 next:
  建账号 an account for the screens: linli-district users add zhang --name 张三 --role administrator
  打开屏幕 the screens, on this machine: http://127.0.0.1:8090
  登记各中心 enrol the centres: linli-district-centre add CENTRE GATEWAY --name 名称 --phone 电话
END
