/* SPDX-License-Identifier: MIT */
/* Samples are in reply_strip/: the text, a line "======== text" with what stays below it, and "======== replies" with what does not
 * (nothing: NULL). */
#include "lib/mime/strip_reply.h"

#include <string.h>

#include "tests/lib/testing.h"

#define SAMPLES       OUTRIDER_TEST_SRCDIR "/tests/lib/reply_strip"
#define TEXT_MARK     "======== text\n"
#define REPLIES_MARK  "======== replies\n"
#define SAMPLES_LEAST 60

static void check(const char *name, char *sample)
{
    g_auto(StrippedReply) stripped = {0};
    char *text = strstr(sample, TEXT_MARK);
    char *replies = strstr(sample, REPLIES_MARK);

    if (!text || !replies) {
        fail_msg("%s: not a sample", name);
        return;
    }
    *text = *replies = '\0';
    text = g_strstrip(text + strlen(TEXT_MARK));
    replies = g_strstrip(replies + strlen(REPLIES_MARK));
    strip_reply(sample, &stripped);
    if (strcmp(stripped.text, text) != 0)
        fail_msg("%s: the text is\n%s\nand not\n%s", name, stripped.text, text);
    if (strcmp(stripped.replies ? stripped.replies : "", replies) != 0)
        fail_msg("%s: replies are\n%s\nand not\n%s", name, stripped.replies, replies);
}

static void test_strip_reply_samples(void **state)
{
    g_autoptr(GDir) dir = g_dir_open(SAMPLES, 0, NULL);
    guint count = 0;

    (void)state;
    assert_non_null(dir);
    for (const char *name; (name = g_dir_read_name(dir)); count++) {
        g_autofree char *path = g_build_filename(SAMPLES, name, NULL);
        g_autofree char *sample = NULL;
        assert_true(g_file_get_contents(path, &sample, NULL, NULL));
        check(name, sample);
    }
    assert_true(count >= SAMPLES_LEAST);
}

/* A sample means the same with the line ends of mail. */
static void test_strip_reply_crlf(void **state)
{
    g_auto(StrippedReply) stripped = {0};

    (void)state;
    strip_reply("a\r\n\r\nb\r\n-- \r\nc\r\n", &stripped);
    assert_string_equal(stripped.text, "a\n\nb");
    assert_string_equal(stripped.replies, "-- \nc");
}

static void test_strip_reply_nothing(void **state)
{
    static const char *const cases[] = {"", "\n", "\r\n\r\n", " \t\n "};

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(StrippedReply) stripped = {0};
        strip_reply(cases[i], &stripped);
        assert_string_equal(stripped.text, "");
        assert_null(stripped.replies);
    }
}

/* Whatever begins again and again does not take longer and longer. */
static void test_strip_reply_large(void **state)
{
    static const char *const pieces[] = {
        "On ",     "On 1\n",   "> ",  "a:\n",    "-----Original Message----\n",
        "From:\n", "Le 2024 ", "-\n", "Am @\n>", "> x\n\n"};

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(pieces); i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        g_auto(StrippedReply) stripped = {0};
        while (text->len < 4000000)
            g_string_append(text, pieces[i]);
        strip_reply(text->str, &stripped);
        assert_true(strlen(stripped.text) <= text->len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strip_reply_samples),
        cmocka_unit_test(test_strip_reply_crlf),
        cmocka_unit_test(test_strip_reply_nothing),
        cmocka_unit_test(test_strip_reply_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
