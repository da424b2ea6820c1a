/* SPDX-License-Identifier: MIT */
/* outrider suppression, against a real MariaDB. */
#include <glib/gstdio.h>
#include <string.h>

#include "tests/cli/cli_fixture.h"
#include "tests/lib/testing.h"

static void test_cli_suppression_wrong(void **state)
{
    g_autofree char *endless = g_strnfill(10240, 'x');
    const struct {
        const char *line, *word;
        int status;
        const char *says;
    } cases[] = {
        {"suppression add acme", NULL, 64, "SCOPE ADDRESS"},
        {"suppression add acme a@x.test more", NULL, 64, "too many arguments"},
        {"suppression add acme a@x.test --source api", NULL, 64, "unknown option"},
        {"suppression forget acme", NULL, 64, "unknown verb"},
        {"suppression add acme %", "", 65, "address: \"\""},
        {"suppression add acme %", "\xff@x.test\x1b[2J", 65, "address: \"\\xff"},
        {"suppression add acme %", "j\u00fcrgen\u202e", 65,
         "address: \"j\u00fcrgen\\xe2\\x80\\xae\": "},
        {"suppression add acme %", endless, 65, "longer than 4096"},
        {"suppression add acme %", "a b@x.test", 65, "in quotes"},
        {"suppression add acme %", "a\"b@x.test", 65, "in quotes"},
        {"suppression add acme %", "a@b@x.test", 65, "in quotes"},
        {"suppression add acme %", "<a@x.test>", 65, "allowed are"},
        {"suppression add acme %", "\"a@x.test", 65, "in quotes"},
        {"suppression add acme a@x.test --expires yesterday", NULL, 65, "expires: \"yesterday\""},
        {"suppression add acme a@x.test --reason %", "\x1b[2J", 65, "reason"},
        {"suppression add acme/main/app a@x.test", NULL, 65, "server: \"main/app\""},
        {"suppression add nobody a@x.test", NULL, 69, "does not exist"},
        {"suppression remove acme a@x.test", NULL, 69, "is not suppressed for acme"},
        {"suppression show a@x.test", NULL, 69, "a@x.test is not suppressed"},
        {"suppression show x", NULL, 65, "address: \"x\""},
        {"suppression list --source post", NULL, 65, "allowed are manual, import"},
        {"suppression list --limit 10001", NULL, 65, "limit"},
        {"suppression list --after 0", NULL, 65, "after"},
        {"suppression clear acme", NULL, 65, "--yes"},
        {"suppression import acme /nonexistent/file", NULL, 69, "/nonexistent/file"},
        {"suppression import acme %", "/none\n\x1b]0;x\x07/file", 69,
         "/none\\x0a\\x1b]0;x\\x07/file"},
        {"suppression import acme %", "/none\xe2\x80\xae/file", 69, "/none\\x202e/file"},
        {"suppression import acme %", "/none\xc2\x9b\xff/file", 69, "/none\\x9b\xef\xbf\xbd/file"},
        {"suppression import acme /dev/null --expires never-ever", NULL, 65, "expires"},
        {"suppression import nobody /dev/null", NULL, 69, "does not exist"},
        {"suppression export nobody", NULL, 69, "does not exist"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_wrong(cases[i].line, cases[i].word, cases[i].status, cases[i].says);
    g_autofree char *rows = mariadb_fixture_run(cli_server, "cli", "SELECT * FROM suppression");
    assert_string_equal(rows, "");
}

static void test_cli_suppression_one(void **state)
{
    (void)state;
    g_autofree char *added = run_good("suppression add acme/main Gone@OK.test --reason closed");
    g_autofree char *domain =
        run_good("suppression add installation @no.test --expires 2100-01-01");
    g_autofree char *list = run_good("suppression list");
    g_autofree char *shown = run_good("suppression show gone@ok.test");

    assert_has(added, "address     gone@ok.test\n");
    assert_has(added, "source      manual\n");
    assert_has(domain, "expires_at  2100-01-01 00:00:00\n");
    assert_has(list, "ID  SCOPE         ADDRESS       SOURCE  REASON           CREATED_AT");
    assert_has(list, "acme/main     gone@ok.test  manual  closed ");
    assert_has(list, "installation  @no.test      manual  no reason given ");
    assert_has(shown, "scope       acme/main\n");
    struct json_object *rows = run_json("--json suppression list acme/main --domain ok.test");
    assert_int_equal(json_object_array_length(rows), 1);
    json_object_put(rows);
    g_autofree char *removed = run_good("suppression remove acme/main gone@ok.test");
    assert_string_equal(removed, "removed\n");
    g_autofree char *cleared = run_good("--json suppression clear installation --yes");
    assert_string_equal(cleared, "{\"removed\": 1}\n");
    g_autofree char *server = run_good("server change acme/main --suppression refuse");
    assert_has(server, "suppression        refuse\n");
    assert_wrong("server change acme/main --suppression drop", NULL, 65,
                 "allowed are hold and refuse");
    g_free(run_good("server change acme/main --suppression hold"));
}

static char *write_file(const char *name, const char *text, gssize length)
{
    char *path = g_build_filename(cli_dir, name, NULL);

    assert_true(g_file_set_contents(path, text, length, NULL));
    return path;
}

#define IN_MAIN                                                                                    \
    "SELECT GROUP_CONCAT(address, ' ', reason, ' ', COALESCE(expires_at, '-') ORDER BY address "   \
    "SEPARATOR ';') FROM suppression WHERE scope = 'server'"

static void test_cli_suppression_import_table(void **state)
{
    static const struct {
        const char *text, *options;
        int status;
        const char *says, *rows;
    } cases[] = {
        {"", "", 0, "0 imported, 0 refused\n", "NULL\n"},
        {"address,reason,expires\r\n", "", 0, "0 imported", "NULL\n"},
        {"\xef\xbb\xbf"
         "Address\r\nA@x.test\r\n",
         "", 0, "1 imported, 0 refused\n", "a@x.test no reason given -\n"},
        {"a@x.test\nb@x.test", "--reason old", 0, "2 imported", "a@x.test old -;b@x.test old -\n"},
        {"a@x.test,\"said \"\"no\"\", twice\",2100-01-01\n", "", 0, "1 imported",
         "a@x.test said \"no\", twice 4102444800\n"},
        {"a@x.test,,\nb@x.test,why,never\n", "--expires 2100-01-01", 0, "2 imported",
         "a@x.test no reason given 4102444800;b@x.test why -\n"},
        {"@x.test\n\n  b@x.test , why ,\n", "", 0, "2 imported",
         "@x.test no reason given -;b@x.test why -\n"},
        {"a@x.test,one\nA@X.TEST,two\n", "", 0, "2 imported", "a@x.test two -\n"},
        {"a@x.test\nnonsense\nb@x.test,,2001-01-01\nc@x.test,a,b,c\n\"d@x.test\ne@x.test\n", "", 1,
         "2 imported, 4 refused\n", "a@x.test no reason given -;e@x.test no reason given -\n"},
        {"email,reason\naddress,reason\n", "", 1, "0 imported, 1 refused\n", "NULL\n"},
        {" E-Mail ,Reason\na@x.test\n", "", 0, "1 imported, 0 refused\n",
         "a@x.test no reason given -\n"},
        {"Email Address;Reason\n", "", 1, "0 imported, 1 refused\n", "NULL\n"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = write_file("list.csv", cases[i].text, -1);
        g_autofree char *line =
            g_strconcat("suppression import acme/main % ", cases[i].options, NULL);
        for (guint again = 0; again < 2; again++) {
            g_autofree char *out = NULL, *err = NULL;
            int status = run(g_strstrip(line), path, &out, &err);
            if (status != cases[i].status || !strstr(out, cases[i].says))
                fail_msg("case %zu: %d: %s%s", i, status, out, err);
            g_autofree char *rows = mariadb_fixture_run(cli_server, "cli", IN_MAIN);
            if (strcmp(rows, cases[i].rows) != 0)
                fail_msg("case %zu: %s", i, rows);
        }
        g_free(run_good("suppression clear acme/main --yes"));
        g_unlink(path);
    }
}

/* More than a batch; what was refused is listed with its line and shown ten times; again: nothing changes. */
static void test_cli_suppression_import_many(void **state)
{
    g_autoptr(GString) text = g_string_new("address\n");

    (void)state;
    for (guint i = 0; i < 12000; i++)
        g_string_append_printf(text, i % 600 == 7 ? "bad%u\n" : "m%u@many.test\n", i);
    g_autofree char *path = write_file("many.csv", text->str, -1);
    g_autofree char *rejects = g_build_filename(cli_dir, "rejects.csv", NULL);
    g_autofree char *line =
        g_strdup_printf("suppression import acme/main %% --rejects %s", rejects);
    g_autofree char *out = NULL, *err = NULL, *listed = NULL;
    assert_int_equal(run(line, path, &out, &err), 1);
    assert_has(out, "11980 imported, 20 refused\n");
    assert_has(err, "line 9: address: \"bad7\"");
    assert_has(err, "and 10 more\n");
    assert_true(g_file_get_contents(rejects, &listed, NULL, NULL));
    assert_has(listed, "line,address,why\r\n9,bad7,\"address: ");
    g_autofree char *before = mariadb_fixture_run(
        cli_server, "cli",
        "SELECT COUNT(*), COUNT(DISTINCT revision), MAX(revision) FROM suppression");
    assert_has(before, "11980\t3\t");
    g_autofree char *out2 = NULL, *err2 = NULL;
    assert_int_equal(run(line, path, &out2, &err2), 1);
    g_autofree char *after = mariadb_fixture_run(
        cli_server, "cli",
        "SELECT COUNT(*), COUNT(DISTINCT revision), MAX(revision) FROM suppression");
    assert_string_equal(after, before);
    g_unlink(path);
    g_unlink(rejects);
}

/* What is exported is imported again, octet by octet the same; what is over is left out. */
static void test_cli_suppression_export_round_trip(void **state)
{
    (void)state;
    g_free(run_good("suppression clear acme/main --yes"));
    g_autofree char *out = NULL, *err = NULL;
    assert_int_equal(
        run("suppression add acme/main @y.test --reason %", "said \"no\", twice", &out, &err), 0);
    g_free(
        run_good("suppression add acme/main a@x.test --reason one --expires 2100-01-01T01:02:03Z"));
    g_free(mariadb_fixture_run(
        cli_server, "cli",
        "INSERT INTO suppression (scope, scope_id, address, reason, source, created_at, "
        "expires_at, revision) SELECT 'server', scope_id, 'over@x.test', 'r', 'api', 1, 2, 1 "
        "FROM suppression WHERE scope = 'server' LIMIT 1"));
    g_autofree char *first = run_good("suppression export acme/main");
    assert_string_equal(first, "address,reason,expires\r\n@y.test,\"said \"\"no\"\", twice\",\r\n"
                               "a@x.test,one,2100-01-01T01:02:03Z\r\n");
    g_autofree char *path = g_build_filename(cli_dir, "out.csv", NULL);
    g_autofree char *line = g_strdup_printf("suppression export acme/main %s", path);
    g_free(run_good(line));
    g_free(run_good("suppression clear acme/main --yes"));
    g_autofree char *back = g_strdup_printf("suppression import acme/main %s", path);
    g_autofree char *imported = run_good(back);
    assert_string_equal(imported, "2 imported, 0 refused\n");
    g_autofree char *second = run_good("suppression export acme/main");
    assert_string_equal(second, first);
    g_unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cli_suppression_wrong),
        cmocka_unit_test(test_cli_suppression_one),
        cmocka_unit_test(test_cli_suppression_import_table),
        cmocka_unit_test(test_cli_suppression_import_many),
        cmocka_unit_test(test_cli_suppression_export_round_trip),
    };
    return cmocka_run_group_tests(tests, cli_fixture_start, cli_fixture_stop);
}
