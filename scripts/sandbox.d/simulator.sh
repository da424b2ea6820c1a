# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# The simulated mail hosts, and the certificates that they and Postfix use.

simulator_table() { /usr/bin/python3 "$SOURCE/tests/simulator/behaviours.py" "$1"; }
simulator_addresses() { simulator_table addresses; }
simulator_zone() { simulator_table zone; }

simulator_prepare() { chown nobody "$DIR/inbox"; }

simulator_run()
{
    PYTHONDONTWRITEBYTECODE=1 exec setsid ip netns exec "$NETNS" /usr/bin/python3 \
        "$SOURCE/tests/simulator/simulator.py" "$DIR/inbox" "$DIR/tls" nobody
}

simulator_ready() { listens "$(simulator_addresses | tail -n 1)" 25; }

# A certificate authority for this world, and a certificate each for Postfix and the simulator.
tls_prepare()
{
    [ -e "$DIR/tls/relay.pem" ] && return 0
    mkdir -p "$DIR/tls"
    {
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 \
            -subj "/CN=Sandbox CA" -keyout "$DIR/tls/ca.key" -out "$DIR/tls/ca.pem" &&
            tls_certificate mail mail.outrider.test "DNS:mail.outrider.test,DNS:localhost,IP:192.0.2.1,IP:127.0.0.1" &&
            tls_certificate mx mx.tls.test "DNS:mx.tls.test" &&
            tls_certificate relay mx.relay.test "DNS:mx.relay.test"
    } >"$DIR/log/tls.log" 2>&1 || service_failed tls "certificates could not be made"
}

# FILE NAME ALTERNATIVE-NAMES; the certificate's file comes last, as proof that all is there.
tls_certificate()
{
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" \
        -keyout "$DIR/tls/$1.key" -out "$DIR/tls/$1.csr" &&
        openssl x509 -req -in "$DIR/tls/$1.csr" -CA "$DIR/tls/ca.pem" -CAkey "$DIR/tls/ca.key" \
            -CAcreateserial -days 365 -extfile <(echo "subjectAltName=$3") -out "$DIR/tls/$1.pem"
}
