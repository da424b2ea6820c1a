/* SPDX-License-Identifier: MIT */
/* Reading over a pool of connections, against a real MariaDB. */
#include "lib/sql/pool.h"

#include <signal.h>
#include <sys/wait.h>
#include <string.h>

#include "lib/base/error.h"
#include "tests/lib/database_fixture.h"
#include "tests/lib/testing.h"

static MariadbFixture *server;

typedef struct {
    Config *config;
    SqlPool *pool;
} World;

static Config *read_config(const char *more)
{
    g_autofree char *text =
        g_strdup_printf("return_path_domain = rp.example\ndb_socket = %s\ndb_name = pool\n%s",
                        server->socket, more);
    g_autoptr(GError) error = NULL;
    Config *config = config_parse("test", text, -1, &error);

    assert_no_error(error);
    return config;
}

static SqlPool *new_pool(const Config *config, guint connections)
{
    return sql_pool_new(config, SQL_POOL_READS, connections);
}

static int set_up(void **state)
{
    World *world = g_new0(World, 1);

    world->config = read_config("");
    world->pool = new_pool(world->config, 1);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    World *world = *state;

    sql_pool_free(world->pool);
    config_free(world->config);
    g_free(world);
    return 0;
}

static gboolean count_row(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    assert_int_equal(sql_row_unsigned(row, 0), 7);
    ++*(guint *)data;
    return TRUE;
}

static gboolean read_message(Sql *sql, gpointer data, GError **error)
{
    const SqlParameter parameters[] = {SQL_UNSIGNED(7), SQL_UNSIGNED(3)};

    *(guint *)data = 0;
    return sql_query(sql, SQL_MESSAGE_READ, parameters, 2, count_row, data, error);
}

/* Until the rest after a failure is over. */
static void wait_until_it_reads(SqlPool *pool)
{
    guint rows = 0;

    for (guint i = 0; i < 600 && rows == 0; i++) {
        g_autoptr(GError) error = NULL;
        if (!sql_pool_run(pool, read_message, &rows, &error))
            g_usleep(50000);
    }
    assert_int_equal(rows, 1);
}

static void assert_away(SqlPool *pool, const char *why)
{
    GError *error = NULL;
    guint rows;

    assert_false(sql_pool_run(pool, read_message, &rows, &error));
    if (!error || !strstr(error->message, why))
        fail_msg("%s", error ? error->message : "no error");
    assert_error_code(error, UNAVAILABLE);
}

static gboolean try_all(Sql *sql, gpointer data, G_GNUC_UNUSED GError **error)
{
    for (guint i = 0; i < SQL_STATEMENT_COUNT; i++) {
        g_autoptr(GError) why = NULL;
        if (sql_prepare(sql, i, &why))
            ++*(guint *)data;
        else if (!strstr(why->message, "only read"))
            fail_msg("%s", why->message);
    }
    return TRUE;
}

/* The account may run what is for API, and the session nothing else. */
static void test_sql_pool_run_reads_only(void **state)
{
    World *world = *state;
    GError *error = NULL;
    guint prepared = 0;

    sql_pool_run(world->pool, try_all, &prepared, &error);
    assert_no_error(error);
    assert_in_range(prepared, 4, 20);
    wait_until_it_reads(world->pool);
}

static gboolean prepare_one(Sql *sql, gpointer data, GError **error)
{
    return sql_prepare(sql, *(const SqlStatement *)data, error);
}

/* What is for the directory's managers runs with what the account is granted, and nothing else does. */
static gboolean try_to_manage(Sql *sql, gpointer data, G_GNUC_UNUSED GError **error)
{
    for (guint i = 0; i < SQL_STATEMENT_COUNT; i++) {
        g_autoptr(GError) why = NULL;
        if (sql_prepare(sql, i, &why))
            ++*(guint *)data;
        else if (!strstr(why->message, "only manage"))
            fail_msg("%s", why->message);
    }
    return TRUE;
}

static void test_sql_pool_run_manages_only(void **state)
{
    SqlStatement others[] = {SQL_MESSAGE_READ, SQL_TOKEN_ADD, SQL_CREDENTIAL_SECRET_ADD,
                             SQL_ORGANIZATION_ADD, SQL_DOMAIN_VERIFIED};
    g_autoptr(Config) config = read_config("apid_manage_db_user = outrider_manage\n");
    g_autoptr(SqlPool) pool = sql_pool_new(config, SQL_POOL_MANAGES, 1);
    GError *error = NULL;
    guint prepared = 0;

    (void)state;
    sql_pool_run(pool, try_to_manage, &prepared, &error);
    assert_no_error(error);
    assert_in_range(prepared, 30, 50);
    for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autoptr(GError) why = NULL;
        assert_false(sql_pool_run(pool, prepare_one, &others[i], &why));
        assert_error_code(why, INTERNAL);
    }
}

static gboolean write_retention(Sql *sql, G_GNUC_UNUSED gpointer data, GError **error)
{
    const SqlParameter days[] = {SQL_UNSIGNED(1)};

    return sql_execute(sql, SQL_RETENTION_SET, days, 1, NULL, NULL, error);
}

static void test_sql_pool_run_does_not_write(void **state)
{
    World *world = *state;
    GError *error = NULL;

    assert_false(sql_pool_run(world->pool, write_retention, NULL, &error));
    assert_error_code(error, INTERNAL);
    guint rows;
    sql_pool_run(world->pool, read_message, &rows, &error);
    assert_no_error(error);
    assert_int_equal(rows, 1);
}

static void test_sql_pool_run_server_away(void **state)
{
    World *world = *state;

    wait_until_it_reads(world->pool);
    mariadb_fixture_kill(server);
    assert_away(world->pool, "database: ");
    assert_away(world->pool, "a moment ago");
    mariadb_fixture_restart(server);
    wait_until_it_reads(world->pool);
}

static void test_sql_pool_run_link_broke_while_idle(void **state)
{
    World *world = *state;
    g_autoptr(GError) error = NULL;
    guint rows = 0;

    wait_until_it_reads(world->pool);
    mariadb_fixture_kill(server);
    mariadb_fixture_restart(server);
    sql_pool_run(world->pool, read_message, &rows, &error);
    assert_no_error(error);
    assert_int_equal(rows, 1);
}

/* The signal is not there at once: until then the server answers. */
static void stop_server(void)
{
    int status = 0;

    assert_int_equal(kill(server->pid, SIGSTOP), 0);
    assert_int_equal(waitpid(server->pid, &status, WUNTRACED), server->pid);
    assert_true(WIFSTOPPED(status));
}

static void test_sql_pool_run_server_does_not_answer(void **state)
{
    World *world = *state;

    wait_until_it_reads(world->pool);
    stop_server();
    assert_away(world->pool, "database: ");
    assert_away(world->pool, "a moment ago");
    kill(server->pid, SIGCONT);
    wait_until_it_reads(world->pool);
}

typedef struct {
    SqlPool *pool;
    GMutex gate;
    _Atomic gboolean inside;
} Holder;

static gboolean wait_at_gate(Sql *sql, gpointer data, GError **error)
{
    Holder *holder = data;
    guint rows;

    holder->inside = TRUE;
    g_mutex_lock(&holder->gate);
    g_mutex_unlock(&holder->gate);
    return read_message(sql, &rows, error);
}

static gpointer hold(gpointer data)
{
    Holder *holder = data;

    return GINT_TO_POINTER(sql_pool_run(holder->pool, wait_at_gate, holder, NULL));
}

static void test_sql_pool_run_all_busy(void **state)
{
    World *world = *state;
    Holder holder = {.pool = world->pool};

    wait_until_it_reads(world->pool);
    g_mutex_init(&holder.gate);
    g_mutex_lock(&holder.gate);
    GThread *thread = g_thread_new("holder", hold, &holder);
    while (!holder.inside)
        g_usleep(1000);
    assert_away(world->pool, "busy");
    g_mutex_unlock(&holder.gate);
    assert_true(GPOINTER_TO_INT(g_thread_join(thread)));
    wait_until_it_reads(world->pool);
    g_mutex_clear(&holder.gate);
}

static void test_sql_pool_run_refused(void **state)
{
    (void)state;
    static const struct {
        const char *options, *why;
    } cases[] = {
        {"apid_db_user = nobody_such\n", "connect"},
        {"apid_db_password_file = /dev/null/none\n", "apid_db_password_file: "},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Config) config = read_config(cases[i].options);
        g_autoptr(SqlPool) pool = new_pool(config, 2);
        g_autoptr(GError) error = NULL;
        guint rows;
        assert_false(sql_pool_run(pool, read_message, &rows, &error));
        assert_non_null(strstr(error->message, cases[i].why));
        assert_away(pool, "a moment ago");
    }
}

static void fill(void)
{
    static const char *const statements[] = {
        "CREATE USER outrider_read@localhost",
#define X(table) "GRANT SELECT ON pool." table " TO outrider_read@localhost",
#include "lib/sql/reader_table.def"
#undef X
        "CREATE USER outrider_manage@localhost",
#define X(table, privileges) "GRANT " privileges " ON pool." table " TO outrider_manage@localhost",
#include "lib/sql/manager_table.def"
#undef X
        "INSERT INTO message (id, server_id, status) VALUES (7, 3, 'Sent'), (8, 3, 'Accepting')",
    };

    sql_close(database_fixture_open(server, "pool"));
    for (guint i = 0; i < G_N_ELEMENTS(statements); i++)
        g_free(mariadb_fixture_run(server, "pool", statements[i]));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sql_pool_run_reads_only),
        cmocka_unit_test(test_sql_pool_run_manages_only),
        TEST(test_sql_pool_run_does_not_write),
        TEST(test_sql_pool_run_server_away),
        TEST(test_sql_pool_run_link_broke_while_idle),
        TEST(test_sql_pool_run_server_does_not_answer),
        TEST(test_sql_pool_run_all_busy),
        cmocka_unit_test(test_sql_pool_run_refused),
    };

    server = mariadb_fixture_start();
    fill();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mariadb_fixture_stop(server);
    return failed;
}
