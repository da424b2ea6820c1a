/* SPDX-License-Identifier: MIT */
/* outrider limit, against a real MariaDB. */
#include <string.h>

#include "tests/cli/cli_fixture.h"
#include "tests/lib/testing.h"

static void test_cli_limit_wrong(void **state)
{
    g_autofree char *endless = g_strnfill(10240, 'x');
    const struct {
        const char *line, *word;
        int status;
        const char *says;
    } cases[] = {
        {"limit set acme", NULL, 64, "SUBJECT COUNT/PERIOD"},
        {"limit set acme 1/hour x", NULL, 64, "too many arguments"},
        {"limit set acme 1/hour --action", NULL, 64, "a value is missing"},
        {"limit list --action hold", NULL, 64, "unknown option"},
        {"limit show", NULL, 64, "SUBJECT"},
        {"limit forget acme", NULL, 64, "unknown verb"},
        {"limit set % 1/hour", "", 65, "subject: \"\""},
        {"limit set % 1/hour", "\xff/\x1b[2J", 65, "organization: \"\\xff"},
        {"limit set % 1/hour", endless, 65, "longer than 4096"},
        {"limit set server:acme/main 1/hour", NULL, 65, "ORG/SERVER/CREDENTIAL, @DOMAIN"},
        {"limit set @localhost 1/hour", NULL, 65, "domain: \"localhost\""},
        {"limit set acme 1/week", NULL, 65, "rate: \"1/week\""},
        {"limit set acme -- -1/hour", NULL, 65, "rate: \"-1/hour\""},
        {"limit set acme 1/hour --action drop", NULL, 65, "allowed are hold, defer and reject"},
        {"limit delete acme month", NULL, 65, "period: \"month\""},
        {"limit set acme/main/nothing 1/hour", NULL, 69, "does not exist"},
        {"limit show acme", NULL, 69, "acme has no limit"},
        {"limit delete @ok.test hour", NULL, 69, "@ok.test has no limit per hour"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_wrong(cases[i].line, cases[i].word, cases[i].status, cases[i].says);
    g_autofree char *rows = mariadb_fixture_run(cli_server, "cli", "SELECT * FROM rate_limit");
    assert_string_equal(rows, "");
}

static void test_cli_limit(void **state)
{
    g_autofree char *set = run_good("limit set acme/main/app 100/minute --action hold");
    g_autofree char *domain = run_good("limit set @OK.test 0/day");
    g_autofree char *list = run_good("limit list");

    (void)state;
    assert_has(set, "subject     acme/main/app\n");
    assert_has(set, "max         100\n");
    assert_has(set, "action      hold\n");
    assert_has(domain, "@ok.test\n");
    assert_has(list, "SUBJECT        MAX  PERIOD  ACTION  CREATED_AT\n"
                     "acme/main/app  100  minute  hold    20");
    assert_has(list, "\n@ok.test       0    day     defer   20");
    struct json_object *changed = run_json("--json limit set acme/main/app 7/minute");
    struct json_object *below = run_json("--json limit list acme");
    struct json_object *shown = run_json("--json limit show acme/main/app");
    const struct json_object *first = json_object_array_get_idx(shown, 0);
    assert_int_equal(json_object_get_int(json_object_object_get(changed, "max")), 7);
    assert_int_equal(json_object_array_length(below), 1);
    assert_true(json_object_equal(changed, json_object_array_get_idx(shown, 0)));
    assert_string_equal(json_object_get_string(json_object_object_get(first, "action")), "hold");
    g_autofree char *deleted = run_good("limit delete acme/main/app minute");
    g_autofree char *gone = run_good("--json limit delete @ok.test");
    assert_string_equal(deleted, "deleted\n");
    assert_string_equal(gone, "{\"deleted\": true}\n");
    g_autofree char *nothing = run_good("--json limit list");
    assert_string_equal(nothing, "[\n]\n");
    json_object_put(changed);
    json_object_put(below);
    json_object_put(shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cli_limit_wrong),
        cmocka_unit_test(test_cli_limit),
    };
    return cmocka_run_group_tests(tests, cli_fixture_start, cli_fixture_stop);
}
