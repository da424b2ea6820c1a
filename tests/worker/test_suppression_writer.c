/* SPDX-License-Identifier: MIT */
/* The replica of suppressions follows a real MariaDB: what is on the list there is what the mail path finds. */
#include <glib/gstdio.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/edge/edge_suppression.h"
#include "lib/sql/sql.h"
#include "tests/lib/database_fixture.h"
#include "tests/lib/testing.h"
#include "worker/suppression_writer.h"

#define DATABASE "suppressions"
#define MANY     45000 /* more than two pages */

typedef struct {
    MariadbFixture *server;
    char *dir;
    Config *config;
    SuppressionWriter *writer;
} World;

static char acme[] = "acme", main_[] = "main";
static const EdgeCredential app = {.id = 7,
                                   .server = 2,
                                   .organization = 1,
                                   .organization_permalink = acme,
                                   .server_permalink = main_};

static void run(World *world, const char *sql)
{
    g_free(mariadb_fixture_run(world->server, DATABASE, sql));
}

static void round_once(World *world, gboolean expected)
{
    GError *error = NULL;
    gboolean changed = FALSE;

    if (!suppression_writer_round(world->writer, &changed, &error))
        fail_msg("round: %s", error->message);
    assert_int_equal(changed, expected);
}

static int setup(void **state)
{
    World *world = g_new0(World, 1);
    GError *error = NULL;

    world->server = mariadb_fixture_start();
    sql_close(database_fixture_open(world->server, DATABASE));
    world->dir = g_dir_make_tmp("outrider-edge-XXXXXX", NULL);
    g_autofree char *text = g_strdup_printf(
        "return_path_domain = rp.example\nedge_dir = %s\ndb_socket = %s\ndb_name = " DATABASE
        "\ndb_user = root\n",
        world->dir, world->server->socket);
    world->config = config_parse("test", text, -1, &error);
    assert_no_error(error);
    world->writer = suppression_writer_new(world->config);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    World *world = *state;

    suppression_writer_stop(world->writer);
    config_free(world->config);
    mariadb_fixture_stop(world->server);
    for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *path =
            g_strconcat(world->dir, "/", edge_file_name(EDGE_FILE_SUPPRESSION), suffixes[i], NULL);
        g_unlink(path);
    }
    g_rmdir(world->dir);
    g_free(world->dir);
    g_free(world);
    return 0;
}

/* "reason (source)" of what suppresses an address, "" when nothing does. */
static void assert_found(World *world, const char *address, const char *wanted)
{
    GError *error = NULL;
    g_autoptr(EdgeSuppression) found = NULL;
    g_autoptr(Edge) edge = edge_open(world->dir);

    edge_suppression_find(edge, &app, address, 1000, &found, &error);
    assert_no_error(error);
    g_autofree char *text =
        found ? g_strdup_printf("%s (%s)", found->reason, found->source) : g_strdup("");
    if (strcmp(text, wanted) != 0)
        fail_msg("%s: \"%s\", not \"%s\"", address, text, wanted);
}

static void test_first_fill_is_not_answered_from(void **state)
{
    World *world = *state;
    GError *error = NULL;
    EdgeSuppression *found = NULL;
    g_autoptr(Edge) edge = edge_open(world->dir);

    assert_false(edge_suppression_find(edge, &app, "a@x.test", 1000, &found, &error));
    assert_error_code(error, UNAVAILABLE);
    run(world, "UPDATE revision_counter SET revision = 2; INSERT INTO suppression (id, scope, "
               "scope_id, address, "
               "reason, source, created_at, revision) VALUES (1, 'installation', 0, 'a@x.test', "
               "'one', 'manual', 1, 1),"
               "(2, 'organization', 1, 'b@x.test', 'two', 'import', 1, 1),"
               "(3, 'server', 2, 'c@x.test', 'three', 'api', 1, 2), (4, 'server', 3, 'd@x.test', "
               "'four', 'api', 1, 2)");
    round_once(world, TRUE);
    round_once(world, FALSE);
    assert_found(world, "a@x.test", "one (manual)");
    assert_found(world, "b@x.test", "two (import)");
    assert_found(world, "c@x.test", "three (api)");
    assert_found(world, "d@x.test", "");
}

static void test_change_and_removal(void **state)
{
    World *world = *state;

    run(world, "UPDATE revision_counter SET revision = 4; UPDATE suppression SET reason = 'new', "
               "revision = 3 WHERE "
               "id = 1; DELETE FROM suppression WHERE id = 2; INSERT INTO suppression_tombstone "
               "(revision, id, at) "
               "VALUES (4, 2, 1)");
    round_once(world, TRUE);
    assert_found(world, "a@x.test", "new (manual)");
    assert_found(world, "b@x.test", "");
    /* What is not about suppressions moves the revision alone. */
    run(world, "UPDATE revision_counter SET revision = 5");
    round_once(world, TRUE);
    assert_found(world, "c@x.test", "three (api)");
}

/* Pages end within revisions, and a revision may have several pages. */
static void test_many_rows_and_removals(void **state)
{
    World *world = *state;
    g_autofree char *fill =
        g_strdup_printf("UPDATE revision_counter SET revision = 10; INSERT INTO suppression (id, "
                        "scope, scope_id, address, reason, "
                        "source, created_at, revision) SELECT 100 + seq, 'server', 2, CONCAT('m', "
                        "seq, '@many.test'), 'm', 'import', "
                        "1, IF(seq < 7000, 6, IF(seq < 30000, 7, 10)) FROM seq_1_to_%u",
                        MANY);

    run(world, fill);
    round_once(world, TRUE);
    assert_found(world, "m1@many.test", "m (import)");
    assert_found(world, "m20000@many.test", "m (import)");
    assert_found(world, "m20001@many.test", "m (import)");
    assert_found(world, "m45000@many.test", "m (import)");
    run(world, "UPDATE revision_counter SET revision = 12; INSERT INTO suppression_tombstone "
               "(revision, id, at) SELECT "
               "IF(id < 30000, 11, 12), id, 1 FROM suppression WHERE id > 101; DELETE FROM "
               "suppression WHERE id > 101");
    round_once(world, TRUE);
    assert_found(world, "m1@many.test", "m (import)");
    assert_found(world, "m2@many.test", "");
    assert_found(world, "m20001@many.test", "");
    assert_found(world, "m45000@many.test", "");
    assert_found(world, "a@x.test", "new (manual)");
}

/* Another database, or tombstones that are gone: what stands there too much goes, what is missing comes. */
static void test_rebuild(void **state)
{
    static const char *const reasons[] = {
        "UPDATE installation SET epoch = epoch + 1",
        "UPDATE revision_counter SET revision = revision + 2, suppression_floor = revision - 1",
        "UPDATE revision_counter SET revision = 5, suppression_floor = 0",
    };
    World *world = *state;

    for (guint i = 0; i < G_N_ELEMENTS(reasons); i++) {
        g_autofree char *sql =
            g_strdup_printf("%s; DELETE FROM suppression; INSERT INTO suppression (id, scope, "
                            "scope_id, address, reason, source, "
                            "created_at, revision) SELECT %u + seq * 2, 'server', 2, "
                            "CONCAT('r%u-', seq, '@re.test'), 'r', 'import', 1, "
                            "1 FROM seq_1_to_21000",
                            reasons[i], 10 + i, i);
        run(world, sql);
        round_once(world, TRUE);
        round_once(world, FALSE);
        g_autofree char *first = g_strdup_printf("r%u-1@re.test", i);
        g_autofree char *last = g_strdup_printf("r%u-21000@re.test", i);
        g_autofree char *old = g_strdup_printf("r%u-21000@re.test", i - 1);
        assert_found(world, first, "r (import)");
        assert_found(world, last, "r (import)");
        if (i > 0)
            assert_found(world, old, "");
        assert_found(world, "a@x.test", "");
    }
    run(world, "UPDATE installation SET epoch = epoch + 1; DELETE FROM suppression");
    round_once(world, TRUE);
    assert_found(world, "r2-1@re.test", "");
}

static void test_database_away(void **state)
{
    World *world = *state;
    GError *error = NULL;
    gboolean changed = FALSE;

    run(world, "UPDATE revision_counter SET revision = 100; INSERT INTO suppression (id, scope, "
               "scope_id, address, "
               "reason, source, created_at, revision) VALUES (900000, 'server', 2, 'a@x.test', "
               "'z', 'api', 1, 100)");
    round_once(world, TRUE);
    mariadb_fixture_kill(world->server);
    assert_false(suppression_writer_round(world->writer, &changed, &error));
    assert_int_equal(error_class(error), ERROR_CLASS_TEMPORARY);
    g_clear_error(&error);
    assert_found(world, "a@x.test", "z (api)");
    mariadb_fixture_restart(world->server);
    run(world, "UPDATE revision_counter SET revision = 101");
    round_once(world, TRUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_fill_is_not_answered_from),
        cmocka_unit_test(test_change_and_removal),
        cmocka_unit_test(test_many_rows_and_removals),
        cmocka_unit_test(test_rebuild),
        cmocka_unit_test(test_database_away),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
