/* SPDX-License-Identifier: MIT */
#include "lib/mime/build.h"

#include <string.h>

#include "lib/mime/field.h"
#include "lib/mime/part.h"
#include "lib/mime/recode.h"
#include "lib/mime/wire_safe.h"
#include "tests/lib/testing.h"

typedef struct {
    const char *type;
    MimeStanding standing;
    const char *content;
} Wanted;

/* Builds, reads it again and compares what came out. */
static void check_build(const MimeContent *content, const char *top, const Wanted *wanted, guint n)
{
    g_autoptr(GPtrArray) fields = mime_fields_new();
    GString *body = mime_build(content, fields);
    g_autoptr(GPtrArray) parts = mime_parts(fields, body->str, body->len, NULL);

    assert_true(g_str_has_prefix(mime_fields_nth(fields, "Content-Type", 1), top));
    assert_string_equal(mime_fields_nth(fields, "MIME-Version", 1), " 1.0");
    assert_non_null(mime_fields_nth(fields, "Content-Transfer-Encoding", 1)); /* clients want one */
    assert_false(mime_is_unsafe(body->str, body->len));
    assert_true(g_str_has_suffix(body->str, "\r\n"));
    assert_int_equal(parts->len, n);
    for (guint i = 0; i < n; i++) {
        const MimePart *part = parts->pdata[i];
        assert_string_equal(part->type, wanted[i].type);
        assert_int_equal(part->standing, wanted[i].standing);
        GString *octets =
            recode_decode(part->encoding, body->str + part->from, part->to - part->from);
        /* The line end before a boundary is not a part's, but a text's own last one is. */
        if (strncmp(octets->str, wanted[i].content, strlen(wanted[i].content)) != 0)
            fail_msg("part %u: %s", i, octets->str);
        assert_true(octets->len <= strlen(wanted[i].content) + strlen("\r\n"));
        g_string_free(octets, TRUE);
    }
    g_string_free(body, TRUE);
}

static void test_build_single(void **state)
{
    (void)state;
    static const struct {
        const char *text, *decoded;
    } cases[] = {
        {"Hello", "Hello\r\n"},
        {"a\nb\r\nc\rd", "a\r\nb\r\nc\r\nd\r\n"},
        {"J\xc3\xb6\n", "J\xc3\xb6\r\n"},
        {"\n\n.\n..\nFrom me\n", "\r\n\r\n.\r\n..\r\nFrom me\r\n"},
        {"a = b  \n\tx", "a = b  \r\n\tx\r\n"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Wanted text = {"text/plain", MIME_PART_SHOWN, cases[i].decoded};
        const Wanted html = {"text/html", MIME_PART_SHOWN, cases[i].decoded};
        check_build(&(MimeContent){.text = cases[i].text}, " text/plain; charset=UTF-8", &text, 1);
        check_build(&(MimeContent){.text = "", .html = cases[i].text}, " text/html; charset=UTF-8",
                    &html, 1);
    }
}

static void test_build_long_line(void **state)
{
    (void)state;
    g_autofree char *text = g_strnfill(5000, 'x');
    const Wanted wanted = {"text/plain", MIME_PART_SHOWN, text};

    check_build(&(MimeContent){.text = text}, " text/plain", &wanted, 1);
}

static void test_build_alternative(void **state)
{
    (void)state;
    static const Wanted wanted[] = {{"text/plain", MIME_PART_SHOWN, "J\xc3\xb6\r\n"},
                                    {"text/html", MIME_PART_SHOWN, "<p>--\r\n"}};

    check_build(&(MimeContent){.text = "J\xc3\xb6", .html = "<p>--"}, " multipart/alternative;",
                wanted, 2);
}

static void test_build_files(void **state)
{
    (void)state;
    static const Wanted wanted[] = {{"text/plain", MIME_PART_SHOWN, "t\r\n"},
                                    {"text/html", MIME_PART_SHOWN, "h\r\n"},
                                    {"text/plain", MIME_PART_FILE, "a\nb\r"},
                                    {"image/png", MIME_PART_FILE, "\x89PNG"}};
    char name[] = "a\".txt", text[] = "text/plain", png[] = "image/png";
    guint8 data[] = "a\nb\r", image[] = "\x89PNG";
    MimeFile first = {name, text, data, 4}, second = {name, png, image, 4};
    g_autoptr(GPtrArray) files = g_ptr_array_new();

    g_ptr_array_add(files, &first);
    g_ptr_array_add(files, &second);
    check_build(&(MimeContent){"t", "h", files}, " multipart/mixed;", wanted, 4);
    check_build(&(MimeContent){"t", NULL, files}, " multipart/mixed;",
                (Wanted[]){wanted[0], wanted[2], wanted[3]}, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_build_single),
        cmocka_unit_test(test_build_long_line),
        cmocka_unit_test(test_build_alternative),
        cmocka_unit_test(test_build_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
