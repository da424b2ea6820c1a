/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/splice.h"
#include "lib/mime/recode.h"
#include "tests/lib/testing.h"

#define Q MIME_ENCODING_QUOTED
#define B MIME_ENCODING_BASE64
#define I MIME_ENCODING_IDENTITY

static void test_recode_decode_cases(void **state)
{
    static const struct {
        MimeEncoding encoding;
        const char *data, *text; /* NULL: refused */
    } cases[] = {
        {I, "a=3D\r\n", "a=3D\r\n"},
        {Q, "", ""},
        {Q, "a=3Db=3d\r\nc=\r\nd=\ne", "a=b=\r\ncde"},
        {Q, "a \r\nb=", "a \r\nb"},
        {Q, "a=b", NULL},
        {Q, "a=3", NULL},
        {Q, "a=\r", NULL},
        {Q, "a= \r\nb", NULL},
        {Q, "a=3G", NULL},
        {B, "", ""},
        {B, "\r\n", ""},
        {B, "YWJj\r\nZGU=\r\n", "abcde"},
        {B, " Y W\tJj", "abc"},
        {B, "YWI", NULL},
        {B, "YW=J", NULL},
        {B, "YQ==YQ==", NULL},
        {B, "Y===", NULL},
        {B, "YWJj!", NULL},
        {B, "YWJj\r\n--", NULL},
        {MIME_ENCODING_OTHER, "a", NULL},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) text =
            recode_decode(cases[i].encoding, cases[i].data, strlen(cases[i].data));
        if (g_strcmp0(text ? text->str : NULL, cases[i].text) != 0)
            fail_msg("%s: %s", cases[i].data, text ? text->str : "refused");
    }
}

#define LINE70 "0123456789012345678901234567890123456789012345678901234567890123456789"

/* The first X of what data stands for becomes text. */
static const struct {
    MimeEncoding encoding;
    const char *data, *text, *out;
} splices[] = {
    {I, "aXb\n", "=", "a=b\n"},
    {Q, "aXb", "=\"x", "a=3D\"xb"},
    {Q, "a=\nX=\nb", "y", "ay=\nb"},
    {Q, "=58b", "y", "yb"},
    {Q, "aX\r\nb =3D\r\n", "\303\244\n", "a=C3=A4=0A\r\nb =3D\r\n"},
    /* A line is broken where the new text needs it, and before the old rest. */
    {Q, LINE70 "Xabcd\r\nz", "123456789", LINE70 "12345=\r\n6789abcd\r\nz"},
    {Q, "X" LINE70 "\r\nz", "1234567", "1234567=\r\n" LINE70 "\r\nz"},
    {Q, "X" LINE70 "\r\nz", "123456", "123456" LINE70 "\r\nz"},
    {Q, "X." LINE70 "\r\n", "123456", "123456=\r\n=2E" LINE70 "\r\n"},
    {Q, "-=\r\nX" LINE70 "123\n", "12345", "-12345=\r\n" LINE70 "123\n"},
    {Q, "X", "--b", "=2D-b"},
    {Q, "X", ".", "=2E"},
    {Q, LINE70 "123456X", "a", LINE70 "12345=\r\n6a"},
    {Q, LINE70 "=3DX\n", "a", LINE70 "=3Da\n"},
    {Q, LINE70 "abc=3DX\n", "a", LINE70 "abc=\n=3Da\n"},
    {B, "YVhi", "==", "YT09Yg=="},
    {B, "\r\nYVhi\r\n\r\n", "", "\r\nYWI=\r\n\r\n"},
    {B, "WGFi\nY2Rl\n", "1234", "MTIz\nNGFi\nY2Rl\n"},
    {B, "WGFiY2\r\nRl", "1234", "MTIzNG\r\nFiY2Rl"},
};

static void test_recode_splice_cases(void **state)
{
    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(splices); i++) {
        gsize length = strlen(splices[i].data);
        g_autoptr(GString) text = recode_decode(splices[i].encoding, splices[i].data, length);
        g_autoptr(GArray) list = splice_list_new();
        g_autoptr(GString) out = g_string_new(NULL);
        gsize at = strcspn(text->str, "X");

        splice_add(list, at, at + 1, g_string_new(splices[i].text));
        recode_splice(splices[i].encoding, splices[i].data, length, list, out);
        if (strcmp(out->str, splices[i].out) != 0)
            fail_msg("%s: %s", splices[i].data, out->str);
        g_autoptr(GString) want = g_string_new(NULL);
        splice_join(list, text->str, 0, text->len, want);
        g_autoptr(GString) found = recode_decode(splices[i].encoding, out->str, out->len);
        assert_non_null(found);
        assert_string_equal(found->str, want->str);
    }
}

/* Lines that grow together when what parted them is dropped are parted again. */
static void test_recode_splice_drops_break(void **state)
{
    static const char data[] = LINE70 "X=\r\nX" LINE70 "\r\n";
    g_autoptr(GArray) list = splice_list_new();
    g_autoptr(GString) out = g_string_new(NULL);

    (void)state;
    splice_add(list, 70, 72, g_string_new(NULL));
    recode_splice(Q, data, strlen(data), list, out);
    assert_string_equal(out->str, LINE70 "=\r\n" LINE70 "\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recode_decode_cases),
        cmocka_unit_test(test_recode_splice_cases),
        cmocka_unit_test(test_recode_splice_drops_break),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
