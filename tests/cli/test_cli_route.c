/* SPDX-License-Identifier: MIT */
/* outrider route and endpoint, against a real MariaDB. */
#include <string.h>

#include "tests/cli/cli_fixture.h"
#include "tests/lib/testing.h"

static void test_cli_route_wrong(void **state)
{
    static const struct {
        const char *line;
        int status;
        const char *says;
    } cases[] = {
        {"endpoint add acme/main", 64, "ORG/SERVER NAME"},
        {"endpoint add acme/main crm", 65, "one of --url"},
        {"endpoint add acme/main crm --url ftp://a.test", 65, "url: "},
        {"endpoint add acme/main crm --url http://u@a.test", 65, "user or a password"},
        {"endpoint add acme/main crm --url http://a.test --timeout 61", 65, "timeout: "},
        {"endpoint add acme/main crm --url http://a.test --url http://b.test", 64, "given twice"},
        {"endpoint add acme/main mx --smtp a.test:465", 65, "465"},
        {"endpoint add acme/main a,b --url http://a.test", 65, "endpoint: "},
        {"endpoint show acme/main none-such", 69, "does not exist"},
        {"endpoint check acme/main none-such", 69, "does not exist"},
        {"endpoint delete acme/main none-such --force", 69, "does not exist"},
        {"route add acme/main info@acme.test", 65, "--endpoint NAME is missing"},
        {"route add acme/main info@acme.test --mode forward", 65, "mode: "},
        {"route add acme/main info@acme.test --endpoint none-such", 69, "no endpoint none-such"},
        {"route add acme/main Info@acme.test --mode hold", 65, "route: "},
        {"route add acme/main info@other.test --mode hold", 69, "a domain other.test"},
        {"route add acme info@acme.test --mode hold", 65, "ORGANIZATION/SERVER"},
        {"route change acme/main info@acme.test --mode hold", 69, "does not exist"},
        {"route delete acme/main info@acme.test", 69, "does not exist"},
        {"route list none", 69, "does not exist"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_wrong(cases[i].line, NULL, cases[i].status, cases[i].says);
}

static const char *member(struct json_object *record, const char *key)
{
    return json_object_get_string(json_object_object_get(record, key));
}

static void test_cli_route_life(void **state)
{
    (void)state;
    struct json_object *endpoint =
        run_json("--json endpoint add acme/main crm --url https://crm.test/in --format raw");
    assert_string_equal(member(endpoint, "kind"), "http");
    assert_string_equal(member(endpoint, "format"), "raw");
    json_object_put(endpoint);
    struct json_object *route =
        run_json("--json route add acme/main info@acme.test --endpoint crm");
    assert_string_equal(member(route, "address"), "info@acme.test");
    assert_string_equal(member(route, "endpoints"), "crm");
    assert_null(member(route, "forward_address")); /* there is no route_domain */
    json_object_put(route);
    assert_wrong("endpoint delete acme/main crm", NULL, 69, "route info@acme.test");
    g_autofree char *list = run_good("route list acme");
    assert_has(list, "info@acme.test");
    g_autofree char *changed = run_good("route change acme/main info@acme.test --spam fail");
    assert_has(changed, "fail");
    g_autofree char *deleted = run_good("endpoint delete acme/main crm --force");
    assert_has(deleted, "deleted");
    g_autofree char *shown = run_good("route show acme/main info@acme.test");
    assert_has(shown, "reject");
    g_autofree char *gone = run_good("route delete acme/main info@acme.test");
    assert_has(gone, "deleted");
}

static void test_cli_endpoint_path(void **state)
{
    int status;
    g_autofree char *out = NULL;
    g_autofree char *err = NULL;

    (void)state;
    g_autofree char *added = run_good("endpoint add acme/main store --lmtp /nonexistent/lmtp");
    assert_has(added, "/nonexistent/lmtp");
    status = run("endpoint check acme/main store", NULL, &out, &err);
    assert_int_equal(status, 1);
    assert_has(out, "/nonexistent/lmtp: ");
}

static void test_postfix_lines_incoming_master(void **state)
{
    (void)state;
    g_autofree char *master = run_good("postfix lines --incoming --master");
    assert_has(master, "outrider-http unix - n n - 50 pipe\n");
    assert_has(master, "user=outrider-pipe:outrider null_sender= eol=\\r\\n argv=");
    assert_has(master, "outrider-out-verify unix - - y - - smtp\n");
    assert_has(master, "smtp_tls_security_level=secure\n");
    assert_has(master, "outrider-lmtp unix - - n - - lmtp\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cli_route_wrong),
        cmocka_unit_test(test_cli_route_life),
        cmocka_unit_test(test_cli_endpoint_path),
        cmocka_unit_test(test_postfix_lines_incoming_master),
    };

    return cmocka_run_group_tests(tests, cli_fixture_start, cli_fixture_stop);
}
