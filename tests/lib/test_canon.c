/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/mailauth/canon.h"
#include "tests/lib/testing.h"

#define OCTETS(text) text, sizeof(text) - 1

static void test_canon_field_table(void **state)
{
    static const struct {
        const char *name, *value, *wanted;
    } cases[] = {
        {"A", " X", "a:X"},
        {"SUBJect", " AbC\n\tdef ", "subject:AbC def"},
        {"B ", "\t Y\t\n\tZ  ", "b:Y Z"},
        {"Empty", "", "empty:"},
        {"Blank", " \t\n \t", "blank:"},
        {"Tight", "x\n y", "tight:x y"},
        {"Crlf", " x\r\n\ty\r\n ", "crlf:x y"},
        {"Cr", " x\ry\r", "cr:x\ry\r"},
        {"Eight", " \xfc  \xa0", "eight:\xfc \xa0"},
        {"Colon", ":: :", "colon::: :"},
        {"Folds", "\n\t\n \n\tx", "folds:x"},
        {"Feed", " a\v\f b", "feed:a\v\f b"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        canon_field(cases[i].name, cases[i].value, out);
        assert_string_equal(out->str, cases[i].wanted);
    }
}

static GString *canon_in_pieces(const char *data, gsize length, gsize piece)
{
    GString *out = g_string_new(NULL);
    CanonBody body = {0};

    for (gsize at = 0; at < length; at += piece)
        canon_body(&body, data + at, MIN(piece, length - at), out);
    canon_body_end(&body, out);
    return out;
}

static void test_canon_body_table(void **state)
{
    static const struct {
        const char *given;
        gsize length;
        const char *wanted;
        gsize wanted_length;
    } cases[] = {
        {OCTETS(""), OCTETS("")},
        {OCTETS("\r\n"), OCTETS("")},
        {OCTETS("\r\n\r\n\r\n"), OCTETS("")},
        {OCTETS(" \t"), OCTETS("")},
        {OCTETS(" \r\n\t\r\n"), OCTETS("")},
        {OCTETS("x"), OCTETS("x\r\n")},
        {OCTETS("x "), OCTETS("x\r\n")},
        {OCTETS("x\r\n"), OCTETS("x\r\n")},
        {OCTETS(" C \r\nD \t E\r\n\r\n\r\n"), OCTETS(" C\r\nD E\r\n")},
        {OCTETS("\r\n \r\n\tx"), OCTETS("\r\n\r\n x\r\n")},
        {OCTETS("a\r\n \r\n\t\r\nb\r\n \r\n"), OCTETS("a\r\n\r\n\r\nb\r\n")},
        {OCTETS("x\r"), OCTETS("x\r\r\n")},
        {OCTETS("\r"), OCTETS("\r\r\n")},
        {OCTETS("x \r"), OCTETS("x \r\r\n")},
        {OCTETS("a \rb\r\n"), OCTETS("a \rb\r\n")},
        {OCTETS("a\r \r\n"), OCTETS("a\r\r\n")},
        {OCTETS("a\r\r\n"), OCTETS("a\r\r\n")},
        {OCTETS("\n"), OCTETS("\n\r\n")},
        {OCTETS("a \n\n b\n"), OCTETS("a \n\n b\n\r\n")},
        {OCTETS("\r \n"), OCTETS("\r \n\r\n")},
        {OCTETS("\0"), OCTETS("\0\r\n")},
        {OCTETS("a\0 \0\r\n\0"), OCTETS("a\0 \0\r\n\0\r\n")},
        {OCTETS("\xff \xa0\r\n"), OCTETS("\xff \xa0\r\n")},
        {OCTETS("\v \f\r\n"), OCTETS("\v \f\r\n")},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        for (gsize piece = 1; piece <= cases[i].length + 1; piece++) {
            GString *out = canon_in_pieces(cases[i].given, cases[i].length, piece);
            assert_int_equal(out->len, cases[i].wanted_length);
            assert_memory_equal(out->str, cases[i].wanted, out->len);
            g_string_free(out, TRUE);
        }
}

/* What would take a minute if it were not linear. */
static void test_canon_body_large(void **state)
{
    static const struct {
        const char *unit;
        gsize wanted;
    } cases[] = {
        {" ", 0}, {"\t", 0}, {"\r\n", 0}, {" \r\n", 0}, {"\r", 10000002}, {"x ", 10000001},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) body = g_string_new(NULL);
        while (body->len < 10000000)
            g_string_append(body, cases[i].unit);
        GString *out = canon_in_pieces(body->str, body->len, 16384);
        assert_int_equal(out->len, cases[i].wanted);
        g_string_free(out, TRUE);
        gsize length = body->len;
        g_string_append_c(body, 'x');
        out = canon_in_pieces(body->str, body->len, 16384);
        assert_true(out->len <= length + 3);
        assert_memory_equal(out->str + out->len - 3, "x\r\n", 3);
        g_string_free(out, TRUE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canon_field_table),
        cmocka_unit_test(test_canon_body_table),
        cmocka_unit_test(test_canon_body_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
