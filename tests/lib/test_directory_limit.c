/* SPDX-License-Identifier: MIT */
/* Rate limits in the directory, on a real MariaDB. */
#include <string.h>

#include "lib/base/error.h"
#include "lib/directory/directory.h"
#include "lib/directory/limit.h"
#include "tests/lib/database_fixture.h"
#include "tests/lib/testing.h"

static MariadbFixture *server;

static void add(Database *database, DirectoryObject object, const char *first, const char *second)
{
    const char *const names[] = {first, second, NULL};
    GError *error = NULL;

    record_free(directory_add(database->sql, object, names, NULL, 0, &error));
    assert_no_error(error);
}

static int setup(void **state)
{
    Database *database = database_new(server);

    add(database, DIRECTORY_ORGANIZATION, "acme", NULL);
    add(database, DIRECTORY_ORGANIZATION, "other", NULL);
    add(database, DIRECTORY_SERVER, "acme/main", NULL);
    add(database, DIRECTORY_SERVER, "acme/news", NULL);
    add(database, DIRECTORY_CREDENTIAL, "acme/main", "app");
    add(database, DIRECTORY_CREDENTIAL, "acme/main", "a/b: c");
    *state = database;
    return 0;
}

static void assert_tombstones(Database *database, const char *wanted)
{
    assert_rows(database,
                "SELECT COALESCE(GROUP_CONCAT(CONCAT(revision, table_name, id) "
                "ORDER BY revision, table_name, id), '') FROM tombstone",
                wanted);
}

static Record *set(Database *database, const char *subject, const char *rate, const char *action)
{
    GError *error = NULL;
    Record *record = directory_limit_set(database->sql, subject, rate, action, &error);

    assert_no_error(error);
    return record;
}

static void fill(Database *database)
{
    static const char *const subjects[] = {"user:someone",     "@ok.test", "acme/main/app",
                                           "acme/main",        "acme",     "other",
                                           "acme/main/a/b: c", "acme/news"};

    for (size_t i = 0; i < G_N_ELEMENTS(subjects); i++)
        record_free(set(database, subjects[i], "10/hour", NULL));
}

/* "acme 10/hour defer, ..." */
static char *text_of(const Record *list)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (gsize i = 0; i < json_object_array_length(list); i++) {
        const Record *record = json_object_array_get_idx(list, i);
        g_string_append_printf(text, "%s%s %" G_GINT64_FORMAT "/%s %s", i ? ", " : "",
                               record_text(record, "subject"), record_int(record, "max"),
                               record_text(record, "period"), record_text(record, "action"));
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void assert_list(Database *database, const char *subject, const char *wanted)
{
    GError *error = NULL;
    g_autoptr(Record) list = directory_limit_list(database->sql, subject, &error);

    assert_no_error(error);
    g_autofree char *text = text_of(list);
    assert_string_equal(text, wanted);
}

static void test_directory_limit_set_and_change(void **state)
{
    static const struct {
        const char *rate, *action;
        gint64 max;
        const char *is;
    } steps[] = {
        {"100/minute", NULL, 100, "defer"},
        {"50/minute", "hold", 50, "hold"},
        {"0/minute", NULL, 0, "hold"},
        {"1000000000/minute", "reject", 1000000000, "reject"},
        {"1000000000/minute", NULL, 1000000000, "reject"},
    };
    Database *database = *state;
    gint64 id = 0, revision = 8;

    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_autoptr(Record) record = set(database, "acme/main/app", steps[i].rate, steps[i].action);
        assert_string_equal(record_text(record, "subject"), "acme/main/app");
        assert_string_equal(record_text(record, "period"), "minute");
        assert_int_equal(record_int(record, "max"), steps[i].max);
        assert_string_equal(record_text(record, "action"), steps[i].is);
        assert_true(record_int(record, "created_at") > 0);
        assert_int_equal(json_object_object_length(record), 7);
        if (i == 0) {
            id = record_int(record, "id");
            revision = record_int(record, "revision");
        }
        assert_int_equal(record_int(record, "id"), id);
        assert_int_equal(record_int(record, "revision"), revision + (gint64)i);
    }
    record_free(set(database, "acme/main/app", "5/day", NULL));
    assert_list(database, "acme/main/app",
                "acme/main/app 1000000000/minute reject, acme/main/app 5/day defer");
    assert_rows(database, "SELECT subject_name, subject_id, subject FROM rate_limit LIMIT 1",
                "\t1\tcredential");
}

static void test_directory_limit_names_are_canonical(void **state)
{
    Database *database = *state;

    record_free(set(database, "@OK.test", "1/hour", NULL));
    record_free(set(database, "@ok.TEST", "2/hour", NULL));
    record_free(set(database,
                    "@b\xc3\xbc"
                    "cher.example",
                    "3/hour", NULL));
    record_free(set(database, "user:Someone", "4/hour", NULL));
    record_free(set(database, "user:someone", "5/hour", NULL));
    record_free(set(database, "user:s\xc3\xb6m\xc3\xa9one", "6/hour", NULL));
    assert_list(database, NULL,
                "@ok.test 2/hour defer, @xn--bcher-kva.example 3/hour defer, "
                "user:Someone 4/hour defer, user:someone 5/hour defer, "
                "user:s\xc3\xb6m\xc3\xa9one 6/hour defer");
}

static void test_directory_limit_set_refused(void **state)
{
    static const struct {
        const char *subject, *rate, *action;
        OutriderError code;
    } cases[] = {
        {"", "1/hour", NULL, OUTRIDER_ERROR_INVALID},
        {"@nothing", "1/hour", NULL, OUTRIDER_ERROR_INVALID},
        {"acme", "1", NULL, OUTRIDER_ERROR_INVALID},
        {"acme", "-1/hour", NULL, OUTRIDER_ERROR_INVALID},
        {"acme", "1/week", NULL, OUTRIDER_ERROR_INVALID},
        {"acme", "1/hour", "", OUTRIDER_ERROR_INVALID},
        {"acme", "1/hour", "drop", OUTRIDER_ERROR_INVALID},
        {"nobody", "1/hour", NULL, OUTRIDER_ERROR_NOT_FOUND},
        {"nobody/main", "1/hour", NULL, OUTRIDER_ERROR_NOT_FOUND},
        {"acme/nothing", "1/hour", NULL, OUTRIDER_ERROR_NOT_FOUND},
        {"other/main", "1/hour", NULL, OUTRIDER_ERROR_NOT_FOUND},
        {"acme/main/nothing", "1/hour", NULL, OUTRIDER_ERROR_NOT_FOUND},
        {"acme/news/app", "1/hour", NULL, OUTRIDER_ERROR_NOT_FOUND},
    };
    Database *database = *state;

    g_autofree char *before = database_run(database, "SELECT revision FROM revision_counter");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        assert_null(directory_limit_set(database->sql, cases[i].subject, cases[i].rate,
                                        cases[i].action, &error));
        assert_non_null(error);
        if (error->code != (int)cases[i].code)
            fail_msg("case %zu: %s", i, error->message);
        g_clear_error(&error);
    }
    assert_rows(database, "SELECT revision FROM revision_counter", before);
    assert_rows(database, "SELECT COUNT(*) FROM rate_limit", "0");
}

static void test_directory_limit_list(void **state)
{
#define BELOW_MAIN                                                                                 \
    "acme/main 10/hour defer, acme/main/a/b: c 10/hour defer, acme/main/app 10/hour defer"
#define BELOW_ACME "acme 10/hour defer, " BELOW_MAIN ", acme/news 10/hour defer"
    static const struct {
        const char *subject, *wanted;
    } cases[] = {
        {NULL, BELOW_ACME ", other 10/hour defer, @ok.test 10/hour defer, "
                          "user:someone 10/hour defer"},
        {"acme", BELOW_ACME},
        {"other", "other 10/hour defer"},
        {"acme/main", BELOW_MAIN},
        {"acme/news", "acme/news 10/hour defer"},
        {"acme/main/a/b: c", "acme/main/a/b: c 10/hour defer"},
        {"@OK.test", "@ok.test 10/hour defer"},
        {"@sub.ok.test", ""},
        {"user:someone", "user:someone 10/hour defer"},
        {"user:Someone", ""},
    };
    Database *database = *state;
    GError *error = NULL;

    assert_list(database, NULL, "");
    fill(database);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_list(database, cases[i].subject, cases[i].wanted);
    assert_null(directory_limit_list(database->sql, "nobody", &error));
    assert_error_code(error, NOT_FOUND);
    assert_null(directory_limit_list(database->sql, "acme/", &error));
    assert_error_code(error, INVALID);
}

static void test_directory_limit_show(void **state)
{
    static const char *const none[] = {"acme",         "acme/news", "@sub.ok.test",
                                       "user:someone", "nobody",    "acme/main/nothing"};
    Database *database = *state;
    GError *error = NULL;

    record_free(set(database, "acme/main", "5/day", "hold"));
    record_free(set(database, "acme/main", "1/second", NULL));
    record_free(set(database, "acme/main/app", "1/second", NULL));
    g_autoptr(Record) list = directory_limit_show(database->sql, "acme/main", &error);
    assert_no_error(error);
    g_autofree char *text = text_of(list);
    assert_string_equal(text, "acme/main 1/second defer, acme/main 5/day hold");
    for (size_t i = 0; i < G_N_ELEMENTS(none); i++) {
        assert_null(directory_limit_show(database->sql, none[i], &error));
        assert_error_code(error, NOT_FOUND);
    }
    assert_null(directory_limit_show(database->sql, "user:", &error));
    assert_error_code(error, INVALID);
}

/* A credential that is renamed keeps its limits, one that is made anew under its name has none. */
static void test_directory_limit_follows_the_object(void **state)
{
    static const DirectoryOption rename[] = {{"name", "renamed"}};
    static const char *const names[] = {"acme/main", "app", NULL};
    Database *database = *state;
    GError *error = NULL;

    record_free(set(database, "acme/main/app", "1/hour", NULL));
    record_free(directory_change(database->sql, DIRECTORY_CREDENTIAL, names, rename, 1, &error));
    assert_no_error(error);
    assert_list(database, "acme/main", "acme/main/renamed 1/hour defer");
    add(database, DIRECTORY_CREDENTIAL, "acme/main", "app");
    assert_list(database, "acme/main/app", "");
}

static void test_directory_limit_delete(void **state)
{
    Database *database = *state;
    GError *error = NULL;

    record_free(set(database, "acme/main", "1/second", NULL)); /* id 1, revision 7 */
    record_free(set(database, "acme/main", "2/hour", NULL));
    record_free(set(database, "acme/main", "3/day", NULL));
    record_free(set(database, "acme/main/app", "4/hour", NULL));
    record_free(set(database, "@ok.test", "5/hour", NULL));
    assert_true(directory_limit_delete(database->sql, "acme/main", "hour", &error));
    assert_list(database, "acme/main",
                "acme/main 1/second defer, acme/main 3/day defer, acme/main/app 4/hour defer");
    assert_true(directory_limit_delete(database->sql, "acme/main", NULL, &error));
    assert_true(directory_limit_delete(database->sql, "@OK.TEST", NULL, &error));
    assert_list(database, NULL, "acme/main/app 4/hour defer");
    assert_tombstones(database, "12rate_limit2,13rate_limit1,13rate_limit3,14rate_limit5");
}

static void test_directory_limit_delete_refused(void **state)
{
    static const struct {
        const char *subject, *period;
        OutriderError code;
    } cases[] = {
        {"acme", NULL, OUTRIDER_ERROR_NOT_FOUND},
        {"acme/main", "day", OUTRIDER_ERROR_NOT_FOUND},
        {"acme/main", "week", OUTRIDER_ERROR_INVALID},
        {"acme/main", "", OUTRIDER_ERROR_INVALID},
        {"acme/main/app", NULL, OUTRIDER_ERROR_NOT_FOUND},
        {"acme/main/nothing", NULL, OUTRIDER_ERROR_NOT_FOUND},
        {"@ok.test", NULL, OUTRIDER_ERROR_NOT_FOUND},
        {"user:someone", "hour", OUTRIDER_ERROR_NOT_FOUND},
        {"@", NULL, OUTRIDER_ERROR_INVALID},
    };
    Database *database = *state;

    record_free(set(database, "acme/main", "1/hour", NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        assert_false(
            directory_limit_delete(database->sql, cases[i].subject, cases[i].period, &error));
        if (error->code != (int)cases[i].code)
            fail_msg("case %zu: %s", i, error->message);
        g_clear_error(&error);
    }
    assert_list(database, NULL, "acme/main 1/hour defer");
    assert_tombstones(database, "");
}

/* What is deleted takes its limits along, and nobody else's. */
static void test_directory_delete_takes_limits(void **state)
{
    static const struct {
        DirectoryObject object;
        const char *first, *second;
    } steps[] = {
        {DIRECTORY_CREDENTIAL, "acme/main", "app"},
        {DIRECTORY_SERVER, "acme/news", NULL},
        {DIRECTORY_ORGANIZATION, "other", NULL},
    };
    Database *database = *state;

    fill(database); /* revisions 7 to 14, ids 1 to 8 */
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        const char *const names[] = {steps[i].first, steps[i].second, NULL};
        GError *error = NULL;
        assert_true(directory_delete(database->sql, steps[i].object, names, &error));
        assert_no_error(error);
    }
    assert_list(database, NULL,
                "acme 10/hour defer, acme/main 10/hour defer, acme/main/a/b: c 10/hour defer, "
                "@ok.test 10/hour defer, user:someone 10/hour defer");
    assert_tombstones(database, "15credential1,15credential_secret1,15rate_limit3,16rate_limit8,"
                                "16server2,17organization2,17rate_limit6");
}

/* A sender's domain is no subject; one that cannot be deleted keeps its limits. */
static void test_directory_delete_leaves_limits(void **state)
{
    static const char *const domain[] = {"acme", "ok.test", NULL};
    static const char *const in_use[] = {"acme/main", NULL};
    Database *database = *state;
    GError *error = NULL;

    add(database, DIRECTORY_DOMAIN, "acme", "ok.test");
    record_free(set(database, "@ok.test", "1/hour", NULL));
    record_free(set(database, "acme/main", "1/hour", NULL));
    assert_true(directory_delete(database->sql, DIRECTORY_DOMAIN, domain, &error));
    assert_false(directory_delete(database->sql, DIRECTORY_SERVER, in_use, &error));
    assert_error_code(error, REFUSED);
    assert_list(database, NULL, "acme/main 1/hour defer, @ok.test 1/hour defer");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, database_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_directory_limit_set_and_change), CASE(test_directory_limit_names_are_canonical),
        CASE(test_directory_limit_set_refused),    CASE(test_directory_limit_list),
        CASE(test_directory_limit_show),           CASE(test_directory_limit_follows_the_object),
        CASE(test_directory_limit_delete),         CASE(test_directory_limit_delete_refused),
        CASE(test_directory_delete_takes_limits),  CASE(test_directory_delete_leaves_limits),
    };

    server = mariadb_fixture_start();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mariadb_fixture_stop(server);
    return failed;
}
