/* SPDX-License-Identifier: MIT */
#include "lib/mime/word.h"

#include "lib/mime/field.h"
#include "tests/lib/testing.h"

#define AE  "\xc3\xa4" /* a with two dots */
#define BAD "\xef\xbf\xbd"

static void test_word_join_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *value, *text;
    } cases[] = {
        {"=?UTF-8?B?w6TDpA==?= =?UTF-8?B?w6Q=?=", AE AE AE},
        {"=?UTF-8?B?w6TDpA==?=\r\n =?utf-8?b?w6Q=?=\r\n\t=?Utf-8?Q?x?=", AE AE AE "x"},
        {"=?UTF-8?B?w6TDpA?= =?UTF-8?B?w6Q?=", AE AE AE},
        {"=?UTF-8?B?w6TDpA==?==?UTF-8?B?w6Q=?=", AE AE AE},
        {"=?UTF-8?B?ww==?= =?UTF-8?B?pA==?=", AE},
        {"=?utf-8?Q?=C3?= =?utf-8?Q?=A4?=", AE},
        {"=?utf-8?Q?=C3?= =?utf-8*de?B?pA==?=", AE},
        {"=?ISO-8859-1?Q?=E4?= =?UTF-8?B?w6Q=?= =?iso-8859-1?B?5A==?=", AE AE AE},
        {"Re: =?utf-8?q?a_b=3D?= c =?utf-8?q?d?=", "Re: a b= c d"},
        {"=?utf-8?q?=E4=F6?=", BAD BAD},
        {"=?x-nobody?B?5A==?=", BAD},
        {"=?utf-8?q?a b?=", "a b"},
        {"=?utf-8?q?\?= x", " x"},
        /* What is no word. */
        {"", ""},
        {"=", "="},
        {"=?", "=?"},
        {"a =?utf-8?x?abc?= b", "a =?utf-8?x?abc?= b"},
        {"=?\?q?abc?=", "=?\?q?abc?="},
        {"=?utf-8?q?abc", "=?utf-8?q?abc"},
        {"=?utf-8?q?abc?", "=?utf-8?q?abc?"},
        {"=?utf-8?q", "=?utf-8?q"},
        {"=?utf-8?q?a?=4?=", "a4?="},
        {"x == y =?= z", "x == y =?= z"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = mime_field_decoded(cases[i].value, 100);
        if (!g_str_equal(text, cases[i].text))
            fail_msg("case %u: %s", i, text);
    }
}

static void test_word_join_leaves_the_rest(void **state)
{
    (void)state;
    static const struct {
        const char *text, *joined;
    } cases[] = {
        {"Jo  Doe <jo@b.test>", "Jo  Doe <jo@b.test>"},
        {"\"=?UTF-8?B?w6Q=?= =?UTF-8?B?w6Q=?= D\" <jo@b.test>",
         "\"=?UTF-8?B?w6TDpA==?= D\" <jo@b.test>"},
        {"=?UTF-8?Q?=22=3E=40?= <jo@b.test>", "=?UTF-8?B?Ij5A?= <jo@b.test>"},
        {"=?UTF-8?Q?=C3=A4?= , x", "=?UTF-8?B?w6Q=?= , x"},
        {"=?UTF-8\"?Q?x?=", "=?UTF-8\"?Q?x?="},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *joined = word_join(cases[i].text);
        assert_string_equal(joined, cases[i].joined);
    }
}

/* However long, and whatever words it was cut into, all of it comes back. */
static void test_word_join_long(void **state)
{
    (void)state;
    for (guint octets = 1; octets <= 45; octets++) {
        g_autoptr(GString) text = g_string_new(NULL), value = g_string_new(NULL);
        for (guint i = 0; i < 400; i++)
            g_string_append(text, i % 7 ? AE : "x");
        for (gsize at = 0; at < text->len; at += octets) {
            g_autofree char *word =
                g_base64_encode((guchar *)text->str + at, MIN(octets, text->len - at));
            g_string_append_printf(value, "%s=?UTF-8?B?%s?=", at ? "\r\n " : "", word);
        }
        g_autofree char *decoded = mime_field_decoded(value->str, 1000);
        assert_string_equal(decoded, text->str);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_word_join_decoded),
        cmocka_unit_test(test_word_join_leaves_the_rest),
        cmocka_unit_test(test_word_join_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
