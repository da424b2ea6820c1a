/* SPDX-License-Identifier: MIT */
#include "lib/mime/charset.h"

#include "tests/lib/testing.h"

#define BAD "\xef\xbf\xbd"

static void test_charset_text(void **state)
{
    (void)state;
    static const struct {
        const char *charset, *octets;
        gsize length;
        const char *text;
    } cases[] = {
        {NULL, "a\r\nb\rc\n\r\n", 9, "a\nb\rc\n\n"},
        {NULL, "gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f"},
        {NULL, "gr\xfc\xdf", 4, "gr\xc3\xbc\xc3\x9f"},
        {"", "\xfc", 1, "\xc3\xbc"},
        {"US-ASCII", "\x80", 1, "\xe2\x82\xac"},
        {"utf-8",
         "a\xff"
         "b",
         3, "a" BAD "b"},
        {"UTF8", "a\0b", 3, "a" BAD "b"},
        {"ISO-8859-1", "\xe4\r\n", 3, "\xc3\xa4\n"},
        {"iso-8859-15", "\xa4", 1, "\xe2\x82\xac"},
        {"windows-1252", "\x80", 1, "\xe2\x82\xac"},
        {"Windows-1258", "\xc3\xf2", 2, "\xc3\x83\xc3\xb2"},
        {"koi8-r", "\xd0\xd2", 2, "\xd0\xbf\xd1\x80"},
        {"shift_jis", "\x93\xfa", 2, "\xe6\x97\xa5"},
        {"iso-2022-jp", "\x1b$BF|\x1b(B", 8, "\xe6\x97\xa5"},
        {"ks_c_5601-1987", "\xb0\xa1", 2, "\xea\xb0\x80"},
        {"utf-16le", "a\0\xac\x20", 4, "a\xe2\x82\xac"},
        /* What is not well-formed. */
        {"utf-16le", "a\0b", 3, "a" BAD},
        {"utf-16le", "a\0\0\xd8", 4, "a" BAD},
        {"shift_jis", "a\x93", 2, "a" BAD},
        {"euc-jp",
         "\xff\xff"
         "a",
         3, BAD BAD "a"},
        {"x-nobody", "a\xff", 2, "a" BAD},
        {"utf-8//IGNORE", "a\xff", 2, "a" BAD},
        {"../../etc/passwd", "a", 1, "a"},
        {"utf-16", "", 0, ""},
        {"a charset with a very long name that nobody has ever heard of", "\xff", 1, BAD},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = charset_text(cases[i].charset, cases[i].octets, cases[i].length);
        assert_true(g_utf8_validate(text, -1, NULL));
        if (!g_str_equal(text, cases[i].text))
            fail_msg("case %u: %s", i, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_charset_text)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
