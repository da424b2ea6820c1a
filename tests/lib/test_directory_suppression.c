/* SPDX-License-Identifier: MIT */
/* Suppressions in the directory, on a real MariaDB. */
#include <stdio.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/directory/directory.h"
#include "lib/directory/suppression.h"
#include "tests/lib/database_fixture.h"
#include "tests/lib/testing.h"

#define DATABASE "suppressions"

static MariadbFixture *server;
static Sql *sql;

static char *run(const char *text)
{
    return g_strchomp(mariadb_fixture_run(server, DATABASE, text));
}

static void assert_run(const char *text, const char *wanted)
{
    g_autofree char *found = run(text);

    assert_string_equal(found, wanted);
}

static void clear(void)
{
    g_free(run("DELETE FROM suppression; DELETE FROM suppression_tombstone"));
}

static Record *add(const char *scope, const char *address, const char *reason, const char *expires)
{
    GError *error = NULL;
    Record *record = directory_suppression_add(sql, scope, address, reason, expires, &error);

    assert_no_error(error);
    return record;
}

static void test_entry_read_refused(void **state)
{
    (void)state;
    g_autofree char *local = g_strnfill(400, 'a');
    g_autofree char *long_address = g_strconcat(local, "@x.test", NULL);
    g_autofree char *long_reason = g_strnfill(256, 'r');
    const struct {
        const char *address, *reason, *expires, *says;
    } cases[] = {
        {"", NULL, NULL, "address: \"\""},
        {"a", NULL, NULL, "address"},
        {"a@", NULL, NULL, "address"},
        {"@", NULL, NULL, "address"},
        {"a@localhost", NULL, NULL, "address"},
        {"a@x_y.test", NULL, NULL, "address"},
        {"a b@x.test", NULL, NULL, "in quotes if it has blanks"},
        {"a@x.test\n", NULL, NULL, "control characters"},
        {"\xff@x.test", NULL, NULL, "UTF-8"},
        {"a@1.2.3.4", NULL, NULL, "address"},
        {"a@[1.2.3.4]", NULL, NULL, "address"},
        {long_address, NULL, NULL, "320 octets"},
        {"a@x.test", long_reason, NULL, "reason"},
        {"a@x.test", "\x1b[2J", NULL, "reason"},
        {"a@x.test", NULL, "tomorrow", "expires"},
        {"a@x.test", NULL, "2020-01-01", "expires"},
        {"a@x.test", NULL, "2020-01-01T00:00:00Z", "expires"},
        {"a@x.test", NULL, "2100-01-01 00:00:00Z", "expires"},
        {"a@x.test", NULL, "2100-01-01T00:00:00+1", "expires"},
        {"a@x.test", NULL, "2100-02-30", "expires"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        SuppressionEntry entry = {0};
        g_autoptr(GError) error = NULL;
        assert_false(suppression_entry_read(cases[i].address, cases[i].reason, cases[i].expires,
                                            1700000000, &entry, &error));
        if (error->code != OUTRIDER_ERROR_INVALID || !strstr(error->message, cases[i].says))
            fail_msg("case %u: %s", i, error->message);
        assert_null(entry.address);
    }
}

static void test_entry_read_forms(void **state)
{
    (void)state;
    static const struct {
        const char *address, *expires, *canonical;
        gint64 at;
    } cases[] = {
        {"A.B@X.Test", NULL, "a.b@x.test", 0},
        {"@X.Test", "", "@x.test", 0},
        {"a@b\xc3\xbc"
         "cher.test",
         "never", "a@xn--bcher-kva.test", 0},
        {"a@x.test", "2100-01-01", "a@x.test", 4102444800},
        {"a@x.test", "2100-01-01T00:00:01Z", "a@x.test", 4102444801},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(SuppressionEntry) entry = {0};
        GError *error = NULL;
        suppression_entry_read(cases[i].address, "", cases[i].expires, 1700000000, &entry, &error);
        assert_no_error(error);
        assert_string_equal(entry.address, cases[i].canonical);
        assert_string_equal(entry.reason, SUPPRESSION_NO_REASON);
        assert_int_equal(entry.expires_at, cases[i].at);
    }
}

static void test_scope_refused(void **state)
{
    (void)state;
    static const struct {
        const char *scope;
        int code;
    } cases[] = {
        {"", OUTRIDER_ERROR_INVALID},
        {"acme/", OUTRIDER_ERROR_INVALID},
        {"/main", OUTRIDER_ERROR_INVALID},
        {"acme/main/app", OUTRIDER_ERROR_INVALID},
        {"Installation", OUTRIDER_ERROR_INVALID},
        {"nobody", OUTRIDER_ERROR_NOT_FOUND},
        {"acme/nothing", OUTRIDER_ERROR_NOT_FOUND},
    };

    clear();
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(directory_suppression_add(sql, cases[i].scope, "a@x.test", NULL, NULL, &error));
        if (error->code != cases[i].code)
            fail_msg("%s: %s", cases[i].scope, error->message);
    }
    assert_run("SELECT COUNT(*) FROM suppression", "0");
}

static void test_add_is_one_per_scope_and_refreshes(void **state)
{
    (void)state;
    clear();
    g_autoptr(Record) first = add("acme/main", "A@X.test", "one", NULL);
    g_autoptr(Record) again = add("acme/main", "a@x.test", "one", NULL);
    g_autoptr(Record) other = add("acme/main", "a@x.test", "two", "2100-01-01");
    g_autoptr(Record) above = add("acme", "a@x.test", "three", NULL);
    g_autoptr(Record) top = add("installation", "@x.test", "four", NULL);

    assert_string_equal(record_text(first, "scope"), "acme/main");
    assert_string_equal(record_text(above, "scope"), "acme");
    assert_string_equal(record_text(top, "scope"), "installation");
    /* What says the same is not copied anew. */
    assert_int_equal(record_int(again, "revision"), record_int(first, "revision"));
    assert_true(record_int(other, "revision") > record_int(first, "revision"));
    assert_int_equal(record_int(other, "id"), record_int(first, "id"));
    assert_int_equal(record_int(other, "expires_at"), 4102444800);
    assert_string_equal(record_text(other, "reason"), "two");
    assert_run("SELECT COUNT(*) FROM suppression", "3");
    GError *error = NULL;
    g_autoptr(Record) shown = directory_suppression_show(sql, "A@x.TEST", &error);
    assert_no_error(error);
    assert_int_equal(json_object_array_length(shown), 3);
}

/* By hand takes over what refusals put there, with its evidence. */
static void test_add_takes_over(void **state)
{
    (void)state;
    clear();
    g_free(run("INSERT INTO suppression (scope, scope_id, address, reason, source, message_id, "
               "evidence, evidence_at, "
               "created_at, revision) VALUES ('server', 1, 'a@x.test', 'r', 'hard_fail', 7, "
               "'said', 9, 1, 1)"));
    g_autoptr(Record) record = add("acme/main", "a@x.test", NULL, NULL);
    assert_string_equal(record_text(record, "source"), "manual");
    assert_true(record_is_null(record, "message_id") && record_is_null(record, "evidence"));
    assert_run("SELECT evidence_at IS NULL FROM suppression", "1");
}

static void test_remove_and_tombstone(void **state)
{
    (void)state;
    GError *error = NULL;

    clear();
    g_autoptr(Record) one = add("acme/main", "a@x.test", NULL, NULL);
    g_autoptr(Record) other = add("acme", "a@x.test", NULL, NULL);
    assert_true(directory_suppression_remove(sql, "acme/main", "A@x.test", &error));
    assert_no_error(error);
    g_autofree char *stone =
        run("SELECT t.id FROM suppression_tombstone t JOIN revision_counter r ON "
            "r.revision = t.revision");
    assert_int_equal(g_ascii_strtoll(stone, NULL, 10), record_int(one, "id"));
    assert_false(directory_suppression_remove(sql, "acme/main", "a@x.test", &error));
    assert_error_code(error, NOT_FOUND);
    assert_false(directory_suppression_remove(sql, "acme/main", "nonsense", &error));
    assert_error_code(error, INVALID);
    assert_run("SELECT GROUP_CONCAT(scope) FROM suppression", "organization");
}

/* A batch a revision, and nothing that was not marked is deleted. */
static void test_clear_many(void **state)
{
    (void)state;
    GError *error = NULL;
    guint64 removed = 0;

    clear();
    g_free(run(
        "INSERT INTO suppression (scope, scope_id, address, reason, source, created_at, revision) "
        "SELECT 'server', 1, CONCAT('m', seq, '@x.test'), 'r', IF(seq <= 12000, 'import', "
        "'manual'), 1, 1 "
        "FROM seq_1_to_12003"));
    assert_false(directory_suppression_clear(sql, "acme/main", "nowhere", &removed, &error));
    assert_error_code(error, INVALID);
    assert_true(directory_suppression_clear(sql, "acme/main", "import", &removed, &error));
    assert_int_equal(removed, 12000);
    assert_run("SELECT COUNT(*), COUNT(DISTINCT revision) FROM suppression_tombstone", "12000\t3");
    assert_run("SELECT COUNT(*) FROM suppression", "3");
    assert_true(directory_suppression_clear(sql, "acme/main", NULL, &removed, &error));
    assert_int_equal(removed, 3);
    assert_true(directory_suppression_clear(sql, "acme/main", NULL, &removed, &error));
    assert_int_equal(removed, 0);
}

static void test_list_filters_and_pages(void **state)
{
    static const struct {
        SuppressionFilter filter;
        guint n;
    } cases[] = {
        {{.limit = 50}, 6},
        {{.scope = "acme/main", .limit = 50}, 3},
        {{.scope = "acme", .limit = 50}, 1},
        {{.scope = "installation", .limit = 50}, 2},
        {{.address = "a@x.test", .limit = 50}, 3},
        {{.address = "@x.test", .limit = 50}, 1},
        {{.domain = "x.test", .limit = 50}, 5},
        {{.domain = "X.test", .source = "manual", .limit = 50}, 5},
        {{.source = "import", .limit = 50}, 0},
        {{.limit = 2}, 2},
        {{.scope = "acme/main", .address = "b@x.test", .limit = 50}, 1},
    };

    (void)state;
    clear();
    record_free(add("acme/main", "a@x.test", NULL, NULL));
    record_free(add("acme/main", "b@x.test", NULL, NULL));
    record_free(add("acme/main", "c@y.test", NULL, NULL));
    record_free(add("acme", "a@x.test", NULL, NULL));
    record_free(add("installation", "a@x.test", NULL, NULL));
    record_free(add("installation", "@x.test", NULL, NULL));
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        g_autoptr(Record) list = directory_suppression_list(sql, &cases[i].filter, &error);
        assert_no_error(error);
        if (json_object_array_length(list) != cases[i].n)
            fail_msg("case %u: %zu", i, json_object_array_length(list));
    }
    guint64 after = 0;
    for (guint pages = 0; pages < 3; pages++) {
        const SuppressionFilter filter = {.after = after, .limit = 2};
        g_autoptr(Record) list = directory_suppression_list(sql, &filter, NULL);
        assert_int_equal(json_object_array_length(list), 2);
        guint64 last = (guint64)record_int(json_object_array_get_idx(list, 1), "id");
        assert_true(last > after);
        after = last;
    }
}

static void test_for_server(void **state)
{
    static const struct {
        const char *recipient;
        guint n;
    } cases[] = {
        {"A@x.test", 4},    {"other@x.test", 1}, {"a@y.test", 0},
        {"over@y.test", 0}, {"root", 0},         {"", 0},
    };

    (void)state;
    clear();
    record_free(add("acme/main", "a@x.test", NULL, NULL));
    record_free(add("acme/other", "a@x.test", NULL, NULL));
    record_free(add("acme", "a@x.test", NULL, NULL));
    record_free(add("installation", "a@x.test", NULL, NULL));
    record_free(add("installation", "@x.test", NULL, NULL));
    g_free(run("INSERT INTO suppression (scope, scope_id, address, reason, source, created_at, "
               "expires_at, revision) "
               "VALUES ('server', 1, 'over@y.test', 'r', 'api', 1, 1000, 1)"));
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        g_autoptr(Record) list =
            directory_suppression_for(sql, 1, cases[i].recipient, 1000, &error);
        assert_no_error(error);
        if (json_object_array_length(list) != cases[i].n)
            fail_msg("%s: %zu", cases[i].recipient, json_object_array_length(list));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entry_read_refused),
        cmocka_unit_test(test_entry_read_forms),
        cmocka_unit_test(test_scope_refused),
        cmocka_unit_test(test_add_is_one_per_scope_and_refreshes),
        cmocka_unit_test(test_add_takes_over),
        cmocka_unit_test(test_remove_and_tombstone),
        cmocka_unit_test(test_clear_many),
        cmocka_unit_test(test_list_filters_and_pages),
        cmocka_unit_test(test_for_server),
    };

    server = mariadb_fixture_start();
    sql = database_fixture_open(server, DATABASE);
    g_free(run(
        "INSERT INTO organization (id, permalink, name, created_at, revision) VALUES (1, 'acme', "
        "'A', 0, 1);"
        "INSERT INTO server (id, organization_id, permalink, name, created_at, revision) VALUES "
        "(1, 1, 'main', 'M', 0, 1), (2, 1, 'other', 'O', 0, 1)"));
    int status = cmocka_run_group_tests(tests, NULL, NULL);
    sql_close(sql);
    mariadb_fixture_stop(server);
    return status;
}
