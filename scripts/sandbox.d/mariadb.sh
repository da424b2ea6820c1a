# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# A MariaDB of the sandbox's own, on a UNIX socket only. Fast: what is committed outlives `kill -9' of
# the server, not a crash of the host.

mariadb_user() { if id -u mysql >/dev/null 2>&1; then echo mysql; else echo nobody; fi; }

mariadb_prepare()
{
    local user
    user=$(mariadb_user)
    # A temporary directory of its own: a starting server removes temporary tables of others.
    mkdir -p "$DIR/mariadb/tmp"
    chown "$user" "$DIR/mariadb" "$DIR/mariadb/tmp"
    # Installed whole or not at all: a half one is made anew.
    if [ ! -e "$DIR/mariadb/installed" ]; then
        rm -rf "$DIR/mariadb/data"
        mariadb-install-db --no-defaults --user="$user" --datadir="$DIR/mariadb/data" --tmpdir="$DIR/mariadb/tmp" \
            --auth-root-authentication-method=socket --auth-root-socket-user=root --skip-test-db \
            --innodb-buffer-pool-size=16M --innodb-log-file-size=16M \
            --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 --aria-log-file-size=8M \
            --skip-log-bin >"$(service_log mariadb)" 2>&1 || service_failed mariadb "could not be installed"
        : >"$DIR/mariadb/installed"
    fi
}

mariadb_run()
{
    exec setsid ip netns exec "$NETNS" mariadbd --no-defaults --user="$(mariadb_user)" \
        --datadir="$DIR/mariadb/data" --tmpdir="$DIR/mariadb/tmp" --socket="$DIR/mariadb/socket" --pid-file="$DIR/mariadb/pid" \
        --skip-networking --skip-log-bin --skip-name-resolve --character-set-server=utf8mb4 \
        --innodb-buffer-pool-size=64M --innodb-log-file-size=16M --innodb-doublewrite=0 \
        --innodb-flush-log-at-trx-commit=2 --aria-log-file-size=8M --key-buffer-size=1M \
        --performance-schema=OFF --max-connections=100
}

mariadb_sql() { mariadb --no-defaults --socket="$DIR/mariadb/socket" --user=root --batch --skip-column-names "$@"; }

mariadb_ready() { mariadb_sql -e 'SELECT 1' >/dev/null 2>&1; }

# The database and its users, of whom the second only reads; the passwords are for the programs that are not root.
mariadb_grant()
{
    local password=$1 read_password=$2 manage_password=$3
    mariadb_sql <<SQL
CREATE DATABASE IF NOT EXISTS outrider CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE OR REPLACE USER outrider@localhost IDENTIFIED BY '$password';
GRANT ALL ON outrider.* TO outrider@localhost;
CREATE OR REPLACE USER outrider_read@localhost IDENTIFIED BY '$read_password';
CREATE OR REPLACE USER outrider_manage@localhost IDENTIFIED BY '$manage_password';
SQL
}
