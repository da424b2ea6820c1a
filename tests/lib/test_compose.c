/* SPDX-License-Identifier: MIT */
#include "lib/mime/compose.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/mime/field.h"
#include "lib/mime/mailbox.h"
#include "tests/lib/testing.h"

#define LONG_LINE 100 /* what may be in a line whose words are short */

/* No line end but before white space, no line over max, nothing but printable ASCII. */
static void check_value(const char *name, const char *value, gsize max)
{
    g_auto(GStrv) lines = g_strsplit(value, "\r\n", -1);

    assert_int_equal(*value, ' ');
    for (guint i = 0; lines[i]; i++) {
        assert_true(i == 0 || *lines[i] == ' ' || *lines[i] == '\t');
        assert_true(strlen(lines[i]) + (i ? 0 : strlen(name) + 1) <= max);
        for (const char *p = lines[i]; *p; p++)
            if (!g_ascii_isprint(*p) && *p != '\t')
                fail_msg("octet %02x in %s", (guchar)*p, value);
    }
}

static void test_compose_name_table(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "a:b", "a b", "a\r\nb", "a\tb", "J\xc3\xb6", "\x7f", ":"};
    g_autofree char *longest = g_strnfill(COMPOSE_NAME_MAX, 'x');
    g_autofree char *longer = g_strnfill(COMPOSE_NAME_MAX + 1, 'x');

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_false(compose_name_is_good(bad[i]));
    assert_true(compose_name_is_good("X-Any_thing.1"));
    assert_true(compose_name_is_good(longest));
    assert_false(compose_name_is_good(longer));
}

static void test_compose_text_table(void **state)
{
    (void)state;
    static const struct {
        const char *text, *decoded; /* NULL: the same */
    } cases[] = {
        {"", NULL},
        {"Hello", NULL},
        {"Gr\xc3\xbc\xc3\x9f"
         "e aus K\xc3\xb6ln",
         NULL},
        {"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6"
         "\x9c"
         "\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
         NULL},
        {"a\r\nBcc: x@y.test", "a Bcc: x@y.test"},
        {"a\r\n\r\nbody", "a body"},
        {"a\rb\nc", "a b c"},
        {"  a \t b  ", "a b"},
        {"\x01\x02", ""},
        {"Order  12   is {\"a\":\"p  q\"}", NULL},
        {"K\xc3\xb6ln  am   Rhein", NULL},
        {"one two three four five six seven eight nine ten eleven  twelve   thirteen    fourteen  "
         "x",
         NULL},
        {"\xf0\x9f\x98\x80 smile", NULL},
        {"K\xc3\xb6ln_?=x", NULL},
        {"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
         "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4",
         NULL},
        {"one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
         "sixteen seventeen",
         NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *value = compose_text("Subject", cases[i].text);
        check_value("Subject", value, 78);
        g_autofree char *decoded = mime_field_decoded(value, 1000);
        assert_string_equal(decoded, cases[i].decoded ? cases[i].decoded : cases[i].text);
    }
}

static void test_compose_text_without_white_space(void **state)
{
    (void)state;
    g_autofree char *text = g_strnfill(5000, 'x');
    g_autofree char *value =
        compose_text("X-Very-Long-Name-Of-A-Field-That-Takes-Most-Of-A-Line", text);
    g_autofree char *decoded = mime_field_decoded(value, 10000);

    check_value("X-Very-Long-Name-Of-A-Field-That-Takes-Most-Of-A-Line", value, 78);
    assert_string_equal(decoded, text);
}

/* Each octet of a quoted string may become two. */
static void test_compose_mailboxes_long_name(void **state)
{
    (void)state;
    g_autofree char *quotes = g_strnfill(1200, '\\');

    for (guint i = 1; i < 1200; i += 2)
        quotes[i] = '"';
    g_autofree char *list = g_strdup_printf("\"%s\" <a@b.test>", quotes);
    g_autofree char *value = compose_mailboxes("To", list, NULL);
    assert_non_null(value);
    check_value("To", value, 998);
}

/* Whoever may send may send that; were a word's cost that of all before it, it would take hours. */
static void test_compose_text_of_many_words(void **state)
{
    (void)state;
    static const char *const words[] = {"ab", "\xc3\xa9"};

    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        GString *text = g_string_new(words[i]);
        while (text->len < 4 * 1024 * 1024)
            g_string_append_printf(text, " %s", words[i]);
        g_autofree char *value = compose_text("Subject", text->str);
        g_autofree char *plain = mime_field_text(value);
        if (i == 0)
            assert_string_equal(plain, text->str);
        assert_true(strlen(plain) >= text->len);
        g_string_free(text, TRUE);
    }
}

static void test_compose_mailboxes_table(void **state)
{
    (void)state;
    static const struct {
        const char *list, *value; /* NULL: INVALID */
    } cases[] = {
        {"a@b.test", " a@b.test"},
        {"<a@b.test>", " a@b.test"},
        {"Joe <a@b.test>", " Joe <a@b.test>"},
        {"Doe, Jane <a@b.test>", NULL},
        {"\"Doe, Jane\" <a@b.test>", " \"Doe, Jane\" <a@b.test>"},
        {"\"a \\\"b\\\" \\\\\" <a@b.test>", " \"a \\\"b\\\" \\\\\" <a@b.test>"},
        {"J\xc3\xb6 <a@b.test>", " =?UTF-8?B?SsO2?= <a@b.test>"},
        {"=?utf-8?B?SsO2IA==?= =?utf-8?B?SsO2?= <a@b.test>",
         " =?UTF-8?B?SsO2IErDtg==?= <a@b.test>"},
        {"=?utf-8?Q?=22=3E=2C_x=40y.test?= <a@b.test>", " \"\\\">, x@y.test\" <a@b.test>"},
        {"a@b.test, J <c@d.test>", " a@b.test,\r\n J <c@d.test>"},
        {"a@b\xc3\xbc"
         "cher.test",
         " a@xn--bcher-kva.test"},
        {"", NULL},
        {"a", NULL},
        {"a@b.test\r\nBcc: c@d.test", NULL},
        {"J <a@b.test> x", NULL},
        {"group: a@b.test;", NULL},
        {"a@b.test\xff", NULL},
        {"=?UTF-8?Q?x?=@b.test", NULL},
        {"a@=?UTF-8?Q?b?=.test", NULL},
        {"=?UTF-8?Q?"
         "?=@b.test",
         NULL},
        {"=?UTF-8?Q?a <a@b.test>, b?= <b@c.test>", NULL},
        {"\"\x01\" <a@b.test>", " a@b.test"},
        {"=?UTF-8?Q?=01?= <a@b.test>", " a@b.test"},
        {"Two  Blanks <a@b.test>", " \"Two  Blanks\" <a@b.test>"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *value = compose_mailboxes("To", cases[i].list, &error);
        if (g_strcmp0(value, cases[i].value) != 0)
            fail_msg("case %u: %s", i, value);
        assert_true(value || g_error_matches(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID));
    }
}

static void test_compose_mailboxes_says_what_it_was_given(void **state)
{
    (void)state;
    g_autofree char *name = g_strnfill(400, 'n');
    g_autofree char *list =
        g_strdup_printf("=?UTF-8?Q?=0D=0ABcc=3A_x?= <a@b.test>, %s %s <c@d.test>", name, name);
    g_autofree char *value = compose_mailboxes("To", list, NULL);
    g_autoptr(GPtrArray) read = mime_mailboxes_parse(value, NULL);

    assert_null(strstr(value, "\r\nBcc"));
    assert_int_equal(read->len, 2);
    assert_string_equal(((MimeMailbox *)read->pdata[1])->address, "c@d.test");
}

static void test_compose_type_table(void **state)
{
    (void)state;
    static const struct {
        const char *type, *data, *value;
    } cases[] = {
        {"application/pdf", "x", " application/pdf"},
        {"Application/PDF", "x", " application/pdf"},
        {"text/plain", "x", " text/plain; charset=UTF-8"},
        {"text/plain", "\xff", " text/plain"},
        {"text/plain; charset=iso-8859-1", "\xff", " text/plain; charset=iso-8859-1"},
        {"text/csv; charset=\"a b\"", "x", " text/csv; charset=UTF-8"},
        {"text/calendar; charset=utf-8; method=REQUEST", "x",
         " text/calendar; charset=utf-8;\r\n method=REQUEST"},
        {"text/calendar; method=\"a b\\\"\"; name=x; component=VEVENT", "x",
         " text/calendar; charset=UTF-8;\r\n method=\"a b\\\"\";\r\n component=VEVENT"},
        {"text/plain; x=\"a\r\nBcc: y\"; boundary=z; J\xc3\xb6=x", "x",
         " text/plain; charset=UTF-8"},
        {"application/pdf; a=1; b=2; c=3; d=4; e=5; f=6; g=7; h=8; i=9", "x",
         " application/pdf;\r\n a=1;\r\n b=2;\r\n c=3;\r\n d=4;\r\n e=5;\r\n f=6;\r\n g=7;\r\n "
         "h=8"},
        {"a/b; method=REQUEST; METHOD=x; c=d", "x", " a/b;\r\n method=REQUEST;\r\n c=d"},
        {"", "x", " application/octet-stream"},
        {"pdf", "x", " application/octet-stream"},
        {"/pdf", "x", " application/octet-stream"},
        {"a/", "x", " application/octet-stream"},
        {"a/b/c", "x", " application/octet-stream"},
        {"a/b\r\nBcc: x", "x", " application/octet-stream"},
        {"multipart/mixed; boundary=x", "x", " application/octet-stream"},
        {"message/rfc822", "x", " application/octet-stream"},
        {"J\xc3\xb6/x", "x", " application/octet-stream"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *value =
            compose_type(cases[i].type, (const guint8 *)cases[i].data, strlen(cases[i].data));
        if (strcmp(value, cases[i].value) != 0)
            fail_msg("case %u: %s", i, value);
    }
}

static void test_compose_attachment_table(void **state)
{
    (void)state;
    static const char *const names[] = {
        "a.pdf",
        "a b.pdf",
        "a\"b.pdf",
        "Gr\xc3\xb6\xc3\x9f"
        "e.pdf",
        "a\r\nBcc: x@y.test",
        "..\\/x",
        ";x=y",
        "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6"
        "\x9c"
        "\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e.txt",
    };

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *value = compose_attachment(names[i]);
        check_value("Content-Disposition", value, LONG_LINE);
        assert_true(g_str_has_prefix(value, " attachment; filename") ||
                    g_str_has_prefix(value, " attachment;\r\n\tfilename"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compose_name_table),
        cmocka_unit_test(test_compose_text_table),
        cmocka_unit_test(test_compose_text_without_white_space),
        cmocka_unit_test(test_compose_text_of_many_words),
        cmocka_unit_test(test_compose_mailboxes_table),
        cmocka_unit_test(test_compose_mailboxes_long_name),
        cmocka_unit_test(test_compose_mailboxes_says_what_it_was_given),
        cmocka_unit_test(test_compose_type_table),
        cmocka_unit_test(test_compose_attachment_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
