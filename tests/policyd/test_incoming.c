/* SPDX-License-Identifier: MIT */
/* Which domains and recipients are ours. */
#include "policyd/incoming.h"

#include <glib/gstdio.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/seal/return_path.h"
#include "tests/lib/edge_fixture.h"
#include "tests/lib/testing.h"

static const EdgeFixture fixture = {.key = NULL};

typedef struct {
    EdgeWorld *edges;
    Config *config;
    Incoming *incoming;
    char *ring_path;
} World;

static void write_ring(const World *world)
{
    g_autofree char *ring = ring_generate(1795248000);

    assert_true(
        g_file_set_contents_full(world->ring_path, ring, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

static int setup(void **state)
{
    World *world = g_new0(World, 1);
    void *edges = NULL;

    edge_world_start(&edges);
    world->edges = edges;
    g_autofree char *text = g_strdup_printf(
        "return_path_domain = rp.example\nroute_domain = in.example\nkey_dir = %s\n",
        world->edges->dir);
    world->config = config_parse("t", text, -1, NULL);
    assert_non_null(world->config);
    world->ring_path = g_build_filename(world->edges->dir, "return", NULL);
    world->incoming = incoming_new(world->config);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    World *world = *state;
    void *edges = world->edges;

    g_unlink(world->ring_path);
    g_free(world->ring_path);
    incoming_free(world->incoming);
    config_free(world->config);
    g_free(world);
    return edge_world_stop(&edges);
}

/* acme.test has info, closed and the wildcard of news.test; server 2 is suspended; acme.test's return paths are its own. */
static void fill(const World *world)
{
    edge_fixture_fill(world->edges->dir, &fixture);
    edge_fixture_exec(
        world->edges->dir, EDGE_FILE_DIRECTORY,
        "INSERT INTO server (id, organization_id, permalink, mode, suspended_at) "
        "VALUES (2, 1, 'other', 'live', 5);"
        "UPDATE domain SET return_path_label = 'psrp' WHERE id = 1;"
        "INSERT INTO domain (id, organization_id, server_id, name, verified_at, return_path_label) "
        "VALUES "
        "(20, 1, 2, 'stopped.test', 5, NULL), (21, 1, 2, 'unproven.test', NULL, 'psrp'),"
        "(22, 1, NULL, 'news.test', 5, NULL), (23, 1, NULL, 'silent.test', 5, NULL);"
        "INSERT INTO route VALUES (1, 1, 1, 'acme.test', 'info', 'aaaaaaa1', 'accept', 'mark'),"
        "(2, 1, 22, 'news.test', '*', 'bbbbbbbb', 'endpoint', 'mark'),"
        "(3, 1, 1, 'acme.test', 'closed', 'cccccccc', 'reject', 'mark'),"
        "(4, 2, 20, 'stopped.test', 'a', 'dddddddd', 'hold', 'mark'),"
        "(5, 1, 22, 'news.test', 'closed', 'gggggggg', 'reject', 'mark'),"
        "(6, 2, 21, 'unproven.test', '*', 'eeeeeeee', 'accept', 'mark')");
    write_ring(world);
}

static void test_incoming_domain_table(void **state)
{
    const World *world = *state;
    static const struct {
        const char *domain;
        IncomingAnswer answer;
    } cases[] = {
        {"acme.test", INCOMING_OURS},
        {"Acme.TEST", INCOMING_OURS},
        {"news.test", INCOMING_OURS},
        {"stopped.test", INCOMING_OURS},
        {"in.example", INCOMING_OURS},
        {"rp.example", INCOMING_OURS},
        {"psrp.acme.test", INCOMING_OURS},
        {"psrp.news.test", INCOMING_NOT_OURS},
        {"psrp.unproven.test", INCOMING_NOT_OURS},
        {"psrp.stranger.test", INCOMING_NOT_OURS},
        {"psrp", INCOMING_NOT_OURS},
        {"psrp.", INCOMING_NOT_OURS},
        {"silent.test", INCOMING_NOT_OURS},
        {"unproven.test", INCOMING_NOT_OURS},
        {"sub.acme.test", INCOMING_NOT_OURS},
        {"x.rp.example", INCOMING_NOT_OURS},
        {"test", INCOMING_NOT_OURS},
        {"", INCOMING_NOT_OURS},
        {"*", INCOMING_NOT_OURS},
        {"<>", INCOMING_NOT_OURS},
        {".acme.test", INCOMING_NOT_OURS},
        {"acme.test.", INCOMING_NOT_OURS},
        {"info@acme.test", INCOMING_NOT_OURS},
        {"[192.0.2.1]", INCOMING_NOT_OURS},
        {"a\x80.test", INCOMING_NOT_OURS},
    };

    fill(world);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        if (incoming_domain(world->incoming, world->edges->edge, cases[i].domain, &error) !=
            cases[i].answer)
            fail_msg("%s", cases[i].domain);
        assert_no_error(error);
    }
}

static void test_incoming_recipient_table(void **state)
{
    const World *world = *state;
    static const struct {
        const char *address;
        IncomingAnswer answer;
    } cases[] = {
        {"info@acme.test", INCOMING_OURS},
        {"INFO+any+tag@ACME.test", INCOMING_OURS},
        {"\"info\"@acme.test", INCOMING_OURS},
        {"anything at all@news.test", INCOMING_OURS},
        {"aaaaaaa1@in.example", INCOMING_OURS},
        {"AAAAaaa1+tag@IN.example", INCOMING_OURS},
        {"a@stopped.test", INCOMING_LATER},
        {"dddddddd@in.example", INCOMING_LATER},
        {"closed@acme.test", INCOMING_NOT_OURS},
        {"closed@news.test", INCOMING_NOT_OURS},
        {"cccccccc@in.example", INCOMING_NOT_OURS},
        {"gggggggg+x@in.example", INCOMING_NOT_OURS},
        {"nobody@acme.test", INCOMING_NOT_OURS},
        {"b@stopped.test", INCOMING_NOT_OURS},
        {"eeeeeeee@in.example", INCOMING_NOT_OURS},
        {"x@unproven.test", INCOMING_NOT_OURS},
        {"aaaaaaa2@in.example", INCOMING_NOT_OURS},
        {"aaaaaaa@in.example", INCOMING_NOT_OURS},
        {"aaaaaaa1x@in.example", INCOMING_NOT_OURS},
        {"info@in.example", INCOMING_NOT_OURS},
        {"+@in.example", INCOMING_NOT_OURS},
        {"info@sub.acme.test", INCOMING_NOT_OURS},
        {"info%evil.test@acme.test", INCOMING_NOT_OURS},
        {"info@acme.test@evil.test", INCOMING_NOT_OURS},
        {"evil.test!info@acme.test", INCOMING_NOT_OURS},
        {"info@evil.test", INCOMING_NOT_OURS},
        {"bounce@rp.example", INCOMING_NOT_OURS},
        {"abcdefghijklmnopqrstuvwxyz23456-7@rp.example", INCOMING_NOT_OURS},
        {"x@psrp.acme.test", INCOMING_NOT_OURS},
        {"acme.test", INCOMING_NOT_OURS},
        {"@acme.test", INCOMING_NOT_OURS},
        {"info@", INCOMING_NOT_OURS},
        {"<>", INCOMING_NOT_OURS},
        {"*", INCOMING_NOT_OURS},
        {"", INCOMING_NOT_OURS},
        {"info\x80@acme.test", INCOMING_NOT_OURS},
    };

    fill(world);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        const char *why = NULL;
        if (incoming_recipient(world->incoming, world->edges->edge, cases[i].address, &why,
                               &error) != cases[i].answer)
            fail_msg("%s", cases[i].address);
        assert_no_error(error);
        assert_int_equal(why != NULL, cases[i].answer == INCOMING_LATER);
    }
}

static IncomingAnswer ask(const World *world, const char *address, GError **error)
{
    const char *why = NULL;

    return incoming_recipient(world->incoming, world->edges->edge, address, &why, error);
}

/* By its MAC, in the domain that it was sealed for, also after the keys were changed. */
static void test_incoming_recipient_return_path(void **state)
{
    const World *world = *state;
    const ReturnPath path = {.kind = RETURN_PATH_MESSAGE, .id = 77, .server = 2, .lane = 7};
    GError *error = NULL;

    fill(world);
    for (guint round = 0; round < 2; round++) {
        g_autoptr(KeyRing) ring = ring_load(world->ring_path, NULL);
        g_autofree char *ours = return_path_seal(ring, &path, "rp.example");
        g_autofree char *own = return_path_seal(ring, &path, "psrp.acme.test");
        g_autofree char *strangers = return_path_seal(ring, &path, "psrp.stranger.test");
        g_autofree char *upper = g_ascii_strup(own, -1);
        g_autofree char *moved = g_strdup_printf("%.*srp.example", (int)strcspn(own, "@") + 1, own);
        assert_int_equal(ask(world, ours, &error), INCOMING_OURS);
        assert_int_equal(ask(world, own, &error), INCOMING_OURS);
        assert_int_equal(ask(world, upper, &error), INCOMING_OURS);
        assert_int_equal(ask(world, strangers, &error), INCOMING_NOT_OURS);
        assert_int_equal(ask(world, moved, &error), INCOMING_NOT_OURS);
        assert_no_error(error);
        g_unlink(world->ring_path);
        write_ring(world);
        assert_int_equal(ask(world, ours, &error), INCOMING_NOT_OURS);
    }
}

/* It may be a real one: nothing is refused for good. */
static void test_incoming_recipient_keys_unreadable(void **state)
{
    const World *world = *state;
    GError *error = NULL;

    fill(world);
    g_unlink(world->ring_path);
    assert_int_equal(ask(world, "abcdefghijklmnopqrstuvwxyz23456-7@rp.example", &error),
                     INCOMING_LATER);
    assert_non_null(error);
    g_clear_error(&error);
    assert_int_equal(ask(world, "info@acme.test", &error), INCOMING_OURS);
    assert_no_error(error);
}

static void test_incoming_replica_missing(void **state)
{
    const World *world = *state;
    Edge *edge = world->edges->edge;
    GError *error = NULL;

    assert_int_equal(incoming_domain(world->incoming, edge, "acme.test", &error), INCOMING_LATER);
    assert_error_code(error, UNAVAILABLE);
    assert_int_equal(incoming_domain(world->incoming, edge, "psrp.acme.test", &error),
                     INCOMING_LATER);
    assert_error_code(error, UNAVAILABLE);
    assert_int_equal(ask(world, "info@acme.test", &error), INCOMING_LATER);
    assert_error_code(error, UNAVAILABLE);
    assert_int_equal(ask(world, "aaaaaaaa@in.example", &error), INCOMING_LATER);
    assert_error_code(error, UNAVAILABLE);
    assert_int_equal(incoming_domain(world->incoming, edge, "rp.example", &error), INCOMING_OURS);
    assert_int_equal(incoming_domain(world->incoming, edge, "in.example", &error), INCOMING_OURS);
    assert_no_error(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_incoming_domain_table, setup, teardown),
        cmocka_unit_test_setup_teardown(test_incoming_recipient_table, setup, teardown),
        cmocka_unit_test_setup_teardown(test_incoming_recipient_return_path, setup, teardown),
        cmocka_unit_test_setup_teardown(test_incoming_recipient_keys_unreadable, setup, teardown),
        cmocka_unit_test_setup_teardown(test_incoming_replica_missing, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
