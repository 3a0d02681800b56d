#!/bin/sh
# linli-district-centre add CENTRE GATEWAY [--name NAME] [--phone NUMBER] [--place LAT,LON] [--valid HOURS] [--password]
# linli-district-centre code CENTRE GATEWAY [--valid HOURS]
# linli-district-centre revoke CENTRE GATEWAY
# linli-district-centre list
#
# 登记与撤销各中心。Enrols a centre's gateway: it is heard by the district, may read and write its own topics only, and gets
# a code with which it asks for its certificate (`linli uplink enrol`). With --password it gets a user and a password of
# its own at the broker instead, in a folder to take to the gateway; adding one again makes a new password. `revoke` ends
# its connection at once.
set -eu
umask 077

etc="${LINLI_DISTRICT_ETC:-/etc/linli-district}"
files="${LINLI_DISTRICT_STATE:-/var/lib/linli-district}/broker"
program="${LINLI_DISTRICT:-/usr/local/bin/linli-district}"
export LINLI_DISTRICT_CONFIG="${LINLI_DISTRICT_CONFIG:-$etc/district.toml}"

usage() {
    sed -n '2,/^set -eu/{/^set -eu/d;s/^# \{0,1\}//;p}' "$0"
}
district() {
    if [ "$(id -u)" = 0 ] && id linli-district >/dev/null 2>&1; then
        runuser -u linli-district -- env LINLI_DISTRICT_CONFIG="$LINLI_DISTRICT_CONFIG" "$program" centre "$@"
    else
        "$program" centre "$@"
    fi
}
# The broker reads users, rules and void certificates again; connections of users who are gone end.
renew() {
    district acl > "$files/rules.new"
    given "$files/rules"
    if grep -q '^authority' "$LINLI_DISTRICT_CONFIG"; then
        district void > "$files/void.pem.new"
        given "$files/void.pem"
    fi
    if [ "$(id -u)" = 0 ]; then
        chown mosquitto:mosquitto -- "$etc/broker/passwords"
    fi
    chmod 0600 -- "$etc/broker/passwords"
    if [ -n "${LINLI_BROKER_PID:-}" ]; then
        kill -HUP "$LINLI_BROKER_PID"
    elif [ -d /run/systemd/system ]; then
        systemctl reload mosquitto
    else
        echo "请让 mosquitto 重新读取 let mosquitto read them again: kill -HUP" >&2
    fi
}
# Put in place as a whole, for the broker to read and the service to replace.
given() {
    chmod 0644 -- "$1.new"
    if [ "$(id -u)" = 0 ] && id linli-district >/dev/null 2>&1; then
        chown linli-district:linli-district -- "$1.new"
    fi
    mv -- "$1.new" "$1"
}
handover() {
    user="$1.$2"
    folder="$etc/handover/$user"
    mkdir -p -- "$folder"
    # From the kernel's generator, 192 bits.
    password="$(openssl rand -base64 24)"
    printf '%s\n' "$password" > "$folder/district-password"
    mosquitto_passwd -b "$etc/broker/passwords" "$user" "$password"
    cp -- "$etc/broker/ca.pem" "$folder/district-ca.pem"
    {
        echo "# 放入网关的 gateway.toml；另两个文件放在它旁边，属于网关的用户，权限 0600。"
        echo "# For gateway.toml; the two other files go beside it, with mode 0600, and belong to the gateway's user:"
        echo "#   cd /etc/linli && chown linli district-password district-ca.pem && chmod 0600 district-password"
        echo "[mqtt]"
        echo "url = \"$(cat -- "$etc/broker/address")\""
        echo "username = \"$user\""
        echo "password = \"file:district-password\""
        echo "tls = { ca = \"district-ca.pem\" }"
        echo "acknowledge = \"district\""
        echo "inbound_qos = 0"
    } > "$folder/gateway-mqtt.toml"
    echo "请把此目录交给网关，之后删除 take this folder to the gateway, then delete it: $folder"
}

case "${1:-}" in
    list) district list ;;
    code)
        [ $# -ge 3 ] || { usage >&2 && exit 2; }
        district "$@"
        ;;
    add)
        [ $# -ge 3 ] || { usage >&2 && exit 2; }
        shift
        with=code
        for word in "$@"; do
            shift
            if [ "$word" = --password ]; then with=password; else set -- "$@" "$word"; fi
        done
        if [ "$with" = password ]; then
            district add "$@" --no-code
            handover "$1" "$2"
        else
            district add "$@"
        fi
        renew
        ;;
    revoke)
        [ $# -eq 3 ] || { usage >&2 && exit 2; }
        district revoke "$2" "$3"
        ! grep -q "^$2\.$3:" "$etc/broker/passwords" || mosquitto_passwd -D "$etc/broker/passwords" "$2.$3"
        rm -rf -- "${etc:?}/handover/$2.$3"
        renew
        ;;
    -h | --help) usage ;;
    *) usage >&2 && exit 2 ;;
esac
