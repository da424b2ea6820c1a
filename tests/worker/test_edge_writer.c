/* SPDX-License-Identifier: MIT */
/* The edge writer on a real MariaDB: what is in the directory is what the mail path reads. */
#include <glib/gstdio.h>
#include <string.h>
#include <time.h>
#include <utime.h>

#include "lib/base/error.h"
#include "lib/edge/edge_lane.h"
#include "lib/edge/edge_limit.h"
#include "lib/sql/sql.h"
#include "tests/lib/database_fixture.h"
#include "tests/lib/testing.h"
#include "worker/edge_writer.h"
#include "worker/incoming.h"
#include "worker/lanes.h"
#include "worker/replica.h"

#define DATABASE "edge"

typedef struct {
    MariadbFixture *server;
    char *dir;
    char *lanes;
    Config *config;
    EdgeWriter *writer;
} World;

static const char directory_sql[] =
    "UPDATE revision_counter SET revision = 7;"
    "INSERT INTO organization (id, permalink, name, created_at, revision) VALUES (1, 'acme', 'A', "
    "0, 1);"
    "INSERT INTO server (id, organization_id, permalink, name, ip_pool_id, created_at, revision) "
    "VALUES (2, 1, 'main', 'M', 4, 0, 2);"
    "INSERT INTO credential (id, server_id, type, name, created_at, revision) "
    "VALUES (3, 2, 'smtp', 'app', 0, 3);"
    "INSERT INTO credential_secret (id, key_hash, cram_state, revision) "
    "VALUES (3, UNHEX(SHA2('key', 256)), REPEAT(CHAR(0), 32), 3);"
    "INSERT INTO ip_pool (id, name, created_at, revision) VALUES (4, 'main', 0, 4);"
    "INSERT INTO lane (id, kind) VALUES (8, 'address');"
    "INSERT INTO ip_address (id, lane, ip_pool_id, ipv4, helo, weight, created_at, revision) "
    "VALUES (5, 8, 4, '192.0.2.8', 'out8.test', 100, 0, 5);"
    "INSERT INTO domain (id, organization_id, server_id, name, verified_at, created_at, revision) "
    "VALUES (6, 1, 2, 'acme.test', 1, 0, 6);"
    "INSERT INTO dkim_key (id, domain_id, selector, algorithm, private_key, public_key, state, "
    "created_at, revision) VALUES (7, 6, 'sel', 'ed25519', 'PEM', 'p', 'active', 0, 7);";

static void run(World *world, const char *sql)
{
    g_free(mariadb_fixture_run(world->server, DATABASE, sql));
}

static void round_once(World *world, gboolean expected)
{
    GError *error = NULL;
    gboolean changed = FALSE;

    if (!edge_writer_round(world->writer, &changed, &error))
        fail_msg("round: %s", error->message);
    assert_int_equal(changed, expected);
}

static Config *make_config(World *world)
{
    GError *error = NULL;
    g_autofree char *text =
        g_strdup_printf("return_path_domain = rp.example\nedge_dir = %s/edge\n"
                        "postfix_config_dir = %s/postfix\ndb_socket = %s\ndb_name = " DATABASE
                        "\ndb_user = root\nlane_reload = no\n",
                        world->dir, world->dir, world->server->socket);
    Config *config = config_parse("test", text, -1, &error);

    assert_no_error(error);
    return config;
}

static int setup(void **state)
{
    World *world = g_new0(World, 1);

    world->server = mariadb_fixture_start();
    sql_close(database_fixture_open(world->server, DATABASE));
    world->dir = g_dir_make_tmp("outrider-edge-XXXXXX", NULL);
    g_autofree char *edge = g_build_filename(world->dir, "edge", NULL);
    g_autofree char *postfix = g_build_filename(world->dir, "postfix", "outrider", NULL);
    g_mkdir_with_parents(edge, 0755);
    g_mkdir_with_parents(postfix, 0755);
    world->lanes = g_build_filename(postfix, "lanes.regexp", NULL);
    world->config = make_config(world);
    run(world, directory_sql);
    world->writer = edge_writer_new(world->config);
    *state = world;
    return 0;
}

static void remove_tree(const char *dir)
{
    g_autofree char *quoted = g_shell_quote(dir);
    g_autofree char *command = g_strdup_printf("rm -rf -- %s", quoted);
    g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL);
}

static int teardown(void **state)
{
    World *world = *state;

    edge_writer_stop(world->writer);
    config_free(world->config);
    mariadb_fixture_stop(world->server);
    remove_tree(world->dir);
    g_free(world->lanes);
    g_free(world->dir);
    g_free(world);
    return 0;
}

static Edge *reader(World *world)
{
    return edge_open(config_string(world->config, CONFIG_EDGE_DIR));
}

static const char *const elders[] = {"edge.1.db", "edge-auth.1.db", "edge-sign.1.db-wal"};

static void make_elders(const World *world)
{
    for (gsize i = 0; i < G_N_ELEMENTS(elders); i++) {
        g_autofree char *path = g_build_filename(world->dir, "edge", elders[i], NULL);
        assert_true(g_file_set_contents(path, "secret", -1, NULL));
    }
}

static void assert_no_elders(const World *world)
{
    for (gsize i = 0; i < G_N_ELEMENTS(elders); i++) {
        g_autofree char *path = g_build_filename(world->dir, "edge", elders[i], NULL);
        assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    }
}

static void test_round_fills_every_replica(void **state)
{
    World *world = *state;
    GError *error = NULL;
    g_autofree char *lanes = NULL;
    guint8 hash[EDGE_KEY_HASH_LENGTH];

    make_elders(world);
    round_once(world, TRUE);
    assert_no_elders(world);
    round_once(world, FALSE);
    edge_key_hash("key", hash);
    g_autoptr(Edge) edge = reader(world);
    g_autoptr(EdgeCredential) credential = edge_credential_by_key(edge, hash, 0, &error);
    assert_no_error(error);
    assert_int_equal(credential->id, 3);
    assert_string_equal(credential->server_permalink, "main");
    g_autoptr(EdgeDomain) domain = edge_domain_for(edge, 2, 1, "acme.test", &error);
    assert_no_error(error);
    assert_int_equal(domain->id, 6);
    g_autoptr(GArray) keys = edge_sign_keys(edge, 6, &error);
    assert_no_error(error);
    assert_int_equal(keys->len, 1);
    assert_true(g_file_get_contents(world->lanes, &lanes, NULL, NULL));
    assert_non_null(strstr(lanes, "-0@rp\\.example$/ outrider-split:[127.0.0.1]:10026\n"));
    assert_non_null(
        strstr(lanes, "\n/^[a-z2-7]{31}-8@(rp\\.example|psrp\\.[a-z0-9.-]+)$/ outrider-ip8:\n"));
}

static void test_round_follows_change_and_deletion(void **state)
{
    World *world = *state;
    GError *error = NULL;
    g_autofree char *lanes = NULL;
    g_autoptr(Edge) edge = reader(world);

    run(world, "UPDATE revision_counter SET revision = 8;"
               "UPDATE server SET suspended_at = 5, shadow = 1, revision = 8 WHERE id = 2;");
    round_once(world, TRUE);
    g_autoptr(EdgeCredential) suspended = edge_credential_by_id(edge, 3, &error);
    assert_no_error(error);
    assert_true(suspended->server_suspended && suspended->shadow);
    run(world, "UPDATE revision_counter SET revision = 9; DELETE FROM ip_address;"
               "INSERT INTO tombstone (revision, table_name, id) VALUES (9, 'ip_address', 5);"
               "UPDATE lane SET ip_pool_id = 4, removed_at = UNIX_TIMESTAMP(), revision = 9;");
    round_once(world, TRUE);
    assert_true(g_file_get_contents(world->lanes, &lanes, NULL, NULL));
    assert_null(strstr(lanes, "outrider-ip8"));
    assert_non_null(strstr(lanes, "}-8@(rp\\.example|psrp\\.[a-z0-9.-]+)$/ DUNNO\n"));
}

/* What is queued for a pool without addresses waits when it is told to. */
static void test_round_follows_fallback(void **state)
{
    World *world = *state;
    g_autofree char *lanes = NULL;

    run(world, "UPDATE revision_counter SET revision = 10;"
               "UPDATE ip_pool SET fallback = 'defer', revision = 10;");
    round_once(world, TRUE);
    assert_true(g_file_get_contents(world->lanes, &lanes, NULL, NULL));
    assert_non_null(strstr(lanes, "-8@(rp\\.example|psrp\\.[a-z0-9.-]+)$/ retry:4.7.0 no address"));
}

static void assert_limits(const World *world, guint n, guint32 max)
{
    GError *error = NULL;
    g_autoptr(Edge) edge = edge_open(config_string(world->config, CONFIG_EDGE_DIR));
    g_autoptr(GArray) limits = edge_limits(edge, &error);

    assert_no_error(error);
    assert_int_equal(limits->len, n);
    if (n == 0)
        return;
    const EdgeLimit *limit = &g_array_index(limits, EdgeLimit, 0);
    assert_int_equal(limit->id, 11);
    assert_int_equal(limit->subject, LIMIT_DOMAIN);
    assert_string_equal(limit->subject_name, "ok.test");
    assert_int_equal(limit->period, LIMIT_HOUR);
    assert_int_equal(limit->max, max);
    assert_int_equal(limit->action, LIMIT_REJECT);
}

static void test_round_copies_limits(void **state)
{
    World *world = *state;

    run(world,
        "UPDATE revision_counter SET revision = 11;"
        "INSERT INTO rate_limit (id, subject, subject_id, subject_name, period, max, action, "
        "created_at, revision) VALUES (11, 'domain', 0, 'ok.test', 'hour', 5, 'reject', 0, "
        "11);");
    round_once(world, TRUE);
    assert_limits(world, 1, 5);
    run(world, "UPDATE revision_counter SET revision = 12;"
               "UPDATE rate_limit SET max = 4294967295, revision = 12;");
    round_once(world, TRUE);
    assert_limits(world, 1, G_MAXUINT32);
    run(world, "UPDATE revision_counter SET revision = 13; DELETE FROM rate_limit;"
               "INSERT INTO tombstone (revision, table_name, id) VALUES (13, 'rate_limit', 11);");
    round_once(world, TRUE);
    assert_limits(world, 0, 0);
}

static guint32 rule_of(const World *world, const char *rcpt)
{
    const EdgeCredential credential = {.server = 2, .organization = 1, .has_rules = TRUE};
    g_autoptr(Edge) edge = edge_open(config_string(world->config, CONFIG_EDGE_DIR));
    g_autoptr(GPtrArray) from = g_ptr_array_new();
    GError *error = NULL;
    EdgeLaneRule rule;

    edge_lane_rule(edge, &credential, from, rcpt, &rule, &error);
    assert_no_error(error);
    return rule.id;
}

/* Also what is looked up follows, when rules come, change and go, and in a rebuild. */
static void test_round_follows_rules(void **state)
{
    World *world = *state;

    run(world, "UPDATE revision_counter SET revision = 14;"
               "INSERT INTO lane_rule (id, organization_id, server_id, ip_pool_id, to_conditions, "
               "created_at, revision) VALUES (1, 1, NULL, 4, 'one.test,two.test', 0, 14), "
               "(2, 1, 2, 4, 'bücher@two.test', 0, 14);");
    round_once(world, TRUE);
    assert_int_equal(rule_of(world, "a@one.test"), 1);
    assert_int_equal(rule_of(world, "Bücher@two.test"), 2);
    run(world, "UPDATE revision_counter SET revision = 15; DELETE FROM lane_rule WHERE id = 2;"
               "UPDATE lane_rule SET to_conditions = 'two.test', revision = 15;"
               "INSERT INTO tombstone (revision, table_name, id) VALUES (15, 'lane_rule', 2);");
    round_once(world, TRUE);
    assert_int_equal(rule_of(world, "a@one.test"), 0);
    assert_int_equal(rule_of(world, "bücher@two.test"), 1);
    run(world, "UPDATE installation SET epoch = epoch + 1;");
    round_once(world, TRUE);
    assert_int_equal(rule_of(world, "a@two.test"), 1);
    run(world, "UPDATE installation SET epoch = epoch + 1; DELETE FROM lane_rule;");
    round_once(world, TRUE);
    assert_int_equal(rule_of(world, "a@two.test"), 0);
}

/* As if the table of ways had been written so many seconds ago. */
static void age_ways(const World *world, gint64 seconds)
{
    g_autofree char *path =
        g_build_filename(world->dir, "postfix", "outrider", "transports.regexp", NULL);
    time_t then = time(NULL) - seconds;
    struct utimbuf times = {then, then};

    assert_int_equal(g_utime(path, &times), 0);
}

static void assert_return_label(const World *world, const char *label)
{
    GError *error = NULL;
    g_autoptr(Edge) edge = edge_open(config_string(world->config, CONFIG_EDGE_DIR));
    g_autoptr(EdgeDomain) domain = edge_domain_for(edge, 2, 1, "acme.test", &error);

    assert_no_error(error);
    assert_int_equal(g_strcmp0(domain->return_path_label, label), 0);
}

static void assert_way(const World *world, gboolean known)
{
    g_autofree char *path =
        g_build_filename(world->dir, "postfix", "outrider", "transports.regexp", NULL);
    g_autofree char *text = NULL;

    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_int_equal(strstr(text, "@psrp\\.acme\\.test$/ ") != NULL, known);
}

static void test_round_has_postfix_know_a_return_path_before_it_is_used(void **state)
{
    World *world = *state;

    run(world, "UPDATE revision_counter SET revision = 20;"
               "UPDATE domain SET return_path_label = 'psrp', revision = 20 WHERE id = 6;");
    round_once(world, TRUE);
    assert_way(world, FALSE); /* for Postfix was made to reload a moment ago */
    assert_return_label(world, NULL);
    age_ways(world, INCOMING_PAUSE_SECONDS + 1);
    round_once(world, FALSE);
    assert_way(world, TRUE); /* but it may not have read it yet */
    assert_return_label(world, NULL);
    age_ways(world, INCOMING_SETTLE_SECONDS + 1);
    round_once(world, FALSE);
    assert_return_label(world, "psrp");
    run(world, "UPDATE revision_counter SET revision = 21;"
               "UPDATE domain SET return_path_label = NULL, revision = 21 WHERE id = 6;");
    round_once(world, TRUE);
    age_ways(world, INCOMING_PAUSE_SECONDS + 1);
    round_once(world, FALSE);
    assert_way(world, FALSE);
    run(world, "UPDATE revision_counter SET revision = 22;"
               "UPDATE domain SET return_path_label = 'psrp', revision = 22 WHERE id = 6;");
    round_once(world, TRUE);
    assert_return_label(world, NULL);
    run(world, "UPDATE domain SET return_path_label = NULL, revision = 6 WHERE id = 6;");
}

static void test_round_rebuilds_for_another_epoch(void **state)
{
    World *world = *state;
    GError *error = NULL;
    g_autoptr(Edge) edge = reader(world);

    run(world,
        "UPDATE installation SET epoch = epoch + 1; UPDATE revision_counter SET revision = 6;"
        "DELETE FROM credential; DELETE FROM credential_secret;");
    round_once(world, TRUE);
    assert_null(edge_credential_by_id(edge, 3, &error));
    assert_error_code(error, NOT_FOUND);
}

static void test_round_leaves_replicas_when_the_database_is_away(void **state)
{
    World *world = *state;
    GError *error = NULL;
    gboolean changed = FALSE;
    g_autoptr(Edge) edge = reader(world);

    mariadb_fixture_kill(world->server);
    assert_false(edge_writer_round(world->writer, &changed, &error));
    assert_int_equal(error_class(error), ERROR_CLASS_TEMPORARY);
    g_clear_error(&error);
    g_autoptr(EdgeDomain) domain = edge_domain_for(edge, 2, 1, "acme.test", &error);
    assert_no_error(error);
    assert_non_null(domain);
    mariadb_fixture_restart(world->server);
    run(world, "UPDATE revision_counter SET revision = 10;");
    round_once(world, TRUE);
}

static void test_replica_need(void **state)
{
    (void)state;
    static const struct {
        gboolean complete;
        gint64 epoch, revision;
        ReplicaNeed need;
    } cases[] = {
        {FALSE, 0, 0, REPLICA_REBUILD}, {TRUE, 1, 50, REPLICA_CURRENT},
        {TRUE, 1, 49, REPLICA_BEHIND},  {TRUE, 1, 20, REPLICA_BEHIND},
        {TRUE, 1, 19, REPLICA_REBUILD}, {TRUE, 1, 51, REPLICA_REBUILD},
        {TRUE, 2, 50, REPLICA_REBUILD},
    };
    const DirectoryState directory = {.epoch = 1, .revision = 50, .tombstone_floor = 20};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(
            replica_need(cases[i].complete, cases[i].epoch, cases[i].revision, &directory),
            cases[i].need);
}

/* What a replica that is far behind would miss, it does not: it begins anew. */
static void test_tombstones_expire(void **state)
{
    World *world = *state;
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    g_autoptr(Sql) sql = sql_open(world->config, NULL);
    GError *error = NULL;

    run(world, "DELETE FROM tombstone; UPDATE revision_counter SET revision = 1000;"
               "INSERT INTO rate_limit (id, subject, subject_id, subject_name, period, max, "
               "action, created_at, revision) VALUES (11, 'domain', 0, 'ok.test', 'hour', 5, "
               "'reject', 0, 1000);");
    round_once(world, TRUE);
    assert_limits(world, 1, 5);
    run(world, "UPDATE revision_counter SET revision = 1003; DELETE FROM rate_limit;"
               "INSERT INTO tombstone (revision, table_name, id, deleted_at) VALUES "
               "(1001, 'rate_limit', 11, NOW() - INTERVAL 8 DAY), "
               "(1001, 'rate_limit', 12, NOW() - INTERVAL 8 DAY), "
               "(1002, 'rate_limit', 13, NOW() - INTERVAL 6 DAY);");
    assert_true(replica_tombstones_expire(sql, now, &error));
    assert_no_error(error);
    g_autofree char *left =
        mariadb_fixture_run(world->server, DATABASE,
                            "SELECT GROUP_CONCAT(revision), (SELECT tombstone_floor FROM "
                            "revision_counter) FROM tombstone");
    assert_string_equal(left, "1002\t1001\n");
    round_once(world, TRUE);
    assert_limits(world, 0, 0);
    assert_true(replica_tombstones_expire(sql, now, &error));
    round_once(world, FALSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replica_need),
        cmocka_unit_test(test_round_fills_every_replica),
        cmocka_unit_test(test_round_follows_change_and_deletion),
        cmocka_unit_test(test_round_follows_fallback),
        cmocka_unit_test(test_round_copies_limits),
        cmocka_unit_test(test_round_follows_rules),
        cmocka_unit_test(test_round_has_postfix_know_a_return_path_before_it_is_used),
        cmocka_unit_test(test_round_rebuilds_for_another_epoch),
        cmocka_unit_test(test_round_leaves_replicas_when_the_database_is_away),
        cmocka_unit_test(test_tombstones_expire),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
