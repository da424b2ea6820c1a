/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/csv.h"
#include "lib/base/error.h"
#include "tests/lib/testing.h"

/* All records as "line|field|field;", "line!" where there was none. */
static char *read_all(const char *text, gsize length, gsize piece)
{
    GString *all = g_string_new(NULL);
    CsvReader reader = {0};
    gsize at = 0, given = MIN(piece, length);

    while (at < length) {
        g_auto(CsvRecord) record = {0};
        g_autoptr(GError) error = NULL;
        gsize used = csv_read(&reader, text + at, given - at, given == length, &record, &error);
        if (error)
            g_string_append_printf(all, "%u!", (guint)reader.line);
        else if (record.n > 0)
            g_string_append_printf(all, "%u", (guint)reader.line);
        for (guint i = 0; i < record.n; i++)
            g_string_append_printf(all, "|%s", record.fields[i]);
        if (record.n > 0)
            g_string_append_c(all, ';');
        at += used;
        if (used == 0 || at == given)
            given = MIN(given + piece, length);
    }
    return g_string_free(all, FALSE);
}

static void test_csv_read_table(void **state)
{
    (void)state;
    static const struct {
        const char *text, *records;
    } cases[] = {
        {"a,b,c\n", "1|a|b|c;"},
        {"a,b\r\nc\r\n", "1|a|b;2|c;"},
        {"a", "1|a;"},
        {"a\r", "1|a;"},
        {"a,", "1|a|;"},
        {"\n", "1|;"},
        {"a\n\nb\n", "1|a;2|;3|b;"},
        {",,\n", "1|||;"},
        {"\xef\xbb\xbf"
         "a\n\xef\xbb\xbf"
         "b\n",
         "1|a;2|\xef\xbb\xbf"
         "b;"},
        {"\xef\xbb\xbf", ""},
        {"\"a\",\"b\"\n", "1|a|b;"},
        {"\"a,b\",c\n", "1|a,b|c;"},
        {"\"a\"\"b\"\n", "1|a\"b;"},
        {"\"\"\n", "1|;"},
        {"\"a\nb\",c\nd\n", "1|a\nb|c;3|d;"},
        {" a , b \n", "1| a | b ;"},
        {"a\"b\nc\n", "1!2|c;"},
        {"\"a\"b\nc\n", "1!2|c;"},
        {"\"a\" ,b\nc\n", "1!2|c;"},
        {"\"a\nb\n", "1!2|b;"}, /* goes on behind the line that has the quote */
        {"\"", "1!"},
        {"a\rb\nc\n", "1!2|c;"},
        {"1,2,3,4,5,6,7,8\n", "1|1|2|3|4|5|6|7|8;"},
        {"1,2,3,4,5,6,7,8,9\nc\n", "1!2|c;"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        for (gsize piece = 1; piece < 20; piece++) {
            g_autofree char *records = read_all(cases[i].text, strlen(cases[i].text), piece);
            if (strcmp(records, cases[i].records) != 0)
                fail_msg("case %u in pieces of %zu: %s", i, piece, records);
        }
    g_autofree char *nul = read_all("a\0b\nc\n", 6, 6);
    assert_string_equal(nul, "1!2|c;");
}

static void test_csv_read_limits(void **state)
{
    (void)state;
    g_autofree char *most = g_strnfill(CSV_RECORD_MAX - 1, 'x');
    g_autofree char *endless = g_strnfill(100000, 'x');
    g_autofree char *fits = g_strconcat(most, "\nok\n", NULL);
    g_autofree char *more = g_strconcat("x", most, "x\nok\n", NULL);
    g_autofree char *far = g_strconcat(endless, "\nok\n", NULL);
    g_autofree char *open = g_strconcat("\"", endless, "\nok\n", NULL);

    for (gsize piece = 1000; piece < 200000; piece *= 5) {
        g_autofree char *first = read_all(fits, strlen(fits), piece);
        g_autofree char *second = read_all(more, strlen(more), piece);
        g_autofree char *third = read_all(far, strlen(far), piece);
        g_autofree char *fourth = read_all(open, strlen(open), piece);
        assert_true(g_str_has_suffix(first, ";2|ok;"));
        assert_string_equal(second, "1!2|ok;");
        assert_string_equal(third, "1!2|ok;");
        assert_string_equal(fourth, "1!2|ok;");
    }
}

static void test_csv_append_table(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"a b", "a b"},
        {"a,b", "\"a,b\""},
        {"a\"b", "\"a\"\"b\""},
        {"a\nb", "\"a\nb\""},
        {" a", "\" a\""},
        {"a ", "\"a \""},
        {"\xc3\xa9", "\xc3\xa9"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        csv_append(out, cases[i][0]);
        assert_string_equal(out->str, cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv_read_table),
        cmocka_unit_test(test_csv_read_limits),
        cmocka_unit_test(test_csv_append_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
