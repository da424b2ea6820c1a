/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/tracking/target.h"
#include "tests/lib/testing.h"

#define GOOD "good"

static const TrackingDomain excluded[] = {
    {"excluded.test", FALSE}, {"below.test", TRUE}, {"xn--bcher-kva.test", FALSE}};
static const TrackingSettings settings = {
    .host = "t.track.test", .excluded = excluded, .n_excluded = G_N_ELEMENTS(excluded)};

static const char *verdict(const char *url, gsize length, gboolean utf8)
{
    TrackingSkip why = TRACKING_SKIP_COUNT;

    return target_check(url, length, utf8, &settings, &why) ? GOOD : tracking_skip_word(why);
}

static void test_target_check_cases(void **state)
{
    static const struct {
        const char *url, *verdict;
    } cases[] = {
        {"http://a.test", GOOD},
        {"HTTPS://A.Test:443/x y?b=c#d", GOOD},
        {"http://a.test:/", GOOD},
        {"http://a.test./", GOOD},
        {"http://a_b.test/", GOOD},
        {"http://a", GOOD},
        {"http://192.0.2.1/", GOOD},
        {"http://[2001:db8::1]/", GOOD},
        {"http://[::1]:80/", GOOD},
        {"http://a.test/[x]", GOOD},
        {"http://a.test/@b", GOOD},
        {"http://a.test?x@b", GOOD},
        {"http://a.test/{x}", GOOD},
        {"http://a.test/\303\244", GOOD},
        {"http://b\303\274cher2.test/", GOOD},
        {"http://B\303\234CHER2.test/", GOOD},
        {"http://xn--bcher2-3ya.test/", GOOD},
        {"", "scheme"},
        {"#a", "scheme"},
        {"mailto:a@b.test", "scheme"},
        {"tel:1", "scheme"},
        {"cid:a@b", "scheme"},
        {"javascript:x", "scheme"},
        {"ftp://a.test/", "scheme"},
        {"//a.test/", "scheme"},
        {"a.test", "scheme"},
        {"http:a.test", "scheme"},
        {"http:/a.test", "scheme"},
        {"http:\\\\a.test", "scheme"},
        {"httpss://a.test", "scheme"},
        {"http+notrack://a.test", "scheme"},
        {"{{url}}", "placeholder"},
        {"http://{{host}}/", "placeholder"},
        {"http://a.test/%%id%%", "placeholder"},
        {"http://a.test/*|ID|*", "placeholder"},
        {"http://a.test/[[id]]", "placeholder"},
        {"http://a.test/<%= id %>", "placeholder"},
        {"http://a.test/${id}", "placeholder"},
        {"http://a.test/{% id %}", "placeholder"},
        {"http://a.test/a\tb", "character"},
        {"http://a.test/a\nb", "character"},
        {"http://a.test/a\rb", "character"},
        {"http://a.test/a\177b", "character"},
        {"http://a.test\\b", "character"},
        {"http://a.test/\303", "charset"},
        {"http://a.test/\344", "charset"},
        {"http://u@a.test/", "login"},
        {"http://u:p@a.test/", "login"},
        {"http://:@a.test", "login"},
        {"http://b.test@a.test/", "login"},
        {"http://", "host"},
        {"http:///a.test", "host"},
        {"http://?a", "host"},
        {"http://.", "host"},
        {"http://.a.test", "host"},
        {"http://a..test", "host"},
        {"http://a b.test/", "host"},
        {"http://a%62.test/", "host"},
        {"http://a!b.test/", "host"},
        {"http://a.test:x/", "host"},
        {"http://a.test:65536/", "host"},
        {"http://a.test:-1/", "host"},
        {"http://a.test:80:80/", "host"},
        {"http://[::1/", "host"},
        {"http://[::1]x/", "host"},
        {"http://[1.2.3.4]/", "host"},
        {"http://[fe80::1%25eth0]/", "host"},
        {"http://[]/", "host"},
        {"http://a\343\200\202test/", "host"},
        {"http://\342\200\213.test/", "host"},
        {"http://xn--a.test/", "host"},
        {"http://\357\274\241.test/", "host"}, /* a wide A */
        {"http://t.track.test/", "ours"},
        {"HTTPS://T.TRACK.TEST:8443/x", "ours"},
        {"http://t.track.test.", "ours"},
        {"http://excluded.test/", "excluded"},
        {"http://EXCLUDED.test:81?x", "excluded"},
        {"http://below.test", "excluded"},
        {"http://a.b.below.test", "excluded"},
        {"http://b\303\274cher.test/", "excluded"},
        {"http://a.excluded.test/", GOOD},
        {"http://notbelow.test/", GOOD},
        {"http://below.test.a.test/", GOOD},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *found = verdict(cases[i].url, strlen(cases[i].url), TRUE);
        if (strcmp(found, cases[i].verdict) != 0)
            fail_msg("%s: %s, not %s", cases[i].url, found, cases[i].verdict);
    }
}

static void test_target_check_limits(void **state)
{
    g_autofree char *path = g_strnfill(LINK_URL_MAX, 'x');
    g_autofree char *label = g_strnfill(64, 'x');
    g_autofree char *url = g_strconcat("http://a.test/", path, NULL);
    g_autofree char *host = g_strconcat("http://", label, ".test/", NULL);

    (void)state;
    assert_string_equal(verdict(url, LINK_URL_MAX, FALSE), GOOD);
    assert_string_equal(verdict(url, LINK_URL_MAX + 1, FALSE), "length");
    assert_string_equal(verdict(path, LINK_URL_MAX, FALSE), "scheme");
    assert_string_equal(verdict(host, strlen(host), FALSE), "host");
    assert_string_equal(verdict(host, 7 + 63, FALSE), GOOD);
    assert_string_equal(verdict("http://a.test/\0b", 16, TRUE), "character");
    assert_string_equal(verdict("http://a.test/\303\244", 16, FALSE), "charset");
}

static void test_target_marks(void **state)
{
    static const struct {
        const char *url;
        gsize at;
        const char *unmarked;
    } cases[] = {
        {"http+notrack://a", 4, "http://a"},
        {"HTTPS+notrack://a", 5, "HTTPS://a"},
        {"http://a", 0, "http://a"},
        {"http+notrack:/a", 0, "http+notrack:/a"},
        {"xhttp+notrack://", 0, "xhttp+notrack://"},
        {"http+NOTRACK://a", 0, "http+NOTRACK://a"},
        {"http", 0, "http"},
        {"", 0, ""},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) url = g_string_new(cases[i].url);
        assert_int_equal(target_marked(url->str, url->len), cases[i].at);
        target_unmark(url);
        assert_string_equal(url->str, cases[i].unmarked);
    }
}

static void test_target_trim_cases(void **state)
{
    static const char text[] = "\1 \t\na b\0 \37";
    const char *url = text;
    gsize length = sizeof text - 1;

    (void)state;
    target_trim(&url, &length);
    assert_int_equal(length, 4);
    assert_memory_equal(url, "a b\0", 4);
    url = " \n";
    length = 2;
    target_trim(&url, &length);
    assert_int_equal(length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_target_check_cases),
        cmocka_unit_test(test_target_check_limits),
        cmocka_unit_test(test_target_marks),
        cmocka_unit_test(test_target_trim_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
