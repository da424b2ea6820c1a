/* SPDX-License-Identifier: MIT */
#include "lib/mailauth/published_record.h"

#include "tests/lib/testing.h"

#define KEY "MIIBIjANBgkqhkiG9w0"

/* needle NULL: nothing is wrong. */
static void assert_verdict(const char *text, const char *wrong, const char *needle)
{
    if (needle && !wrong)
        print_error("nothing is wrong with: %s\n", text);
    if (!needle && wrong)
        print_error("%s: %s\n", text, wrong);
    assert_int_equal(needle != NULL, wrong != NULL);
    if (needle && !strstr(wrong, needle))
        print_error("%s: %s instead of %s\n", text, wrong, needle);
    assert_true(!needle || strstr(wrong, needle));
}

static void test_published_dkim_differs(void **state)
{
    static const struct {
        const char *text, *algorithm, *needle;
    } cases[] = {
        {"v=DKIM1; k=rsa; p=" KEY, "rsa", NULL},
        {"v=DKIM1;p=" KEY ";", "rsa", NULL},
        {"p=" KEY, "rsa", NULL},
        {" v = DKIM1 ; k = rsa ; p = MIIBIj ANBgkq\thkiG9w0 ; n=a note", "rsa", NULL},
        {"v=DKIM1; t=s; h=sha256; p=" KEY ";", "rsa", NULL},
        {"v=DKIM1; h=sha1:SHA256; s=*; p=" KEY, "rsa", NULL},
        {"v=DKIM1; s=other:email; p=" KEY, "rsa", NULL},
        {"v=DKIM1; k=ed25519; p=" KEY, "ed25519", NULL},
        {"", "rsa", "no p="},
        {";;;", "rsa", "no p="},
        {"v=DKIM1; k=rsa", "rsa", "no p="},
        {"v=DKIM1; p=", "rsa", "revoked"},
        {"v=DKIM1; p= ;", "rsa", "revoked"},
        {"v=DKIM1; p=" KEY "x", "rsa", "another key"},
        {"v=DKIM1; p=miibijanbgkqhkig9w0", "rsa", "another key"},
        {"v=DKIM1; p=" KEY, "ed25519", "another algorithm"},
        {"v=DKIM1; k=ed25519; p=" KEY, "rsa", "another algorithm"},
        {"k=rsa; v=DKIM1; p=" KEY, "rsa", "does not come first"},
        {"v=DKIM2; p=" KEY, "rsa", "does not come first"},
        {"v=DKIM1; p=" KEY "; p=" KEY, "rsa", "twice"},
        {"v=DKIM1; h=sha1; p=" KEY, "rsa", "sha256"},
        {"v=DKIM1; s=other; p=" KEY, "rsa", "email"},
        {"v=DKIM1; t=s:y; p=" KEY, "rsa", "tests"},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_verdict(cases[i].text,
                       published_dkim_differs(cases[i].text, cases[i].algorithm, KEY),
                       cases[i].needle);
}

/* What cannot be told counts as there: a key is not given up for it. */
static void test_published_dkim_may_hold(void **state)
{
    static const struct {
        const char *text;
        gboolean may;
    } cases[] = {
        {"v=DKIM1; k=rsa; p=" KEY, TRUE},
        {"p = MIIBIj ANBgkq\thkiG9w0", TRUE},
        {"v=DKIM1; t=y; h=sha1; k=ed25519; p=" KEY, TRUE},
        {"v=DKIM1; p=other; p=" KEY, TRUE},
        {"", FALSE},
        {"v=spf1 -all", FALSE},
        {"v=DKIM1; p=", FALSE},
        {"v=DKIM1", FALSE},
        {"v=DKIM1; p=" KEY "x", FALSE},
        {"v=DKIM1; n=p=" KEY, FALSE},
        {"v=DKIM1; p=miibijanbgkqhkig9w0", FALSE},
    };
    g_autofree char *filler = g_strnfill(PUBLISHED_TEXT_MAX + 1, 'x');

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(published_dkim_may_hold(cases[i].text, KEY), cases[i].may);
    assert_true(published_dkim_may_hold(filler, KEY));
}

static void test_published_too_long(void **state)
{
    g_autofree char *filler = g_strnfill(PUBLISHED_TEXT_MAX, 'x');
    g_autofree char *dkim = g_strconcat("v=DKIM1; p=" KEY "; n=", filler, NULL);

    (void)state;
    assert_verdict(dkim, published_dkim_differs(dkim, "rsa", KEY), "longer than 4096");
}

static void test_published_is_dmarc(void **state)
{
    (void)state;
    assert_true(published_is_dmarc("v=DMARC1; p=none"));
    assert_true(published_is_dmarc("v=DMARC1;p=none"));
    assert_false(published_is_dmarc("v=DMARC2; p=none"));
    assert_false(published_is_dmarc("v=DMARC11; p=none"));
    assert_false(published_is_dmarc(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_dkim_differs),
        cmocka_unit_test(test_published_dkim_may_hold),
        cmocka_unit_test(test_published_too_long),
        cmocka_unit_test(test_published_is_dmarc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
