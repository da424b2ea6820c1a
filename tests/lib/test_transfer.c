/* SPDX-License-Identifier: MIT */
#include "lib/mime/transfer.h"

#include <string.h>

#include "lib/mime/recode.h"
#include "tests/lib/testing.h"

#define LINE_MAX_OCTETS 76

static void test_transfer_quote_cases(void **state)
{
    (void)state;
    static const struct {
        const char *data, *quoted;
    } cases[] = {
        {"", ""},
        {"plain text", "plain text"},
        {"1 + 1 = 2", "1 + 1 =3D 2"},
        {"J\xc3\xb6\x7f", "J=C3=B6=7F"},
        {"end \r\n\t\r\nx ", "end=20\r\n=09\r\nx=20"},
        {"a \rb\n", "a =0Db=0A"},
        {"\r\n\r\n", "\r\n\r\n"},
        {"-- \r\n.\r\nFrom me\r\n-.F", "=2D-=20\r\n=2E\r\n=46rom me\r\n=2D.F"},
        {"a-b.cFd", "a-b.cFd"},
        {"\r", "=0D"},
        {" ", "=20"},
        {" a", " a"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) out = g_string_new("before:");
        transfer_quote(out, (const guint8 *)cases[i].data, strlen(cases[i].data));
        assert_string_equal(out->str + strlen("before:"), cases[i].quoted);
    }
}

static void test_transfer_quote_long_lines(void **state)
{
    (void)state;
    static const struct {
        const char *unit;
        guint n;
        const char *first_line;
    } cases[] = {
        {"x", 73, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
        {"x", 74, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx="},
        {"\xff", 26,
         "=FF=FF=FF=FF=FF=FF=FF=FF=FF=FF=FF=FF=FF=FF=FF=FF=FF=FF=FF=FF=FF=FF=FF=FF=FF="},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) data = g_string_new(NULL), out = g_string_new(NULL);
        for (guint k = 0; k < cases[i].n; k++)
            g_string_append(data, cases[i].unit);
        transfer_quote(out, (const guint8 *)data->str, data->len);
        g_autofree char *line = g_strndup(out->str, strcspn(out->str, "\r"));
        assert_string_equal(line, cases[i].first_line);
    }
}

/* begins: what no line may begin with. */
static void check_lines(const GString *out, const char *begins)
{
    g_auto(GStrv) lines = g_strsplit(out->str, "\r\n", -1);

    for (guint i = 0; lines[i]; i++) {
        gsize length = strlen(lines[i]);
        assert_true(length <= LINE_MAX_OCTETS);
        assert_null(strpbrk(lines[i], "\r\n"));
        assert_null(length > 0 ? strchr(begins, lines[i][0]) : NULL);
        assert_null(length > 0 ? strchr(" \t", lines[i][length - 1]) : NULL);
        for (gsize k = 0; k < length; k++)
            assert_true(lines[i][k] == '\t' || (lines[i][k] >= ' ' && lines[i][k] < 0x7f));
    }
}

/* Whatever goes in: decoding gives it back, and no line says something to anybody on the way. */
static void test_transfer_quote_decodes(void **state)
{
    (void)state;
    static const char *const alphabets[] = {"ab \t\r\n", "-.F \r\n=", "\xc3\xb6 x", "\r\n", NULL};
    g_autoptr(GRand) random = g_rand_new_with_seed(20261126);

    for (guint turn = 0; turn < 4000; turn++) {
        const char *alphabet = alphabets[turn % G_N_ELEMENTS(alphabets)];
        g_autoptr(GString) data = g_string_new(NULL), out = g_string_new(NULL);
        for (gint32 n = g_rand_int_range(random, 0, 400); n > 0; n--)
            g_string_append_c(
                data, alphabet ? alphabet[g_rand_int_range(random, 0, (gint32)strlen(alphabet))]
                               : (char)g_rand_int_range(random, 0, 256));
        transfer_quote(out, (const guint8 *)data->str, data->len);
        check_lines(out, "-.F");
        g_autoptr(GString) back = recode_decode(MIME_ENCODING_QUOTED, out->str, out->len);
        assert_int_equal(back->len, data->len);
        assert_memory_equal(back->str, data->str, data->len);
    }
}

static void test_transfer_base64_decodes(void **state)
{
    (void)state;
    g_autoptr(GRand) random = g_rand_new_with_seed(7);

    for (gsize length = 0; length < 400; length++) {
        g_autofree guint8 *data = g_malloc(length + 1);
        g_autoptr(GString) out = g_string_new(NULL);
        for (gsize i = 0; i < length; i++)
            data[i] = (guint8)g_rand_int_range(random, 0, 256);
        transfer_base64(out, data, length);
        check_lines(out, "-.");
        gsize got = 0;
        g_autofree guint8 *back = g_base64_decode(out->str, &got);
        assert_int_equal(got, length);
        assert_memory_equal(back, data, length);
    }
}

static void test_transfer_unbase64_cases(void **state)
{
    (void)state;
    static const struct {
        const char *text, *octets;
    } cases[] = {
        {"aGVsbG8=", "hello"},
        {"aGVsbG8", "hello"},
        {"aGVsbA", "hell"},
        {"aGVsbA=", "hell"},
        {"aGVs", "hel"},
        {"aGVs\r\nbG 8=\r\n", "hello"},
        {"aG*Vs-bG_8=", "hello"},
        {"=aGVsbG8=", "hello"},
        {"aGVsbG8=aGVsbG8=", "hello"}, /* padding ends it */
        {"aGVsb", "hel"},              /* six bits are no octet */
        {"", ""},
        {"=", ""},
        {"====", ""},
        {"a===", ""},
        {"!?-_.", ""},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        gsize size = 99;
        g_autofree guint8 *octets = transfer_unbase64(cases[i].text, strlen(cases[i].text), &size);
        if (size != strlen(cases[i].octets) || memcmp(octets, cases[i].octets, size) != 0)
            fail_msg("case %u: %.*s", i, (int)size, (const char *)octets);
    }
}

/* Every length, with its padding and without. */
static void test_transfer_unbase64_whole(void **state)
{
    (void)state;
    guint8 data[256];

    for (guint i = 0; i < sizeof data; i++)
        data[i] = (guint8)(i * 37);
    for (gsize length = 0; length <= sizeof data; length++) {
        g_autofree char *text = g_base64_encode(data, length);
        for (guint round = 0; round < 2; round++) {
            gsize size;
            g_autofree guint8 *octets = transfer_unbase64(text, strlen(text), &size);
            assert_int_equal(size, length);
            assert_memory_equal(octets, data, length);
            text[strcspn(text, "=")] = '\0';
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transfer_quote_cases),
        cmocka_unit_test(test_transfer_unbase64_cases),
        cmocka_unit_test(test_transfer_unbase64_whole),
        cmocka_unit_test(test_transfer_quote_long_lines),
        cmocka_unit_test(test_transfer_quote_decodes),
        cmocka_unit_test(test_transfer_base64_decodes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
