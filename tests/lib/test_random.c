/* SPDX-License-Identifier: MIT */
#include "lib/seal/random.h"

#include <string.h>

#include "tests/lib/testing.h"

static void test_random_text_uses_whole_alphabet(void **state)
{
    (void)state;
    static const gsize lengths[] = {0, 1, 24, 63, 64, 65, 100000};
    gboolean seen[256] = {0};
    guint letters = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autofree char *text =
            random_text(RANDOM_CAPITALS RANDOM_SMALL RANDOM_DIGITS, lengths[i], NULL);
        assert_int_equal(strlen(text), lengths[i]);
        for (const char *p = text; *p; p++) {
            assert_true(g_ascii_isalnum(*p));
            letters += !seen[(guchar)*p];
            seen[(guchar)*p] = TRUE;
        }
    }
    assert_int_equal(letters, 62);
}

static void test_random_text_of_one_character(void **state)
{
    g_autofree char *text = random_text("x", 3, NULL);

    (void)state;
    assert_string_equal(text, "xxx");
}

static void test_random_octets_differ(void **state)
{
    guint8 a[16] = {0}, b[16] = {0};

    (void)state;
    assert_true(random_octets(a, sizeof a, NULL));
    assert_true(random_octets(b, sizeof b, NULL));
    assert_memory_not_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_text_uses_whole_alphabet),
        cmocka_unit_test(test_random_text_of_one_character),
        cmocka_unit_test(test_random_octets_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
