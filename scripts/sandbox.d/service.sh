# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# Starting, probing and stopping one program of the sandbox.
#
# A service NAME has a function NAME_run, which execs it in the foreground (or makes NAME_start and
# NAME_stop of its own), and NAME_ready, which succeeds when it answers. Its pid stands in
# run/NAME.pid and is believed only when that process is in our namespace.

service_log()
{
    case $1 in
    postfix) echo "$DIR/log/mail.log" ;;
    *) echo "$DIR/log/$1.log" ;;
    esac
}

service_pid()
{
    case $1 in
    postfix) tr -d ' ' <"$DIR/postfix/queue/pid/master.pid" ;;
    *) cat "$DIR/run/$1.pid" ;;
    esac 2>/dev/null
}

# `ip netns exec' becomes the program, so the recorded pid is in the namespace from then on.
service_alive()
{
    local pid
    pid=$(service_pid "$1")
    [ -n "$pid" ] && [ "/proc/$pid/ns/net" -ef "/run/netns/$NETNS" ] &&
        ! grep -qs '^State:[[:space:]]*Z' "/proc/$pid/status"
}

# $1: the seconds to wait at most; the rest: what must succeed.
await()
{
    local deadline=$((SECONDS + $1 + 1))
    shift
    until "$@"; do
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.05
    done
}

service_start()
{
    local service=$1 pid
    if service_alive "$service"; then
        await 5 service_answers "$service" && service_alive "$service" && return 0
        service_stop "$service"
    fi
    if declare -F "${service}_start" >/dev/null; then
        "${service}_start" || service_failed "$service" "could not be started"
    else
        mkdir -p "$DIR/run"
        # The lock must not live on in the program, nor the terminal.
        ("${service}_run") </dev/null >>"$(service_log "$service")" 2>&1 9>&- &
        pid=$!
        echo "$pid" >"$DIR/run/$service.pid"
        disown "$pid"
        # The subshell is in the host's namespace until it has become `ip netns exec'.
        await 5 service_alive_or_gone "$service" "$pid"
    fi
    await 30 service_answers "$service" || service_failed "$service" "does not answer"
    service_alive "$service" || service_failed "$service" "ended at once"
}

service_alive_or_gone() { service_alive "$1" || ! kill -0 "$2" 2>/dev/null; }

# A dead program need not be waited for.
service_answers() { ! service_alive "$1" || "${1}_ready"; }

service_failed()
{
    local log
    log=$(service_log "$1")
    [ -s "$log" ] || log=$DIR/log/$1-start.log
    say "$1 $2; the end of $log:"
    tail -n 15 "$log" 2>/dev/null | sed 's/^/    /' >&2
    say "mend it and run \`up' again, or \`down'"
    exit 1
}

service_signal()
{
    ! service_alive "$1" || kill "-$2" "$(service_pid "$1")" 2>/dev/null
}

service_gone() { ! service_alive "$1"; }

service_stop()
{
    service_alive "$1" || return 0
    if declare -F "${1}_stop" >/dev/null; then
        "${1}_stop"
    else
        service_signal "$1" TERM
    fi
    await 15 service_gone "$1" || service_kill "$1"
    rm -f "$DIR/run/$1.pid"
}

# As a crash would: the program and its children at once.
service_kill()
{
    service_alive "$1" || return 0
    local pid
    pid=$(service_pid "$1")
    # shellcheck disable=SC2046
    kill -9 "$pid" $(ps -o pid= --ppid "$pid") 2>/dev/null
    await 10 service_gone "$1" || fail "$1 (pid $pid) cannot be killed"
}

# Runs as another user inside the namespace, in the foreground.
inside_as()
{
    local user=$1
    shift
    exec setsid ip netns exec "$NETNS" setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups \
        --inh-caps=-all -- "$@"
}

# True when something accepts a connection at HOST PORT inside.
listens()
{
    ip netns exec "$NETNS" bash -c "exec 3<>/dev/tcp/$1/$2" 2>/dev/null
}
