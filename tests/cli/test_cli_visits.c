/* SPDX-License-Identifier: MIT */
/* Clicks and opens as `outrider message show' and `outrider explain' tell them, against a real MariaDB. */
#include <string.h>

#include "lib/base/id.h"
#include "tests/cli/cli_fixture.h"
#include "tests/lib/testing.h"

#define AT      "1795248000000000" /* 2026-11-21 08:00:00 */
#define FIREFOX "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

static guint64 message;

static void execute(const char *format, ...) G_GNUC_PRINTF(1, 2);

static void execute(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_free(mariadb_fixture_run(cli_server, "cli", text));
}

/* Seconds after AT; ordinal "NULL": the pixel. */
static void visit(guint number, guint second, const char *ordinal, const char *agent,
                  const char *method)
{
    gboolean open = g_str_equal(ordinal, "NULL");

    execute("INSERT INTO visit VALUES (%" G_GUINT64_FORMAT ", %u, " AT
            " + %u000000, '%s', 1, %s, %s, 't.acme.test', "
            "'198.51.100.7', %s, '%s')",
            message, number, second, open ? "open" : "click", ordinal,
            open ? "NULL" : "CONCAT('https://www.acme.test/', 'a\\x1b[2J')", agent, method);
}

static int start(void **state)
{
    if (cli_fixture_start(state) != 0)
        return -1;
    message = id_floor(1795248000) + 1;
    execute("INSERT INTO message (id, server_id, token, status, accepted_at, rcpt_to) VALUES "
            "(%" G_GUINT64_FORMAT ", 1, 'abcdefghijklmnop', 'Sent', " AT ", 'r@ok.test')",
            message);
    execute("INSERT INTO delivery (message_id, attempt, at, status) VALUES (%" G_GUINT64_FORMAT
            ", 1, " AT " + 2000000, 'Sent')",
            message);
    execute("INSERT INTO tracking VALUES (%" G_GUINT64_FORMAT ", " AT
            ", 't.acme.test', '[[1,\"https://www.acme.test/a\"],"
            "[3,\"https://www.acme.test/c\"]]', 1, 1, 321, '{\"scheme\":2,\"no such word\":1}')",
            message);
    visit(1, 1, "1", "'" FIREFOX "'", "GET");  /* before delivery */
    visit(2, 60, "1", "'" FIREFOX "'", "GET"); /* a reader */
    visit(3, 90, "3", "'curl/8'", "GET");
    visit(4, 95, "NULL", "'" FIREFOX " (via ggpht.com GoogleImageProxy)'", "GET");
    visit(5, 96, "NULL", "NULL", "GET");
    visit(6, 97, "3", "'" FIREFOX "'", "HEAD");
    visit(7, 98, "2", "'" FIREFOX "'", "GET"); /* a link that is not told in the list */
    return 0;
}

static gint64 number_of(struct json_object *record, const char *key)
{
    return json_object_get_int64(json_object_object_get(record, key));
}

static void test_show_json(void **state)
{
    static const char *const marks[] = {"early",    "person", "scanner", "proxy",
                                        "no-agent", "head",   "person"};
    g_autofree char *line = g_strdup_printf("--json message show %" G_GUINT64_FORMAT, message);
    struct json_object *shown = run_json(line);
    struct json_object *tracking = json_object_object_get(shown, "tracking");
    struct json_object *visits = json_object_object_get(shown, "visits");
    struct json_object *links = json_object_object_get(tracking, "links");

    (void)state;
    assert_int_equal(number_of(shown, "clicks"), 2);
    assert_int_equal(number_of(shown, "clicks_by_machines"), 3);
    assert_int_equal(number_of(shown, "opens"), 1);
    assert_int_equal(number_of(shown, "opens_by_machines"), 1);
    assert_int_equal(json_object_array_length(visits), G_N_ELEMENTS(marks));
    for (guint i = 0; i < G_N_ELEMENTS(marks); i++) {
        struct json_object *one = json_object_array_get_idx(visits, i);
        assert_string_equal(json_object_get_string(json_object_object_get(one, "mark")), marks[i]);
    }
    assert_int_equal(json_object_array_length(links), 2);
    assert_int_equal(number_of(json_object_array_get_idx(links, 0), "clicks"), 1);
    assert_int_equal(number_of(json_object_array_get_idx(links, 0), "clicks_by_machines"), 1);
    assert_int_equal(number_of(json_object_array_get_idx(links, 1), "ordinal"), 3);
    assert_int_equal(number_of(json_object_array_get_idx(links, 1), "clicks_by_machines"), 2);
    assert_int_equal(number_of(json_object_object_get(tracking, "skipped"), "scheme"), 2);
    json_object_put(shown);
}

static void test_show_and_explain(void **state)
{
    g_autofree char *show = g_strdup_printf("message show %" G_GUINT64_FORMAT, message);
    g_autofree char *explain = g_strdup_printf("explain %" G_GUINT64_FORMAT, message);
    g_autofree char *shown = run_good(show);
    g_autofree char *told = run_good(explain);

    (void)state;
    assert_has(shown, "ORDINAL  CLICKS  CLICKS_BY_MACHINES  URL\n"
                      "1        1       1                   https://www.acme.test/a\n"
                      "3        0       2                   https://www.acme.test/c\n");
    assert_has(shown, "click  3        head      198.51.100.7");
    assert_has(told, "tracked 3 links and the pixel over t.acme.test, +321 octets: 2 clicks (3 "
                     "more by machines), 1 opens "
                     "(1 more by machines)\n");
    assert_has(told, "not tracked scheme (2): not an absolute http or https URL\n");
    assert_has(told, "not tracked no such word (1): no such word\n");
    assert_has(told, "clicked link 1: https://www.acme.test/a");
    assert_has(told, "by early (machine) from 198.51.100.7, Mozilla/5.0");
    assert_has(told, "by proxy (people) from 198.51.100.7");
    assert_null(strchr(told, '\x1b'));
    assert_null(strchr(shown, '\x1b'));
}

static void test_more_visits_than_are_shown(void **state)
{
    g_autofree char *explain = g_strdup_printf("explain %" G_GUINT64_FORMAT, message);

    (void)state;
    execute("INSERT INTO visit SELECT %" G_GUINT64_FORMAT ", 100 + seq, " AT
            " + 100000000 + seq, 'open', 1, NULL, NULL, "
            "NULL, NULL, NULL, 'GET' FROM seq_1_to_6000",
            message);
    g_autofree char *told = run_good(explain);
    assert_has(told,
               "  of 5000 visits the first 100 are shown; `outrider message show' has more\n");
    execute("DELETE FROM visit WHERE visit > 100");
}

static void test_visitors_file(void **state)
{
    g_autofree char *path = g_build_filename(cli_dir, "visitors", NULL);
    g_autofree char *line = g_strdup_printf("--json message show %" G_GUINT64_FORMAT, message);
    g_autofree char *option = g_strdup_printf("visitors_file = %s\n", path);
    g_autofree char *before = NULL;

    (void)state;
    assert_true(g_file_get_contents(cli_config_file, &before, NULL, NULL));
    g_autofree char *after = g_strconcat(before, "\n", option, NULL);
    assert_true(g_file_set_contents(cli_config_file, after, -1, NULL));
    assert_wrong(line, NULL, 69, "visitors_file: ");
    assert_true(g_file_set_contents(path, "agent person curl\nagent robot x\n", -1, NULL));
    assert_wrong(line, NULL, 65,
                 "visitors: line 2: the second word is none that visits are marked with");
    assert_true(g_file_set_contents(path, "agent person curl\n", -1, NULL));
    struct json_object *shown = run_json(line);
    assert_int_equal(number_of(shown, "clicks"), 3);
    json_object_put(shown);
    assert_true(g_file_set_contents(cli_config_file, before, -1, NULL));
}

static void test_nothing_was_tracked(void **state)
{
    g_autofree char *line =
        g_strdup_printf("--json message show %" G_GUINT64_FORMAT, message + 256);

    (void)state;
    execute("INSERT INTO message (id, server_id, status, accepted_at, rcpt_to) VALUES "
            "(%" G_GUINT64_FORMAT ", 1, 'Sent', " AT ", 'r@ok.test')",
            message + 256);
    struct json_object *shown = run_json(line);
    assert_null(json_object_object_get(shown, "tracking"));
    assert_int_equal(json_object_array_length(json_object_object_get(shown, "visits")), 0);
    assert_int_equal(number_of(shown, "clicks"), 0);
    json_object_put(shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_show_json),
        cmocka_unit_test(test_show_and_explain),
        cmocka_unit_test(test_more_visits_than_are_shown),
        cmocka_unit_test(test_visitors_file),
        cmocka_unit_test(test_nothing_was_tracked),
    };

    return cmocka_run_group_tests(tests, start, cli_fixture_stop);
}
