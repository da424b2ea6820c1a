/* SPDX-License-Identifier: MIT */
/* Suppressions in the replica: what the mail path reads of them. */
#include <string.h>

#include "lib/base/address.h"
#include "lib/base/error.h"
#include "lib/edge/edge_schema.h"
#include "lib/edge/edge_suppression.h"

#include "lib/base/address.h"
#include "tests/lib/edge_fixture.h"
#include "tests/lib/testing.h"

#define NOW 1000

static const EdgeFixture fixture = {.key = "abcdefghijklmnopqrstuvwx"};

static char acme[] = "acme", main_[] = "main";
static const EdgeCredential app = {.id = 7,
                                   .server = 2,
                                   .organization = 1,
                                   .organization_permalink = acme,
                                   .server_permalink = main_};

typedef struct {
    char *dir;
    Edge *edge;
} State;

static int setup_empty(void **state)
{
    State *s = g_new0(State, 1);

    s->dir = g_dir_make_tmp("outrider-edge-XXXXXX", NULL);
    s->edge = edge_open(s->dir);
    *state = s;
    return 0;
}

static int setup(void **state)
{
    setup_empty(state);
    edge_fixture_fill(((State *)*state)->dir, &fixture);
    return 0;
}

static int teardown(void **state)
{
    State *s = *state;

    edge_close(s->edge);
    edge_fixture_remove(s->dir);
    g_free(s->dir);
    g_free(s);
    return 0;
}

/* Owner, address and expiry of each. */
static void add(State *s, const char *sql)
{
    edge_fixture_exec(s->dir, EDGE_FILE_SUPPRESSION, sql);
}

static void test_edge_suppression_find_table(void **state)
{
    State *s = *state;
    g_autofree char *endless = g_strnfill(ADDRESS_MAX, 'x');
    g_autofree char *longest = g_strconcat(endless, "@all.test", NULL);
    const struct {
        const char *recipient;
        guint64 id; /* 0: not suppressed */
        SuppressionScope scope;
    } cases[] = {
        {"one@x.test", 1, SUPPRESSION_OF_INSTALLATION},
        {"ONE@X.test", 1, SUPPRESSION_OF_INSTALLATION},
        {"two@x.test", 2, SUPPRESSION_OF_ORGANIZATION},
        {"three@x.test", 3, SUPPRESSION_OF_SERVER},
        {"\"one\"@x.test", 1, SUPPRESSION_OF_INSTALLATION},
        {"\"o\\ne\"@x.test", 1, SUPPRESSION_OF_INSTALLATION},
        {"\"a b\"@x.test", 14, SUPPRESSION_OF_SERVER},
        {"A b@x.test", 14, SUPPRESSION_OF_SERVER}, /* as Postfix asks policyd */
        {"any@all.test", 4, SUPPRESSION_OF_INSTALLATION},
        {"\xff@all.test", 4, SUPPRESSION_OF_INSTALLATION}, /* a name that cannot be on the list */
        {longest, 4, SUPPRESSION_OF_INSTALLATION},
        {"named@all.test", 5, SUPPRESSION_OF_SERVER}, /* the address before its domain */
        {"both@x.test", 9, SUPPRESSION_OF_SERVER},    /* the nearest scope */
        {"later@x.test", 10, SUPPRESSION_OF_SERVER},
        {"over@x.test", 0, 0},
        {"now@x.test", 0, 0}, /* it ends at that second */
        {"other@x.test", 0, 0},
        {"foreign@x.test", 0, 0},
        {"x@sub.all.test", 0, 0},
        {"x@test", 0, 0},
        {"one", 0, 0},
        {"", 0, 0},
    };

    add(s,
        "INSERT INTO suppression VALUES (1, 0, 'one@x.test', 'manual', 'a', 1, NULL),"
        "(2, -1, 'two@x.test', 'manual', 'b', 1, NULL), (3, 2, 'three@x.test', 'api', 'c', 1, "
        "NULL),"
        "(4, 0, '@all.test', 'import', 'd', 1, NULL), (5, 2, 'named@all.test', 'api', 'e', 1, "
        "NULL),"
        "(6, 3, 'other@x.test', 'api', 'f', 1, NULL), (7, -2, 'foreign@x.test', 'api', 'g', 1, "
        "NULL),"
        "(8, 0, 'both@x.test', 'api', 'h', 1, NULL), (9, 2, 'both@x.test', 'api', 'i', 1, NULL),"
        "(10, 2, 'later@x.test', 'api', 'j', 1, 1001), (11, 2, 'over@x.test', 'api', 'k', 1, 999),"
        "(12, 2, 'now@x.test', 'api', 'l', 1, 1000), (13, 2, '', 'api', 'm', 1, NULL),"
        "(14, 2, '\"a b\"@x.test', 'api', 'n', 1, NULL)");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        g_autoptr(EdgeSuppression) found = NULL;
        assert_true(edge_suppression_find(s->edge, &app, cases[i].recipient, NOW, &found, &error));
        if ((found ? found->id : 0) != cases[i].id)
            fail_msg("%s: %u", cases[i].recipient, found ? (guint)found->id : 0);
        if (found)
            assert_int_equal(found->scope, cases[i].scope);
    }
}

static void test_edge_suppression_text_says_all(void **state)
{
    (void)state;
    static const struct {
        SuppressionScope scope;
        gint64 expires_at;
        const char *text;
    } cases[] = {
        {SUPPRESSION_OF_SERVER, 0,
         "a@b.test is suppressed for server acme/main: gone (manual, since 2026-11-25)"},
        {SUPPRESSION_OF_ORGANIZATION, 1798156800,
         "a@b.test is suppressed for organization acme: gone (manual, since 2026-11-25, until "
         "2026-12-25)"},
        {SUPPRESSION_OF_INSTALLATION, 0,
         "a@b.test is suppressed for the installation: gone (manual, since 2026-11-25)"},
    };
    char address[] = "a@b.test", source[] = "manual", reason[] = "gone";

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const EdgeSuppression suppression = {.scope = cases[i].scope,
                                             .address = address,
                                             .source = source,
                                             .reason = reason,
                                             .created_at = 1795564800,
                                             .expires_at = cases[i].expires_at};
        g_autofree char *text = edge_suppression_text(&suppression, &app);
        assert_string_equal(text, cases[i].text);
    }
}

/* It is asked for every message: six steps in the index, and no look at every row. */
static void test_edge_suppression_uses_the_index(void **state)
{
    static const char *const statements[] = {
#define X(NAME, sql) #NAME, sql,
#include "lib/edge/edge_statement.def"
#undef X
    };
    State *s = *state;
    g_autoptr(GString) plan = g_string_new("EXPLAIN QUERY PLAN ");
    sqlite3_stmt *statement = NULL;
    sqlite3 *db = edge_schema_open(s->dir, EDGE_FILE_SUPPRESSION, (gid_t)-1, NULL);
    gboolean both = FALSE;

    for (size_t i = 0; i < G_N_ELEMENTS(statements); i += 2)
        if (strcmp(statements[i], "SUPPRESSION") == 0)
            g_string_append(plan, statements[i + 1]);
    assert_int_equal(sqlite3_prepare_v2(db, plan->str, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        const char *step = (const char *)sqlite3_column_text(statement, 3);
        if (strstr(step, "SCAN"))
            fail_msg("%s", step);
        both |= strstr(step, "address=? AND owner=?") != NULL;
    }
    assert_true(both);
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

static void test_edge_suppression_replica_missing(void **state)
{
    State *s = *state;
    GError *error = NULL;
    EdgeSuppression *found = NULL;

    assert_false(edge_suppression_find(s->edge, &app, "a@b.test", NOW, &found, &error));
    assert_error_code(error, UNAVAILABLE);
    assert_null(found);
    assert_false(edge_suppression_find(s->edge, &app, "no address", NOW, &found, &error));
    assert_error_code(error, UNAVAILABLE);
}

#define CASE(name, with) cmocka_unit_test_setup_teardown(name, with, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_edge_suppression_find_table, setup),
        cmocka_unit_test(test_edge_suppression_text_says_all),
        CASE(test_edge_suppression_uses_the_index, setup),
        CASE(test_edge_suppression_replica_missing, setup_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
