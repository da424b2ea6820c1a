/* SPDX-License-Identifier: MIT */
/* Two nodes: a real policyd and a sharer each, on one real MariaDB. Skipped (77) where policyd has not been
 * built. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/sql/sql.h"
#include "tests/lib/edge_fixture.h"
#include "tests/lib/database_fixture.h"
#include "tests/policyd/policyd_world.h"
#include "worker/limit_sharer.h"

#define DATABASE   "limits"
#define NODES      2
#define TOGETHER   100
#define ONE_BY_ONE 10
#define MANY       10000
#define PATIENCE   300 /* times 100 ms */

typedef struct {
    State *policyd;
    Config *config;
    LimitSharer *sharer;
    int fd; /* to the socket limit */
    guint charged;
} Node;

typedef struct {
    Node nodes[NODES];
    guint messages;
} World;

static MariadbFixture *server;

static void run(const char *sql)
{
    g_free(mariadb_fixture_run(server, DATABASE, sql));
}

static void assert_result(const char *sql, const char *wanted)
{
    g_autofree char *got = mariadb_fixture_run(server, DATABASE, sql);

    assert_string_equal(g_strchomp(got), wanted);
}

static void await_result(const char *sql, const char *wanted)
{
    g_autofree char *got = NULL;

    for (guint i = 0; i < PATIENCE; i++) {
        g_free(got);
        got = g_strchomp(mariadb_fixture_run(server, DATABASE, sql));
        if (g_str_equal(got, wanted))
            return;
        g_usleep(100000);
    }
    fail_msg("%s: %s, never %s", sql, got, wanted);
}

static Config *config_of(const State *policyd, guint node)
{
    g_autofree char *text = g_strdup_printf(
        "return_path_domain = rp.test\nsocket_dir = %s\ndb_socket = %s\ndb_name = " DATABASE
        "\ndb_user = root\nnode_id = %u\n",
        policyd->dir, server->socket, node);
    GError *error = NULL;
    Config *config = config_parse("test", text, -1, &error);

    assert_no_error(error);
    return config;
}

/* Puts limits in force on both nodes, limit 1 among them: rows are those of the replica. */
static void know_limits(World *world, const char *rows)
{
    for (guint i = 0; i < NODES; i++) {
        Node *node = &world->nodes[i];
        policyd_fill(node->policyd);
        policyd_set_limits(node->policyd, rows);
        node->fd = open_socket(node->policyd, "limit");
        await(node->fd, "count 1\n", "count 0 ");
    }
}

/* The directory has columns that replicas have not, and others in another order. */
static void set_limits(World *world, const char *rows)
{
    g_autofree char *sql = g_strdup_printf(
        "INSERT INTO rate_limit (id, subject, subject_id, subject_name, period, max, action, "
        "created_at, revision) WITH r (id, subject, subject_id, subject_name, period, max, action) "
        "AS "
        "(VALUES %s) SELECT r.*, 0, 0 FROM r",
        rows);

    run(sql);
    know_limits(world, rows);
}

static int setup(void **state)
{
    World *world = g_new0(World, 1);

    run("DELETE FROM limit_usage; DELETE FROM limit_node; DELETE FROM rate_limit");
    for (guint i = 0; i < NODES; i++) {
        world->nodes[i].policyd = policyd_setup_node(i + 1);
        world->nodes[i].config = config_of(world->nodes[i].policyd, i + 1);
        world->nodes[i].fd = -1;
    }
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    World *world = *state;
    int status = 0;

    for (guint i = 0; i < NODES; i++) {
        void *policyd = world->nodes[i].policyd;
        limit_sharer_stop(world->nodes[i].sharer);
        close(world->nodes[i].fd);
        status |= policyd_teardown(&policyd);
        config_free(world->nodes[i].config);
    }
    g_free(world);
    return status;
}

static void start_sharers(World *world)
{
    for (guint i = 0; i < NODES; i++)
        world->nodes[i].sharer = limit_sharer_start(world->nodes[i].config);
}

static void charge(World *world, Node *node, guint n)
{
    for (; n > 0; n--) {
        guint message = ++world->messages;
        g_autofree char *request =
            g_strdup_printf("charge %u 1 1 7 ok.test\nkeep %u\n", message, message);
        expect(node->fd, request, "\n", "ok\n");
    }
}

static void await_count(World *world, const char *wanted)
{
    for (guint i = 0; i < NODES; i++)
        await(world->nodes[i].fd, "count 1\n", wanted);
}

static int since(gint64 begin)
{
    return (int)((g_get_monotonic_time() - begin) / 1000);
}

static void test_nodes_count_together(void **state)
{
    World *world = *state;

    set_limits(world, "(1, 'server', 1, '', 'day', 100, 'reject')");
    start_sharers(world);
    for (guint i = 0; i < ONE_BY_ONE; i++) {
        gint64 charged = g_get_monotonic_time();
        g_autofree char *wanted = g_strdup_printf("count %u ", i + 1);
        charge(world, &world->nodes[i % NODES], 1);
        await_count(world, wanted);
        print_message("heard of after %d ms\n", since(charged));
    }
    for (guint i = ONE_BY_ONE; i < TOGETHER; i++)
        charge(world, &world->nodes[i % NODES], 1);
    gint64 begin = g_get_monotonic_time();
    await_count(world, "count 100 8");
    print_message("all agree after %d ms\n", since(begin));
    for (guint i = 0; i < NODES; i++) {
        g_autofree char *count = NULL;
        send_text(world->nodes[i].fd, "count 1\n");
        count = read_until(world->nodes[i].fd, "\n");
        assert_true(g_str_has_suffix(count, " 1=50 2=50\n"));
        send_text(world->nodes[i].fd, "charge 999 1 1 7 ok.test\n");
        g_autofree char *answer = read_until(world->nodes[i].fd, "\n");
        assert_true(g_str_has_prefix(answer, "full 1 reject server 100 day 100 "));
    }
}

static void test_mariadb_away_and_back(void **state)
{
    World *world = *state;

    set_limits(world, "(1, 'server', 1, '', 'day', 100, 'reject')");
    start_sharers(world);
    charge(world, &world->nodes[0], 10);
    await_count(world, "count 10 0");
    mariadb_fixture_kill(server);
    charge(world, &world->nodes[0], 5);
    charge(world, &world->nodes[1], 7);
    expect(world->nodes[0].fd, "count 1\n", "\n", "count 15 0\n");
    expect(world->nodes[1].fd, "count 1\n", "\n", "count 17 0 1=10 2=7\n");
    g_usleep(1500000);
    charge(world, &world->nodes[1], 1);
    mariadb_fixture_restart(server);
    await_count(world, "count 23 0 1=15 2=8\n");
}

static void test_policyd_killed_and_back(void **state)
{
    World *world = *state;
    Node *node = &world->nodes[0];

    set_limits(world, "(1, 'server', 1, '', 'day', 100, 'reject')");
    start_sharers(world);
    charge(world, node, 10);
    charge(world, &world->nodes[1], 20);
    await_count(world, "count 30 0 1=10 2=20\n");
    kill(node->policyd->child, SIGKILL);
    waitpid(node->policyd->child, NULL, 0);
    close(node->fd);
    charge(world, &world->nodes[1], 1);
    policyd_start(node->policyd);
    node->fd = open_socket(node->policyd, "limit");
    await_count(world, "count 31 0 1=10 2=21\n");
    charge(world, node, 1);
    await_count(world, "count 32 0 1=11 2=21\n");
}

static void test_reset_reaches_all(void **state)
{
    World *world = *state;

    set_limits(world, "(1, 'server', 1, '', 'day', 10, 'reject')");
    start_sharers(world);
    charge(world, &world->nodes[0], 4);
    charge(world, &world->nodes[1], 6);
    await_count(world, "count 10 8");
    expect(world->nodes[1].fd, "reset 1\n", "\n", "ok\n");
    expect(world->nodes[1].fd, "count 1\n", "\n", "count 0 0\n");
    await_count(world, "count 0 0\n");
    charge(world, &world->nodes[0], 3);
    charge(world, &world->nodes[1], 2);
    await_count(world, "count 5 0 1=3 2=2\n");
    assert_result(
        "SELECT GROUP_CONCAT(node, ' ', resets, ' ', limit_id ORDER BY node) FROM limit_usage",
        "1 1 1,2 1 1");
}

/* A reset while the other node cannot hear of it, and a row of one that is gone. */
static void test_reset_is_heard_of_later(void **state)
{
    World *world = *state;

    set_limits(world, "(1, 'server', 1, '', 'day', 10, 'reject')");
    run("INSERT INTO limit_usage SELECT 9, 1, 0, 0, '3', CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS "
        "UNSIGNED)");
    start_sharers(world);
    charge(world, &world->nodes[0], 4);
    await_count(world, "count 7 0 1=4");
    limit_sharer_stop(g_steal_pointer(&world->nodes[1].sharer));
    expect(world->nodes[0].fd, "reset 1\n", "\n", "ok\n");
    charge(world, &world->nodes[1], 2);
    expect(world->nodes[0].fd, "count 1\n", "\n", "count 0 0\n");
    expect(world->nodes[1].fd, "count 1\n", "\n", "count 9 0 1=4 2=2 9=3\n");
    world->nodes[1].sharer = limit_sharer_start(world->nodes[1].config);
    await_count(world, "count 0 0\n");
    charge(world, &world->nodes[1], 1);
    await_count(world, "count 1 0");
}

static void round_once(Node *node)
{
    GError *error = NULL;

    if (!node->sharer)
        node->sharer = limit_sharer_new(node->config);
    if (!limit_sharer_round(node->sharer, &error))
        fail_msg("round: %s", error->message);
}

static void test_alone_nothing_is_written(void **state)
{
    World *world = *state;

    set_limits(world,
               "(1, 'server', 1, '', 'day', 100, 'reject'), (2, 'credential', 7, '', 'second', "
               "100, 'reject')");
    charge(world, &world->nodes[0], 3);
    for (guint i = 0; i < 3; i++)
        round_once(&world->nodes[0]);
    assert_result("SELECT COUNT(*) FROM limit_usage", "0");
    assert_result("SELECT node FROM limit_node", "1");
    round_once(&world->nodes[1]);
    round_once(&world->nodes[0]); /* sees that there is somebody */
    round_once(&world->nodes[1]);
    await(world->nodes[1].fd, "count 1\n", "count 3 0 1=3 2=0\n");
    assert_result("SELECT GROUP_CONCAT(node, ' ', limit_id, ' ', slots) FROM limit_usage", "1 1 3");
    /* And is not there any more. */
    run("UPDATE limit_node SET seen_at = seen_at - 61000000 WHERE node = 2");
    charge(world, &world->nodes[0], 1);
    round_once(&world->nodes[0]);
    assert_result("SELECT slots FROM limit_usage WHERE node = 1", "3");
    run("UPDATE limit_node SET seen_at = seen_at + 61000000 WHERE node = 2");
    round_once(&world->nodes[0]);
    round_once(&world->nodes[1]);
    await(world->nodes[1].fd, "count 1\n", "count 4 0 1=4 2=0\n");
}

/* What cannot be is passed over, and keeps nothing else from its way. */
static void test_rows_that_cannot_be(void **state)
{
    static const char *const bad[] = {
        "(0, 1, 0, 0, '5', 0)",   "(3, 1, 0, 0, '', 0)",   "(4, 1, 0, 0, '1,2x', 0)",
        "(5, 1, 0, 0, '1,0', 0)", "(6, 99, 0, 0, '5', 0)", "(7, 1, 0, 18000000000000000, '5', 0)",
    };
    World *world = *state;

    set_limits(world, "(1, 'server', 1, '', 'day', 100, 'reject')");
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *sql = g_strdup_printf("INSERT INTO limit_usage VALUES %s", bad[i]);
        run(sql);
    }
    run("INSERT INTO limit_usage VALUES (8, 1, 0, 0, '6', 0)");
    run("UPDATE limit_usage SET taken_at = CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS UNSIGNED)");
    round_once(&world->nodes[0]);
    round_once(&world->nodes[0]);
    await(world->nodes[0].fd, "count 1\n", "count 6 0 1=0 8=6\n");
    /* The database's clock went back. */
    run("UPDATE limit_usage SET taken_at = taken_at + 60000000, slots = '7' WHERE node = 8");
    round_once(&world->nodes[0]);
    await(world->nodes[0].fd, "count 1\n", "count 7 0 1=0 8=7\n");
    await_result("SELECT COUNT(*) FROM limit_usage", "7");
}

static int timed_round(Node *node)
{
    gint64 begin = g_get_monotonic_time();

    round_once(node);
    return since(begin);
}

static void test_many_limits(void **state)
{
    World *world = *state;
    g_autoptr(GString) rows = g_string_new("(1, 'domain', 0, 'd1.test', 'hour', 10, 'hold')");
    g_autoptr(GString) full = g_string_new("1");

    for (guint i = 2; i <= MANY; i++)
        g_string_append_printf(rows, ", (%u, 'domain', 0, 'd%u.test', 'hour', 10, 'hold')", i, i);
    run("INSERT INTO rate_limit SELECT seq, 'domain', 0, CONCAT('d', seq, '.test'), 'hour', 10, "
        "'hold', 0, 0 FROM seq_1_to_" G_STRINGIFY(MANY));
    know_limits(world, rows->str);
    for (guint i = 0; i < NODES; i++)
        round_once(&world->nodes[i]);
    for (guint pass = 0; pass < 3; pass++) {
        for (guint i = 0; i < NODES; i++)
            for (guint limit = 1; limit <= MANY; limit++) {
                guint message = ++world->messages;
                g_autofree char *request =
                    g_strdup_printf("charge %u 0 0 0 d%u.test\nkeep %u\n", message, limit, message);
                expect(world->nodes[i].fd, request, "\n", "ok\n");
            }
        for (guint i = 0; i < NODES; i++)
            print_message("node %u, %d limits: %d ms\n", i + 1, MANY,
                          timed_round(&world->nodes[i]));
    }
    round_once(&world->nodes[0]);
    for (guint i = 0; i < NODES; i++)
        for (guint limit = 1; limit <= MANY; limit += 997) {
            g_autofree char *request = g_strdup_printf("count %u\n", limit);
            await(world->nodes[i].fd, request, "count 6 0 1=3 2=3\n");
        }
    for (guint i = 1; i < 61; i++)
        g_string_append(full, ",1");
    g_autofree char *sql = g_strdup_printf(
        "INSERT INTO limit_usage SELECT 9, id, 0, 0, '%s', CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 "
        "AS UNSIGNED) FROM rate_limit",
        full->str);
    run(sql);
    print_message("%d windows that are full: %d ms\n", MANY, timed_round(&world->nodes[0]));
    await(world->nodes[0].fd, "count 10000\n", "count 67 ");
    print_message("nothing new: %d ms\n", timed_round(&world->nodes[0]));
    run("UPDATE limit_usage SET taken_at = taken_at - 60000000");
    print_message("for half a minute: %d ms\n", timed_round(&world->nodes[0]));
    run("DELETE FROM limit_node WHERE node <> 1");
    round_once(&world->nodes[0]);
    print_message("nor anybody else: %d ms\n", timed_round(&world->nodes[0]));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_nodes_count_together),    CASE(test_mariadb_away_and_back),
        CASE(test_policyd_killed_and_back), CASE(test_reset_reaches_all),
        CASE(test_reset_is_heard_of_later), CASE(test_alone_nothing_is_written),
        CASE(test_rows_that_cannot_be),     CASE(test_many_limits),
    };

    if (!g_file_test(POLICYD_PROGRAM, G_FILE_TEST_IS_EXECUTABLE))
        return 77;
    server = mariadb_fixture_start();
    sql_close(database_fixture_open(server, DATABASE));
    int status = cmocka_run_group_tests(tests, NULL, NULL);
    mariadb_fixture_stop(server);
    return status;
}
