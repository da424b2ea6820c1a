/* SPDX-License-Identifier: MIT */
/* Rate limits in the replicas: what the mail path reads of them. */
#include <string.h>

#include "lib/base/error.h"
#include "lib/edge/edge_limit.h"
#include "lib/edge/edge_schema.h"
#include "tests/lib/edge_fixture.h"
#include "tests/lib/testing.h"

static const EdgeFixture fixture = {.key = "abcdefghijklmnopqrstuvwx"};

static const EdgeCredential app = {.id = 7, .server = 2, .organization = 1};

static int setup(void **state)
{
    edge_world_start(state);
    edge_fixture_fill(((EdgeWorld *)*state)->dir, &fixture);
    return 0;
}

static void add(EdgeWorld *s, const char *values)
{
    g_autofree char *sql = g_strdup_printf("INSERT INTO rate_limit VALUES %s", values);

    edge_fixture_exec(s->dir, EDGE_FILE_DIRECTORY, sql);
}

static void test_edge_limits_every_one(void **state)
{
    EdgeWorld *s = *state;
    GError *error = NULL;

    g_autoptr(GArray) none = edge_limits(s->edge, &error);
    assert_no_error(error);
    assert_int_equal(none->len, 0);
    add(s, "(4, 'credential', 7, '', 'second', 4294967295, 'hold'),"
           "(1, 'organization', 1, '', 'day', 0, 'reject'),"
           "(2, 'domain', 0, 'ok.test', 'hour', 10, 'defer'),"
           "(3, 'user', 0, 'some one', 'minute', 5, 'defer')");
    g_autoptr(GArray) limits = edge_limits(s->edge, &error);
    assert_no_error(error);
    assert_int_equal(limits->len, 4);
    const EdgeLimit *all = &g_array_index(limits, EdgeLimit, 0);
    assert_int_equal(all[0].id, 1);
    assert_int_equal(all[0].subject, LIMIT_ORGANIZATION);
    assert_int_equal(all[0].max, 0);
    assert_int_equal(all[0].action, LIMIT_REJECT);
    assert_string_equal(all[0].subject_name, "");
    assert_int_equal(all[1].subject, LIMIT_DOMAIN);
    assert_int_equal(all[1].subject_id, 0);
    assert_string_equal(all[1].subject_name, "ok.test");
    assert_string_equal(all[2].subject_name, "some one");
    assert_int_equal(all[2].period, LIMIT_MINUTE);
    assert_int_equal(all[3].subject_id, 7);
    assert_true(all[3].max == G_MAXUINT32);
    assert_int_equal(all[3].period, LIMIT_SECOND);
}

static void test_edge_limits_ten_thousand(void **state)
{
    EdgeWorld *s = *state;
    GError *error = NULL;
    gboolean limited = FALSE;

    edge_fixture_exec(
        s->dir, EDGE_FILE_DIRECTORY,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE "
        "i < 10000) INSERT INTO rate_limit SELECT i, 'domain', 0, 'd' || i || '.test', "
        "'hour', i, 'defer' FROM n");
    g_autoptr(GArray) limits = edge_limits(s->edge, &error);
    assert_no_error(error);
    assert_int_equal(limits->len, 10000);
    assert_string_equal(g_array_index(limits, EdgeLimit, 9999).subject_name, "d10000.test");
    assert_true(edge_is_limited(s->edge, &app, "d10000.test", &limited, &error));
    assert_true(limited);
}

/* A word of a later version is no reason to let everything pass. */
static void test_edge_limits_unknown_word(void **state)
{
    static const char *const values[] = {
        "(1, 'pool', 1, '', 'hour', 1, 'hold')", "(1, 'server', 1, '', 'week', 1, 'hold')",
        "(1, 'server', 1, '', 'hour', 1, 'drop')", "(1, NULL, NULL, NULL, NULL, NULL, NULL)"};
    EdgeWorld *s = *state;

    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        GError *error = NULL;
        edge_fixture_exec(s->dir, EDGE_FILE_DIRECTORY, "DELETE FROM rate_limit");
        add(s, "(9, 'server', 1, '', 'hour', 1, 'hold')");
        add(s, values[i]);
        assert_null(edge_limits(s->edge, &error));
        assert_int_equal(error_class(error), ERROR_CLASS_TEMPORARY);
        assert_error_code(error, CORRUPT);
    }
}

static void test_edge_is_limited_table(void **state)
{
    static const struct {
        const char *values, *domain;
        gboolean limited;
    } cases[] = {
        {"(1, 'organization', 1, '', 'hour', 1, 'hold')", "ok.test", TRUE},
        {"(1, 'organization', 2, '', 'hour', 1, 'hold')", "ok.test", FALSE},
        {"(1, 'server', 2, '', 'hour', 1, 'hold')", "ok.test", TRUE},
        {"(1, 'server', 1, '', 'hour', 1, 'hold')", "ok.test", FALSE},
        {"(1, 'credential', 7, '', 'hour', 1, 'hold')", "ok.test", TRUE},
        {"(1, 'credential', 2, '', 'hour', 1, 'hold')", "ok.test", FALSE},
        {"(1, 'domain', 0, 'ok.test', 'hour', 1, 'hold')", "ok.test", TRUE},
        {"(1, 'domain', 0, 'ok.test', 'hour', 1, 'hold')", "sub.ok.test", FALSE},
        {"(1, 'domain', 0, 'ok.test', 'hour', 1, 'hold')", "ok.test.", FALSE},
        {"(1, 'domain', 0, 'ok.test', 'hour', 1, 'hold')", "", FALSE},
        {"(1, 'domain', 0, 'ok.test', 'hour', 1, 'hold')", NULL, FALSE},
        {"(1, 'user', 0, 'ok.test', 'hour', 1, 'hold')", "ok.test", FALSE},
        {"(1, 'user', 7, '', 'hour', 1, 'hold')", "", FALSE},
    };
    EdgeWorld *s = *state;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        gboolean limited = !cases[i].limited;
        edge_fixture_exec(s->dir, EDGE_FILE_DIRECTORY, "DELETE FROM rate_limit");
        add(s, cases[i].values);
        assert_true(edge_is_limited(s->edge, &app, cases[i].domain, &limited, &error));
        assert_no_error(error);
        if (limited != cases[i].limited)
            fail_msg("case %zu: %d", i, limited);
    }
}

/* It is asked for every message: no look at every row. */
static void test_edge_is_limited_uses_the_index(void **state)
{
    static const char *const statements[] = {
#define X(NAME, sql) #NAME, sql,
#include "lib/edge/edge_statement.def"
#undef X
    };
    EdgeWorld *s = *state;
    g_autoptr(GString) plan = g_string_new("EXPLAIN QUERY PLAN ");
    sqlite3_stmt *statement = NULL;
    sqlite3 *db = edge_schema_open(s->dir, EDGE_FILE_DIRECTORY, (gid_t)-1, NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(statements); i += 2)
        if (strcmp(statements[i], "IS_LIMITED") == 0)
            g_string_append(plan, statements[i + 1]);
    assert_int_equal(sqlite3_prepare_v2(db, plan->str, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW)
        if (strstr((const char *)sqlite3_column_text(statement, 3), "SCAN"))
            fail_msg("%s", (const char *)sqlite3_column_text(statement, 3));
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

static void test_edge_limit_replica_missing(void **state)
{
    EdgeWorld *s = *state;
    GError *error = NULL;
    gboolean limited = TRUE;

    assert_null(edge_limits(s->edge, &error));
    assert_error_code(error, UNAVAILABLE);
    assert_false(edge_is_limited(s->edge, &app, "ok.test", &limited, &error));
    assert_error_code(error, UNAVAILABLE);
    assert_true(limited);
}

#define CASE(name, with) cmocka_unit_test_setup_teardown(name, with, edge_world_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_edge_limits_every_one, setup),
        CASE(test_edge_limits_ten_thousand, setup),
        CASE(test_edge_limits_unknown_word, setup),
        CASE(test_edge_is_limited_table, setup),
        CASE(test_edge_is_limited_uses_the_index, setup),
        CASE(test_edge_limit_replica_missing, edge_world_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
