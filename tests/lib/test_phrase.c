/* SPDX-License-Identifier: MIT */
#include "lib/wire/phrase.h"

#include <string.h>

#include "tests/lib/testing.h"

/* What stands where the phrase was found; NULL: it was not. g_free. */
static char *find(const char *phrases, const char *text, gsize length)
{
    g_autoptr(PhraseSet) set = phrase_set_new();
    PhraseHit hits[2] = {0};

    phrase_set_add(set, 0, "never to be found");
    phrase_set_add(set, 1, phrases);
    phrase_set_find(set, text, length, hits);
    assert_int_equal(hits[0].end, 0);
    assert_true(hits[1].end <= length);
    return hits[1].end ? g_strndup(text + hits[1].start, hits[1].end - hits[1].start) : NULL;
}

static void test_phrase_find(void **state)
{
    static const struct {
        const char *phrases, *text, *found;
    } cases[] = {
        {"user unknown", "User unknown", "User unknown"},
        {"User Unknown", "550 5.1.1 USER\r\nunknown.", "USER\r\nunknown"},
        {"user unknown", "user\xff unknown", NULL},
        {"user unknown", "user is unknown", NULL},
        {"user unknown", "superuser unknown", NULL},
        {"user unknown", "user unknowns", NULL},
        {"user unknown", "user", NULL},
        {"user unknown", "user user unknown", "user unknown"},
        {"user unknown", "user 550-5.1.1 unknown", "user 550-5.1.1 unknown"},
        {"user|mailbox", "the mailbox", "mailbox"},
        {"user|mailbox", "the mail box", NULL},
        {"", "anything", NULL},
        {"spam", "<spam@example.com>: no", NULL},
        {"spam", "spam@example.com spam", "spam"},
        {"spam", "spam@ spam", "spam"},
        {"example", "spam@spam.example: no", NULL},
        {"user @ unknown", "user <a.b+c=d@example.com> unknown",
         "user <a.b+c=d@example.com> unknown"},
        {"@ unknown", "@ unknown", NULL},
        {"mailbox ... full", "mailbox full", "mailbox full"},
        {"mailbox ... full", "mailbox of a@b.example is full", "mailbox of a@b.example is full"},
        {"mailbox ... full", "mailbox 1 2 3 4 5 6 7 8 9 full", "mailbox 1 2 3 4 5 6 7 8 9 full"},
        {"mailbox ... full", "mailbox a b c d e f full", "mailbox a b c d e f full"},
        {"mailbox ... full", "mailbox a b c d e f g full", NULL},
        {"mailbox ... full", "mailbox a b c d e f g mailbox full", "mailbox full"},
        {"a ... b ... c", "a x b y c", "a x b y c"},
        {"a ... b ... c", "a x b y", NULL},
        {"doesn't exist", "it doesn't exist", "doesn't exist"},
        {"zen.spamhaus.org", "by zen.spamhaus.org;", "zen.spamhaus.org"},
        {"用户不存在", "550 用户不存在", "用户不存在"},
        {"s3140", "(S3140)", "S3140"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = find(cases[i].phrases, cases[i].text, strlen(cases[i].text));
        if (g_strcmp0(found, cases[i].found) != 0)
            fail_msg("\"%s\" in \"%s\": \"%s\", not \"%s\"", cases[i].phrases, cases[i].text,
                     found ? found : "-", cases[i].found ? cases[i].found : "-");
    }
}

static void test_phrase_find_limits(void **state)
{
    g_autofree char *longest = g_strnfill(PHRASE_WORD_MAX, 'x');
    g_autofree char *text = g_strnfill(PHRASE_TEXT_MAX + 100, ' ');
    g_autofree char *longer = g_strconcat(longest, "x", NULL);

    (void)state;
    g_autofree char *found = find(longest, longest, PHRASE_WORD_MAX);
    assert_string_equal(found, longest);
    assert_null(find(longest, longer, PHRASE_WORD_MAX + 1));
    memcpy(text + PHRASE_TEXT_MAX - 4, "user", 4);
    g_autofree char *last = find("user", text, PHRASE_TEXT_MAX + 100);
    assert_string_equal(last, "user");
    memcpy(text + PHRASE_TEXT_MAX - 4, "    user", 8);
    assert_null(find("user", text, PHRASE_TEXT_MAX + 100));
    assert_null(find("a b", "a\0b", 1));
    g_autofree char *across = find("a b", "a\0b", 3); /* a NUL is a blank like another */
    assert_memory_equal(across, "a", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_phrase_find),
        cmocka_unit_test(test_phrase_find_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
