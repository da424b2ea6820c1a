# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# The sandbox's DNS: Knot with one root zone, so that it has an answer for every name: a made-up one
# or "does not exist".

dns_prepare()
{
    mkdir -p "$DIR/dns"
    chown knot:knot "$DIR/dns"
    [ -e "$DIR/dns/root.zone" ] || dns_first_zone >"$DIR/dns/root.zone"
    chown knot:knot "$DIR/dns/root.zone"
    cat >"$DIR/dns/knot.conf" <<TEXT
server:
    rundir: $DIR/dns
    user: knot:knot
    listen: [ 127.0.0.1@53 ]
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
control:
    listen: $DIR/dns/control
database:
    storage: $DIR/dns
    journal-db-max-size: 64M
log:
  - target: stderr
    any: info
zone:
  - domain: .
    storage: $DIR/dns
    file: root.zone
    zonefile-sync: 0
    semantic-checks: off
TEXT
}

# name ttl type data; simulator_zone adds the simulated mail hosts.
dns_first_zone()
{
    local host
    cat <<'TEXT'
. 5 SOA localhost. hostmaster.localhost. 1 3600 600 86400 5
. 5 NS localhost.
localhost. 5 A 127.0.0.1
outrider.test. 5 MX 10 mail.outrider.test.
mail.outrider.test. 5 A 192.0.2.1
mail.outrider.test. 5 AAAA 2001:db8::1
rp.outrider.test. 5 MX 10 mail.outrider.test.
links.outrider.test. 5 A 192.0.2.1
links.outrider.test. 5 AAAA 2001:db8::1
office.test. 5 MX 10 mail.outrider.test.
1.2.0.192.in-addr.arpa. 5 PTR mail.outrider.test.
TEXT
    for host in 11 12 13; do
        echo "out$host.outrider.test. 5 A 192.0.2.$host"
        echo "out$host.outrider.test. 5 AAAA 2001:db8::$host"
        echo "$host.2.0.192.in-addr.arpa. 5 PTR out$host.outrider.test."
    done
    for host in 1 11 12 13; do
        printf '%s' "$host" | awk '{ printf "%s", substr($0, length, 1)
            for (i = length - 1; i > 0; i--) printf ".%s", substr($0, i, 1)
            for (i = length; i < 24; i++) printf ".0" }'
        echo ".8.b.d.0.1.0.0.2.ip6.arpa. 5 PTR $([ "$host" = 1 ] && echo mail || echo "out$host").outrider.test."
    done
    simulator_zone
}

dns_run()
{
    # One that was killed leaves its own, and Knot believes it.
    rm -f "$DIR/dns/knot.pid"
    exec setsid ip netns exec "$NETNS" knotd -c "$DIR/dns/knot.conf"
}

dns_control() { timeout 10 knotc -b -s "$DIR/dns/control" "$@"; }

dns_ready() { [ "$(dns_control zone-read . localhost. A 2>/dev/null)" ] && listens 127.0.0.1 53; }

# Runs one change in a transaction of its own.
dns_change()
{
    local message
    dns_control zone-abort . >/dev/null 2>&1
    dns_control zone-begin . >/dev/null || fail "dns: the server does not answer"
    if ! message=$(dns_control "$@" 2>&1); then
        dns_control zone-abort . >/dev/null 2>&1
        case $message in
        *"already exists"*) return 0 ;;
        *) fail "dns: $message" ;;
        esac
    fi
    message=$(dns_control zone-commit . 2>&1) || fail "dns: $message"
}

# NAME TYPE DATA. The text of a TXT record may be given as it is: it is quoted and cut into strings
# of 255 octets.
dns_add()
{
    local data=$3
    if [ "${2^^}" = TXT ] && [ "${data#\"}" = "$data" ]; then
        data=$(printf %s "$data" | fold -b -w 255 | sed 's/[\\"]/\\&/g; s/.*/"&"/' | tr '\n' ' ')
    fi
    dns_change zone-set . "${1%.}." 5 "$2" "${data% }"
}

dns_del()
{
    if [ -n "$3" ]; then
        dns_change zone-unset . "${1%.}." "$2" "$3"
    else
        dns_change zone-unset . "${1%.}." "$2"
    fi
}
