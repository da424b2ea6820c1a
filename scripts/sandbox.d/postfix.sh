# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# A Postfix with configuration, queue and data of its own. It is first of all "an existing relay":
# port 25 with mynetworks, local users and a smart host, as someone had it before Outrider came.
# Outrider's part is what `outrider postfix lines' prints, appended as it stands.

postfix_prepare()
{
    local etc=$DIR/postfix/etc queue=$DIR/postfix/queue
    mkdir -p "$etc" "$queue" "$DIR/postfix/data" "$DIR/mail"
    chown postfix:root "$DIR/postfix/data"
    chown nobody "$DIR/mail"
    # Readable for the worker: outrider_prepare gives the file its group.
    [ -e "$DIR/log/mail.log" ] || install -m 0640 /dev/null "$DIR/log/mail.log"
    cp -a /etc/postfix/post-install /etc/postfix/postfix-files /etc/postfix/postfix-files.d \
        /etc/postfix/postfix-script /etc/postfix/dynamicmaps.cf /etc/postfix/dynamicmaps.cf.d "$etc/" ||
        fail "postfix: files of the Debian package are missing in /etc/postfix"
    [ -e "$etc/main.cf" ] || postfix_configure
    printf '%s\n' "desk $DIR/mail/desk/" "archive $DIR/mail/archive/" "postmaster desk" "root desk" >"$etc/aliases"
    postfix_chroot "$queue"
}

# Writes main.cf and master.cf. A parameter that Outrider's lines set is left out of ours, or Postfix
# would warn of it.
postfix_configure()
{
    local etc=$DIR/postfix/etc
    : >"$etc/outrider-main.cf"
    : >"$etc/outrider-master.cf"
    if [ "$(world_get outrider)" = yes ] && [ -x "$DIR/root/usr/bin/outrider" ]; then
        postfix_lines "$etc" 2>>"$DIR/log/outrider.log" || service_failed outrider "postfix lines failed"
    fi
    {
        postfix_main | awk -F ' *= *' 'FILENAME != "-" { theirs[$1]; next } !($1 in theirs)' "$etc/outrider-main.cf" -
        cat "$etc/outrider-main.cf"
    } >"$etc/main.cf.new"
    { postfix_master; cat "$etc/outrider-master.cf"; } >"$etc/master.cf.new"
    # Nobody reads half of one.
    mv "$etc/main.cf.new" "$etc/main.cf"
    mv "$etc/master.cf.new" "$etc/master.cf"
    [ "$(world_get incoming)" != on ] || postfix_incoming "$etc" 2>>"$DIR/log/outrider.log" ||
        service_failed outrider "postfix lines --incoming failed"
}

# As an admin does it: settings take the place of those that are there, services are appended.
postfix_incoming()
{
    local settings=()
    outrider postfix lines --incoming --main >"$1/outrider-incoming.cf" || return 1
    mapfile -t settings < <(grep -v '^#' "$1/outrider-incoming.cf")
    postconf -c "$1" -e "${settings[@]}" || return 1
    outrider postfix lines --incoming --master | sed "s|argv=/usr/|argv=$DIR/root/usr/|" >>"$1/master.cf"
}

postfix_lines()
{
    outrider postfix lines --main >"$1/outrider-main.cf" &&
        outrider postfix lines --master --plain-auth 127.0.0.1 >"$1/outrider-master.cf"
}

# Debian runs most of Postfix chrooted in the queue directory; the resolver wants these files there.
postfix_chroot()
{
    local file library
    mkdir -p "$1/etc" "$1/usr/share/zoneinfo"
    for file in resolv.conf hosts nsswitch.conf; do
        cp "/etc/netns/$NETNS/$file" "$1/etc/$file"
    done
    for file in services localtime; do
        [ ! -e "/etc/$file" ] || cp -L "/etc/$file" "$1/etc/$file"
    done
    # glibc has files and dns built in; older ones load them from here.
    for library in /lib/*-linux-gnu/libnss_{files,dns}.so.* /lib/*-linux-gnu/libresolv.so.*; do
        [ ! -e "$library" ] || install -D -m 0644 "$library" "$1$library"
    done
}

postfix_main()
{
    cat <<TEXT
compatibility_level = 3.6
queue_directory = $DIR/postfix/queue
data_directory = $DIR/postfix/data
meta_directory = /etc/postfix
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
$([ "$(world_get syslog)" = yes ] || echo "maillog_file = $DIR/log/mail.log")
maillog_file_prefixes = $DIR
myhostname = mail.outrider.test
mydomain = outrider.test
inet_protocols = $([ -e /proc/sys/net/ipv6 ] && echo all || echo ipv4)
inet_interfaces = 192.0.2.1, 127.0.0.1$([ ! -e /proc/sys/net/ipv6 ] || echo ', [2001:db8::1], [::1]')
smtp_bind_address = 192.0.2.1
mynetworks = 127.0.0.0/8, [::1]/128
mydestination = \$myhostname, localhost, office.test
alias_maps = texthash:$DIR/postfix/etc/aliases
alias_database =
biff = no
transport_maps = inline:{ { partner.test = smtp:[mx.smarthost.test] } }
relay_domains =
enable_long_queue_ids = yes
smtputf8_autodetect_classes = sendmail, verify
message_size_limit = 52428800
mailbox_size_limit = 0
virtual_mailbox_limit = 0
smtpd_tls_cert_file = $DIR/tls/mail.pem
smtpd_tls_key_file = $DIR/tls/mail.key
smtpd_tls_security_level = may
smtp_tls_security_level = may
smtp_tls_CAfile = $DIR/tls/ca.pem
smtp_tls_loglevel = 1
# Reports to the return paths end here as long as nothing of Outrider's takes them.
virtual_mailbox_domains = $([ "$(world_get incoming)" = on ] || echo rp.outrider.test)
virtual_mailbox_maps = static:returns/
virtual_mailbox_base = $DIR/mail
virtual_uid_maps = static:$(id -u nobody)
virtual_gid_maps = static:$(id -g nobody)
# Retries are seen within seconds.
queue_run_delay = 2s
minimal_backoff_time = 2s
maximal_backoff_time = 6s
smtp_connect_timeout = 5s
TEXT
}

postfix_master()
{
    cat <<'TEXT'
smtp      inet  n       -       y       -       -       smtpd
pickup    unix  n       -       y       60      1       pickup
cleanup   unix  n       -       y       -       0       cleanup
qmgr      unix  n       -       n       5       1       qmgr
tlsmgr    unix  -       -       y       1000?   1       tlsmgr
rewrite   unix  -       -       y       -       -       trivial-rewrite
bounce    unix  -       -       y       -       0       bounce
defer     unix  -       -       y       -       0       bounce
trace     unix  -       -       y       -       0       bounce
verify    unix  -       -       y       -       1       verify
flush     unix  n       -       y       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
proxywrite unix -       -       n       -       1       proxymap
smtp      unix  -       -       y       -       -       smtp
relay     unix  -       -       y       -       -       smtp
  -o syslog_name=postfix/$service_name
showq     unix  n       -       y       -       -       showq
error     unix  -       -       y       -       -       error
retry     unix  -       -       y       -       -       error
discard   unix  -       -       y       -       -       discard
local     unix  -       n       n       -       -       local
virtual   unix  -       n       n       -       -       virtual
lmtp      unix  -       -       y       -       -       lmtp
anvil     unix  -       -       y       -       1       anvil
scache    unix  -       -       y       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
TEXT
}

# Inside, /etc/postfix is ours. What it complains of before it logs goes to postfix-start.log.
postfix_command()
{
    if [ "$(world_get syslog)" = yes ]; then
        syslog_exec postfix "$@" 9>&-
    else
        ip netns exec "$NETNS" postfix "$@" 9>&-
    fi
}

postfix_start()
{
    # A killed master leaves children, which end when they notice.
    await 10 postfix_idle
    postfix_command start </dev/null >>"$DIR/log/postfix-start.log" 2>&1
}

postfix_stop() { postfix_command stop </dev/null >>"$DIR/log/postfix-start.log" 2>&1; }

postfix_idle()
{
    ! ip netns pids "$NETNS" | xargs -r ps -o comm= -p 2>/dev/null | grep -qx 'qmgr\|pickup\|postlogd'
}

postfix_ready()
{
    listens 192.0.2.1 25 || return 1
    [ "$(world_get outrider)" = no ] || { listens 192.0.2.1 587 && listens 127.0.0.1 10026; }
}
