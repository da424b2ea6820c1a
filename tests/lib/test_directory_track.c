/* SPDX-License-Identifier: MIT */
/* Track domains: what may be added and changed, and when links are made for one; with a real database. */
#include <string.h>

#include "lib/base/error.h"
#include "lib/directory/directory.h"
#include "lib/directory/track_check.h"
#include "tests/lib/database_fixture.h"
#include "tests/lib/testing.h"

static MariadbFixture *server;
static Sql *sql;
static guint databases;
static char *name;

/* "owner host" and "option=value option". */
static Record *apply(gboolean add, DirectoryObject object, const char *who, const char *text,
                     GError **error)
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

static Record *good(gboolean add, DirectoryObject object, const char *who, const char *text)
{
    GError *error = NULL;
    Record *record = apply(add, object, who, text, &error);

    assert_no_error(error);
    assert_non_null(record);
    return record;
}

static void add(DirectoryObject object, const char *who, const char *text)
{
    record_free(good(TRUE, object, who, text));
}

static int setup(void **state)
{
    (void)state;
    name = g_strdup_printf("t%u", databases++);
    sql = database_fixture_open(server, name);
    add(DIRECTORY_ORGANIZATION, "acme", "");
    add(DIRECTORY_ORGANIZATION, "other", "");
    add(DIRECTORY_SERVER, "acme/main", "");
    add(DIRECTORY_SERVER, "acme/news", "");
    add(DIRECTORY_SERVER, "other/main", "");
    add(DIRECTORY_DOMAIN, "acme acme.test", "no-ed25519");
    add(DIRECTORY_DOMAIN, "acme/news news.test", "no-ed25519");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sql_close(sql);
    g_free(name);
    return 0;
}

static gboolean is(const Record *record, const char *key)
{
    Record *member = json_object_object_get(record, key);

    assert_true(json_object_is_type(member, json_type_boolean));
    return json_object_get_boolean(member);
}

static void test_directory_add_track_domain(void **state)
{
    (void)state;
    g_autoptr(Record) plain =
        good(TRUE, DIRECTORY_TRACK_DOMAIN, "acme/main Links.ACME.test", "https=yes");
    assert_string_equal(record_text(plain, "host"), "links.acme.test");
    assert_string_equal(record_text(plain, "server"), "main");
    assert_true(is(plain, "https") && is(plain, "clicks") && is(plain, "opens"));
    assert_false(is(plain, "text_links"));
    assert_false(is(plain, "active")); /* until the DNS says so */
    assert_true(record_is_null(plain, "domain"));

    g_autoptr(Record) full = good(TRUE, DIRECTORY_TRACK_DOMAIN,
                                  "acme/main klick.b\xc3\xbc"
                                  "cher.example",
                                  "https=no clicks=no text-links=yes domain=acme.test force "
                                  "exclude=Bank.test,.b\xc3\xbc"
                                  "cher.example");
    assert_string_equal(record_text(full, "host"), "klick.xn--bcher-kva.example");
    assert_string_equal(record_text(full, "domain"), "acme.test");
    assert_string_equal(record_text(full, "excluded"), "bank.test,.xn--bcher-kva.example");
    assert_true(is(full, "forced") && is(full, "active") && is(full, "text_links"));
    assert_false(is(full, "https") || is(full, "clicks"));
}

static void test_directory_track_domain_refused(void **state)
{
    static const struct {
        gboolean add;
        const char *who, *text;
        OutriderError code;
        const char *says;
    } cases[] = {
        {TRUE, "acme/main one", "https=no", OUTRIDER_ERROR_INVALID, "track-domain: "},
        {TRUE, "acme/main 192.0.2.1", "https=no", OUTRIDER_ERROR_INVALID, "track-domain: "},
        {TRUE, "acme/main a.test:80", "https=no", OUTRIDER_ERROR_INVALID, "track-domain: "},
        {TRUE, "acme/main a.test/x", "https=no", OUTRIDER_ERROR_INVALID, "track-domain: "},
        {TRUE, "acme a.test", "https=no", OUTRIDER_ERROR_INVALID, "ORGANIZATION/SERVER"},
        {TRUE, "acme/gone a.test", "https=no", OUTRIDER_ERROR_NOT_FOUND, "gone"},
        {TRUE, "acme/main a.test", "https=maybe", OUTRIDER_ERROR_INVALID, "https: "},
        {TRUE, "acme/main a.test", "exclude=", OUTRIDER_ERROR_INVALID, "exclude: "},
        {TRUE, "acme/main a.test", "exclude=a.test,,b.test", OUTRIDER_ERROR_INVALID, "exclude: "},
        {TRUE, "acme/main a.test", "exclude=..a.test", OUTRIDER_ERROR_INVALID, "exclude: "},
        {TRUE, "acme/main a.test", "exclude=*.a.test", OUTRIDER_ERROR_INVALID, "exclude: "},
        {TRUE, "acme/main a.test", "exclude=https://a.test", OUTRIDER_ERROR_INVALID, "exclude: "},
        {TRUE, "acme/main a.test", "exclude=.a.test,.A.test", OUTRIDER_ERROR_INVALID, "twice"},
        {TRUE, "acme/main a.test", "domain=gone.test", OUTRIDER_ERROR_NOT_FOUND, "gone.test"},
        {TRUE, "acme/main a.test", "domain=news.test", OUTRIDER_ERROR_NOT_FOUND, "news.test"},
        {TRUE, "other/main a.test", "domain=acme.test", OUTRIDER_ERROR_NOT_FOUND, "acme.test"},
        {TRUE, "acme/main a.test", "disable", OUTRIDER_ERROR_INVALID, "disable"},
        {TRUE, "acme/main links.acme.test", "https=no", OUTRIDER_ERROR_EXISTS, "links.acme.test"},
        /* a host belongs to one server of all */
        {TRUE, "other/main links.acme.test", "https=no", OUTRIDER_ERROR_EXISTS, "exists"},
        {FALSE, "other/main links.acme.test", "https=no", OUTRIDER_ERROR_NOT_FOUND, "not exist"},
        {FALSE, "acme/main links.acme.test", "domain=news.test", OUTRIDER_ERROR_NOT_FOUND,
         "news.test"},
        {FALSE, "acme/main links.acme.test", "host=b.test", OUTRIDER_ERROR_INVALID, "host"},
    };

    (void)state;
    add(DIRECTORY_TRACK_DOMAIN, "acme/main links.acme.test", "https=no");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        if (apply(cases[i].add, DIRECTORY_TRACK_DOMAIN, cases[i].who, cases[i].text, &error))
            fail_msg("case %u was allowed", i);
        if (error->code != (int)cases[i].code || !strstr(error->message, cases[i].says))
            fail_msg("case %u: %s", i, error->message);
        g_error_free(error);
    }
}

static void test_directory_change_track_domain(void **state)
{
    static const struct {
        const char *text;
        gboolean active;
    } steps[] = {{"force", TRUE},         {"disable", FALSE}, {"enable", TRUE},
                 {"no-force", FALSE},     {"enable", FALSE},  {"domain=acme.test", FALSE},
                 {"force opens=no", TRUE}};

    (void)state;
    add(DIRECTORY_TRACK_DOMAIN, "acme/main links.acme.test", "exclude=x.test");
    for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_autoptr(Record) record =
            good(FALSE, DIRECTORY_TRACK_DOMAIN, "acme/main links.acme.test", steps[i].text);
        if (is(record, "active") != steps[i].active)
            fail_msg("step %u", i);
        assert_string_equal(record_text(record, "excluded"), "x.test");
    }
    g_autoptr(Record) last = good(FALSE, DIRECTORY_TRACK_DOMAIN, "acme/main links.acme.test",
                                  "domain=none exclude=none");
    assert_true(record_is_null(last, "domain") && record_is_null(last, "excluded"));
}

static gboolean remove_it(DirectoryObject object, const char *who, GError **error)
{
    g_auto(GStrv) names = g_strsplit(who, " ", 2);

    return directory_delete(sql, object, (const char *const *)names, error);
}

static void test_directory_delete_what_a_track_domain_needs(void **state)
{
    GError *error = NULL;

    (void)state;
    add(DIRECTORY_TRACK_DOMAIN, "acme/main links.acme.test", "domain=acme.test");
    assert_false(remove_it(DIRECTORY_SERVER, "acme/main", &error));
    assert_non_null(strstr(error->message, "track-domain links.acme.test"));
    assert_error_code(error, REFUSED);
    assert_false(remove_it(DIRECTORY_DOMAIN, "acme acme.test", &error));
    assert_non_null(strstr(error->message, "track-domain links.acme.test"));
    assert_error_code(error, REFUSED);
    assert_false(remove_it(DIRECTORY_TRACK_DOMAIN, "other/main links.acme.test", &error));
    assert_error_code(error, NOT_FOUND);
    assert_true(remove_it(DIRECTORY_TRACK_DOMAIN, "acme/main links.acme.test", &error));
    assert_true(remove_it(DIRECTORY_DOMAIN, "acme acme.test", &error));
    assert_true(remove_it(DIRECTORY_SERVER, "acme/main", &error));
}

/* Nobody answers here: that is a finding, and changes nothing. Nothing is asked without a tracking host. */
static void test_track_check_nobody_answers(void **state)
{
    GError *error = NULL;
    g_auto(TrackReport) report = {0};

    (void)state;
    g_autoptr(Record) domain =
        good(TRUE, DIRECTORY_TRACK_DOMAIN, "acme/main links.acme.test", "https=no");
    const TrackCheck check = {.id = (guint64)record_int(domain, "id"), .host = "links.acme.test"};
    g_autoptr(Dns) dns = dns_open_server("127.0.0.1", &error);
    assert_no_error(error);
    g_autoptr(Config) config =
        config_parse("test", "return_path_domain = rp.example\n", -1, &error);
    assert_false(track_check(sql, config, dns, &check, &report, &error));
    assert_error_code(error, REFUSED);
    g_autoptr(Config) other = config_parse(
        "test", "return_path_domain = rp.example\ntrack_host = links.outrider.test\n", -1, &error);
    assert_true(track_check(sql, other, dns, &check, &report, &error));
    assert_string_equal(report.status, "could not check");
    assert_false(report.began || report.ended);
    g_autoptr(Record) now =
        good(FALSE, DIRECTORY_TRACK_DOMAIN, "acme/main links.acme.test", "clicks=no");
    assert_string_equal(record_text(now, "dns_status"), "could not check");
    assert_false(is(now, "active"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_directory_add_track_domain, setup, teardown),
        cmocka_unit_test_setup_teardown(test_directory_track_domain_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_directory_change_track_domain, setup, teardown),
        cmocka_unit_test_setup_teardown(test_directory_delete_what_a_track_domain_needs, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_track_check_nobody_answers, setup, teardown),
    };

    server = mariadb_fixture_start();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mariadb_fixture_stop(server);
    return failed;
}
