/* SPDX-License-Identifier: MIT */
/* Routes in the replica: which one an address leads to, and to which endpoints. */
#include "lib/base/error.h"
#include "lib/edge/edge_route.h"
#include "tests/lib/edge_fixture.h"
#include "tests/lib/testing.h"

static const EdgeFixture fixture = {.key = "abcdefghijklmnopqrstuvwx"};

/* Domain 1 (acme.test) has info, info.x and the wildcard; domain 20 has one name and is verified, domain 21 is not.
 * Server 2 is suspended. Route 6 is server 1's return path. */
static void fill(const EdgeWorld *world)
{
    edge_fixture_fill(world->dir, &fixture);
    edge_fixture_exec(
        world->dir, EDGE_FILE_DIRECTORY,
        "INSERT INTO server (id, organization_id, permalink, mode, suspended_at) "
        "VALUES (2, 1, 'other', 'development', 5);"
        "INSERT INTO domain (id, organization_id, server_id, name, verified_at) VALUES "
        "(20, 1, 2, 'other.test', 5), (21, 1, 2, 'unproven.test', NULL);"
        "INSERT INTO route VALUES (1, 1, 1, 'acme.test', 'info', 'aaaaaaaa', 'endpoint', 'mark'),"
        "(2, 1, 1, 'acme.test', '*', 'bbbbbbbb', 'accept', 'quarantine'),"
        "(3, 1, 1, 'acme.test', 'info.x', 'cccccccc', 'reject', 'fail'),"
        "(4, 2, 20, 'other.test', 'sales', 'dddddddd', 'hold', 'mark'),"
        "(5, 2, 21, 'unproven.test', '*', 'eeeeeeee', 'bounce', 'mark'),"
        "(6, 1, NULL, NULL, '__returnpath__', 'ffffffff', 'endpoint', 'mark');"
        "INSERT INTO endpoint VALUES (8, 1, 'crm', 'http', 'https://crm.test/in', 'form', 'raw', "
        "1, 0, 30, NULL, "
        "NULL, NULL, NULL, NULL),"
        "(9, 1, 'mx', 'smtp', NULL, NULL, NULL, NULL, NULL, NULL, 'mx.test', 2525, 'may', NULL, "
        "'192.0.2.1'),"
        "(10, 1, 'fw', 'address', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "
        "'a@b.test', NULL);"
        "INSERT INTO route_endpoint VALUES (1, 1, 9, 1), (2, 1, 8, 0), (3, 6, 8, 0), (4, 2, 8, 0)");
}

static void test_edge_route_for_table(void **state)
{
    const EdgeWorld *world = *state;
    static const struct {
        const char *address;
        guint32 id; /* 0: none */
    } cases[] = {
        {"info@acme.test", 1},
        {"INFO@Acme.TEST", 1},
        {"info+tag@acme.test", 1},
        {"info+tag+more@acme.test", 1},
        {"info@acme.test.", 1},
        {"\"info\"@acme.test", 1},
        {"info.x@acme.test", 3},
        {"info.x+y@acme.test", 3},
        {"informer@acme.test", 2},
        {"+info@acme.test", 2},
        {"*@acme.test", 2},
        {"\"info \"@acme.test", 2},
        {"__returnpath__@acme.test", 2},
        {"sales@other.test", 4},
        {"info@other.test", 0},
        {"*@other.test", 0},
        {"x@unproven.test", 0},
        {"info@sub.acme.test", 0},
        {"info@xacme.test", 0},
        {"info", 0},
        {"@acme.test", 0},
        {"", 0},
        {"info@", 0},
        {"info@acme.test@evil.test", 0},
        {"a\x80@acme.test", 0},
    };

    fill(world);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        g_autoptr(EdgeRoute) found = NULL;
        assert_true(edge_route_for(world->edge, cases[i].address, &found, &error));
        if ((found ? found->id : 0) != cases[i].id)
            fail_msg("%s: %u", cases[i].address, found ? found->id : 0);
    }
}

static void test_edge_route_for_all_of_it(void **state)
{
    const EdgeWorld *world = *state;
    g_autoptr(EdgeRoute) route = NULL;
    g_autoptr(EdgeRoute) held = NULL;

    fill(world);
    assert_true(edge_route_for(world->edge, "info@acme.test", &route, NULL));
    assert_int_equal(route->server, 1);
    assert_int_equal(route->domain_id, 1);
    assert_string_equal(route->domain, "acme.test");
    assert_string_equal(route->token, "aaaaaaaa");
    assert_int_equal(route->mode, EDGE_ROUTE_ENDPOINT);
    assert_int_equal(route->spam, EDGE_ROUTE_SPAM_MARK);
    assert_string_equal(route->server_permalink, "main");
    assert_false(route->suspended);
    assert_false(route->development);
    assert_int_equal(route->endpoint_count, 2);
    assert_int_equal(route->endpoints[0], 8);
    assert_int_equal(route->endpoints[1], 9);

    assert_true(edge_route_for(world->edge, "sales@other.test", &held, NULL));
    assert_int_equal(held->mode, EDGE_ROUTE_HOLD);
    assert_true(held->suspended);
    assert_true(held->development);
    assert_int_equal(held->endpoint_count, 0);
}

/* What an older program does not know must not open anything: it is refused, and spam ends. */
static void test_edge_route_for_words_of_tomorrow(void **state)
{
    const EdgeWorld *world = *state;
    g_autoptr(EdgeRoute) route = NULL;

    fill(world);
    edge_fixture_exec(world->dir, EDGE_FILE_DIRECTORY,
                      "UPDATE route SET mode = 'teleport', spam_mode = NULL WHERE id = 1");
    assert_true(edge_route_for(world->edge, "info@acme.test", &route, NULL));
    assert_int_equal(route->mode, EDGE_ROUTE_REJECT);
    assert_int_equal(route->spam, EDGE_ROUTE_SPAM_FAIL);
    assert_int_equal(route->endpoint_count, 0);
}

static void test_edge_route_by_token_and_id(void **state)
{
    const EdgeWorld *world = *state;
    g_autoptr(EdgeRoute) token = NULL;
    g_autoptr(EdgeRoute) unproven = NULL;
    g_autoptr(EdgeRoute) returned = NULL;
    g_autoptr(EdgeRoute) none = NULL;
    g_autoptr(EdgeRoute) by_id = NULL;

    fill(world);
    assert_true(edge_route_by_token(world->edge, "AaaAaaaA", &token, NULL));
    assert_int_equal(token->id, 1);
    assert_true(edge_route_by_token(world->edge, "eeeeeeee", &unproven, NULL));
    assert_null(unproven);
    assert_true(edge_route_of_return_path(world->edge, 1, &returned, NULL));
    assert_int_equal(returned->id, 6);
    assert_string_equal(returned->domain, "");
    assert_int_equal(returned->endpoint_count, 1);
    assert_true(edge_route_of_return_path(world->edge, 2, &none, NULL));
    assert_null(none);
    assert_true(edge_route_by_id(world->edge, 3, &by_id, NULL));
    assert_int_equal(by_id->mode, EDGE_ROUTE_REJECT);
}

static void test_edge_endpoint_by_id(void **state)
{
    const EdgeWorld *world = *state;
    g_autoptr(EdgeEndpoint) http = NULL;
    g_autoptr(EdgeEndpoint) smtp = NULL;
    g_autoptr(EdgeEndpoint) forward = NULL;
    g_autoptr(EdgeEndpoint) none = NULL;

    fill(world);
    assert_true(edge_endpoint_by_id(world->edge, 8, &http, NULL));
    assert_int_equal(http->kind, EDGE_ENDPOINT_HTTP);
    assert_string_equal(http->url, "https://crm.test/in");
    assert_true(http->form);
    assert_true(http->raw);
    assert_true(http->strip_replies);
    assert_false(http->attachments);
    assert_int_equal(http->timeout, 30);
    assert_true(edge_endpoint_by_id(world->edge, 9, &smtp, NULL));
    assert_int_equal(smtp->kind, EDGE_ENDPOINT_SMTP);
    assert_string_equal(smtp->host, "mx.test");
    assert_int_equal(smtp->port, 2525);
    assert_string_equal(smtp->resolved, "192.0.2.1");
    assert_true(edge_endpoint_by_id(world->edge, 10, &forward, NULL));
    assert_string_equal(forward->address, "a@b.test");
    assert_true(edge_endpoint_by_id(world->edge, 11, &none, NULL));
    assert_null(none);
}

static void test_edge_route_domains(void **state)
{
    const EdgeWorld *world = *state;
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GPtrArray) one = NULL;
    gboolean has;

    fill(world);
    all = edge_route_domains(world->edge, 10, NULL);
    assert_int_equal(all->len, 2);
    assert_string_equal(all->pdata[0], "acme.test");
    assert_string_equal(all->pdata[1], "other.test");
    one = edge_route_domains(world->edge, 1, NULL);
    assert_int_equal(one->len, 1);
    assert_true(edge_route_domain(world->edge, "ACME.test", &has, NULL) && has);
    assert_true(edge_route_domain(world->edge, "unproven.test", &has, NULL) && !has);
    assert_true(edge_route_domain(world->edge, "test", &has, NULL) && !has);
}

static void test_edge_route_replica_missing(void **state)
{
    const EdgeWorld *world = *state;
    EdgeRoute *route = NULL;
    EdgeEndpoint *endpoint = NULL;
    gboolean has;
    GError *error = NULL;

    assert_false(edge_route_for(world->edge, "info@acme.test", &route, &error));
    assert_error_code(error, UNAVAILABLE);
    assert_false(edge_route_domain(world->edge, "acme.test", &has, &error));
    assert_error_code(error, UNAVAILABLE);
    assert_false(edge_endpoint_by_id(world->edge, 1, &endpoint, &error));
    assert_error_code(error, UNAVAILABLE);
    assert_null(edge_route_domains(world->edge, 1, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_edge_route_for_table, edge_world_start,
                                        edge_world_stop),
        cmocka_unit_test_setup_teardown(test_edge_route_for_all_of_it, edge_world_start,
                                        edge_world_stop),
        cmocka_unit_test_setup_teardown(test_edge_route_for_words_of_tomorrow, edge_world_start,
                                        edge_world_stop),
        cmocka_unit_test_setup_teardown(test_edge_route_by_token_and_id, edge_world_start,
                                        edge_world_stop),
        cmocka_unit_test_setup_teardown(test_edge_endpoint_by_id, edge_world_start,
                                        edge_world_stop),
        cmocka_unit_test_setup_teardown(test_edge_route_domains, edge_world_start, edge_world_stop),
        cmocka_unit_test_setup_teardown(test_edge_route_replica_missing, edge_world_start,
                                        edge_world_stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
