/* SPDX-License-Identifier: MIT */
/* The link to MariaDB: opening it, running unprepared text, and what its errors mean. */
#include "lib/sql/connection.h"

#include <errmsg.h>
#include <mysqld_error.h>
#include <string.h>

#define CONNECT_SECONDS 5
#define IO_SECONDS      30
#define PATIENT_SECONDS 3600
#define LIMITED_SECONDS 1
#define MANAGER_SECONDS 3

static const char *const controls[] = {
#define X(NAME, text) [SQL_CONTROL_##NAME] = (text),
#include "lib/sql/control.def"
#undef X
};

/* Numbers of the server (and of the client library) and what they mean to us. */
static const struct {
    unsigned number;
    OutriderError code;
} meanings[] = {
    {ER_LOCK_DEADLOCK, OUTRIDER_ERROR_CONFLICT}, /* also a certification failure on Galera */
    {ER_LOCK_WAIT_TIMEOUT, OUTRIDER_ERROR_CONFLICT},
    {ER_CHECKREAD, OUTRIDER_ERROR_CONFLICT},
    {ER_TABLE_DEF_CHANGED, OUTRIDER_ERROR_CONFLICT}, /* partitions are being made */
    {ER_NEED_REPREPARE, OUTRIDER_ERROR_CONFLICT},
    {ER_DUP_ENTRY, OUTRIDER_ERROR_EXISTS},
    {ER_DUP_ENTRY_WITH_KEY_NAME, OUTRIDER_ERROR_EXISTS},
    {ER_DATA_TOO_LONG, OUTRIDER_ERROR_INVALID},
    {ER_WARN_DATA_OUT_OF_RANGE, OUTRIDER_ERROR_INVALID},
    {ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, OUTRIDER_ERROR_INVALID},
    {ER_TRUNCATED_WRONG_VALUE, OUTRIDER_ERROR_INVALID},
    {WARN_DATA_TRUNCATED, OUTRIDER_ERROR_INVALID},
    {ER_BAD_NULL_ERROR, OUTRIDER_ERROR_INVALID},
    {ER_NO_DEFAULT_FOR_FIELD, OUTRIDER_ERROR_INVALID},
    {ER_NO_PARTITION_FOR_GIVEN_VALUE, OUTRIDER_ERROR_INVALID},
    {ER_NET_PACKET_TOO_LARGE, OUTRIDER_ERROR_INVALID},
    {ER_CONSTRAINT_FAILED, OUTRIDER_ERROR_INVALID},
    {ER_DBACCESS_DENIED_ERROR, OUTRIDER_ERROR_INVALID},
    {ER_ACCESS_DENIED_ERROR, OUTRIDER_ERROR_INVALID},
    {ER_ACCESS_DENIED_NO_PASSWORD_ERROR, OUTRIDER_ERROR_INVALID},
    {ER_HOST_NOT_PRIVILEGED, OUTRIDER_ERROR_INVALID},
    {ER_BAD_DB_ERROR, OUTRIDER_ERROR_INVALID},
    {ER_RECORD_FILE_FULL, OUTRIDER_ERROR_NO_SPACE},
    {ER_GET_ERRNO, OUTRIDER_ERROR_IO}, /* the storage engine's own, such as a full disk */
    {ER_ERROR_ON_WRITE, OUTRIDER_ERROR_IO},
    {ER_ERROR_ON_READ, OUTRIDER_ERROR_IO},
    {ER_ERROR_ON_CLOSE, OUTRIDER_ERROR_IO},
    {ER_CANT_CREATE_FILE, OUTRIDER_ERROR_IO},
    {ER_CANT_OPEN_FILE, OUTRIDER_ERROR_IO},
    {ER_NOT_KEYFILE, OUTRIDER_ERROR_IO},
    {ER_CRASHED_ON_USAGE, OUTRIDER_ERROR_IO},
    {ER_ERROR_DURING_COMMIT, OUTRIDER_ERROR_IO},
    {ER_LOCK_TABLE_FULL, OUTRIDER_ERROR_CONFLICT},
    {ER_OUTOFMEMORY, OUTRIDER_ERROR_UNAVAILABLE},
    {ER_DISK_FULL, OUTRIDER_ERROR_NO_SPACE},
    /* The schema or the rights are behind: an admin mends it, the data is not at fault. */
    {ER_NO_SUCH_TABLE, OUTRIDER_ERROR_UNAVAILABLE},
    {ER_BAD_FIELD_ERROR, OUTRIDER_ERROR_UNAVAILABLE},
    {ER_TABLEACCESS_DENIED_ERROR, OUTRIDER_ERROR_UNAVAILABLE},
    {ER_COLUMNACCESS_DENIED_ERROR, OUTRIDER_ERROR_UNAVAILABLE},
    {ER_OPTION_PREVENTS_STATEMENT, OUTRIDER_ERROR_UNAVAILABLE},
    {ER_UNKNOWN_COM_ERROR, OUTRIDER_ERROR_UNAVAILABLE}, /* a Galera node that is not in sync */
    {ER_CON_COUNT_ERROR, OUTRIDER_ERROR_UNAVAILABLE},
    {ER_TOO_MANY_USER_CONNECTIONS, OUTRIDER_ERROR_UNAVAILABLE},
    {ER_OUT_OF_RESOURCES, OUTRIDER_ERROR_UNAVAILABLE},
    {ER_QUERY_INTERRUPTED, OUTRIDER_ERROR_UNAVAILABLE},
    {ER_STATEMENT_TIMEOUT, OUTRIDER_ERROR_UNAVAILABLE},
};

/* The link is gone after these. */
static const unsigned lost_link[] = {
    CR_CONNECTION_ERROR,     CR_CONN_HOST_ERROR,
    CR_IPSOCK_ERROR,         CR_UNKNOWN_HOST,
    CR_SERVER_GONE_ERROR,    CR_SERVER_HANDSHAKE_ERR,
    CR_SERVER_LOST,          CR_COMMANDS_OUT_OF_SYNC,
    CR_SERVER_LOST_EXTENDED, CR_SSL_CONNECTION_ERROR,
    CR_MALFORMED_PACKET,     ER_SERVER_SHUTDOWN,
    ER_NORMAL_SHUTDOWN,      ER_CONNECTION_KILLED,
    ER_ABORTING_CONNECTION,  ER_NEW_ABORTING_CONNECTION,
    ER_NET_READ_ERROR,       ER_NET_READ_INTERRUPTED,
    ER_NET_ERROR_ON_WRITE,   ER_NET_WRITE_INTERRUPTED,
};

const char *sql_control_text(SqlControl control)
{
    return controls[control];
}

static gboolean is_lost_link(unsigned number)
{
    for (gsize i = 0; i < G_N_ELEMENTS(lost_link); i++)
        if (lost_link[i] == number)
            return TRUE;
    return FALSE;
}

OutriderError sql_error_code(unsigned number, gboolean sent)
{
    if (is_lost_link(number))
        return sent ? OUTRIDER_ERROR_UNKNOWN_RESULT : OUTRIDER_ERROR_UNAVAILABLE;
    for (gsize i = 0; i < G_N_ELEMENTS(meanings); i++)
        if (meanings[i].number == number)
            return meanings[i].code;
    /* Below stand the errors of files and memory that the server passes on as they are. */
    return number > 0 && number < ER_ERROR_FIRST ? OUTRIDER_ERROR_IO : OUTRIDER_ERROR_INTERNAL;
}

static void drop_link(Sql *sql)
{
    for (guint i = 0; i < SQL_STATEMENT_COUNT; i++)
        if (sql->statements[i]) {
            mysql_stmt_close(sql->statements[i]);
            sql->statements[i] = NULL;
        }
    if (sql->mysql)
        mysql_close(sql->mysql);
    sql->mysql = NULL;
    sql->streaming = FALSE;
}

gboolean sql_fail(Sql *sql, unsigned number, const char *text, const char *what, gboolean sent,
                  GError **error)
{
    g_set_error(error, OUTRIDER_ERROR, (int)sql_error_code(number, sent), "database: %s: %s (%u)",
                what, text, number);
    if (is_lost_link(number))
        drop_link(sql);
    return FALSE;
}

void sql_source_clear(SqlSource *source)
{
    g_free(source->socket);
    g_free(source->host);
    g_free(source->name);
    g_free(source->user);
    if (source->password)
        memset(source->password, 0, strlen(source->password));
    g_free(source->password);
    memset(source, 0, sizeof(*source));
}

void sql_library_start(void)
{
    mysql_library_init(0, NULL, NULL);
}

static MYSQL *new_handle(const Sql *sql)
{
    MYSQL *mysql = mysql_init(NULL);
    static const unsigned seconds[] = {
        [SQL_ACCESS_ALL] = IO_SECONDS,
        [SQL_ACCESS_READ] = LIMITED_SECONDS,
        [SQL_ACCESS_MANAGE] = MANAGER_SECONDS,
    };
    unsigned connect = sql->access == SQL_ACCESS_ALL ? CONNECT_SECONDS : LIMITED_SECONDS;
    unsigned io = sql->patient ? PATIENT_SECONDS : seconds[sql->access];

    if (!mysql)
        return NULL;
    mysql_optionsv(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
    mysql_optionsv(mysql, MYSQL_OPT_READ_TIMEOUT, &io);
    mysql_optionsv(mysql, MYSQL_OPT_WRITE_TIMEOUT, &io);
    mysql_optionsv(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_optionsv(mysql, MYSQL_INIT_COMMAND, sql_control_text(SQL_CONTROL_SESSION));
    if (sql->access == SQL_ACCESS_READ)
        mysql_optionsv(mysql, MYSQL_INIT_COMMAND, sql_control_text(SQL_CONTROL_SESSION_READER));
    if (sql->access == SQL_ACCESS_MANAGE)
        mysql_optionsv(mysql, MYSQL_INIT_COMMAND, sql_control_text(SQL_CONTROL_SESSION_MANAGER));
    return mysql;
}

gboolean sql_reconnect(Sql *sql, GError **error)
{
    const SqlSource *source = &sql->source;

    drop_link(sql);
    sql->in_transaction = FALSE;
    MYSQL *mysql = new_handle(sql);
    if (!mysql) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "database: out of memory");
        return FALSE;
    }
    const char *socket = source->socket && *source->socket ? source->socket : NULL;
    if (!mysql_real_connect(mysql, socket ? NULL : source->host, source->user, source->password,
                            source->name, socket ? 0 : source->port, socket,
                            CLIENT_MULTI_STATEMENTS | CLIENT_FOUND_ROWS)) {
        sql_fail(sql, mysql_errno(mysql), mysql_error(mysql), "connect", FALSE, error);
        mysql_close(mysql);
        return FALSE;
    }
    sql->mysql = mysql;
    return TRUE;
}

Sql *sql_open_limited(SqlSource *source, SqlAccess access, GError **error)
{
    g_autoptr(Sql) sql = g_new0(Sql, 1);

    sql->access = access;
    sql->source = *source;
    memset(source, 0, sizeof(*source));
    return sql_reconnect(sql, error) ? g_steal_pointer(&sql) : NULL;
}

Sql *sql_open_source(SqlSource *source, GError **error)
{
    return sql_open_limited(source, SQL_ACCESS_ALL, error);
}

void sql_close(Sql *sql)
{
    if (!sql)
        return;
    drop_link(sql);
    sql_source_clear(&sql->source);
    g_free(sql);
}

gboolean sql_ensure_link(Sql *sql, GError **error)
{
    if (sql->streaming) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INTERNAL,
                    "database: a statement inside the rows of another");
        return FALSE;
    }
    if (sql->mysql)
        return TRUE;
    if (!sql->in_transaction)
        return sql_reconnect(sql, error);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                "database: the link was lost inside a transaction");
    return FALSE;
}

gboolean sql_run_text(Sql *sql, const char *text, GError **error)
{
    if (!sql_ensure_link(sql, error))
        return FALSE;
    int rc = mysql_real_query(sql->mysql, text, strlen(text));
    while (rc == 0) {
        MYSQL_RES *result = mysql_use_result(sql->mysql);
        if (result)
            mysql_free_result(result);
        if (!mysql_more_results(sql->mysql))
            return TRUE;
        rc = mysql_next_result(sql->mysql);
    }
    return sql_fail(sql, mysql_errno(sql->mysql), mysql_error(sql->mysql), "run", TRUE, error);
}
