/* SPDX-License-Identifier: MIT */
/* Track domains in the replica: which one serves a message, and whose a host is. */
#include "lib/base/error.h"
#include "lib/edge/edge_track.h"
#include "tests/lib/edge_fixture.h"
#include "tests/lib/testing.h"

static const EdgeFixture fixture = {.key = "abcdefghijklmnopqrstuvwx"};

/* Server 1: 1 and 2 for all domains, 3 and 4 of domain 10, 5 of domain 11 and not active. Server 2: one of
 * domain 10 only. Server 3: none that is active. */
static void fill(const EdgeWorld *world)
{
    edge_fixture_fill(world->dir, &fixture);
    edge_fixture_exec(
        world->dir, EDGE_FILE_DIRECTORY,
        "INSERT INTO track_domain VALUES (1, 1, NULL, 'old.acme.test', 1, 1, 1, 0, NULL, 1),"
        "(2, 1, NULL, 'links.acme.test', 1, 1, 0, 1, '.bank.test,x.test', 1),"
        "(3, 1, 10, 'ten.acme.test', 0, 0, 1, 0, NULL, 1),"
        "(4, 1, 10, 'off.acme.test', 1, 1, 1, 0, NULL, 0),"
        "(5, 1, 11, 'eleven.acme.test', 1, 1, 1, 0, NULL, 0),"
        "(6, 2, 10, 'links.other.test', 1, 1, 1, 0, NULL, 1),"
        "(7, 3, NULL, 'waits.test', 1, 1, 1, 0, NULL, 0)");
}

static void test_edge_track_for_table(void **state)
{
    const EdgeWorld *world = *state;
    static const struct {
        guint32 server, domain, id; /* id 0: none */
    } cases[] = {
        {1, 0, 2}, {1, 99, 2}, {1, 10, 3}, {1, 11, 2}, {2, 10, 6},
        {2, 0, 0}, {2, 11, 0}, {3, 0, 0},  {3, 10, 0}, {4, 10, 0},
    };

    fill(world);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        g_autoptr(EdgeTrack) found = NULL;
        assert_true(edge_track_for(world->edge, cases[i].server, cases[i].domain, &found, &error));
        if ((found ? found->id : 0) != cases[i].id)
            fail_msg("server %u, domain %u: %u", cases[i].server, cases[i].domain,
                     found ? found->id : 0);
    }
}

static void test_edge_track_for_all_of_it(void **state)
{
    const EdgeWorld *world = *state;
    g_autoptr(EdgeTrack) found = NULL;

    fill(world);
    assert_true(edge_track_for(world->edge, 1, 0, &found, NULL));
    assert_int_equal(found->server, 1);
    assert_string_equal(found->host, "links.acme.test");
    assert_string_equal(found->excluded, ".bank.test,x.test");
    assert_true(found->https);
    assert_true(found->clicks);
    assert_false(found->opens);
    assert_true(found->text_links);
    assert_true(found->active);
}

static void test_edge_track_by_host_table(void **state)
{
    const EdgeWorld *world = *state;
    static const struct {
        const char *host;
        guint32 id, server; /* id 0: none */
        gboolean active;
    } cases[] = {
        {"links.acme.test", 2, 1, TRUE},
        {"LINKS.acme.TEST", 2, 1, TRUE},
        {"waits.test", 7, 3, FALSE},
        {"links.other.test", 6, 2, TRUE},
        {"acme.test", 0, 0, 0},
        {"links.acme.test.", 0, 0, 0},
        {"x.links.acme.test", 0, 0, 0},
        {"links.acme.test:443", 0, 0, 0},
        {"%", 0, 0, 0},
        {"", 0, 0, 0},
    };

    fill(world);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        g_autoptr(EdgeTrack) found = NULL;
        assert_true(edge_track_by_host(world->edge, cases[i].host, &found, &error));
        if ((found ? found->id : 0) != cases[i].id ||
            (found && (found->server != cases[i].server || found->active != cases[i].active)))
            fail_msg("%s: %u", cases[i].host, found ? found->id : 0);
    }
}

static void test_edge_track_replica_missing(void **state)
{
    const EdgeWorld *world = *state;
    EdgeTrack *found = NULL;
    GError *error = NULL;

    assert_false(edge_track_for(world->edge, 1, 0, &found, &error));
    assert_error_code(error, UNAVAILABLE);
    assert_false(edge_track_by_host(world->edge, "links.acme.test", &found, &error));
    assert_error_code(error, UNAVAILABLE);
    assert_null(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_edge_track_for_table, edge_world_start,
                                        edge_world_stop),
        cmocka_unit_test_setup_teardown(test_edge_track_for_all_of_it, edge_world_start,
                                        edge_world_stop),
        cmocka_unit_test_setup_teardown(test_edge_track_by_host_table, edge_world_start,
                                        edge_world_stop),
        cmocka_unit_test_setup_teardown(test_edge_track_replica_missing, edge_world_start,
                                        edge_world_stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
