/* SPDX-License-Identifier: MIT */
/* Endpoints and routes: what may be added, changed and deleted, and what goes along; with a real database. */
#include <string.h>

#include "lib/base/error.h"
#include "lib/directory/directory.h"
#include "lib/directory/endpoint_check.h"
#include "tests/lib/database_fixture.h"
#include "tests/lib/testing.h"

static MariadbFixture *server;

static Sql *sql_of(void **state)
{
    return ((Database *)*state)->sql;
}

/* "owner name" and "option=value option". */
static Record *apply(Sql *sql, gboolean add, DirectoryObject object, const char *who,
                     const char *text, GError **error)
{
    g_auto(GStrv) names = g_strsplit(who, " ", 2);
    g_auto(GStrv) words = g_strsplit(text, " ", 8);
    DirectoryOption options[8];
    guint n = 0;

    for (; words[n]; n++) {
        char *equals = strchr(words[n], '=');
        if (equals)
            *equals = '\0';
        options[n] = (DirectoryOption){words[n], equals ? equals + 1 : NULL};
    }
    const char *const *given = (const char *const *)names;
    return add ? directory_add(sql, object, given, options, n, error)
               : directory_change(sql, object, given, options, n, error);
}

static Record *good(Sql *sql, gboolean add, DirectoryObject object, const char *who,
                    const char *text)
{
    GError *error = NULL;
    Record *record = apply(sql, add, object, who, text, &error);

    if (!record)
        fail_msg("%s %s: %s", who, text, error->message);
    return record;
}

static void add(Sql *sql, DirectoryObject object, const char *who, const char *text)
{
    record_free(good(sql, TRUE, object, who, text));
}

static int setup(void **state)
{
    Database *database = database_new(server);
    Sql *sql = database->sql;

    add(sql, DIRECTORY_ORGANIZATION, "acme", "");
    add(sql, DIRECTORY_ORGANIZATION, "other", "");
    add(sql, DIRECTORY_SERVER, "acme/main", "");
    add(sql, DIRECTORY_SERVER, "acme/news", "");
    add(sql, DIRECTORY_SERVER, "other/main", "");
    add(sql, DIRECTORY_DOMAIN, "acme acme.test", "no-ed25519");
    add(sql, DIRECTORY_DOMAIN, "acme/news news.test", "no-ed25519");
    add(sql, DIRECTORY_DOMAIN, "acme/main unproven.test", "no-ed25519 unverified");
    add(sql, DIRECTORY_DOMAIN, "other acme.test", "no-ed25519");
    add(sql, DIRECTORY_ENDPOINT, "acme/main crm", "url=https://crm.test/in");
    add(sql, DIRECTORY_ENDPOINT, "acme/main log", "url=https://log.test/in");
    add(sql, DIRECTORY_ENDPOINT, "acme/main mx", "smtp=mx.test:2525 tls=verify");
    add(sql, DIRECTORY_ENDPOINT, "acme/main fw", "address=Boss@elsewhere.test");
    add(sql, DIRECTORY_ENDPOINT, "acme/news crm", "url=https://news.test/in");
    *state = database;
    return 0;
}

static const char *text_of(const Record *record, const char *key)
{
    const char *text = record_text(record, key);

    return text ? text : "";
}

static void test_directory_add_endpoint(void **state)
{
    Sql *sql = sql_of(state);

    g_autoptr(Record) http =
        good(sql, TRUE, DIRECTORY_ENDPOINT, "acme/main plain", "url=http://192.0.2.1/ timeout=60");
    assert_string_equal(text_of(http, "kind"), "http");
    assert_string_equal(text_of(http, "encoding"), "json");
    assert_string_equal(text_of(http, "format"), "hash");
    assert_int_equal(record_int(http, "timeout"), 60);
    assert_true(json_object_get_boolean(json_object_object_get(http, "attachments")));
    assert_false(json_object_get_boolean(json_object_object_get(http, "strip_replies")));
    assert_true(record_is_null(http, "host") && record_is_null(http, "tls"));
    g_autoptr(Record) smtp =
        good(sql, TRUE, DIRECTORY_ENDPOINT, "acme/main relay", "smtp=192.0.2.1");
    assert_int_equal(record_int(smtp, "port"), 25);
    assert_string_equal(text_of(smtp, "tls"), "may");
    assert_true(record_is_null(smtp, "url") && record_is_null(smtp, "timeout"));
    g_autoptr(Record) store =
        good(sql, TRUE, DIRECTORY_ENDPOINT, "acme/main store", "lmtp=store.test");
    assert_int_equal(record_int(store, "port"), 24);
    g_autoptr(Record) path =
        good(sql, TRUE, DIRECTORY_ENDPOINT, "acme/main socket", "lmtp=/run/dovecot/lmtp");
    assert_string_equal(text_of(path, "host"), "/run/dovecot/lmtp");
    assert_true(record_is_null(path, "port"));
    g_autoptr(Record) forward =
        good(sql, TRUE, DIRECTORY_ENDPOINT, "acme/main fw2", "address=Other@Elsewhere.test");
    assert_string_equal(text_of(forward, "address"), "other@elsewhere.test");
}

typedef struct {
    gboolean add;
    DirectoryObject object;
    const char *who, *text;
    OutriderError code;
    const char *says;
} Case;

static void assert_refused(Sql *sql, const Case *cases, guint n)
{
    for (guint i = 0; i < n; i++) {
        GError *error = NULL;
        if (apply(sql, cases[i].add, cases[i].object, cases[i].who, cases[i].text, &error))
            fail_msg("case %u was allowed", i);
        if (error->code != (int)cases[i].code || !strstr(error->message, cases[i].says))
            fail_msg("case %u: %s", i, error->message);
        g_error_free(error);
    }
}

#define E DIRECTORY_ENDPOINT
#define R DIRECTORY_ROUTE
#define BAD(add, object, who, text, code, says)                                                    \
    {                                                                                              \
        add, object, who, text, OUTRIDER_ERROR_##code, says                                        \
    }

static void test_directory_endpoint_refused(void **state)
{
    static const Case cases[] = {
        BAD(TRUE, E, "acme/main x", "", INVALID, "one of --url"),
        BAD(TRUE, E, "acme/main x", "tls=may", INVALID, "one of --url"),
        BAD(TRUE, E, "acme/main x", "url=http://a.test smtp=a.test", INVALID, "one of --url"),
        BAD(TRUE, E, "acme/main x", "url=http://a.test tls=may", INVALID, "--tls goes with --smtp"),
        BAD(TRUE, E, "acme/main x", "smtp=a.test timeout=5", INVALID, "--timeout goes with --url"),
        BAD(TRUE, E, "acme/main x", "lmtp=a.test tls=may", INVALID, "--tls goes with --smtp"),
        BAD(TRUE, E, "acme/main x", "address=a@b.test format=raw", INVALID, "--format"),
        BAD(TRUE, E, "acme/main x", "smtp=a.test:465", INVALID, "465"),
        BAD(TRUE, E, "acme/main x", "smtp=192.0.2.1 tls=verify", INVALID, "host name"),
        BAD(TRUE, E, "acme/main x", "url=http://u:p@a.test", INVALID, "user or a password"),
        BAD(TRUE, E, "acme/main crm", "url=http://a.test", EXISTS, "acme/main crm exists already"),
        BAD(TRUE, E, "acme/main x", "address=boss@ELSEWHERE.test", EXISTS, "endpoint fw"),
        BAD(TRUE, E, "acme/none x", "url=http://a.test", NOT_FOUND, "acme/none"),
        BAD(TRUE, E, "acme x", "url=http://a.test", INVALID, "ORGANIZATION/SERVER"),
        BAD(FALSE, E, "acme/main crm", "smtp=a.test", INVALID, "kind http"),
        BAD(FALSE, E, "acme/main crm", "tls=may", INVALID, "--tls"),
        BAD(FALSE, E, "acme/main mx", "smtp=192.0.2.9", INVALID, "host name"),
        BAD(FALSE, E, "acme/main mx", "smtp=mx.test:465", INVALID, "465"),
        BAD(FALSE, E, "acme/main crm", "name=log", EXISTS, "exists already"),
        BAD(FALSE, E, "acme/main crm", "", INVALID, "nothing to change"),
        BAD(FALSE, E, "other/main crm", "timeout=9", NOT_FOUND, "other/main crm"),
    };

    assert_refused(sql_of(state), cases, G_N_ELEMENTS(cases));
}

/* What was looked up for a host goes with it. */
static void test_directory_change_endpoint(void **state)
{
    const Database *database = *state;

    g_free(database_run(database, "UPDATE endpoint SET resolved = '192.0.2.7', resolved_at = 5 "
                                  "WHERE name = 'mx'"));
    g_autoptr(Record) renamed =
        good(database->sql, FALSE, E, "acme/main mx", "name=mail tls=encrypt");
    assert_string_equal(text_of(renamed, "name"), "mail");
    assert_string_equal(text_of(renamed, "resolved"), "192.0.2.7");
    assert_int_equal(record_int(renamed, "port"), 2525);
    g_autoptr(Record) port = good(database->sql, FALSE, E, "acme/main mail", "smtp=mx.test");
    assert_string_equal(text_of(port, "resolved"), "192.0.2.7");
    assert_int_equal(record_int(port, "port"), 25);
    g_autoptr(Record) moved = good(database->sql, FALSE, E, "acme/main mail", "smtp=mx2.test");
    assert_true(record_is_null(moved, "resolved") && record_is_null(moved, "resolved_at"));
    assert_string_equal(text_of(moved, "tls"), "encrypt");
    g_autoptr(Record) http =
        good(database->sql, FALSE, E, "acme/main crm", "format=raw attachments=no");
    assert_string_equal(text_of(http, "url"), "https://crm.test/in");
    assert_string_equal(text_of(http, "encoding"), "json");
    assert_string_equal(text_of(http, "format"), "raw");
}

static void test_directory_add_route(void **state)
{
    const Database *database = *state;
    Sql *sql = database->sql;

    g_autoptr(Record) info = good(sql, TRUE, R, "acme/main info@Acme.test", "endpoint=mx,crm");
    assert_string_equal(text_of(info, "address"), "info@acme.test");
    assert_string_equal(text_of(info, "mode"), "endpoint");
    assert_string_equal(text_of(info, "spam_mode"), "mark");
    assert_string_equal(text_of(info, "endpoints"), "mx,crm");
    assert_int_equal(strlen(text_of(info, "token")), 8);
    assert_int_equal(strspn(text_of(info, "token"), "abcdefghijklmnopqrstuvwxyz0123456789"), 8);
    g_autoptr(Record) all = good(sql, TRUE, R, "acme/main *@acme.test", "endpoint=fw,log,crm");
    assert_string_equal(text_of(all, "endpoints"), "fw,log,crm");
    assert_string_not_equal(text_of(all, "token"), text_of(info, "token"));
    g_autoptr(Record) hold = good(sql, TRUE, R, "acme/news x@news.test", "mode=hold spam=fail");
    assert_true(record_is_null(hold, "endpoints"));
    g_autoptr(Record) returned = good(sql, TRUE, R, "acme/main returnpath", "endpoint=crm,log");
    assert_string_equal(text_of(returned, "address"), "__returnpath__");
    assert_true(record_is_null(returned, "domain"));
    add(sql, R, "acme/news returnpath", "endpoint=crm");
    g_autoptr(Record) list = directory_list(sql, R, "acme/main", NULL);
    assert_int_equal(json_object_array_length(list), 3);
    assert_rows(database,
                "SELECT GROUP_CONCAT(position ORDER BY position) FROM route_endpoint x "
                "JOIN route r ON r.id = x.route_id WHERE r.name = '*'",
                "0,1,2");
}

static void test_directory_route_refused(void **state)
{
    static const Case cases[] = {
        BAD(TRUE, R, "acme/main a@acme.test", "", INVALID, "--mode MODE or --endpoint NAME"),
        BAD(TRUE, R, "acme/main a@acme.test", "mode=endpoint", INVALID,
            "--endpoint NAME is missing"),
        BAD(TRUE, R, "acme/main a@acme.test", "endpoint=none", INVALID,
            "--endpoint NAME is missing"),
        BAD(TRUE, R, "acme/main a@acme.test", "mode=hold endpoint=crm", INVALID, "mode hold"),
        BAD(TRUE, R, "acme/main a@acme.test", "endpoint=crm,gone", NOT_FOUND, "no endpoint gone"),
        BAD(TRUE, R, "acme/news a@news.test", "endpoint=mx", NOT_FOUND, "no endpoint mx"),
        BAD(TRUE, R, "acme/main *@acme.test", "endpoint=crm,mx", INVALID, "first place"),
        BAD(TRUE, R, "acme/main *@acme.test", "endpoint=crm,fw", INVALID, "first place"),
        BAD(TRUE, R, "acme/main returnpath", "endpoint=mx", INVALID, "HTTP endpoints"),
        BAD(TRUE, R, "acme/main returnpath", "endpoint=crm,fw", INVALID, "HTTP endpoints"),
        BAD(TRUE, R, "acme/main returnpath", "mode=accept", INVALID, "HTTP endpoints"),
        BAD(TRUE, R, "acme/main a@unproven.test", "mode=accept", REFUSED, "not verified"),
        BAD(TRUE, R, "acme/main a@none.test", "mode=accept", NOT_FOUND, "a domain none.test"),
        BAD(TRUE, R, "acme/main a@news.test", "mode=accept", NOT_FOUND, "a domain news.test"),
        BAD(TRUE, R, "other/main a@news.test", "mode=accept", NOT_FOUND, "a domain news.test"),
        BAD(TRUE, R, "acme/main taken@acme.test", "mode=hold", EXISTS, "exists already"),
        BAD(TRUE, R, "acme/news taken@acme.test", "mode=hold", EXISTS, "of another server"),
        BAD(TRUE, R, "other/main taken@acme.test", "mode=hold", EXISTS, "of another server"),
        BAD(TRUE, R, "acme/main A@acme.test", "mode=hold", INVALID, "route: "),
        BAD(FALSE, R, "acme/main taken@acme.test", "mode=endpoint", INVALID, "--endpoint NAME"),
        BAD(FALSE, R, "acme/main taken@acme.test", "mode=reject endpoint=crm", INVALID, "has none"),
        BAD(FALSE, R, "acme/main taken@acme.test", "endpoint=none", INVALID, "--endpoint NAME"),
        BAD(FALSE, R, "acme/news taken@acme.test", "mode=reject", NOT_FOUND, "does not exist"),
    };
    const Database *database = *state;

    add(database->sql, R, "acme/main taken@acme.test", "mode=accept");
    assert_refused(database->sql, cases, G_N_ELEMENTS(cases));
    assert_rows(database, "SELECT COUNT(*) FROM route", "1");
    assert_rows(database, "SELECT COUNT(*) FROM route_endpoint", "0");
}

static void test_directory_route_return_path_once_a_server(void **state)
{
    static const Case cases[] = {
        BAD(TRUE, R, "acme/main returnpath", "endpoint=log", EXISTS, "exists already")};
    Sql *sql = sql_of(state);

    add(sql, R, "acme/main returnpath", "endpoint=crm");
    assert_refused(sql, cases, 1);
}

static void test_directory_change_route(void **state)
{
    const Database *database = *state;
    Sql *sql = database->sql;
    g_autoptr(Record) first = good(sql, TRUE, R, "acme/main info@acme.test", "endpoint=mx,crm");

    g_autoptr(Record) spam = good(sql, FALSE, R, "acme/main info@acme.test", "spam=quarantine");
    assert_string_equal(text_of(spam, "endpoints"), "mx,crm");
    assert_string_equal(text_of(spam, "token"), text_of(first, "token"));
    g_autoptr(Record) others = good(sql, FALSE, R, "acme/main info@acme.test", "endpoint=log");
    assert_string_equal(text_of(others, "endpoints"), "log");
    assert_rows(database, "SELECT COUNT(*) FROM tombstone WHERE table_name = 'route_endpoint'",
                "2");
    g_autoptr(Record) rejects = good(sql, FALSE, R, "acme/main info@acme.test", "mode=reject");
    assert_true(record_is_null(rejects, "endpoints"));
    assert_rows(database, "SELECT COUNT(*) FROM route_endpoint", "0");
    g_autoptr(Record) again = good(sql, FALSE, R, "acme/main info@acme.test", "endpoint=fw");
    assert_string_equal(text_of(again, "mode"), "endpoint");
}

static gboolean remove_it(Sql *sql, DirectoryObject object, const char *who, GError **error)
{
    g_auto(GStrv) names = g_strsplit(who, " ", 2);

    return directory_delete(sql, object, (const char *const *)names, error);
}

static const char *const crm[] = {"acme/main", "crm", NULL};

/* All routes that lead to it, also those that lead to others besides. */
static void test_directory_delete_endpoint(void **state)
{
    const Database *database = *state;
    Sql *sql = database->sql;
    GError *error = NULL;

    add(sql, R, "acme/main a@acme.test", "endpoint=crm");
    add(sql, R, "acme/main b@acme.test", "endpoint=mx,crm,log");
    add(sql, R, "acme/main c@acme.test", "endpoint=log");
    add(sql, R, "acme/main returnpath", "endpoint=crm");
    assert_false(directory_delete_endpoint(sql, crm, FALSE, &error));
    assert_non_null(strstr(error->message, "route a@acme.test, route b@acme.test"));
    assert_error_code(error, REFUSED);
    assert_false(remove_it(sql, E, "acme/main crm", &error));
    assert_error_code(error, REFUSED);
    assert_true(directory_delete_endpoint(sql, crm, TRUE, &error));
    assert_rows(database, "SELECT GROUP_CONCAT(name, '=', mode ORDER BY name) FROM route",
                "__returnpath__=reject,a=reject,b=reject,c=endpoint");
    assert_rows(database, "SELECT COUNT(*) FROM route_endpoint", "1");
    assert_rows(
        database,
        "SELECT GROUP_CONCAT(table_name ORDER BY table_name) FROM tombstone WHERE table_name "
        "IN ('endpoint', 'route_endpoint')",
        "endpoint,route_endpoint,route_endpoint,route_endpoint,route_endpoint,route_endpoint");
    assert_rows(database,
                "SELECT COUNT(*) FROM route WHERE mode = 'reject' AND revision = "
                "(SELECT MAX(revision) FROM tombstone WHERE table_name = 'endpoint')",
                "3");
    assert_true(remove_it(sql, E, "acme/main fw", &error));
    assert_false(directory_delete_endpoint(sql, crm, TRUE, &error));
    assert_error_code(error, NOT_FOUND);
}

static void test_directory_delete_takes_routes_along(void **state)
{
    const Database *database = *state;
    Sql *sql = database->sql;
    GError *error = NULL;

    add(sql, R, "acme/main a@acme.test", "endpoint=crm,mx");
    add(sql, R, "acme/news b@acme.test", "endpoint=crm");
    add(sql, R, "acme/news c@news.test", "mode=accept");
    add(sql, R, "acme/news returnpath", "endpoint=crm");
    add(sql, R, "other/main d@acme.test", "mode=hold");
    assert_true(remove_it(sql, R, "acme/main a@acme.test", &error));
    assert_rows(database, "SELECT COUNT(*) FROM route_endpoint", "2");
    add(sql, R, "acme/main a@acme.test", "endpoint=crm,mx");
    assert_true(remove_it(sql, DIRECTORY_DOMAIN, "acme acme.test", &error));
    assert_rows(database, "SELECT GROUP_CONCAT(name ORDER BY name) FROM route",
                "__returnpath__,c,d");
    assert_rows(database, "SELECT COUNT(*) FROM route_endpoint", "1");
    assert_rows(database, "SELECT COUNT(*) FROM tombstone WHERE table_name = 'route'", "3");
    assert_true(remove_it(sql, DIRECTORY_DOMAIN, "acme/news news.test", &error));
    assert_true(remove_it(sql, DIRECTORY_SERVER, "acme/news", &error));
    assert_rows(database, "SELECT COUNT(*) FROM endpoint WHERE name = 'crm'", "1");
    assert_rows(database, "SELECT GROUP_CONCAT(name) FROM route", "d");
    assert_rows(database, "SELECT COUNT(*) FROM route_endpoint", "0");
    assert_rows(database, "SELECT COUNT(*) FROM tombstone WHERE table_name = 'endpoint'", "1");
    assert_rows(database, "SELECT COUNT(*) FROM tombstone WHERE table_name = 'route_endpoint'",
                "6");
}

static void test_endpoint_may_be_at_table(void **state)
{
    static const struct {
        const char *address;
        gboolean may, allowed; /* without, and with 10.1.0.0/16, ::1 and 192.0.2.7 in the option */
    } cases[] = {
        {"9.9.9.9", TRUE, TRUE},
        {"2620:fe::fe", TRUE, TRUE},
        {"223.255.255.255", TRUE, TRUE},
        {"10.1.2.3", FALSE, TRUE},
        {"::ffff:10.1.2.3", FALSE, TRUE},
        {"10.2.0.1", FALSE, FALSE},
        {"192.0.2.7", FALSE, TRUE},
        {"192.0.2.8", FALSE, FALSE},
        {"::1", FALSE, TRUE},
        {"127.0.0.1", FALSE, FALSE},
        {"::ffff:127.0.0.1", FALSE, FALSE},
        {"0.0.0.0", FALSE, FALSE},
        {"100.64.0.1", FALSE, FALSE},
        {"169.254.169.254", FALSE, FALSE},
        {"172.31.255.255", FALSE, FALSE},
        {"192.168.0.1", FALSE, FALSE},
        {"224.0.0.1", FALSE, FALSE},
        {"255.255.255.255", FALSE, FALSE},
        {"::", FALSE, FALSE},
        {"fe80::1", FALSE, FALSE},
        {"fd00::1", FALSE, FALSE},
        {"ff02::1", FALSE, FALSE},
        {"64:ff9b::7f00:1", FALSE, FALSE},
        {"2002:7f00:1::", FALSE, FALSE},
        {"2001:db8::1", FALSE, FALSE},
        {"2001::1", FALSE, FALSE},
        {"mx.test", FALSE, FALSE},
        {"", FALSE, FALSE},
    };
    g_autoptr(Config) none = config_parse("t", "return_path_domain = rp.test\n", -1, NULL);
    g_autoptr(Config) some = config_parse("t",
                                          "return_path_domain = rp.test\nsmtp_endpoint_allow = "
                                          "10.1.0.0/16, ::1 192.0.2.7\n",
                                          -1, NULL);

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        if (endpoint_may_be_at(none, cases[i].address) != cases[i].may ||
            endpoint_may_be_at(some, cases[i].address) != cases[i].allowed)
            fail_msg("%s", cases[i].address);
}

/* Nobody's server answers at that address: what was found before stays. */
static void test_endpoint_check_keeps_the_last(void **state)
{
    const Database *database = *state;
    g_autoptr(Config) config = config_parse(
        "t", "return_path_domain = rp.test\nsmtp_endpoint_allow = 192.0.2.0/24\n", -1, NULL);
    g_autoptr(Dns) dns = dns_open_server("127.0.0.77", NULL);
    g_autoptr(Record) literal = good(database->sql, TRUE, E, "acme/main literal", "smtp=192.0.2.9");
    g_autofree char *address = NULL;
    g_autofree char *wrong = NULL;
    g_autofree char *kept = NULL;
    g_autofree char *why = NULL;
    g_autofree char *nowhere = NULL;
    g_autofree char *refused = NULL;
    GError *error = NULL;

    assert_non_null(dns);
    assert_true(endpoint_check(database->sql, config, dns, literal, &address, &wrong, &error));
    assert_string_equal(address, "192.0.2.9");
    assert_null(wrong);
    assert_rows(database,
                "SELECT COUNT(*) FROM endpoint WHERE resolved = '192.0.2.9' AND "
                "resolved_at > 1700000000 AND revision = (SELECT MAX(revision) FROM endpoint)",
                "1");
    g_free(database_run(database, "UPDATE endpoint SET resolved = '192.0.2.7' WHERE name = 'mx'"));
    g_autoptr(Record) mx =
        directory_show(database->sql, E, (const char *const[]){"acme/main", "mx", NULL}, &error);
    assert_true(endpoint_check(database->sql, config, dns, mx, &kept, &why, &error));
    assert_string_equal(kept, "192.0.2.7");
    assert_non_null(why);
    g_autoptr(Record) inside = good(database->sql, TRUE, E, "acme/main inside", "lmtp=127.0.0.1");
    assert_true(endpoint_check(database->sql, config, dns, inside, &nowhere, &refused, &error));
    assert_null(nowhere);
    assert_non_null(strstr(refused, "smtp_endpoint_allow"));
}

static int start(void **state)
{
    (void)state;
    server = mariadb_fixture_start();
    return server ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    mariadb_fixture_stop(server);
    return 0;
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, database_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_directory_add_endpoint),
        CASE(test_directory_endpoint_refused),
        CASE(test_directory_change_endpoint),
        CASE(test_directory_add_route),
        CASE(test_directory_route_refused),
        CASE(test_directory_route_return_path_once_a_server),
        CASE(test_directory_change_route),
        CASE(test_directory_delete_endpoint),
        CASE(test_directory_delete_takes_routes_along),
        CASE(test_endpoint_check_keeps_the_last),
        cmocka_unit_test(test_endpoint_may_be_at_table),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
