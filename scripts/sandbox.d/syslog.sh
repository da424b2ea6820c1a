# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154
# A syslog for Postfix, with `up --syslog'. Unlike Postfix's own log daemon it outlives Postfix: what was
# logged before a `kill -9' of the master is in the log.

syslog_socket() { echo "$DIR/run/syslog.socket"; }

syslog_run()
{
    PYTHONDONTWRITEBYTECODE=1 exec setsid ip netns exec "$NETNS" /usr/bin/python3 \
        "$SOURCE/tests/simulator/log_host.py" "$(syslog_socket)" "$DIR/log/mail.log"
}

syslog_ready() { [ -S "$(syslog_socket)" ]; }

# Runs a command inside that finds our syslog at /dev/log: a /dev of its own, in the mount namespace that
# `ip netns exec' makes.
syslog_exec()
{
    # shellcheck disable=SC2016
    ip netns exec "$NETNS" sh -c '
        set -e
        socket=$1 place=$2
        shift 2
        mount -t tmpfs -o mode=0755 tmpfs "$place"
        for node in null zero full random urandom tty; do
            : >"$place/$node"
            mount --bind "/dev/$node" "$place/$node"
        done
        ln -s /proc/self/fd "$place/fd"
        ln -s "$socket" "$place/log"
        mount --rbind "$place" /dev
        exec "$@"' sh "$(syslog_socket)" "$DIR/state" "$@"
}
