/* SPDX-License-Identifier: MIT */
/* Paths of API v2: what they name, which methods are for them, and whose they are. */
#include "api/v2_path.h"

#include <string.h>

#include "tests/lib/testing.h"

#define O "/api/v2/organizations"
#define S O "/acme/servers"

/* "WORD organization server name", - for none; "nothing". */
static char *read_path(const char *text)
{
    g_auto(V2Path) path = {0};

    if (!v2_path_read(text, &path))
        return g_strdup("nothing");
    return g_strdup_printf("%s%s %s %s %s", path.resource->word, path.item ? "/" : "",
                           path.organization ? path.organization : "-",
                           path.server ? path.server : "-", path.name ? path.name : "-");
}

static void test_v2_path_read(void **state)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {O, "organizations - - -"},
        {O "/acme", "organizations/ acme - -"},
        {O "/%61cme", "organizations/ acme - -"},
        {S, "servers acme - -"},
        {S "/main", "servers/ acme main -"},
        {O "/acme/domains", "domains acme - -"},
        {O "/acme/domains/acme.test", "domains/ acme - acme.test"},
        {S "/main/domains/a.test", "domains/ acme main a.test"},
        {S "/main/routes", "routes acme main -"},
        {S "/main/routes/info@a.test", "routes/ acme main info@a.test"},
        {S "/main/routes/info%40a.test", "routes/ acme main info@a.test"},
        {S "/main/endpoints/a%2Fb", "endpoints/ acme main a/b"},
        {S "/main/endpoints/a%252Fb", "endpoints/ acme main a%2Fb"},
        {S "/main/endpoints/..", "endpoints/ acme main .."},
        {S "/main/endpoints/%C3%BC", "endpoints/ acme main \xc3\xbc"},
    };
    static const char *const nothing[] = {"",
                                          "/",
                                          "/api/v2",
                                          "/api/v2/",
                                          "/api/v1/organizations",
                                          "//api/v2/organizations",
                                          O "/",
                                          O "//",
                                          O "/acme/",
                                          S "/",
                                          S "//routes",
                                          S "/main/",
                                          S "/main/routes/",
                                          S "/main//routes",
                                          O "/Acme",
                                          O "/ACME",
                                          O "/acme%2Fmain",
                                          O "/acme%2fservers",
                                          O "/..",
                                          O "/.",
                                          O "/%2e%2e",
                                          O "/acme%00",
                                          O "/acme%",
                                          O "/acme%4",
                                          O "/acme%zz",
                                          O "/%C3%BC",
                                          O "/acme/../other",
                                          O "/acme/routes",
                                          O "/acme/endpoints/x",
                                          S "/main/servers",
                                          S "/main/servers/x",
                                          S "/main/organizations",
                                          S "/main/routes/a/b",
                                          S "/main/routes/a/",
                                          S "/m%61in%2F/routes",
                                          S "/main/endpoints/%00",
                                          S "/main/endpoints/a%00b",
                                          S "/main/endpoints/%ff",
                                          S "/main/endpoints/%C3",
                                          S "/main/Routes",
                                          S "/main/r%6futes",
                                          "/api/v2/organization%73",
                                          "/api/v2/servers",
                                          "/api/v2/routes/info@a.test",
                                          O "/acme/server/main/routes",
                                          O "/acme/servers/main/routes/x/y/z/a/b/c",
                                          "*"};
    g_autofree char *longest = g_strnfill(V2_SEGMENT_MAX, 'x');
    g_autofree char *good = g_strdup_printf(S "/main/endpoints/%s", longest);
    g_autofree char *bad = g_strdup_printf("%sx", good);
    g_auto(V2Path) path = {0};

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = read_path(cases[i].text);
        assert_string_equal(got, cases[i].wanted);
    }
    for (guint i = 0; i < G_N_ELEMENTS(nothing); i++) {
        g_autofree char *got = read_path(nothing[i]);
        if (!g_str_equal(got, "nothing"))
            fail_msg("%s: %s", nothing[i], got);
    }
    assert_true(v2_path_read(good, &path));
    assert_string_equal(path.name, longest);
    assert_false(v2_path_read(bad, &path));
    assert_string_equal(path.name, longest);
}

static void test_v2_path_methods(void **state)
{
    static const struct {
        const char *text, *methods;
    } cases[] = {
        {O, "GET, HEAD"},
        {O "/acme", "GET, HEAD"},
        {S "/main/domains", "GET, HEAD"},
        {S "/main/routes", "GET, HEAD, POST"},
        {S "/main/routes/x@y.test", "GET, HEAD, PATCH, DELETE"},
    };
    static const char *const methods[] = {"GET", "HEAD",    "POST", "PATCH", "DELETE",  "PUT",
                                          "get", "OPTIONS", "",     "TRACE", "PROPFIND"};

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(V2Path) path = {0};
        assert_true(v2_path_read(cases[i].text, &path));
        g_autofree char *got = v2_path_methods(&path);
        assert_string_equal(got, cases[i].methods);
        g_auto(GStrv) allowed = g_strsplit(got, ", ", -1);
        for (guint m = 0; m < G_N_ELEMENTS(methods); m++) {
            V2Verb verb;
            assert_int_equal(v2_path_verb(&path, methods[m], &verb),
                             g_strv_contains((const char *const *)allowed, methods[m]));
        }
    }
}

static void test_v2_path_of_reads_as_it_was(void **state)
{
    static const char *const names[] = {"a",    "a/b",      "a b",      "%2F",
                                        "?x=#", "\xc3\xbc", "x@y.test", ".."};
    g_auto(V2Path) collection = {0};

    (void)state;
    assert_true(v2_path_read(S "/main/endpoints", &collection));
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *text = v2_path_of(&collection, names[i]);
        g_auto(V2Path) path = {0};
        assert_null(strpbrk(text, "?# "));
        assert_true(v2_path_read(text, &path));
        assert_string_equal(path.name, names[i]);
        assert_string_equal(path.owner, "acme/main");
    }
}

static void test_v2_path_is_open(void **state)
{
    static const struct {
        const char *text;
        const char *
            tokens; /* to whom it is open: I(nstallation), O(rganization acme), S(erver acme/main) */
    } cases[] = {
        {O, "IO"},
        {O "/acme", "IO"},
        {O "/acm", "I"},
        {O "/acmee", "I"},
        {O "/other", "I"},
        {O "/acme/domains", "IO"},
        {O "/acme/domains/main", "IO"},
        {S, "IOS"},
        {S "/main", "IOS"},
        {S "/mai", "IO"},
        {S "/news", "IO"},
        {S "/main/routes", "IOS"},
        {S "/main/routes/x@y.test", "IOS"},
        {S "/news/routes/x@y.test", "IO"},
        {O "/other/servers", "I"},
        {O "/other/servers/main", "I"},
        {O "/other/servers/main/routes", "I"},
    };
    DirectoryToken all = {.id = 1}, organization = {.organization = (char[]){"acme"}},
                   server = {.organization = (char[]){"acme"}, .server = (char[]){"main"}};

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(V2Path) path = {0};
        g_autoptr(GString) got = g_string_new(NULL);
        assert_true(v2_path_read(cases[i].text, &path));
        g_string_append(got, v2_path_is_open(&path, &all) ? "I" : "");
        g_string_append(got, v2_path_is_open(&path, &organization) ? "O" : "");
        g_string_append(got, v2_path_is_open(&path, &server) ? "S" : "");
        if (!g_str_equal(got->str, cases[i].tokens))
            fail_msg("%s is open to %s", cases[i].text, got->str);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v2_path_read),
        cmocka_unit_test(test_v2_path_methods),
        cmocka_unit_test(test_v2_path_of_reads_as_it_was),
        cmocka_unit_test(test_v2_path_is_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
