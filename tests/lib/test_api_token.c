/* SPDX-License-Identifier: MIT */
/* Tokens of the management API, and lists in pages, with a real database. */
#include "lib/directory/api_token.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/directory/page.h"
#include "tests/lib/database_fixture.h"
#include "tests/lib/testing.h"

#define NOW (g_get_real_time() / G_USEC_PER_SEC)

static MariadbFixture *server;

static Sql *sql_of(void **state)
{
    return ((Database *)*state)->sql;
}

static Record *add(Sql *sql, DirectoryObject object, const char *owner, const char *name,
                   const char *option, const char *text)
{
    const char *const names[] = {owner ? owner : name, owner ? name : NULL, NULL};
    const DirectoryOption options[] = {{option, text}};
    g_autoptr(GError) error = NULL;
    Record *record = directory_add(sql, object, names, options, option ? 1 : 0, &error);

    if (!record)
        fail_msg("%s: %s", name, error->message);
    return record;
}

static void made(Sql *sql, DirectoryObject object, const char *owner, const char *name,
                 const char *option, const char *text)
{
    record_free(add(sql, object, owner, name, option, text));
}

static int setup(void **state)
{
    static const char *const endpoints[] = {"b", "a", "Zürich", "ü", "a b"};
    Database *database = database_new(server);

    made(database->sql, DIRECTORY_ORGANIZATION, NULL, "acme", NULL, NULL);
    made(database->sql, DIRECTORY_ORGANIZATION, NULL, "other", NULL, NULL);
    made(database->sql, DIRECTORY_SERVER, NULL, "acme/main", NULL, NULL);
    made(database->sql, DIRECTORY_SERVER, NULL, "acme/news", NULL, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(endpoints); i++)
        made(database->sql, DIRECTORY_ENDPOINT, "acme/main", endpoints[i], "url",
             "http://h.example/");
    made(database->sql, DIRECTORY_ENDPOINT, "acme/news", "c", "url", "http://h.example/");
    *state = database;
    return 0;
}

/* What a token opens, as "ORG/SERVER"; its last use in *used. */
static char *opens(Sql *sql, const char *text, gint64 now, gint64 *used)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DirectoryToken) token = directory_token_find(sql, text, now, &error);

    if (!token) {
        assert_int_equal(error->code, OUTRIDER_ERROR_NOT_FOUND);
        return g_strdup("nothing");
    }
    if (used)
        *used = token->last_used_at;
    return g_strdup_printf("%s/%s%s", token->organization ? token->organization : "",
                           token->server ? token->server : "", token->suspended ? " read" : "");
}

static void assert_opens(Sql *sql, const char *text, gint64 now, const char *wanted)
{
    g_autofree char *got = opens(sql, text, now, NULL);

    assert_string_equal(got, wanted);
}

static void change(Sql *sql, DirectoryObject object, const char *who, const char *option,
                   const char *text)
{
    const char *const names[] = {who, NULL};
    const DirectoryOption options[] = {{option, text}};
    GError *error = NULL;

    record_free(directory_change(sql, object, names, options, 1, &error));
    assert_no_error(error);
}

static void test_api_token_find(void **state)
{
    Sql *sql = sql_of(state);
    g_autoptr(Record) all = add(sql, DIRECTORY_TOKEN, NULL, "all", NULL, NULL);
    g_autoptr(Record) acme = add(sql, DIRECTORY_TOKEN, NULL, "acme", "owner", "acme");
    g_autoptr(Record) main_ = add(sql, DIRECTORY_TOKEN, NULL, "main", "owner", "acme/main");
    const char *token = record_text(main_, "token");
    g_autofree char *lower = g_ascii_strdown(token, -1);
    const char *const strange[] = {"", " ", "x", lower, record_text(main_, "name")};

    assert_opens(sql, record_text(all, "token"), NOW, "/");
    assert_opens(sql, record_text(acme, "token"), NOW, "acme/");
    assert_opens(sql, token, NOW, "acme/main");
    for (guint i = 0; i < G_N_ELEMENTS(strange); i++)
        assert_opens(sql, strange[i], NOW, "nothing");
    change(sql, DIRECTORY_TOKEN, "main", "disable", NULL);
    assert_opens(sql, token, NOW, "nothing");
    change(sql, DIRECTORY_TOKEN, "main", "enable", NULL);
    change(sql, DIRECTORY_TOKEN, "main", "expires", "2999-01-01");
    assert_opens(sql, token, NOW, "acme/main");
    assert_opens(sql, token, G_GINT64_CONSTANT(32472144000), "nothing");
    change(sql, DIRECTORY_SERVER, "acme/main", "suspend", "unpaid");
    assert_opens(sql, token, NOW, "acme/main read");
    assert_opens(sql, record_text(acme, "token"), NOW, "acme/");
    change(sql, DIRECTORY_SERVER, "acme/main", "resume", NULL);
    change(sql, DIRECTORY_ORGANIZATION, "acme", "suspend", "unpaid");
    assert_opens(sql, token, NOW, "acme/main read");
    assert_opens(sql, record_text(acme, "token"), NOW, "acme/ read");
    assert_opens(sql, record_text(all, "token"), NOW, "/");
}

static void test_api_token_is_nowhere_in_the_database(void **state)
{
    Sql *sql = sql_of(state);
    g_autoptr(Record) token = add(sql, DIRECTORY_TOKEN, NULL, "all", NULL, NULL);
    g_autofree char *question =
        g_strdup_printf("SELECT token_hash = UNHEX(SHA2('%s', 256)), COUNT(*) FROM api_token",
                        record_text(token, "token"));

    assert_rows(*state, question, "1\t1");
}

static void test_api_token_used_once_a_minute(void **state)
{
    static const struct {
        gint64 at, noted;
    } uses[] = {{1000, 1000}, {1001, 1000}, {1059, 1000}, {1060, 1060}, {1061, 1060}, {9000, 9000}};
    Sql *sql = sql_of(state);
    g_autoptr(Record) made_ = add(sql, DIRECTORY_TOKEN, NULL, "all", NULL, NULL);
    const char *text = record_text(made_, "token");
    GError *error = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(uses); i++) {
        gint64 used = 0;
        g_autoptr(DirectoryToken) token = directory_token_find(sql, text, uses[i].at, &error);
        assert_no_error(error);
        assert_true(directory_token_used(sql, token, uses[i].at, &error));
        g_free(opens(sql, text, uses[i].at, &used));
        assert_int_equal(used, uses[i].noted);
    }
}

/* The names of a page, with blanks between. */
static char *names_of(Sql *sql, DirectoryObject object, DirectoryPage page)
{
    GError *error = NULL;
    g_autoptr(Record) list = directory_page(sql, object, &page, &error);
    GString *text = g_string_new(NULL);

    assert_no_error(error);
    for (gsize i = 0; i < json_object_array_length(list); i++)
        g_string_append_printf(
            text, "%s%s", i ? " | " : "",
            record_text(json_object_array_get_idx(list, i), directory_page_key(object)));
    return g_string_free(text, FALSE);
}

static void test_directory_page(void **state)
{
    static const struct {
        DirectoryObject object;
        DirectoryPage page;
        const char *names;
    } cases[] = {
        {DIRECTORY_ORGANIZATION, {NULL, NULL, NULL, 9}, "acme | other"},
        {DIRECTORY_ORGANIZATION, {NULL, NULL, "acme", 9}, "other"},
        {DIRECTORY_ORGANIZATION, {"acme", NULL, NULL, 9}, "acme"},
        {DIRECTORY_SERVER, {"acme", NULL, NULL, 9}, "main | news"},
        {DIRECTORY_SERVER, {"acme", "news", NULL, 9}, "news"},
        {DIRECTORY_SERVER, {"other", NULL, NULL, 9}, ""},
        {DIRECTORY_ENDPOINT, {"acme", "main", NULL, 9}, "Zürich | a | a b | b | ü"},
        {DIRECTORY_ENDPOINT, {"acme", "main", NULL, 2}, "Zürich | a"},
        {DIRECTORY_ENDPOINT, {"acme", "main", "a", 2}, "a b | b"},
        {DIRECTORY_ENDPOINT, {"acme", "main", "b", 2}, "ü"},
        {DIRECTORY_ENDPOINT, {"acme", "main", "ü", 2}, ""},
        {DIRECTORY_ENDPOINT, {"acme", "news", NULL, 2}, "c"},
        {DIRECTORY_ROUTE, {"acme", "main", "x@y.test", 2}, ""},
        {DIRECTORY_DOMAIN, {"acme", NULL, NULL, 2}, ""},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = names_of(sql_of(state), cases[i].object, cases[i].page);
        if (!g_str_equal(got, cases[i].names))
            fail_msg("case %u: %s", i, got);
    }
}

/* An organization's own domains are not those of its servers. */
static void test_directory_page_domains(void **state)
{
    Sql *sql = sql_of(state);

    made(sql, DIRECTORY_DOMAIN, "acme", "whole.test", NULL, NULL);
    made(sql, DIRECTORY_DOMAIN, "acme/main", "main.test", NULL, NULL);
    g_autofree char *own = names_of(sql, DIRECTORY_DOMAIN, (DirectoryPage){"acme", NULL, NULL, 9});
    g_autofree char *of_server =
        names_of(sql, DIRECTORY_DOMAIN, (DirectoryPage){"acme", "main", NULL, 9});
    assert_string_equal(own, "whole.test");
    assert_string_equal(of_server, "main.test");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, database_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_api_token_find),
        CASE(test_api_token_is_nowhere_in_the_database),
        CASE(test_api_token_used_once_a_minute),
        CASE(test_directory_page),
        CASE(test_directory_page_domains),
    };

    server = mariadb_fixture_start();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mariadb_fixture_stop(server);
    return failed;
}
