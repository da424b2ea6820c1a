/* SPDX-License-Identifier: MIT */
/* Who may use which pool and smart host, and rules; with a real database. */
#include <string.h>

#include "lib/base/error.h"
#include "lib/directory/directory.h"
#include "lib/directory/pool_access.h"
#include "tests/lib/database_fixture.h"
#include "tests/lib/testing.h"

#define MIGRATIONS OUTRIDER_TEST_SRCDIR "/conf/migrations"

static MariadbFixture *server;
static Sql *sql;
static guint databases;
static char *name;

/* "option=value option" as options; NULL-terminated. */
static guint split(const char *text, DirectoryOption options[8], char ***words)
{
    guint n = 0;

    *words = g_strsplit(text, " ", 8);
    for (; (*words)[n]; n++) {
        char *equals = strchr((*words)[n], '=');
        if (equals)
            *equals = '\0';
        options[n] = (DirectoryOption){(*words)[n], equals ? equals + 1 : NULL};
    }
    return n;
}

static Record *apply(gboolean add, DirectoryObject object, const char *who, const char *text,
                     GError **error)
{
    g_auto(GStrv) words = NULL;
    DirectoryOption options[8];
    guint n = split(text, options, &words);
    const char *const names[] = {who, NULL};

    return add ? directory_add(sql, object, names, options, n, error)
               : directory_change(sql, object, names, options, n, error);
}

static void good(gboolean add, DirectoryObject object, const char *who, const char *text)
{
    GError *error = NULL;
    g_autoptr(Record) record = apply(add, object, who, text, &error);

    assert_no_error(error);
    assert_non_null(record);
}

static int setup(void **state)
{
    (void)state;
    name = g_strdup_printf("l%u", databases++);
    sql = database_fixture_open(server, name);
    good(TRUE, DIRECTORY_ORGANIZATION, "acme", "");
    good(TRUE, DIRECTORY_ORGANIZATION, "other", "");
    good(TRUE, DIRECTORY_POOL, "main", "default");
    good(TRUE, DIRECTORY_POOL, "vip", "");
    good(TRUE, DIRECTORY_SERVER, "acme/main", "");
    good(TRUE, DIRECTORY_SERVER, "acme/news", "");
    good(TRUE, DIRECTORY_SERVER, "other/main", "");
    good(TRUE, DIRECTORY_SMARTHOST, "relay", "host=relay.test");
    good(TRUE, DIRECTORY_SMARTHOST, "ours", "host=192.0.2.9 owner=acme tls=may port=25");
    good(TRUE, DIRECTORY_SMARTHOST, "mains",
         "host=mains.test owner=acme/main user=u secret-file=/etc/secret");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sql_close(sql);
    g_free(name);
    return 0;
}

typedef struct {
    gboolean add;
    DirectoryObject object;
    const char *who, *text;
    OutriderError code;
    const char *says;
} Case;

static void assert_refused(const Case *cases, guint n)
{
    for (guint i = 0; i < n; i++) {
        GError *error = NULL;
        if (apply(cases[i].add, cases[i].object, cases[i].who, cases[i].text, &error))
            fail_msg("case %u was allowed", i);
        if (error->code != (int)cases[i].code || !strstr(error->message, cases[i].says))
            fail_msg("case %u: %s", i, error->message);
        g_error_free(error);
    }
}

static void test_directory_lane_refused(void **state)
{
    static const Case cases[] = {
        {TRUE, DIRECTORY_SERVER, "acme/x", "pool=vip", OUTRIDER_ERROR_REFUSED, "pool allow"},
        {FALSE, DIRECTORY_SERVER, "acme/main", "pool=vip", OUTRIDER_ERROR_REFUSED, "vip"},
        {FALSE, DIRECTORY_SERVER, "acme/main", "pool=none-such", OUTRIDER_ERROR_NOT_FOUND,
         "none-such"},
        {FALSE, DIRECTORY_SERVER, "other/main", "smarthost=ours", OUTRIDER_ERROR_REFUSED,
         "another"},
        {FALSE, DIRECTORY_SERVER, "acme/news", "smarthost=mains", OUTRIDER_ERROR_REFUSED,
         "another"},
        {TRUE, DIRECTORY_SERVER, "acme/x", "smarthost=mains", OUTRIDER_ERROR_REFUSED, "another"},
        {FALSE, DIRECTORY_SERVER, "acme/main", "smarthost=gone", OUTRIDER_ERROR_NOT_FOUND, "gone"},
        {TRUE, DIRECTORY_SMARTHOST, "a", "", OUTRIDER_ERROR_INVALID, "--host"},
        {TRUE, DIRECTORY_SMARTHOST, "a", "host=x", OUTRIDER_ERROR_INVALID, "host: "},
        {TRUE, DIRECTORY_SMARTHOST, "a", "host=[192.0.2.1]", OUTRIDER_ERROR_INVALID, "host: "},
        {TRUE, DIRECTORY_SMARTHOST, "a", "host=a.test port=0", OUTRIDER_ERROR_INVALID, "port: "},
        {TRUE, DIRECTORY_SMARTHOST, "a", "host=a.test port=65536", OUTRIDER_ERROR_INVALID,
         "port: "},
        {TRUE, DIRECTORY_SMARTHOST, "a", "host=a.test tls=secure", OUTRIDER_ERROR_INVALID, "tls: "},
        {TRUE, DIRECTORY_SMARTHOST, "a", "host=a.test user=u", OUTRIDER_ERROR_INVALID, "together"},
        {TRUE, DIRECTORY_SMARTHOST, "a", "host=a.test secret-file=/s", OUTRIDER_ERROR_INVALID,
         "together"},
        {TRUE, DIRECTORY_SMARTHOST, "a", "host=a.test user=u:v secret-file=/s",
         OUTRIDER_ERROR_INVALID, "user: "},
        {TRUE, DIRECTORY_SMARTHOST, "a", "host=a.test user=u secret-file=s", OUTRIDER_ERROR_INVALID,
         "secret-file: "},
        {TRUE, DIRECTORY_SMARTHOST, "a", "host=a.test tls=none user=u secret-file=/s",
         OUTRIDER_ERROR_INVALID, "TLS"},
        {TRUE, DIRECTORY_SMARTHOST, "a", "host=a.test owner=nobody", OUTRIDER_ERROR_NOT_FOUND,
         "nobody"},
        {TRUE, DIRECTORY_SMARTHOST, "a", "host=a.test owner=acme default", OUTRIDER_ERROR_INVALID,
         "default"},
        {TRUE, DIRECTORY_SMARTHOST, "relay", "host=a.test", OUTRIDER_ERROR_EXISTS, "relay"},
        {FALSE, DIRECTORY_SMARTHOST, "mains", "user=none", OUTRIDER_ERROR_INVALID, "together"},
        {FALSE, DIRECTORY_SMARTHOST, "mains", "tls=none", OUTRIDER_ERROR_INVALID, "TLS"},
        {TRUE, DIRECTORY_RULE, "acme", "pool=main", OUTRIDER_ERROR_INVALID, "--from"},
        {TRUE, DIRECTORY_RULE, "acme", "from=a.test", OUTRIDER_ERROR_INVALID, "--pool"},
        {TRUE, DIRECTORY_RULE, "acme", "from=a.test pool=main smarthost=relay",
         OUTRIDER_ERROR_INVALID, "one of"},
        {TRUE, DIRECTORY_RULE, "acme", "from=a+b@a.test pool=main", OUTRIDER_ERROR_INVALID,
         "from: "},
        {TRUE, DIRECTORY_RULE, "acme", "from=a.test pool=vip", OUTRIDER_ERROR_REFUSED, "vip"},
        {TRUE, DIRECTORY_RULE, "acme", "from=a.test smarthost=mains", OUTRIDER_ERROR_REFUSED,
         "another"},
        {TRUE, DIRECTORY_RULE, "other/main", "to=a.test smarthost=ours", OUTRIDER_ERROR_REFUSED,
         "another"},
        {TRUE, DIRECTORY_RULE, "acme/gone", "to=a.test pool=main", OUTRIDER_ERROR_NOT_FOUND,
         "gone"},
    };

    (void)state;
    assert_refused(cases, G_N_ELEMENTS(cases));
}

static void test_pool_access_deny_names_users(void **state)
{
    GError *error = NULL;

    (void)state;
    assert_true(pool_access_allow(sql, "vip", "acme", &error));
    assert_true(pool_access_allow(sql, "vip", "acme", &error));
    good(FALSE, DIRECTORY_SERVER, "acme/main", "pool=vip");
    good(TRUE, DIRECTORY_RULE, "acme/news", "to=ok.test pool=vip");
    assert_false(pool_access_deny(sql, "vip", "acme", &error));
    assert_non_null(strstr(error->message, "in use by: server main, rule 1"));
    assert_error_code(error, REFUSED);
    assert_false(directory_delete(sql, DIRECTORY_POOL, (const char *const[]){"vip", NULL}, &error));
    assert_non_null(strstr(error->message, "server acme/main, rule 1"));
    assert_error_code(error, REFUSED);
    assert_true(directory_delete(sql, DIRECTORY_RULE, (const char *const[]){"1", NULL}, &error));
    good(FALSE, DIRECTORY_SERVER, "acme/main", "pool=none");
    assert_true(pool_access_deny(sql, "vip", "acme", &error));
    assert_false(pool_access_deny(sql, "vip", "acme", &error));
    assert_error_code(error, NOT_FOUND);
    assert_false(pool_access_deny(sql, "main", "acme", &error));
    assert_error_code(error, REFUSED);
    assert_false(pool_access_allow(sql, "vip", "nobody", &error));
    assert_error_code(error, NOT_FOUND);
}

static void test_pool_access_of_an_earlier_default_stays(void **state)
{
    GError *error = NULL;

    (void)state;
    good(FALSE, DIRECTORY_SERVER, "acme/main", "pool=main");
    good(FALSE, DIRECTORY_POOL, "vip", "default");
    good(FALSE, DIRECTORY_SERVER, "acme/news", "pool=main");
    good(FALSE, DIRECTORY_SERVER, "other/main", "pool=vip");
    assert_null(apply(FALSE, DIRECTORY_SERVER, "other/main", "pool=main", &error));
    assert_error_code(error, REFUSED);
}

static void test_rule_list_order_and_owner_deletion(void **state)
{
    static const char *const owners[] = {"acme", "acme/main", "acme", "acme/main", NULL};
    g_autoptr(GString) order = g_string_new(NULL);
    GError *error = NULL;

    (void)state;
    for (guint i = 0; owners[i]; i++)
        good(TRUE, DIRECTORY_RULE, owners[i], "from=Boss@Acme.Test,acme.test smarthost=ours");
    g_autoptr(Record) list = directory_list(sql, DIRECTORY_RULE, "acme", &error);
    assert_no_error(error);
    for (gsize i = 0; i < json_object_array_length(list); i++)
        g_string_append_printf(order, "%d ",
                               (int)record_int(json_object_array_get_idx(list, i), "id"));
    assert_string_equal(order->str, "4 2 3 1 ");
    assert_string_equal(record_text(json_object_array_get_idx(list, 0), "from_conditions"),
                        "boss@acme.test,acme.test");
    assert_false(
        directory_delete(sql, DIRECTORY_SMARTHOST, (const char *const[]){"ours", NULL}, &error));
    assert_non_null(strstr(error->message, "rule 1"));
    assert_error_code(error, REFUSED);
    assert_false(
        directory_delete(sql, DIRECTORY_SERVER, (const char *const[]){"acme/main", NULL}, &error));
    assert_non_null(strstr(error->message, "smarthost mains"));
    assert_error_code(error, REFUSED);
}

static void test_lane_of_what_is_deleted_is_remembered(void **state)
{
    GError *error = NULL;

    (void)state;
    good(TRUE, DIRECTORY_ADDRESS, "vip", "ipv4=192.0.2.1 helo=out.test");
    assert_true(
        directory_delete(sql, DIRECTORY_ADDRESS, (const char *const[]){"192.0.2.1", NULL}, &error));
    assert_true(
        directory_delete(sql, DIRECTORY_SMARTHOST, (const char *const[]){"relay", NULL}, &error));
    assert_no_error(error);
    g_autofree char *lanes = mariadb_fixture_run(
        server, name,
        "SELECT GROUP_CONCAT(kind, ':', COALESCE(ip_pool_id, 0), ':', removed_at IS NOT NULL, "
        "':', revision > 0 ORDER BY id) FROM lane");
    assert_non_null(strstr(lanes, "smarthost:0:1:1,smarthost:0:0:1,smarthost:0:0:1,address:2:1:1"));
}

/* An installation from before: what is in use stays allowed, lanes know their pools, gone ones that they are. */
static void test_migration_grants_what_is_in_use(void **state)
{
    g_autofree char *old = mariadb_fixture_run(
        server, name,
        "DROP TABLE ip_pool_organization, smarthost, lane_rule; ALTER TABLE lane DROP ip_pool_id, "
        "DROP removed_at, "
        "DROP revision; ALTER TABLE ip_address DROP forced; ALTER TABLE server DROP smarthost_id; "
        "DELETE FROM lane; "
        "INSERT INTO lane (id, kind) VALUES (21, 'address'), (22, 'address'); INSERT INTO "
        "ip_address (lane, ip_pool_id, "
        "ipv4, helo, created_at, revision) VALUES (22, 2, '192.0.2.2', 'o.test', 0, 0); UPDATE "
        "server SET ip_pool_id = 2 "
        "WHERE permalink = 'news'");
    g_autofree char *migration = NULL;

    (void)state;
    assert_string_equal(old, "");
    assert_true(
        g_file_get_contents(MIGRATIONS "/0012-pools-and-smart-hosts.sql", &migration, NULL, NULL));
    g_autofree char *applied = mariadb_fixture_run(server, name, migration);
    assert_string_equal(applied, "");
    g_autofree char *found =
        mariadb_fixture_run(server, name,
                            "SELECT (SELECT GROUP_CONCAT(ip_pool_id, ':', organization_id) FROM "
                            "ip_pool_organization), (SELECT "
                            "GROUP_CONCAT(l.id, ':', COALESCE(ip_pool_id, 0), ':', removed_at IS "
                            "NOT NULL, ':', l.revision = c.revision "
                            "ORDER BY l.id) FROM lane l JOIN revision_counter c)");
    assert_non_null(strstr(found, "2:1\t21:0:1:1,22:2:0:1"));
    good(FALSE, DIRECTORY_SERVER, "acme/main", "pool=vip");
}

/* What an installation has stays as it was. */
static void test_migration_leaves_fallback_as_it_was(void **state)
{
    (void)state;
    g_free(mariadb_fixture_run(server, name, "ALTER TABLE ip_pool DROP fallback"));
    g_autofree char *migration = NULL;
    assert_true(g_file_get_contents(MIGRATIONS "/0013-pool-fallback.sql", &migration, NULL, NULL));
    g_free(mariadb_fixture_run(server, name, migration));
    g_autofree char *found =
        mariadb_fixture_run(server, name, "SELECT DISTINCT fallback FROM ip_pool");
    assert_string_equal(found, "default\n");
}

static void test_pool_fallback(void **state)
{
    const char *const names[] = {"vip", NULL};
    GError *error = NULL;

    (void)state;
    g_autoptr(Record) before = directory_show(sql, DIRECTORY_POOL, names, &error);
    assert_no_error(error);
    assert_string_equal(record_text(before, "fallback"), "default");
    good(FALSE, DIRECTORY_POOL, "vip", "fallback=defer");
    g_autoptr(Record) after = directory_show(sql, DIRECTORY_POOL, names, &error);
    assert_string_equal(record_text(after, "fallback"), "defer");
    good(FALSE, DIRECTORY_POOL, "vip", "default");
    g_autoptr(Record) still = directory_show(sql, DIRECTORY_POOL, names, &error);
    assert_string_equal(record_text(still, "fallback"), "defer");
    assert_null(apply(FALSE, DIRECTORY_POOL, "vip", "fallback=bounce", &error));
    assert_error_code(error, INVALID);
}

static void test_token_is_shown_once_and_keeps_its_owner(void **state)
{
    static const Case refused[] = {
        {TRUE, DIRECTORY_TOKEN, "bot", "owner=nobody", OUTRIDER_ERROR_NOT_FOUND, "nobody"},
        {TRUE, DIRECTORY_TOKEN, "bot", "expires=2001-01-01", OUTRIDER_ERROR_INVALID, "expires: "},
        {TRUE, DIRECTORY_TOKEN, "", "", OUTRIDER_ERROR_INVALID, "token: "},
        {TRUE, DIRECTORY_TOKEN, "ci", "", OUTRIDER_ERROR_EXISTS, "token ci"},
        {FALSE, DIRECTORY_TOKEN, "ci", "owner=other", OUTRIDER_ERROR_INVALID, "owner"},
        {FALSE, DIRECTORY_TOKEN, "gone", "disable", OUTRIDER_ERROR_NOT_FOUND, "gone"},
    };
    const char *const names[] = {"ci", NULL}, *const owner[] = {"acme/news", NULL};
    GError *error = NULL;

    (void)state;
    g_autoptr(Record) made = apply(TRUE, DIRECTORY_TOKEN, "ci", "owner=acme/news", &error);
    assert_no_error(error);
    assert_int_equal(strlen(record_text(made, "token")), 28);
    good(FALSE, DIRECTORY_TOKEN, "ci", "disable expires=2999-01-01");
    assert_refused(refused, G_N_ELEMENTS(refused));
    g_autoptr(Record) shown = directory_show(sql, DIRECTORY_TOKEN, names, &error);
    assert_no_error(error);
    assert_true(record_is_null(shown, "token"));
    assert_string_equal(record_text(shown, "organization"), "acme");
    assert_string_equal(record_text(shown, "server"), "news");
    assert_false(record_is_null(shown, "disabled_at"));
    assert_false(directory_delete(sql, DIRECTORY_SERVER, owner, &error));
    assert_non_null(strstr(error->message, "token ci"));
    g_clear_error(&error);
    assert_true(directory_delete(sql, DIRECTORY_TOKEN, names, &error));
    assert_true(directory_delete(sql, DIRECTORY_SERVER, owner, &error));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_directory_lane_refused),
        CASE(test_pool_access_deny_names_users),
        CASE(test_pool_access_of_an_earlier_default_stays),
        CASE(test_rule_list_order_and_owner_deletion),
        CASE(test_lane_of_what_is_deleted_is_remembered),
        CASE(test_migration_grants_what_is_in_use),
        CASE(test_migration_leaves_fallback_as_it_was),
        CASE(test_pool_fallback),
        CASE(test_token_is_shown_once_and_keeps_its_owner),
    };

    server = mariadb_fixture_start();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mariadb_fixture_stop(server);
    return failed;
}
