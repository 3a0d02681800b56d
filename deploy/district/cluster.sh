#!/bin/sh
# cluster.sh plan FOLDER --brokers A,B,C --databases D,E --services F,G[,…]
# cluster.sh broker | primary | standby | service [--program FILE]
# cluster.sh promote [--force] | synchronous on|off | users | disk
# cluster.sh centre FOLDER add CENTRE GATEWAY | revoke CENTRE GATEWAY | list
#
# 在几台机器上安装区级平台：三台消息服务器、主备数据库、两份或更多服务。Sets up a district on several machines with
# Debian 12: three NATS servers that each keep every message, a PostgreSQL 15 with a standby, two or more copies of
# linli-district that know all of them.
#
#   plan       在管理员机器上运行一次：证书机构、密码、每台机器一个目录 once, where the keys are kept: an authority,
#              passwords, and in FOLDER/machines a folder for each machine. Names are those by which the machines reach
#              each other, DNS or addresses; one machine may have several parts.
#   broker     在该机器的目录中运行 run in that machine's folder: a NATS server (4222 services, 6222 cluster, 8883 gateways)
#   primary    主库 the database that takes writes. It commits when the standby has it too: nothing before that is there
#   standby    备库 the other one. --from NAME after a promotion; --discard puts what is there aside first
#   service    一份服务 a copy of linli-district, with --program FILE
#   promote    备库升为主库 the standby becomes the primary; refused while the other one answers, unless --force
#   synchronous  off: 没有备库时单独提交 commit without a standby; on: again with it
#   users      读标准输入，更换各网关的用户 reads users of gateways from standard input, as `centre` writes them
#   disk       磁盘剩余不足 --least MiB（默认 512）时停止消息服务器 ends the broker when its disk has less room than that:
#              a full one would hold up the others; a timer runs it every 30 s
#   centre     登记或撤销网关（管理员机器）a gateway's user and password at the brokers; with --ssh it takes the users there
#
#   --root FOLDER    只在此目录下安装，不装软件包、不启动 everything below FOLDER; no packages, nothing is started
#   --dry-run        只说会做什么 only say what would be done
set -eu
umask 077

here="$(cd -- "$(dirname -- "$0")" && pwd)"
root=
dry=
program=./linli-district
from=
discard=
force=
ssh=
least=512
programs="${LINLI_PG_BIN:-/usr/lib/postgresql/15/bin}"

wrong() {
    echo "cluster.sh: $*" >&2
    exit 2
}
say() {
    echo "==> $*"
}
usage() {
    sed -n '2,/^set -eu/{/^set -eu/d;s/^# \{0,1\}//;p}' "$0"
}
# A file from standard input: `put FILE MODE OWNER`. It is there whole or not at all.
put() {
    if [ -n "$dry" ]; then
        echo "写入 would write $root$1 ($2, $3, $(wc -l) 行 lines)"
        return
    fi
    folder "$(dirname -- "$1")"
    cat > "$root$1.new"
    chmod "$2" -- "$root$1.new"
    owned "$3" "$root$1.new"
    mv -- "$root$1.new" "$root$1"
}
# A folder that every user may pass.
folder() {
    [ -n "$dry" ] || (umask 022 && mkdir -p -- "$root$1")
}
# The owner of a file. Below --root the user may be missing.
owned() {
    if [ "$(id -u)" = 0 ] && { [ -z "$root" ] || id "${1%%:*}" >/dev/null 2>&1; }; then
        chown "$1" -- "$2"
    fi
}
# A command on this machine: packages, users, units. Not below --root.
machine() {
    if [ -n "$dry" ]; then
        echo "运行 would run: $*"
    elif [ -z "$root" ]; then
        "$@"
    fi
}
as_postgres() {
    if [ "$(id -u)" = 0 ]; then
        (cd / && runuser -u postgres -- "$@")
    else
        "$@"
    fi
}
address() {
    case "$1" in
        '' | -* | .* | *[!A-Za-z0-9.:-]*) wrong "$2：$1 不是域名或地址 is not a name or an address" ;;
    esac
}
is_address() {
    case "$1" in *:*) ;; *[!0-9.]*) return 1 ;; esac
}
# `list WHAT LEAST MOST A,B,C`: the names, with spaces between.
list() {
    names="$(printf '%s' "$4" | tr ',' ' ')"
    [ -n "$names" ] || wrong "缺少 missing --$1 A,B,…; --help"
    count=0
    for name in $names; do
        address "$name" "--$1"
        count=$((count + 1))
    done
    [ "$count" -ge "$2" ] && [ "$count" -le "$3" ] ||
        wrong "--$1 $4：应有 $2 到 $3 个 there must be $2 to $3 of them, not $count"
    [ "$(printf '%s\n' $names | sort -u | wc -l)" = "$count" ] || wrong "--$1 $4：有重复 a name stands there twice"
    printf '%s' "$names"
}
# A list for configuration files: `joined PREFIX SUFFIX SEPARATOR NAME…`.
joined() {
    prefix="$1" suffix="$2" separator="$3" all=
    shift 3
    for name in "$@"; do
        all="$all${all:+$separator}$prefix$name$suffix"
    done
    printf '%s' "$all"
}
# The names with this one first: each machine begins at another one.
rotated() {
    first="$1" before= after= seen=
    shift
    for name in "$@"; do
        if [ "$name" = "$first" ]; then seen=1; fi
        if [ -n "$seen" ]; then after="$after $name"; else before="$before $name"; fi
    done
    printf '%s' "$after$before"
}

# === plan ===

certificate() {
    is_address "$1" && kind=IP || kind=DNS
    openssl ecparam -name prime256v1 -genkey -noout -out "$2/machine.key"
    openssl req -new -key "$2/machine.key" -subj "/CN=$1" -out "$2/machine.csr"
    printf 'subjectAltName=%s:%s\nextendedKeyUsage=serverAuth,clientAuth\nbasicConstraints=critical,CA:FALSE\n' \
        "$kind" "$1" > "$2/machine.ext"
    openssl x509 -req -in "$2/machine.csr" -CA "$plan/ca.pem" -CAkey "$plan/authority.key" \
        -set_serial "0x$(openssl rand -hex 16)" -sha256 -days 825 -extfile "$2/machine.ext" \
        -out "$2/machine.pem" 2>/dev/null
    rm -f -- "$2/machine.csr" "$2/machine.ext"
}
# Base64 without what a URL or SQL would read: 192 bits from the kernel's generator.
secret() {
    [ -f "$plan/secrets/$1" ] || openssl rand -base64 24 | tr '+/' '-_' > "$plan/secrets/$1"
}
# bcrypt by the C library: of a password on standard input.
hashed() {
    perl -e 'my $p = <STDIN>; chomp $p; open my $r, "<", "/dev/urandom" or die; read $r, my $b, 21;
        my @c = (".", "/", "A".."Z", "a".."z", 0..9); my $s = join "", map { $c[ord($_) & 63] } split //, $b;
        print crypt($p, "\$2b\$10\$${s}u")'
}
plan() {
    [ $# -ge 1 ] || wrong "哪个目录？plan FOLDER; --help"
    plan="$1" brokers= databases= services=
    shift
    while [ $# -gt 0 ]; do
        case "$1" in
            --brokers) brokers="${2:?--brokers A,B,C}" && shift ;;
            --databases) databases="${2:?--databases D,E}" && shift ;;
            --services) services="${2:?--services F,G}" && shift ;;
            --dry-run) dry=1 ;;
            *) wrong "没有这个选项 no such option: $1; --help" ;;
        esac
        shift
    done
    brokers="$(list brokers 3 5 "$brokers")" || exit 2
    [ "$(printf '%s\n' $brokers | wc -l)" != 4 ] ||
        wrong "--brokers：4 个并不比 3 个可靠 four outlive no more failures than three; take 3 or 5"
    databases="$(list databases 2 2 "$databases")" || exit 2
    services="$(list services 2 16 "$services")" || exit 2
    all="$(printf '%s\n' $brokers $databases $services | sort -u)"
    if [ -n "$dry" ]; then
        echo "写入 would write $plan: 证书机构、密码 authority, passwords; machines: $(echo $all)"
        return
    fi
    if [ -e "$plan/cluster.conf" ]; then
        # The machines may change, the authority and the passwords stay.
        say "已有的证书机构和密码不变 the authority and the passwords that are there stay"
    elif [ -e "$plan" ] && [ -n "$(ls -A -- "$plan")" ]; then
        wrong "$plan 不是空目录，也不是一份计划 is neither empty nor a plan"
    fi
    mkdir -p -- "$plan/secrets" "$plan/users" "$plan/handover" "$plan/machines"
    if [ ! -f "$plan/authority.key" ]; then
        openssl ecparam -name prime256v1 -genkey -noout -out "$plan/authority.key"
        openssl req -x509 -new -key "$plan/authority.key" -sha256 -days 7300 -subj "/CN=linli district authority" \
            -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign" \
            -out "$plan/ca.pem"
    fi
    for name in district routes database replication; do secret "$name"; done
    {
        echo "brokers='$brokers'"
        echo "databases='$databases'"
        echo "services='$services'"
    } > "$plan/cluster.conf"
    users > "$plan/users.conf"
    for name in $all; do
        folder="$plan/machines/$name"
        mkdir -p -- "$folder/secrets"
        # Anew when it ends within 60 days.
        openssl x509 -in "$folder/machine.pem" -noout -checkend 5184000 >/dev/null 2>&1 || certificate "$name" "$folder"
        cp -- "$plan/ca.pem" "$plan/cluster.conf" "$folder/"
        echo "$name" > "$folder/name"
        cp -- "$here/cluster.sh" "$here/archive.sh" "$here/backup.sh" "$here/restore.sh" \
            "$here/linli-district.service" "$here/linli-district-backup.service" "$here/linli-district-backup.timer" "$folder/"
        cp -R -- "$here/cluster" "$folder/"
        # Each machine gets what its parts need, and nothing else.
        for broker in $brokers; do
            [ "$name" != "$broker" ] || cp -- "$plan/secrets/routes" "$folder/secrets/"
            [ "$name" != "$broker" ] || cp -- "$plan/users.conf" "$folder/"
        done
        for database in $databases; do
            [ "$name" != "$database" ] || cp -- "$plan/secrets/database" "$plan/secrets/replication" "$folder/secrets/"
        done
        for service in $services; do
            [ "$name" != "$service" ] || cp -- "$plan/secrets/district" "$plan/secrets/database" "$folder/secrets/"
        done
    done
    say "计划已写入 the plan is in $plan; 私钥在此，请离线保管 the authority's key is there: keep it offline"
    echo "把各目录拷到各机器，以 root 在其中运行 take each folder to its machine and run there as root, in this order:"
    for name in $brokers; do echo "  $plan/machines/$name  →  sh cluster.sh broker"; done
    set -- $databases
    echo "  $plan/machines/$1  →  sh cluster.sh primary"
    echo "  $plan/machines/$2  →  sh cluster.sh standby"
    for name in $services; do echo "  $plan/machines/$name  →  sh cluster.sh service --program PATH/linli-district"; done
}

# === centre: users of gateways ===

# The users of NATS: the service, and each gateway with its own topics only.
users() {
    echo "# 由 cluster.sh 写成。Written by cluster.sh: users of the account DISTRICT."
    echo "users = ["
    sed -e "s|@HASH@|$(hashed < "$plan/secrets/district")|" "$here/cluster/user-district.conf"
    for file in "$plan"/users/*; do
        [ ! -f "$file" ] || cat -- "$file"
    done
    echo "]"
}
centre() {
    [ $# -ge 2 ] || wrong "centre FOLDER add|revoke|list; --help"
    plan="$1" verb="$2"
    shift 2
    [ -f "$plan/cluster.conf" ] || wrong "$plan 不是 plan 写成的目录 is no folder that \`plan\` wrote"
    . "$plan/cluster.conf"
    if [ "$verb" = list ]; then
        ls -1 -- "$plan/users"
        return
    fi
    [ "$verb" = add ] || [ "$verb" = revoke ] || wrong "没有这个动作 no such verb: centre … $verb; add, revoke, list"
    [ $# -ge 2 ] || wrong "centre FOLDER $verb CENTRE GATEWAY"
    for id in "$1" "$2"; do
        # A point is no part of a topic that nats-server 2.9 takes.
        case "$id" in '' | [!a-z0-9]* | *[!a-z0-9_-]*) wrong "$id：只能用小写字母、数字、- _ only a-z, 0-9, - and _" ;; esac
    done
    centre="$1" gateway="$2" user="$1.$2" folder="$plan/handover/$1.$2"
    [ "${3:-}" != --ssh ] || ssh=1
    if [ "$verb" = add ]; then
        mkdir -p -- "$folder"
        openssl rand -base64 24 > "$folder/district-password"
        subject="linli.1.$1.$2"
        sed -e "s|@USER@|$user|" -e "s|@HASH@|$(hashed < "$folder/district-password")|" -e "s|@SUBJECT@|$subject|g" \
            "$here/cluster/user-gateway.conf" > "$plan/users/$user"
        cp -- "$plan/ca.pem" "$folder/district-ca.pem"
        set -- $brokers
        {
            echo "# 放入网关的 gateway.toml；另两个文件放在它旁边，属于网关的用户，权限 0600。"
            echo "# For gateway.toml; the two other files go beside it, with mode 0600, and belong to the gateway's user:"
            echo "#   cd /etc/linli && chown linli district-password district-ca.pem && chmod 0600 district-password"
            echo "[mqtt]"
            echo "url = \"mqtts://$1:8883\""
            shift
            echo "more_urls = [$(joined '"mqtts://' ':8883"' ', ' "$@")]"
            echo "version = \"3.1.1\""
            echo "escape_dots = true"
            echo "username = \"$user\""
            echo "password = \"file:district-password\""
            echo "tls = { ca = \"district-ca.pem\" }"
            echo "acknowledge = \"district\""
            echo "inbound_qos = 0"
        } > "$folder/gateway-mqtt.toml"
    else
        [ -f "$plan/users/$user" ] || wrong "没有登记 is not enrolled: $user; centre $plan list"
        rm -rf -- "${plan:?}/users/$user" "$folder"
    fi
    users > "$plan/users.conf"
    for name in $brokers; do
        cp -- "$plan/users.conf" "$plan/machines/$name/"
        if [ -n "$ssh" ]; then
            # shellcheck disable=SC2029
            ssh "root@$name" linli-district-cluster users < "$plan/users.conf"
        else
            echo "请运行 run: ssh root@$name linli-district-cluster users < $plan/users.conf"
        fi
    done
    set -- $services
    if [ "$verb" = revoke ]; then
        echo "然后在 then on $1: linli-district centre revoke $centre $gateway"
        return
    fi
    echo "然后在 then on $1: linli-district centre add $centre $gateway --no-code --name 名称 --phone 电话 --place 纬度,经度"
    echo "请把此目录交给网关，之后删除 take this folder to the gateway, then delete it: $folder"
}
new_users() {
    etc=/etc/linli-district
    [ -f "$root$etc/nats-server.conf" ] || wrong "这台机器没有消息服务器 this machine is no broker: $root$etc/nats-server.conf"
    text="$(cat)"
    case "$text" in
        *"users = ["*"]"*) ;;
        *) wrong "标准输入不是 plan 写成的 users.conf standard input is no users.conf of the plan" ;;
    esac
    [ -n "$dry" ] || cp -- "$root$etc/users.conf" "$root$etc/users.before"
    printf '%s\n' "$text" | put $etc/users.conf 0600 nats:nats
    [ -z "$dry" ] || return 0
    # What the server would not read must not take the place of what it reads.
    if ! nats-server -t -c "$root$etc/nats-server.conf" >/dev/null 2>&1; then
        mv -- "$root$etc/users.before" "$root$etc/users.conf"
        wrong "服务器读不了新用户，保留原来的 the server cannot read them; those before stay"
    fi
    if [ -n "${LINLI_BROKER_PID:-}" ]; then kill -HUP "$LINLI_BROKER_PID"; else machine systemctl reload nats-server; fi
    say "用户已更换 the users are changed"
}

# === What every machine needs ===

# Reads the plan's folder of this machine; refuses a part that it does not have.
bundle() {
    # Installed, it knows the plan from what was written before.
    [ -f "$here/name" ] || here="$root/etc/linli-district"
    [ -f "$here/name" ] && [ -f "$here/cluster.conf" ] ||
        wrong "请在 plan 写成的 machines/… 目录中运行 run it in a folder below machines/ that \`plan\` wrote"
    name="$(cat -- "$here/name")"
    . "$here/cluster.conf"
    eval "mine=\$$1"
    case " $mine " in
        *" $name "*) ;;
        *) wrong "按计划 $name 不是 by the plan $name is none of --$1: $mine" ;;
    esac
    [ -n "$root$dry" ] || [ "$(id -u)" = 0 ] || wrong "请用 root 运行 run it as root; --root FOLDER or --dry-run to look first"
}
packages() {
    missing=
    for package in "$@"; do
        [ -z "$dry" ] && dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' ||
            missing="$missing $package"
    done
    # What is there stays as it is: a machine without a network needs none.
    [ -n "$missing" ] || return 0
    say "安装 installing$missing"
    # shellcheck disable=SC2086
    machine env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
}
machine_files() {
    owner="$1"
    for file in ca.pem machine.pem machine.key; do
        mode=0644
        [ "$file" != machine.key ] || mode=0600
        put "/etc/linli-district/$2/$file" $mode "$owner:$owner" < "$here/$file"
    done
    put /usr/local/sbin/linli-district-cluster 0755 root:root < "$here/cluster.sh"
    for file in name cluster.conf; do
        put "/etc/linli-district/$file" 0644 root:root < "$here/$file"
    done
}

# === broker ===

broker() {
    bundle brokers
    packages nats-server openssl
    machine_files nats broker
    etc=$root/etc/linli-district
    others="$(for one in $brokers; do [ "$one" = "$name" ] || echo "$one"; done)"
    secret="$(cat -- "$here/secrets/routes")"
    memory="$(awk '/^MemTotal:/ {print int($2 / 1024)}' /proc/meminfo)"
    put /etc/linli-district/users.conf 0600 nats:nats < "$here/users.conf"
    sed -e "s|@NAME@|$name|g" -e "s|@ETC@|$etc|g" -e "s|@STORE@|$root/var/lib/linli-nats|" -e "s|@SECRET@|$secret|g" \
        -e "s|@ROUTES@|$(joined "\"tls://routes:$secret@" ':6222"' ', ' $others)|" -e "s|@MEMORY@|$((memory / 4))MB|" \
        -e "s|@REPLICAS@|3|" "$here/cluster/nats-server.conf" | put /etc/linli-district/nats-server.conf 0600 nats:nats
    put /etc/systemd/system/nats-server.service.d/linli-district.conf 0644 root:root < "$here/cluster/nats-server.service"
    if [ -z "$dry" ]; then
        folder /var/lib/linli-nats
        chmod 0700 -- "$root/var/lib/linli-nats"
        owned nats:nats "$root/var/lib/linli-nats"
        nats-server -t -c "$root/etc/linli-district/nats-server.conf" >/dev/null ||
            wrong "生成的配置有误 nats-server refuses what was written"
    fi
    for unit in linli-district-disk.service linli-district-disk.timer; do
        put /etc/systemd/system/$unit 0644 root:root < "$here/cluster/$unit"
    done
    machine systemctl daemon-reload
    machine systemctl enable --quiet --now linli-district-disk.timer
    machine systemctl enable --quiet nats-server
    machine systemctl restart nats-server
    say "消息服务器 $name 就绪 the broker is ready; 它等待过半的服务器 it serves when most of them run: $brokers"
}

disk() {
    store="$root/var/lib/linli-nats"
    [ -d "$store" ] || wrong "这台机器没有消息服务器 this machine is no broker: $store"
    room="$(df --output=avail -m -- "$store" | tail -n 1 | tr -d ' ')"
    if [ "$room" -ge "$least" ]; then
        say "剩余 $room MiB free"
        return
    fi
    say "剩余 $room MiB，停止消息服务器；腾出空间后 free: the broker is ended; make room, then: systemctl start nats-server"
    machine systemctl stop nats-server
}

# === databases ===

data=/var/lib/postgresql/15/main
# There once the database is part of the cluster.
joined=
conf=/etc/postgresql/15/main
# The part of the other database in addresses of pg_hba.conf.
network() {
    case "$1" in
        127.*) echo 127.0.0.0/8 ;;
        *:*) echo "$1/128" ;;
        *) is_address "$1" && echo "$1/32" || echo "$1" ;;
    esac
}
database_files() {
    packages postgresql-15 postgresql-client-15 zstd openssl
    machine_files postgres database
    memory="$(awk '/^MemTotal:/ {print int($2 / 1024)}' /proc/meminfo)"
    sed -e "s|@NAME@|$name|" -e "s|@ETC@|$root/etc/linli-district/database|" -e "s|@BUFFERS@|$((memory / 8))MB|" \
        -e "s|@CACHE@|$((memory / 2))MB|" -e "s|@BIN@|$root/usr/local/sbin|" -e "s|@BACKUPS@|$root/var/backups/linli-district|" "$here/cluster/postgresql.conf" |
        put $conf/conf.d/linli-district.conf 0644 postgres:postgres
    {
        echo "# 由 cluster.sh 写成。Written by cluster.sh: only with TLS and a password, only from the machines of the plan."
        echo "local all all peer"
        for one in $services; do echo "hostssl linli linli $(network "$one") scram-sha-256"; done
        for one in $databases; do echo "hostssl replication replica $(network "$one") scram-sha-256"; done
        echo "host all all all reject"
    } | put $conf/pg_hba.conf 0640 postgres:postgres
    if [ -n "$root" ]; then
        # What Debian's package writes: its own file includes conf.d.
        folder /run/postgresql
        [ -n "$dry" ] || owned postgres:postgres "$root/run/postgresql"
        {
            echo "data_directory = '$root$data'"
            echo "hba_file = '$root$conf/pg_hba.conf'"
            echo "unix_socket_directories = '$root/run/postgresql'"
            echo "include_dir = 'conf.d'"
        } | put $conf/postgresql.conf 0644 postgres:postgres
    fi
    printf '*:*:*:replica:%s\n' "$(cat -- "$here/secrets/replication")" |
        put /etc/linli-district/database/pgpass 0600 postgres:postgres
    for script in archive backup restore; do
        put /usr/local/sbin/linli-district-$script 0755 root:root < "$here/$script.sh"
    done
    for unit in linli-district-backup.service linli-district-backup.timer; do
        put /etc/systemd/system/$unit 0644 root:root < "$here/$unit"
    done
    [ -n "$dry" ] || { folder /var/backups/linli-district/base && folder /var/backups/linli-district/wal; }
    [ -n "$dry" ] || for part in "" /base /wal; do
        owned postgres:postgres "$root/var/backups/linli-district$part"
        chmod 0700 -- "$root/var/backups/linli-district$part"
    done
}
primary() {
    bundle databases
    [ ! -e "$root$data/standby.signal" ] || wrong "这台是备库 this one is the standby; promote makes it the primary"
    database_files
    synchronous_file
    if [ -n "$root" ] && [ -z "$dry" ] && [ ! -e "$root$data/PG_VERSION" ]; then
        folder $data
        owned postgres:postgres "$root$data"
        as_postgres "$programs/initdb" --auth=peer --username=postgres --encoding=UTF8 --locale=C.UTF-8 \
            --data-checksums -D "$root$data" >/dev/null
        as_postgres "$programs/pg_ctl" -s -w -D "$root$data" -l "$root/run/postgresql/log" \
            -o "-c config_file=$root$conf/postgresql.conf -c listen_addresses=" start
    fi
    machine systemctl enable --quiet postgresql
    machine systemctl restart postgresql@15-main
    if [ -z "$dry" ]; then
        # It must not wait for a standby that comes after it.
        sed -e "s|@DATABASE@|$(cat -- "$here/secrets/database")|" -e "s|@REPLICATION@|$(cat -- "$here/secrets/replication")|" \
            "$here/cluster/roles.sql" | sql >/dev/null
    fi
    [ -n "$dry" ] || : > "$joined"
    [ -z "$root" ] || [ -n "$dry" ] || as_postgres "$programs/pg_ctl" -s -w -m fast -D "$root$data" stop
    machine systemctl enable --quiet --now linli-district-backup.timer
    say "主库 $name 就绪 the primary is ready; 备库就绪之后才接受数据 it takes data when the standby is there"
}
sql() {
    as_postgres psql -XqAt -v ON_ERROR_STOP=1 ${root:+-h "$root/run/postgresql"} -d "${1:-postgres}"
}
standby() {
    bundle databases
    [ -n "$from" ] || { set -- $databases && from="$1"; }
    address "$from" --from
    [ "$from" != "$name" ] || wrong "--from $from：本机不能跟随自己 a standby cannot follow itself; --from the other one"
    database_files
    if [ -z "$dry" ] && [ -n "$(ls -A -- "$root$data" 2>/dev/null)" ]; then
        [ -z "$root" ] && machine systemctl stop postgresql@15-main
        # What Debian's package has just made holds nothing of ours.
        if [ -z "$discard" ] && { [ -n "$root" ] || [ -e "$joined" ]; }; then
            wrong "$root$data 中有数据；确认不再需要后加 --discard（移到旁边）there is data; with --discard it is put aside"
        fi
        mv -- "$root$data" "$root$data.before-$(date -u +%Y%m%dT%H%M%SZ)"
    fi
    [ -n "$dry" ] || rm -f -- "$root$conf/conf.d/linli-district-synchronous.conf"
    slot="linli_$(printf '%s' "$name" | tr -c 'a-z0-9' '_')"
    pass="$root/etc/linli-district/database/pgpass"
    link="host=$from user=replica sslmode=verify-full sslrootcert=$root/etc/linli-district/database/ca.pem"
    link="$link passfile=$pass application_name=$slot"
    say "从 $from 复制 copying the database of $from"
    if [ -n "$dry" ]; then
        echo "运行 would run: pg_basebackup -R -C -S $slot -d '$link'"
    else
        folder $data
        chmod 0700 -- "$root$data"
        owned postgres:postgres "$root$data"
        # A slot of an earlier time is used again.
        copied="$(as_postgres "$programs/pg_basebackup" -d "$link" -D "$root$data" -X stream -R -C -S "$slot" -c fast 2>&1)" ||
            case "$copied" in
                *'replication slot "'*'already exists'*)
                    as_postgres "$programs/pg_basebackup" -d "$link" -D "$root$data" -X stream -R -S "$slot" -c fast
                    ;;
                *) wrong "从 $from 复制失败 the copy failed: $copied" ;;
            esac
        : > "$joined"
    fi
    machine systemctl enable --quiet postgresql
    machine systemctl restart postgresql@15-main
    say "备库 $name 就绪，跟随 the standby is ready and follows $from"
}
# Which standby a commit waits for.
synchronous_file() {
    echo "synchronous_standby_names = 'FIRST 1 (*)'" | put $conf/conf.d/linli-district-synchronous.conf 0644 postgres:postgres
}
reload() {
    [ -n "$dry" ] || echo "SELECT pg_reload_conf()" | sql >/dev/null
}
synchronous() {
    case "${1:-}" in
        on) synchronous_file ;;
        off) [ -n "$dry" ] || rm -f -- "$root$conf/conf.d/linli-district-synchronous.conf" ;;
        *) wrong "synchronous on | off" ;;
    esac
    reload
    say "同步提交 synchronous: $1"
}
promote() {
    bundle databases
    [ -e "$root$data/standby.signal" ] || wrong "这台不是备库 this is no standby: $root$data"
    for other in $databases; do
        [ "$other" != "$name" ] || continue
        if [ -z "$force" ] && "$programs/pg_isready" -q -t 3 -h "$other"; then
            wrong "$other 还在应答：先停掉它，两台主库会各收一部分 still answers: stop it first, two primaries would each take a part (--force)"
        fi
    done
    [ -z "$dry" ] || { echo "运行 would run: pg_ctl promote" && return; }
    as_postgres "$programs/pg_ctl" -s -w -D "$root$data" promote
    cat <<END
$name 现在是主库，单独提交；各份服务自己转过来。This is the primary now, without a standby; the copies come by themselves.
原主库修好之后 when the other machine is well again:
  那里 there:  sh cluster.sh standby --from $name --discard
  然后这里 then here:  linli-district-cluster synchronous on
END
}

# === service ===

service() {
    bundle services
    [ -n "$root$dry" ] || [ -x "$program" ] || wrong "没有程序 there is no program $program; --program FILE"
    packages openssl ca-certificates
    id linli-district >/dev/null 2>&1 ||
        machine useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin linli-district
    machine install -m 0755 -- "$program" /usr/local/bin/linli-district
    machine_files linli-district service
    etc=$root/etc/linli-district
    put /etc/linli-district/broker-password 0600 linli-district:linli-district < "$here/secrets/district"
    put /etc/linli-district/database-password 0600 linli-district:linli-district < "$here/secrets/database"
    # Each copy begins at another broker.
    nth=0
    for one in $services; do
        [ "$one" != "$name" ] || break
        nth=$((nth + 1))
    done
    set -- $brokers
    begin="$(eval "echo \${$((nth % $# + 1))}")"
    set -- $(rotated "$begin" $brokers)
    first="$1"
    shift
    if [ -n "$root" ] || [ ! -f "$etc/district.toml" ]; then
        sed -e "s|@DATABASES@|$(joined '' '' ',' $databases)|" -e "s|@ETC@|$etc|g" -e "s|@BROKER@|$first|" \
            -e "s|@MORE@|$(joined '"tls://' ':4222"' ', ' "$@")|" -e "s|@NAME@|$(printf '%s' "$name" | tr ':' '-')|" \
            "$here/cluster/district.toml" | put /etc/linli-district/district.toml 0600 linli-district:linli-district
    elif ! grep -q 'file:database-password' "$etc/district.toml"; then
        # One of before, which had it from the environment.
        machine sed -i '/^url = "postgres/a password = "file:database-password"' "$etc/district.toml"
    fi
    put /etc/systemd/system/linli-district.service 0644 root:root < "$here/linli-district.service"
    {
        echo "[Service]"
        for one in $brokers $databases; do
            # Names may change their address.
            is_address "$one" && echo "IPAddressAllow=$one" || echo "IPAddressAllow=any"
        done | sort -u
    } | put /etc/systemd/system/linli-district.service.d/cluster.conf 0644 root:root
    machine systemctl daemon-reload
    machine systemctl enable --quiet linli-district
    machine systemctl restart linli-district
    say "服务 $name 就绪 the copy is ready: systemctl status linli-district"
}

verb="${1:-}"
[ $# -eq 0 ] || shift
case "$verb" in
    plan) plan "$@" && exit 0 ;;
    centre) centre "$@" && exit 0 ;;
    -h | --help) usage && exit 0 ;;
    broker | primary | standby | service | promote | synchronous | users | disk) ;;
    '') usage >&2 && exit 2 ;;
    *) wrong "没有这个动作 no such verb: $verb; --help" ;;
esac
word=
while [ $# -gt 0 ]; do
    case "$1" in
        --program) program="${2:?--program FILE}" && shift ;;
        --from) from="${2:?--from NAME}" && shift ;;
        --root) root="${2:?--root FOLDER}" && shift ;;
        --least) least="${2:?--least MiB}" && shift ;;
        --discard) discard=1 ;;
        --force) force=1 ;;
        --dry-run) dry=1 ;;
        on | off) word="$1" ;;
        -h | --help) usage && exit 0 ;;
        *) wrong "没有这个选项 no such option: $1; --help" ;;
    esac
    shift
done
joined="$root/etc/linli-district/database/joined"
case "$verb" in
    broker) broker ;;
    primary) primary ;;
    standby) standby ;;
    service) service ;;
    promote) promote ;;
    synchronous) synchronous "$word" ;;
    users) new_users ;;
    disk)
        case "$least" in '' | *[!0-9]*) wrong "--least $least 不是数 is not a number of MiB" ;; esac
        disk
        ;;
esac
