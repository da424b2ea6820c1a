/* SPDX-License-Identifier: MIT */
/* lib/sql against a real MariaDB. */
#include <errmsg.h>
#include <mysqld_error.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/id.h"
#include "lib/sql/connection.h"
#include "tests/lib/mariadb_fixture.h"
#include "tests/lib/testing.h"

#define MIGRATIONS OUTRIDER_TEST_SRCDIR "/conf/migrations"
#define DAY        86400
#define NOW        (ID_EPOCH + 500 * (gint64)DAY + 3600)

static MariadbFixture *server;
static guint databases;

static SqlSource source_of(const char *database)
{
    return (SqlSource){.socket = g_strdup(server->socket),
                       .name = g_strdup(database),
                       .user = g_strdup("root"),
                       .password = g_strdup("")};
}

static Sql *connect_to(const char *database)
{
    g_auto(SqlSource) source = source_of(database);
    GError *error = NULL;
    Sql *sql = sql_open_source(&source, &error);

    assert_no_error(error);
    return sql;
}

/* A connection to a fresh database with the newest schema. */
static int setup(void **state)
{
    g_autofree char *name = g_strdup_printf("t%u", databases++);
    GError *error = NULL;
    guint applied;

    mariadb_fixture_database(server, name);
    Sql *sql = connect_to(name);
    assert_true(sql_migrate(sql, MIGRATIONS, &applied, &error));
    assert_true(applied >= 1);
    *state = sql;
    return 0;
}

static int teardown(void **state)
{
    sql_close(*state);
    return 0;
}

static char *run(Sql *sql, const char *text)
{
    return mariadb_fixture_run(server, sql->source.name, text);
}

static void assert_result(Sql *sql, const char *text, const char *wanted)
{
    g_autofree char *output = run(sql, text);

    assert_string_equal(g_strchomp(output), wanted);
}

static void test_sql_prepare_every_statement(void **state)
{
    Sql *sql = *state;

    for (guint i = 0; i < SQL_STATEMENT_COUNT; i++) {
        GError *error = NULL;
        if (!sql_prepare(sql, i, &error))
            fail_msg("%s: %s", sql_statement_name(i), error->message);
        MYSQL_RES *meta = mysql_stmt_result_metadata(sql->statements[i]);
        g_autoptr(GString) names = g_string_new(NULL);
        for (guint c = 0; meta && c < mysql_num_fields(meta); c++)
            g_string_append_printf(names, "%s%s", c ? " " : "",
                                   mysql_fetch_field_direct(meta, c)->name);
        if (meta)
            mysql_free_result(meta);
        if (strcmp(names->str, sql_statement_columns(i)) != 0)
            fail_msg("%s returns \"%s\", the table says \"%s\"", sql_statement_name(i), names->str,
                     sql_statement_columns(i));
    }
}

static void test_sql_open_refused(void **state)
{
    g_auto(SqlSource) unknown = source_of("no-such-database");
    g_auto(SqlSource) nobody = source_of("t0");
    g_auto(SqlSource) away = source_of("t0");
    GError *error = NULL;

    (void)state;
    assert_null(sql_open_source(&unknown, &error));
    assert_error_code(error, INVALID);
    g_free(nobody.user);
    nobody.user = g_strdup("nobody-at-all");
    assert_null(sql_open_source(&nobody, &error));
    assert_error_code(error, INVALID);
    g_free(away.socket);
    away.socket = g_strdup("/nonexistent/socket");
    assert_null(sql_open_source(&away, &error));
    assert_error_code(error, UNAVAILABLE);
}

static void test_sql_migrate_twice(void **state)
{
    Sql *sql = *state;
    GError *error = NULL;
    guint applied = 99, version = 0;

    assert_true(sql_migrate(sql, MIGRATIONS, &applied, &error));
    assert_int_equal(applied, 0);
    assert_true(sql_schema_version(sql, &version, &error));
    assert_int_equal(version, SQL_SCHEMA);
    assert_true(sql_schema_check(sql, &error));
}

static void test_sql_migrate_bad_directory(void **state)
{
    Sql *sql = *state;
    GError *error = NULL;
    guint applied = 99;

    assert_false(sql_migrate(sql, "/nonexistent", &applied, &error));
    assert_error_code(error, NOT_FOUND);
    assert_int_equal(applied, 99);
}

static void test_sql_migrate_broken_stops_later_runs(void **state)
{
    Sql *sql = *state;
    g_autofree char *dir = g_dir_make_tmp("outrider-migration-XXXXXX", NULL);
    g_autofree char *broken = g_build_filename(dir, "9000-broken.sql", NULL);
    GError *error = NULL;
    guint applied = 99, version = 0;

    assert_true(g_file_set_contents(broken, "CREATE TABLE x (id INT); NONSENSE;", -1, NULL));
    assert_false(sql_migrate(sql, dir, &applied, &error));
    assert_non_null(strstr(error->message, "9000-broken.sql"));
    g_clear_error(&error);
    assert_false(sql_migrate(sql, dir, &applied, &error));
    assert_error_code(error, CORRUPT);
    assert_false(sql_schema_version(sql, &version, &error));
    assert_error_code(error, CORRUPT);
    assert_int_equal(applied, 99);
    remove(broken);
    remove(dir);
}

/* A database of the first schema keeps what its rows say when the others come. */
static void test_sql_migrate_keeps_what_was(void **state)
{
    static const char first[] = "0001-directory-and-history.sql";
    g_autofree char *name = g_strdup_printf("t%u", databases++);
    g_autofree char *dir = g_dir_make_tmp("outrider-migration-XXXXXX", NULL);
    g_autofree char *link = g_build_filename(dir, first, NULL);
    GError *error = NULL;
    guint applied = 0;

    (void)state;
    mariadb_fixture_database(server, name);
    g_autoptr(Sql) sql = connect_to(name);
    assert_int_equal(symlink(MIGRATIONS "/0001-directory-and-history.sql", link), 0);
    assert_true(sql_migrate(sql, dir, &applied, &error));
    assert_int_equal(applied, 1);
    assert_false(sql_schema_check(sql, &error));
    assert_error_code(error, UNAVAILABLE);
    g_free(run(sql, "INSERT INTO message (id, server_id, status) VALUES (1, 1, 'Sent'), "
                    "(2, 1, 'Aborted'), (3, 1, 'Unknown'), (4, 1, 'Accepting'), (5, 1, 'Bounced'), "
                    "(6, 1, 'Held'), (7, 1, 'SoftFail'); UPDATE retention SET days = 33"));
    assert_true(sql_migrate(sql, MIGRATIONS, &applied, &error));
    assert_no_error(error);
    assert_true(applied >= 1);
    assert_result(sql, "SELECT GROUP_CONCAT(id, status + 0, status ORDER BY status) FROM message",
                  "41Accepting,22Aborted,64Held,75SoftFail,36Unknown,18Sent,511Bounced");
    assert_result(sql, "SELECT GROUP_CONCAT(id) FROM message WHERE on_hold", "6");
    assert_result(sql, "SELECT DISTINCT days FROM retention", "33");
    remove(link);
    remove(dir);
}

static void test_sql_history_tables_have_retention(void **state)
{
    assert_result(*state,
                  "SELECT p.table_name FROM information_schema.partitions p "
                  "WHERE p.table_schema = DATABASE() AND p.partition_name = 'p_future' "
                  "AND p.table_name NOT IN (SELECT table_name FROM retention)",
                  "");
    assert_result(*state,
                  "SELECT table_name FROM retention WHERE table_name NOT IN "
                  "(SELECT table_name FROM information_schema.partitions "
                  "WHERE table_schema = DATABASE() AND partition_name = 'p_future')",
                  "");
}

#define PARTITIONS                                                                                 \
    "SELECT COUNT(*), MIN(partition_name), MAX(partition_name) FROM "                              \
    "information_schema.partitions WHERE table_schema = DATABASE() AND table_name = 'message' "    \
    "AND partition_name <> 'p_future'"

static void test_sql_partitions_made_and_dropped(void **state)
{
    Sql *sql = *state;
    GError *error = NULL;
    g_autofree char *insert =
        g_strdup_printf("INSERT INTO message (id, server_id) VALUES (%" G_GUINT64_FORMAT ", 1), "
                        "(%" G_GUINT64_FORMAT ", 1)",
                        id_floor(NOW) | 1, id_floor(NOW + 3 * DAY) | 1);

    assert_true(sql_partitions_maintain(sql, NOW, &error));
    assert_result(sql, PARTITIONS, "15\tp20260516\tp20260530");
    g_free(run(sql, insert));
    assert_result(sql, "SELECT COUNT(*) FROM message PARTITION (p20260516)", "1");
    assert_result(sql, "SELECT COUNT(*) FROM message PARTITION (p20260519)", "1");
    assert_true(sql_partitions_maintain(sql, NOW, &error));
    assert_result(sql, PARTITIONS, "15\tp20260516\tp20260530");
    assert_true(sql_partitions_maintain(sql, NOW + 2 * DAY, &error));
    assert_result(sql, PARTITIONS, "17\tp20260516\tp20260601");
    g_free(run(sql, "UPDATE retention SET days = 1"));
    assert_true(sql_partitions_maintain(sql, NOW + 2 * DAY, &error));
    assert_result(sql, PARTITIONS, "16\tp20260517\tp20260601");
    assert_result(sql, "SELECT COUNT(*) FROM message", "1");
    /* A gap of a month: what the days between hold lands in the next day that is made. */
    assert_true(sql_partitions_maintain(sql, NOW + 40 * DAY, &error));
    assert_result(sql, PARTITIONS, "15\tp20260625\tp20260709");
    assert_no_error(error);
}

static void test_sql_execute_maps_errors(void **state)
{
    Sql *sql = *state;
    GError *error = NULL;
    const SqlParameter start[] = {SQL_UNSIGNED(5000), SQL_TEXT("x")};
    g_autofree char *endless = g_strnfill(10240, 'x');
    const SqlParameter longer[] = {SQL_UNSIGNED(5001), SQL_TEXT(endless)};
    const SqlParameter null[] = {SQL_UNSIGNED(5002), SQL_TEXT(NULL)};
    const SqlParameter wrong[] = {SQL_TEXT("x"), SQL_TEXT("x")};

    assert_true(sql_execute(sql, SQL_MIGRATION_START, start, 2, NULL, NULL, &error));
    assert_false(sql_execute(sql, SQL_MIGRATION_START, start, 2, NULL, NULL, &error));
    assert_error_code(error, EXISTS);
    assert_false(sql_execute(sql, SQL_MIGRATION_START, longer, 2, NULL, NULL, &error));
    assert_error_code(error, INVALID);
    assert_false(sql_execute(sql, SQL_MIGRATION_START, null, 2, NULL, NULL, &error));
    assert_error_code(error, INVALID);
    assert_false(sql_execute(sql, SQL_MIGRATION_START, wrong, 2, NULL, NULL, &error));
    assert_error_code(error, INTERNAL);
    assert_false(sql_execute(sql, SQL_MIGRATION_START, start, 1, NULL, NULL, &error));
    assert_error_code(error, INTERNAL);
}

/* What passes is never taken for a fault of the data. */
static void test_sql_error_code_by_number(void **state)
{
    static const struct {
        unsigned number;
        gboolean sent;
        OutriderError code;
    } cases[] = {
        {ER_RECORD_FILE_FULL, TRUE, OUTRIDER_ERROR_NO_SPACE},
        {ER_GET_ERRNO, TRUE, OUTRIDER_ERROR_IO},
        {ER_ERROR_ON_WRITE, TRUE, OUTRIDER_ERROR_IO},
        {3, TRUE, OUTRIDER_ERROR_IO}, /* "Error writing file ... (Errcode: 28)" */
        {ER_LOCK_DEADLOCK, TRUE, OUTRIDER_ERROR_CONFLICT},
        {CR_SERVER_LOST, FALSE, OUTRIDER_ERROR_UNAVAILABLE},
        {CR_SERVER_LOST, TRUE, OUTRIDER_ERROR_UNKNOWN_RESULT},
        {ER_DATA_TOO_LONG, TRUE, OUTRIDER_ERROR_INVALID},
        {ER_PARSE_ERROR, TRUE, OUTRIDER_ERROR_INTERNAL},
        {0, TRUE, OUTRIDER_ERROR_INTERNAL},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(sql_error_code(cases[i].number, cases[i].sent), cases[i].code);
}

static gboolean nested(const SqlRow *row, gpointer data, GError **error)
{
    guint64 revision;

    (void)row;
    return sql_next_revision(data, &revision, error);
}

static void test_sql_query_rows(void **state)
{
    Sql *sql = *state;
    GError *error = NULL;

    assert_false(sql_query(sql, SQL_RETENTION_LIST, NULL, 0, nested, sql, &error));
    assert_error_code(error, INTERNAL);
    /* The connection is good again. */
    guint64 revision = 0;
    assert_true(sql_next_revision(sql, &revision, &error));
    assert_int_equal(revision, 1);
}

static gboolean take_two(Sql *sql, gpointer data, GError **error)
{
    guint64 *revisions = data;

    return sql_next_revision(sql, &revisions[0], error) &&
           sql_next_revision(sql, &revisions[1], error);
}

static gboolean take_and_fail(Sql *sql, gpointer data, GError **error)
{
    if (take_two(sql, data, error))
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "no");
    return FALSE;
}

static void test_sql_transaction_rolls_back(void **state)
{
    Sql *sql = *state;
    GError *error = NULL;
    guint64 revisions[2];

    assert_true(sql_transaction(sql, take_two, revisions, &error));
    assert_false(sql_transaction(sql, take_and_fail, revisions, &error));
    assert_error_code(error, INVALID);
    assert_true(sql_transaction(sql, take_two, revisions, &error));
    assert_int_equal(revisions[0], 3);
    assert_int_equal(revisions[1], 4);
}

#define COPY_COLUMNS 4
#define MANY_COPIES  2500 /* more than one slice */

/* Rows of message_copy: every third has a parent, the one at bad (0: none) no queue id. */
static SqlParameter *new_copies(guint n, guint bad)
{
    SqlParameter *parameters = g_new(SqlParameter, n * COPY_COLUMNS);

    for (guint i = 0; i < n; i++) {
        SqlParameter *row = &parameters[i * COPY_COLUMNS];
        row[0] = SQL_UNSIGNED(i + 1);
        row[1] = SQL_TEXT(bad && i + 1 == bad ? NULL : i % 2 ? "even" : "a");
        row[2] = i % 3 == 0 ? SQL_TEXT("parent") : i % 3 == 1 ? SQL_TEXT(NULL) : SQL_NULL;
        row[3] = SQL_INT(-(gint64)i);
    }
    return parameters;
}

static void test_sql_execute_rows_many(void **state)
{
    Sql *sql = *state;
    GError *error = NULL;
    g_autofree SqlParameter *rows = new_copies(MANY_COPIES, 0);
    const SqlParameter last[] = {SQL_UNSIGNED(9999), SQL_TEXT("z"), SQL_NULL, SQL_INT(7)};

    assert_true(sql_execute_rows(sql, SQL_EVENT_COPY, rows, COPY_COLUMNS, MANY_COPIES, &error));
    /* The statement serves single rows again. */
    assert_true(sql_execute(sql, SQL_EVENT_COPY, last, COPY_COLUMNS, NULL, NULL, &error));
    assert_true(sql_execute_rows(sql, SQL_EVENT_COPY, last, COPY_COLUMNS, 1, &error));
    assert_true(sql_execute_rows(sql, SQL_EVENT_COPY, rows, COPY_COLUMNS, 0, &error));
    assert_no_error(error);
    assert_result(sql,
                  "SELECT COUNT(*), MIN(message_id), MAX(message_id), COUNT(parent), "
                  "SUM(queue_id = 'a'), SUM(queue_id = 'even'), MIN(at), MAX(at) FROM message_copy",
                  "2501\t1\t9999\t834\t1250\t1250\t-2499\t7");
}

/* Text of all slices and of more than one. */
static void test_sql_execute_rows_long_text(void **state)
{
    Sql *sql = *state;
    GError *error = NULL;
    g_autofree char *octets = g_strnfill(300 * 1024, 'x');
    SqlParameter rows[8 * 8];

    for (guint i = 0; i < 8; i++) {
        const SqlParameter row[] = {
            SQL_UNSIGNED(1), SQL_TEXT("p"), SQL_TEXT("0123456789abcdef"),   SQL_UNSIGNED(i + 1),
            SQL_UNSIGNED(1), SQL_INT(1),    SQL_OCTETS(octets, 300 * 1024), SQL_TEXT("r")};
        memcpy(&rows[i * 8], row, sizeof(row));
    }
    assert_true(sql_execute_rows(sql, SQL_EVENT_REJECT, rows, 8, 8, &error));
    assert_no_error(error);
    assert_result(sql, "SELECT COUNT(*), MIN(LENGTH(bytes)) FROM event_rejected", "8\t307200");
}

static void test_sql_execute_rows_refused(void **state)
{
    Sql *sql = *state;
    GError *error = NULL;
    g_autofree SqlParameter *rows = new_copies(10, 7);

    assert_false(sql_execute_rows(sql, SQL_EVENT_COPY, rows, COPY_COLUMNS, 10, &error));
    assert_error_code(error, INVALID);
    assert_false(sql_execute_rows(sql, SQL_EVENT_COPY, rows, COPY_COLUMNS - 1, 10, &error));
    assert_error_code(error, INTERNAL);
    rows[COPY_COLUMNS] = SQL_TEXT("1");
    assert_false(sql_execute_rows(sql, SQL_EVENT_COPY, rows, COPY_COLUMNS, 10, &error));
    assert_error_code(error, INTERNAL);
}

/* A good row, a mark, rows of which one is refused, back to the mark, another good row. */
static gboolean go_back(Sql *sql, gpointer data, GError **error)
{
    g_autofree SqlParameter *rows = new_copies(10, 7);
    const SqlParameter before[] = {SQL_UNSIGNED(101), SQL_TEXT("z"), SQL_NULL, SQL_INT(7)};
    const SqlParameter after[] = {SQL_UNSIGNED(102), SQL_TEXT("z"), SQL_NULL, SQL_INT(7)};

    (void)data;
    return sql_execute_rows(sql, SQL_EVENT_COPY, before, COPY_COLUMNS, 1, error) &&
           sql_savepoint(sql, error) &&
           !sql_execute_rows(sql, SQL_EVENT_COPY, rows, COPY_COLUMNS, 10, NULL) &&
           sql_savepoint_back(sql, error) &&
           sql_execute_rows(sql, SQL_EVENT_COPY, after, COPY_COLUMNS, 1, error);
}

static void test_sql_savepoint_back(void **state)
{
    Sql *sql = *state;
    GError *error = NULL;

    assert_true(sql_transaction(sql, go_back, NULL, &error));
    assert_no_error(error);
    assert_result(sql, "SELECT message_id FROM message_copy", "101\n102");
}

/* Two transactions that lock two rows in opposite order meet in the middle once. */
typedef struct {
    char *database;
    SqlStatement first, second;
    GMutex lock;
    GCond met;
    guint arrived;
    guint runs;
} Meeting;

static gboolean lock_both(Sql *sql, gpointer data, GError **error)
{
    Meeting *meeting = data;
    gboolean counter_first;

    g_mutex_lock(&meeting->lock);
    meeting->runs++;
    counter_first = sql->source.port == 1;
    g_mutex_unlock(&meeting->lock);
    guint64 revision;
    const SqlParameter days[] = {SQL_UNSIGNED(counter_first ? 61 : 62)};
    if (counter_first ? !sql_next_revision(sql, &revision, error)
                      : !sql_execute(sql, SQL_RETENTION_SET, days, 1, NULL, NULL, error))
        return FALSE;
    g_mutex_lock(&meeting->lock);
    meeting->arrived++;
    g_cond_broadcast(&meeting->met);
    while (meeting->arrived < 2)
        g_cond_wait(&meeting->met, &meeting->lock);
    g_mutex_unlock(&meeting->lock);
    return counter_first ? sql_execute(sql, SQL_RETENTION_SET, days, 1, NULL, NULL, error)
                         : sql_next_revision(sql, &revision, error);
}

static gpointer other_side(gpointer data)
{
    Meeting *meeting = data;
    g_autoptr(Sql) sql = connect_to(meeting->database);

    return GINT_TO_POINTER(sql_transaction(sql, lock_both, meeting, NULL));
}

static void test_sql_transaction_retries_deadlock(void **state)
{
    Sql *sql = *state;
    GError *error = NULL;
    Meeting meeting = {.database = sql->source.name};

    sql->source.port = 1; /* tells this side from the other; the socket is what is used */
    g_mutex_init(&meeting.lock);
    g_cond_init(&meeting.met);
    GThread *thread = g_thread_new("other", other_side, &meeting);
    assert_true(sql_transaction(sql, lock_both, &meeting, &error));
    assert_no_error(error);
    assert_true(GPOINTER_TO_INT(g_thread_join(thread)));
    assert_true(meeting.runs >= 3);
    assert_result(sql, "SELECT revision FROM revision_counter", "2");
}

static gboolean kill_inside(Sql *sql, gpointer data, GError **error)
{
    guint64 revision;
    gboolean *killed = data;

    if (!sql_next_revision(sql, &revision, error))
        return FALSE;
    if (!*killed)
        mariadb_fixture_kill(server);
    *killed = TRUE;
    return sql_next_revision(sql, &revision, error);
}

static gboolean kill_before_commit(Sql *sql, gpointer data, GError **error)
{
    guint64 revision;

    (void)data;
    if (!sql_next_revision(sql, &revision, error))
        return FALSE;
    mariadb_fixture_kill(server);
    return TRUE;
}

static void test_sql_transaction_server_killed(void **state)
{
    Sql *sql = *state;
    GError *error = NULL;
    gboolean killed = FALSE;
    guint64 revision = 0;

    assert_false(sql_transaction(sql, kill_inside, &killed, &error));
    assert_error_code(error, UNAVAILABLE);
    assert_false(sql_next_revision(sql, &revision, &error));
    assert_error_code(error, UNAVAILABLE);
    mariadb_fixture_restart(server);
    assert_true(sql_next_revision(sql, &revision, &error));
    assert_int_equal(revision, 1);

    assert_false(sql_transaction(sql, kill_before_commit, NULL, &error));
    assert_error_code(error, UNKNOWN_RESULT);
    mariadb_fixture_restart(server);
    assert_true(sql_reconnect(sql, &error));
    assert_true(sql_next_revision(sql, &revision, &error));
    assert_int_equal(revision, 2);
}

static int start(void **state)
{
    (void)state;
    server = mariadb_fixture_start();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    mariadb_fixture_stop(server);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_sql_prepare_every_statement),
        CASE(test_sql_open_refused),
        CASE(test_sql_migrate_twice),
        CASE(test_sql_migrate_bad_directory),
        CASE(test_sql_migrate_broken_stops_later_runs),
        CASE(test_sql_migrate_keeps_what_was),
        CASE(test_sql_history_tables_have_retention),
        CASE(test_sql_execute_rows_many),
        CASE(test_sql_execute_rows_long_text),
        CASE(test_sql_execute_rows_refused),
        CASE(test_sql_savepoint_back),
        CASE(test_sql_partitions_made_and_dropped),
        CASE(test_sql_execute_maps_errors),
        cmocka_unit_test(test_sql_error_code_by_number),
        CASE(test_sql_query_rows),
        CASE(test_sql_transaction_rolls_back),
        CASE(test_sql_transaction_retries_deadlock),
        CASE(test_sql_transaction_server_killed),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
