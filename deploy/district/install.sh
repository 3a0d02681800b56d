#!/bin/sh
# The district on one machine: mosquitto and PostgreSQL of Debian 12, linli-district. Run as root in this folder, beside the
# program: ./install.sh PATH/linli-district. Running it again changes nothing that exists.
set -eu
program=${1:?usage: install.sh PATH/linli-district}
here=$(cd "$(dirname "$0")" && pwd)
[ "$(id -u)" = 0 ] || { echo "请以 root 运行  run it as root" >&2; exit 1; }
[ -x "$program" ] || { echo "$program: 不是程序  is no program" >&2; exit 1; }

apt-get install -y --no-install-recommends mosquitto postgresql-15 openssl
install -m 755 "$program" /usr/local/bin/linli-district
id linli-district >/dev/null 2>&1 || useradd --system --no-create-home --shell /usr/sbin/nologin linli-district

# Configuration: generated secrets, readable by those who need them.
install -d -m 750 -g linli-district /etc/linli-district
[ -f /etc/linli-district/district.toml ] ||
  install -m 640 -g linli-district "$here/district.toml" /etc/linli-district/district.toml
if [ ! -f /etc/linli-district/broker.password ]; then
  umask 027
  openssl rand -hex 24 > /etc/linli-district/broker.password
  chgrp linli-district /etc/linli-district/broker.password
fi

# The database.
install -m 644 "$here/postgresql.conf" /etc/postgresql/15/main/conf.d/linli-district.conf
install -d -m 700 -o postgres -g postgres /var/lib/postgresql/linli-wal
systemctl restart postgresql
as_postgres() { runuser -u postgres -- "$@"; }
as_postgres psql -tAc "SELECT 1 FROM pg_roles WHERE rolname = 'linli-district'" | grep -q 1 ||
  as_postgres createuser linli-district
as_postgres psql -tAc "SELECT 1 FROM pg_database WHERE datname = 'linli'" | grep -q 1 ||
  as_postgres createdb --owner linli-district linli
runuser -u linli-district -- linli-district migrate

# A certificate of the broker, by an authority of this district, if there is none.
certs=/etc/mosquitto/certs
if [ ! -f $certs/linli-broker.pem ]; then
  umask 077
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=linli district authority" \
    -keyout $certs/linli-ca.key -out $certs/linli-ca.pem 2>/dev/null
  name=$(hostname -f)
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
    -keyout $certs/linli-broker.key -out $certs/linli-broker.csr 2>/dev/null
  printf 'subjectAltName=DNS:%s\n' "$name" > $certs/linli-broker.ext
  openssl x509 -req -in $certs/linli-broker.csr -CA $certs/linli-ca.pem -CAkey $certs/linli-ca.key -CAcreateserial \
    -days 825 -extfile $certs/linli-broker.ext -out $certs/linli-broker.pem 2>/dev/null
  chown mosquitto $certs/linli-broker.key
  chmod 644 $certs/linli-ca.pem $certs/linli-broker.pem
fi

# The broker: users and rules. The rules are written anew by centre.sh whenever a centre is added or revoked.
[ -f /etc/mosquitto/linli.passwd ] || install -m 640 -o root -g mosquitto /dev/null /etc/mosquitto/linli.passwd
mosquitto_passwd -b /etc/mosquitto/linli.passwd district "$(cat /etc/linli-district/broker.password)"
runuser -u linli-district -- linli-district centre acl > /etc/mosquitto/linli.acl
chown root:mosquitto /etc/mosquitto/linli.passwd /etc/mosquitto/linli.acl
chmod 640 /etc/mosquitto/linli.passwd /etc/mosquitto/linli.acl
install -m 644 "$here/mosquitto.conf" /etc/mosquitto/conf.d/linli-district.conf
systemctl restart mosquitto

install -m 644 "$here/linli-district.service" /etc/systemd/system/linli-district.service
systemctl daemon-reload
systemctl enable --now linli-district
echo "已安装  installed: http://127.0.0.1:8090/"
