#!/bin/sh
# Enrols a gateway, or revokes it, at the district and at the broker. As root:
#   ./centre.sh add CENTRE GATEWAY [--name … --phone … --place LAT,LON]   prints the lines for its gateway.toml
#   ./centre.sh revoke CENTRE GATEWAY
set -eu
operation=${1:?usage: centre.sh add|revoke CENTRE GATEWAY}
centre=${2:?centre}
gateway=${3:?gateway}
district() { runuser -u linli-district -- linli-district centre "$@"; }

district "$@"
case $operation in
add)
  password=$(openssl rand -hex 24)
  mosquitto_passwd -b /etc/mosquitto/linli.passwd "$centre.$gateway" "$password"
  ;;
revoke) mosquitto_passwd -D /etc/mosquitto/linli.passwd "$centre.$gateway" ;;
*) echo "add 或 revoke  add or revoke" >&2; exit 2 ;;
esac
district acl > /etc/mosquitto/linli.acl.new
chown root:mosquitto /etc/mosquitto/linli.acl.new
chmod 640 /etc/mosquitto/linli.acl.new
mv /etc/mosquitto/linli.acl.new /etc/mosquitto/linli.acl
# mosquitto reads its users and rules again; connections stay, those of a revoked user lose their topics.
systemctl reload mosquitto
if [ "$operation" = add ]; then
  cat <<TOML
# gateway.toml of $centre/$gateway; the password into the file district.password beside it, mode 600:
# $password
[mqtt]
url = "mqtts://$(hostname -f):8883"
username = "$centre.$gateway"
password = "file:district.password"
tls = { ca = "district-ca.pem" }   # a copy of /etc/mosquitto/certs/linli-ca.pem
acknowledge = "district"
inbound_qos = 0
TOML
fi
