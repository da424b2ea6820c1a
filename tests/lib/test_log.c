/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "lib/log/line.h"
#include "tests/lib/testing.h"

static void test_log_line_escapes(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *line;
    } cases[] = {
        {"a@ok.test", "Q1: did k=a@ok.test"},
        {NULL, "Q1: did k=-"},
        {"-", "Q1: did k=\"-\""},
        {"", "Q1: did k=\"\""},
        {"a b", "Q1: did k=\"a b\""},
        {"a=b", "Q1: did k=\"a=b\""},
        {"x\nfake: line", "Q1: did k=\"x\\x0afake: line\""},
        {"\r\t\033[2J", "Q1: did k=\"\\x0d\\x09\\x1b[2J\""},
        {"say \"hi\" \\", "Q1: did k=\"say \\\"hi\\\" \\\\\""},
        {"gr\303\274n", "Q1: did k=\"gr\303\274n\""},
        {"bad \377\303", "Q1: did k=\"bad \\xff\\xc3\""},
        {"\302\205", "Q1: did k=\"\\xc2\\x85\""},
        {"\342\200\256evil", "Q1: did k=\"\\xe2\\x80\\xaeevil\""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const LogField fields[] = {LOG_TEXT("k", cases[i].value), {.key = NULL}};
        g_autofree char *line = log_line("Q1", "did", fields, 0);
        assert_string_equal(line, cases[i].line);
    }
}

static void test_log_line_kinds(void **state)
{
    (void)state;
    const LogField fields[] = {LOG_ID("id", G_GINT64_CONSTANT(9007199254740991)),
                               LOG_SECRET("key", "abcdefghijklmnopqrstuvwx"),
                               LOG_SECRET("short", "abcdef"),
                               LOG_SECRET("none", NULL),
                               {.key = NULL}};
    g_autofree char *line = log_line(NULL, "did", fields, 7);

    assert_string_equal(line, "did id=9007199254740991 key=abcd...(24) short=...(6) none=- "
                              "left_out=7");
}

static void test_log_line_queue_id_is_escaped(void **state)
{
    (void)state;
    g_autofree char *line = log_line("Q\n1", "did", NULL, 0);

    assert_string_equal(line, "Q\\x0a1: did");
}

static void test_log_line_bounds(void **state)
{
    (void)state;
    static const char *const fills[] = {"x", "\001", "\303\274", "\""};

    for (size_t i = 0; i < G_N_ELEMENTS(fills); i++) {
        g_autoptr(GString) value = g_string_new(NULL);
        while (value->len < 10000)
            g_string_append(value, fills[i]);
        LogField fields[21] = {{.key = NULL}};
        fields[0] = LOG_TEXT("k", value->str);
        g_autofree char *one = log_line(NULL, "d", fields, 0);
        assert_true(strlen(one) <= strlen("d k=\"\"...") + LOG_VALUE_MAX);
        assert_non_null(strstr(one, "..."));
        for (guint f = 0; f < 20; f++)
            fields[f] = LOG_TEXT("k", value->str);
        g_autofree char *line = log_line(NULL, "d", fields, 0);
        assert_true(strlen(line) <= LOG_LINE_MAX);
        assert_true(g_str_has_suffix(line, "..."));
        assert_true(g_utf8_validate(line, -1, NULL));
    }
}

static void test_log_site_admit_counts_left_out(void **state)
{
    (void)state;
    LogSite site = {0};
    guint left_out = 42;

    for (guint i = 0; i < LOG_LINES_PER_SITE; i++) {
        assert_true(log_site_admit(&site, 1000, &left_out));
        assert_int_equal(left_out, 0);
    }
    for (guint i = 0; i < 30; i++)
        assert_false(log_site_admit(&site, 1000, &left_out));
    assert_true(log_site_admit(&site, 1001, &left_out));
    assert_int_equal(left_out, 30);
    assert_true(log_site_admit(&site, 1001, &left_out));
    assert_int_equal(left_out, 0);
    assert_true(log_site_admit(NULL, 1001, &left_out));
}

/* Runs a logging function with stderr in a pipe; g_free. */
static char *capture(void (*run)(void))
{
    int ends[2], saved = dup(STDERR_FILENO);
    char text[8192];

    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    run();
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    ssize_t n = read(ends[0], text, sizeof(text) - 1);
    close(ends[0]);
    assert_true(n >= 0);
    return g_strndup(text, (gsize)n);
}

static void log_three(void)
{
    log_open("outrider-test", "stderr", "warning");
    log_info("Q1", "not written");
    log_warning("Q1", "written", LOG_INT("n", 5));
    log_error(NULL, "failed");
}

static void test_log_emit_obeys_level(void **state)
{
    (void)state;
    g_autofree char *text = capture(log_three);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    assert_int_equal(g_strv_length(lines), 3);
    assert_true(g_str_has_suffix(lines[0], "]: warning: Q1: written n=5"));
    assert_non_null(strstr(lines[0], "Z outrider-test["));
    assert_true(g_str_has_suffix(lines[1], "]: error: failed"));
    assert_false(log_enabled(LOG_LEVEL_INFO));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_line_escapes),
        cmocka_unit_test(test_log_line_kinds),
        cmocka_unit_test(test_log_line_queue_id_is_escaped),
        cmocka_unit_test(test_log_line_bounds),
        cmocka_unit_test(test_log_site_admit_counts_left_out),
        cmocka_unit_test(test_log_emit_obeys_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
