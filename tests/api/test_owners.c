/* SPDX-License-Identifier: MIT */
#include "api/owners.h"

#include "lib/base/error.h"
#include "tests/lib/edge_fixture.h"
#include "tests/lib/testing.h"

static const EdgeFixture fixture = {.key = "abcdefghijklmnopqrstuvwx"};

static guint32 find(Owners *owners, const EdgeWorld *world, const char *host)
{
    guint32 server = 99;
    g_autoptr(GError) error = NULL;

    assert_true(owners_find(owners, world->edge, host, &server, &error));
    assert_no_error(error);
    return server;
}

static void set_host(const EdgeWorld *world, const char *row)
{
    g_autofree char *sql =
        g_strdup_printf("DELETE FROM track_domain; INSERT INTO track_domain VALUES %s", row);

    edge_fixture_exec(world->dir, EDGE_FILE_DIRECTORY, sql);
}

/* Active or not; kept until all is forgotten. */
static void test_owners_find(void **state)
{
    const EdgeWorld *world = *state;
    Owners *owners = owners_new();

    edge_fixture_fill(world->dir, &fixture);
    set_host(world, "(1, 7, NULL, 't.acme.test', 1, 1, 1, 0, NULL, 1),"
                    "(2, 8, NULL, 't.off.test', 1, 1, 1, 0, NULL, 0)");
    assert_int_equal(find(owners, world, "t.acme.test"), 7);
    assert_int_equal(find(owners, world, "t.off.test"), 8);
    assert_int_equal(find(owners, world, "t.nobody.test"), 0);
    assert_int_equal(find(owners, world, ""), 0);
    set_host(world, "(3, 9, NULL, 't.acme.test', 1, 1, 1, 0, NULL, 1),"
                    "(4, 9, NULL, 't.nobody.test', 1, 1, 1, 0, NULL, 1)");
    assert_int_equal(find(owners, world, "t.acme.test"), 7);
    assert_int_equal(find(owners, world, "t.nobody.test"), 0);
    owners_forget(owners);
    assert_int_equal(find(owners, world, "t.acme.test"), 9);
    assert_int_equal(find(owners, world, "t.nobody.test"), 9);
    assert_int_equal(find(owners, world, "t.off.test"), 0);
    owners_free(owners);
}

static void test_owners_find_without_replica(void **state)
{
    const EdgeWorld *world = *state;
    Owners *owners = owners_new();
    GError *error = NULL;
    guint32 server = 99;

    assert_false(owners_find(owners, world->edge, "t.acme.test", &server, &error));
    assert_error_code(error, UNAVAILABLE);
    assert_int_equal(server, 99);
    edge_fixture_fill(world->dir, &fixture);
    for (guint i = 0; i < 1000 && !owners_find(owners, world->edge, "t.acme.test", &server, NULL);
         i++)
        g_usleep(10000);
    assert_int_equal(server, 0);
    owners_free(owners);
}

/* More hosts than are kept are answered all the same. */
static void test_owners_find_many(void **state)
{
    const EdgeWorld *world = *state;
    Owners *owners = owners_new();

    edge_fixture_fill(world->dir, &fixture);
    for (guint i = 0; i < OWNERS_MAX + 10; i++) {
        g_autofree char *host = g_strdup_printf("t%u.acme.test", i);
        assert_int_equal(find(owners, world, host), 0);
    }
    set_host(world, "(1, 7, NULL, 'last.acme.test', 1, 1, 1, 0, NULL, 1)");
    assert_int_equal(find(owners, world, "last.acme.test"), 7);
    assert_int_equal(find(owners, world, "t1.acme.test"), 0);
    owners_free(owners);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, edge_world_start, edge_world_stop)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_owners_find),
        TEST(test_owners_find_without_replica),
        TEST(test_owners_find_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
