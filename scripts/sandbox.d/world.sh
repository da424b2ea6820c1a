# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154
# The sandbox's directory and network namespace.
#
# state/ holds small values (world_set, world_get); run/ the pid files. A directory is ours when it
# has the marker file; nothing else is ever removed.

MARKER=.outrider-sandbox

# Names every path and the namespace from --dir. The limit keeps UNIX sockets below the directory
# under the 107 octets that the kernel allows.
world_set_dir()
{
    [ -n "$DIR" ] || bad_usage "--dir: which directory?"
    DIR=$(realpath -m -- "$DIR")
    [[ $DIR =~ ^/[A-Za-z0-9._/-]+$ ]] ||
        bad_usage "--dir: only letters, digits and ._/- are allowed (Postfix splits at spaces): $DIR"
    [ ${#DIR} -le 60 ] || bad_usage "--dir: at most 60 characters: $DIR"
    case $DIR in
    /bin | /boot | /dev* | /etc* | /home | /lib* | /proc* | /root | /run | /sbin | /srv | /sys* | /tmp | \
        /usr* | /var | /var/lib | /var/spool | /var/tmp | /opt | /mnt)
        bad_usage "--dir: $DIR is not a directory for this" ;;
    esac
    NETNS=outrider-$(printf %s "$DIR" | sha256sum | cut -c1-10)
}

world_check_root()
{
    [ "$(id -u)" -eq 0 ] || fail "must run as root (network namespaces and system users need it): sudo $0 ..."
}

# An empty or absent directory or one of ours.
world_check_dir()
{
    [ -e "$DIR" ] || return 0
    [ -d "$DIR" ] || fail "--dir: $DIR is not a directory"
    [ -e "$DIR/$MARKER" ] && return 0
    [ -z "$(ls -A "$DIR")" ] || fail "--dir: $DIR has other things in it and is left alone"
}

world_check_rights()
{
    world_check_root
    local tool missing=
    for tool in ip:iproute2 ps:procps python3:python3 openssl:openssl knotd:knot knotc:knot \
        mariadbd:mariadb-server-core mariadb:mariadb-client-core postfix:postfix; do
        command -v "${tool%:*}" >/dev/null || missing="$missing ${tool#*:}"
    done
    [ -z "$missing" ] || fail "install$missing first: scripts/packages install run"
    if ! unshare --net true 2>/dev/null; then
        say "this system does not let us make network namespaces (CAP_SYS_ADMIN is missing): no sandbox here"
        exit 77
    fi
    world_check_dir
}

# For commands that need a world.
world_require()
{
    world_check_root
    [ -e "$DIR/$MARKER" ] || fail "there is no sandbox in $DIR: $0 up --dir $DIR"
}

world_lock()
{
    [ -d "$DIR" ] || return 0
    exec 9>"$DIR/.lock"
    flock -w 60 9 || fail "another command has worked on $DIR for a minute"
}

world_set() { printf '%s\n' "$2" >"$DIR/state/$1.new" && mv "$DIR/state/$1.new" "$DIR/state/$1"; }
world_get() { cat "$DIR/state/$1" 2>/dev/null; }

# The services that this world has.
world_services()
{
    [ "$(world_get syslog)" != yes ] || echo syslog
    echo dns mariadb simulator postfix
    [ "$(world_get outrider)" = no ] || echo policyd milter worker queue piped trackd apid
}

world_create()
{
    mkdir -p "$DIR" || fail "cannot make $DIR"
    chmod 0755 "$DIR"
    : >"$DIR/$MARKER"
    mkdir -p "$DIR"/{state,run,log,etc,inbox,mail}
    setpriv --reuid nobody --regid nogroup --clear-groups test -x "$DIR" ||
        fail "--dir: the system users cannot enter $DIR: a directory above it is closed to others"
    [ -z "$DISKS" ] || world_mount
    world_set outrider "$OUTRIDER"
    world_set syslog "$SYSLOG"
    netns_files
    netns_create
    netns_verify
}

# Small disks, so that a test can fill one. Nothing that is there already is covered.
world_mount()
{
    [[ $DISKS =~ ^[1-9][0-9]{1,4}$ ]] || bad_usage "--disks: how many MB? 10 to 99999"
    local place
    for place in spool mariadb; do
        mountpoint -q "$DIR/$place" && continue
        [ ! -e "$DIR/$place" ] || fail "--disks: $DIR/$place exists already; \`down' first"
        mkdir "$DIR/$place"
        mount -t tmpfs -o "size=${DISKS}M,mode=0755" outrider-sandbox "$DIR/$place" ||
            fail "cannot mount a disk on $DIR/$place"
    done
}

world_unmount()
{
    local place
    for place in spool mariadb; do
        ! mountpoint -q "$DIR/$place" || umount "$DIR/$place" || fail "cannot unmount $DIR/$place"
    done
}

# What `ip netns exec' puts over /etc, so that no program inside asks the host's name service, and
# Postfix's commands without -c mean the sandbox's Postfix.
netns_files()
{
    local target=/etc/netns/$NETNS
    mkdir -p "$target" "$DIR/postfix/etc" || fail "cannot make $target"
    printf 'nameserver 127.0.0.1\noptions timeout:5 attempts:3\n' >"$target/resolv.conf"
    printf '127.0.0.1 localhost\n::1 localhost\n' >"$target/hosts"
    printf 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\n' \
        >"$target/nsswitch.conf"
    ln -sfn "$DIR/postfix/etc" "$target/postfix"
    [ -e /etc/resolv.conf ] || fail "/etc/resolv.conf does not exist (a dangling link?), so none can be put over it"
}

netns_create()
{
    local message
    if [ ! -e "/run/netns/$NETNS" ]; then
        if ! message=$(ip netns add "$NETNS" 2>&1); then
            say "this system does not let us make network namespaces (${message%%$'\n'*}): no sandbox here"
            exit 77
        fi
    fi
    if ! message=$(ip netns exec "$NETNS" true 2>&1) || [ -n "$message" ]; then
        say "this system does not let us work in a network namespace (${message%%$'\n'*}): no sandbox here"
        exit 77
    fi
    ip -n "$NETNS" link set lo up
    local host
    {
        for host in 1 11 12 13; do echo "address replace 192.0.2.$host/32 dev lo"; done
        simulator_addresses | sed '/:/d; s,.*,address replace &/32 dev lo,'
    } | ip -n "$NETNS" -batch - || fail "cannot give the namespace its addresses"
    if [ -e /proc/sys/net/ipv6 ]; then
        {
            for host in 1 11 12 13; do echo "address replace 2001:db8::$host/128 dev lo nodad"; done
            simulator_addresses | sed '/:/!d; s,.*,address replace &/128 dev lo nodad,'
        } |
            ip -n "$NETNS" -batch - || fail "cannot give the namespace its IPv6 addresses"
    fi
}

# Nothing can leave: no interface but lo is up (the kernel may make tunnels of its own, which are
# down and have no other end) and every route stays on it.
netns_verify()
{
    local other
    other=$(ip -n "$NETNS" -o link show up | awk -F': ' '$2 != "lo" { print $2 }')
    [ -z "$other" ] || fail "the namespace has another interface that is up: $other"
    other=$({ ip -n "$NETNS" route show table all; ip -n "$NETNS" -6 route show table all; } 2>/dev/null |
        grep -v 'dev lo' | head -n 1)
    [ -z "$other" ] || fail "the namespace has a route that leaves it: $other"
}

# Stops every process inside and removes what `up' made.
world_destroy()
{
    local service pids deadline=$((SECONDS + 10))
    if [ -e "/run/netns/$NETNS" ]; then
        for service in apid trackd piped queue worker milter policyd postfix simulator dns syslog; do
            service_signal "$service" TERM
        done
        service_stop mariadb
        while pids=$(ip netns pids "$NETNS") && [ -n "$pids" ]; do
            # shellcheck disable=SC2086
            [ $SECONDS -lt $((deadline - 7)) ] || kill -9 $pids 2>/dev/null
            [ $SECONDS -lt $deadline ] || fail "these processes cannot be stopped: ${pids//$'\n'/ }"
            sleep 0.1
        done
        ip netns delete "$NETNS" || fail "cannot remove the namespace $NETNS"
    fi
    rm -rf "/etc/netns/$NETNS"
    rmdir /etc/netns 2>/dev/null
    if [ -e "$DIR/$MARKER" ]; then
        if [ "$KEEP" = yes ]; then
            rm -rf "$DIR/run" "$DIR/.lock"
            say "stopped; its files are in $DIR"
        else
            world_unmount
            rm -rf "$DIR"
        fi
    elif [ -d "$DIR" ]; then
        rm -f "$DIR/.lock"
    fi
    return 0
}
