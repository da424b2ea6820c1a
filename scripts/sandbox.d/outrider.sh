# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154
# Outrider itself: installed from a build, configured, and filled with one organization.

# The CLI, inside.
outrider() { ip netns exec "$NETNS" "$DIR/root/usr/bin/outrider" -c "$DIR/etc/outrider.conf" "$@" 9>&-; }

# The same, and what it says counts: quiet when it went well, the end of `up' when not.
outrider_must()
{
    outrider "$@" >>"$DIR/log/outrider.log" 2>&1 || service_failed outrider "$* failed"
}

outrider_prepare()
{
    outrider_install
    outrider_users
    outrider_configure
    outrider_must db migrate
    outrider db grants 2>>"$DIR/log/outrider.log" | mariadb_sql 2>>"$DIR/log/outrider.log" ||
        service_failed mariadb "did not take what outrider-apid may do"
    outrider_must node init
    outrider_must installation init
    outrider_directory
    outrider_dns
    # The domain's keys sign from now on.
    outrider domain check acme acme.test >>"$DIR/log/outrider.log" 2>&1 ||
        say "the DNS is not right about acme.test; see $DIR/log/outrider.log"
    postfix_configure
}

outrider_check_build()
{
    [ -f "$BUILD/Makefile" ] ||
        fail "there is no build in $BUILD: scripts/quickstart makes one; or give --build DIR"
}

outrider_install()
{
    make -s -C "$BUILD" -j"$(nproc)" install DESTDIR="$DIR/root" prefix=/usr sysconfdir=/etc \
        INSTALL_PROGRAM='install -C' >"$DIR/log/install.log" 2>&1 9>&- ||
        service_failed install "from $BUILD failed"
}

# System users as a package would make them. They stay after `down', as another sandbox may use them.
outrider_users()
{
    local users=$SOURCE/conf/sysusers.d/outrider.conf pass kind name rest
    if command -v systemd-sysusers >/dev/null; then
        systemd-sysusers "$users" >"$DIR/log/users.log" 2>&1 || service_failed users "could not be made"
        return
    fi
    # Without systemd: groups before users before memberships, whatever their order.
    for pass in g u m; do
        while read -r kind name rest; do
            [ "${kind:-#}" = "$pass" ] || continue
            case $kind in
            g) getent group "$name" >/dev/null || groupadd --system "$name" ;;
            u)
                getent group "$name" >/dev/null || groupadd --system "$name"
                getent passwd "$name" >/dev/null || useradd --system --no-create-home --home-dir / \
                    --shell /usr/sbin/nologin --no-user-group --gid "$name" "$name" ;;
            m) usermod --append --groups "${rest%% *}" "$name" ;;
            esac || fail "users: cannot make $name"
        done < <(tr -s ' \t' ' ' <"$users")
    done
}

outrider_configure()
{
    local password read_password manage_password
    password=$(world_get db_password) || password=$(openssl rand -hex 16)
    read_password=$(world_get db_read_password) || read_password=$(openssl rand -hex 16)
    manage_password=$(world_get db_manage_password) || manage_password=$(openssl rand -hex 16)
    world_set db_password "$password"
    world_set db_read_password "$read_password"
    world_set db_manage_password "$manage_password"
    chmod 0700 "$DIR/state"
    mariadb_grant "$password" "$read_password" "$manage_password" || service_failed mariadb "did not take its first statements"
    install -m 0640 -g outrider-worker /dev/null "$DIR/etc/db-password"
    printf '%s\n' "$password" >"$DIR/etc/db-password"
    install -m 0640 -g outrider-apid /dev/null "$DIR/etc/db-read-password"
    printf '%s\n' "$read_password" >"$DIR/etc/db-read-password"
    install -m 0640 -g outrider-apid /dev/null "$DIR/etc/db-manage-password"
    printf '%s\n' "$manage_password" >"$DIR/etc/db-manage-password"
    chgrp outrider-worker "$DIR/log/mail.log"
    mkdir -p "$DIR/etc/keys" "$DIR/spool" "$DIR/edge"
    cat >"$DIR/etc/outrider.conf" <<TEXT
node_id = 1
hostname = mail.outrider.test
return_path_domain = rp.outrider.test
track_host = links.outrider.test
route_domain = in.outrider.test
smtp_endpoint_allow = 198.51.100.0/24, 127.0.0.0/8
http_allow = 127.0.0.0/8
http_ca_file = $DIR/tls/ca.pem
spool_dir = $DIR/spool
edge_dir = $DIR/edge
key_dir = $DIR/etc/keys
socket_dir = $DIR/postfix/queue/outrider
postfix_config_dir = $DIR/postfix/etc
mail_log = $DIR/log/mail.log
db_socket = $DIR/mariadb/socket
db_name = outrider
db_user = outrider
db_password_file = $DIR/etc/db-password
spool_min_free = 16M
apid_listen = http://0.0.0.0:5000
apid_db_password_file = $DIR/etc/db-read-password
apid_manage_db_user = outrider_manage
apid_manage_db_password_file = $DIR/etc/db-manage-password
trackd_listen = http://0.0.0.0:8080, https://0.0.0.0:8443
trackd_tls_dir = $DIR/etc/tls-track
TEXT
    outrider_track_certificate
}

# For track domains, which a test adds certificates of its own to.
outrider_track_certificate()
{
    local folder=$DIR/etc/tls-track/default
    [ ! -e "$folder/privkey.pem" ] || return 0
    install -d -m 0750 -g outrider-trackd "$DIR/etc/tls-track" "$folder"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=track.outrider.test \
        -addext subjectAltName=DNS:track.outrider.test -keyout "$folder/privkey.pem" -out "$folder/fullchain.pem" \
        >>"$DIR/log/outrider.log" 2>&1 || service_failed outrider "has no certificate for links"
    chgrp outrider-trackd "$folder"/*.pem
    chmod 0640 "$folder"/*.pem
}

# Adds an object unless `show' finds it: OBJECT KEY... -- OPTION...
outrider_object()
{
    local object=$1 names=()
    shift
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        names+=("$1")
        shift
    done
    [ $# -eq 0 ] || shift
    outrider "$object" show "${names[@]}" >/dev/null 2>&1 ||
        outrider_must "$object" add "${names[@]}" "$@"
}

outrider_directory()
{
    local host weight ids
    outrider_object organization acme -- --name "Acme"
    outrider_object pool main -- --default
    if ! ids=$(outrider --json address list main 2>>"$DIR/log/outrider.log"); then
        service_failed outrider "address list main failed"
    fi
    for host in 11:100 12:100 13:50; do
        weight=${host#*:} host=${host%:*}
        case $ids in
        *"\"192.0.2.$host\""*) ;;
        *)
            outrider_must address add main --ipv4 "192.0.2.$host" --ipv6 "2001:db8::$host" \
                --helo "out$host.outrider.test" --weight "$weight" \
                $([ -e /proc/sys/net/ipv6 ] || echo --force) ;;
        esac
    done
    outrider_object server acme/main -- --name "Main" --mode live --pool main
    outrider_object domain acme acme.test
    outrider_credential smtp_key app --cram-md5
    outrider_credential api_key api --type api
}

# The key is shown once only: a credential whose key we have not kept, as $1, is made anew.
outrider_credential()
{
    local kept=$1 name=$2 credential
    shift 2
    [ -z "$(world_get "$kept")" ] || return 0
    outrider credential delete acme/main "$name" >/dev/null 2>&1
    credential=$(outrider --json credential add acme/main "$name" "$@" 2>>"$DIR/log/outrider.log") ||
        service_failed outrider "credential add $name failed"
    world_set "$kept" "$(/usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["key"])' <<<"$credential")"
}

# Publishes what the CLI says is to be published; the domain has no return path of its own, though.
outrider_dns()
{
    local name type value
    while IFS=$'\t' read -r name type value; do
        dns_add "$name" "$type" "$value"
    done < <(
        for object in "installation show" "domain show acme acme.test"; do
            # shellcheck disable=SC2086
            outrider --json $object 2>>"$DIR/log/outrider.log" | /usr/bin/python3 -c '
import json, sys
for record in json.load(sys.stdin).get("dns", []):
    if record["type"] != "CNAME":
        print(record["name"], record["type"], record["value"], sep="\t")' 2>>"$DIR/log/outrider.log" ||
                say "$object printed no DNS records; see $DIR/log/outrider.log"
        done
    )
}

# The worker has carried the directory to where policyd and milter read it.
outrider_await_directory()
{
    await 20 outrider_has_directory || service_failed worker "did not write the edge"
}

outrider_has_directory()
{
    grep -qs '^/' "$DIR/postfix/etc/outrider/lanes.regexp" && /usr/bin/python3 - "$DIR/edge/edge-auth.5.db" <<'PYTHON' 2>/dev/null
import sqlite3, sys
link = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, timeout=2)
sys.exit(0 if link.execute("SELECT count(*) FROM credential_secret").fetchone()[0] else 1)
PYTHON
}

# $1 runs from a file that the installation has replaced.
outrider_stale()
{
    service_alive "$1" && [[ $(readlink "/proc/$(service_pid "$1")/exe") == *" (deleted)" ]]
}

outrider_run() { inside_as "outrider-$1" "$DIR/root/usr/sbin/outrider-$1" -c "$DIR/etc/outrider.conf"; }

# Every socket in the list accepts a connection.
outrider_accepts()
{
    local name
    for name in "$@"; do
        /usr/bin/python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])' \
            "$DIR/postfix/queue/outrider/$name" 2>/dev/null || return 1
    done
}

policyd_run() { outrider_run policyd; }
policyd_ready() { outrider_accepts auth policy map; }
milter_run() { outrider_run milter; }
milter_ready() { outrider_accepts milter; }
worker_run() { outrider_run worker; }
# The one that stays root.
queue_run() { exec setsid ip netns exec "$NETNS" "$DIR/root/usr/sbin/outrider-queue" -c "$DIR/etc/outrider.conf"; }
queue_ready() { outrider_accepts queue; }
piped_run() { inside_as outrider-pipe "$DIR/root/usr/sbin/outrider-piped" -c "$DIR/etc/outrider.conf"; }
piped_ready() { outrider_accepts pipe; }
apid_run() { outrider_run apid; }
apid_ready() { listens 127.0.0.1 5000; }
trackd_run() { outrider_run trackd; }
trackd_ready() { listens 127.0.0.1 8080 && listens 127.0.0.1 8443; }
worker_ready() { [ -e "$DIR/edge/edge-auth.5.db" ]; }
