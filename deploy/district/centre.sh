#!/bin/sh
# linli-district-centre add CENTRE GATEWAY [--name NAME] [--phone NUMBER] [--place LAT,LON]
# linli-district-centre revoke CENTRE GATEWAY
# linli-district-centre list
#
# 登记与撤销各中心。Enrols a centre's gateway: it is heard by the district, gets a user and a password of its own at the
# broker, and may read and write its own topics only. `add` leaves a folder to take to the gateway; adding one again
# makes a new password. `revoke` ends its connection at once.
set -eu
umask 077

etc="${LINLI_DISTRICT_ETC:-/etc/linli-district}"
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
# The broker reads users and rules again; connections of users who are gone end.
renew() {
    district acl > "$etc/broker/rules.new"
    readable "$etc/broker/rules.new"
    mv -- "$etc/broker/rules.new" "$etc/broker/rules"
    readable "$etc/broker/passwords"
    if [ -n "${LINLI_BROKER_PID:-}" ]; then
        kill -HUP "$LINLI_BROKER_PID"
    elif [ -d /run/systemd/system ]; then
        systemctl reload mosquitto
    else
        echo "请让 mosquitto 重新读取 let mosquitto read them again: kill -HUP" >&2
    fi
}
readable() {
    if [ "$(id -u)" = 0 ]; then
        chown mosquitto:mosquitto -- "$1"
    fi
    chmod 0600 -- "$1"
}

case "${1:-}" in
    list) district list ;;
    add)
        [ $# -ge 3 ] || { usage >&2 && exit 2; }
        shift
        district add "$@"
        user="$1.$2"
        folder="$etc/handover/$user"
        mkdir -p -- "$folder"
        # From the kernel's generator, 192 bits.
        password="$(openssl rand -base64 24)"
        printf '%s\n' "$password" > "$folder/district-password"
        mosquitto_passwd -b "$etc/broker/passwords" "$user" "$password"
        cp -- "$etc/broker/ca.pem" "$folder/district-ca.pem"
        {
            echo "# 放入网关的 gateway.toml；另两个文件放在它旁边，权限 0600。"
            echo "# For gateway.toml; the two other files go beside it, with mode 0600."
            echo "[mqtt]"
            echo "url = \"$(cat -- "$etc/broker/address")\""
            echo "username = \"$user\""
            echo "password = \"file:district-password\""
            echo "tls = { ca = \"district-ca.pem\" }"
            echo "acknowledge = \"district\""
            echo "inbound_qos = 0"
        } > "$folder/gateway-mqtt.toml"
        renew
        echo "请把此目录交给网关，之后删除 take this folder to the gateway, then delete it: $folder"
        ;;
    revoke)
        [ $# -eq 3 ] || { usage >&2 && exit 2; }
        district revoke "$2" "$3"
        mosquitto_passwd -D "$etc/broker/passwords" "$2.$3"
        rm -rf -- "${etc:?}/handover/$2.$3"
        renew
        ;;
    -h | --help) usage ;;
    *) usage >&2 && exit 2 ;;
esac
