/* SPDX-License-Identifier: MIT */
#include "lib/seal/digest.h"
#include "tests/lib/testing.h"

static void assert_digest(const char *const *pieces, const char *wanted)
{
    char text[DIGEST_TEXT_LENGTH];
    g_autoptr(Digest) digest = digest_new();

    for (guint i = 0; pieces[i]; i++)
        digest_add(digest, pieces[i], strlen(pieces[i]));
    digest_finish(digest, text);
    assert_string_equal(text, wanted);
}

/* FIPS 180-2, appendix B, and the empty message. */
static void test_digest_of_known_messages(void **state)
{
    static const char *const nothing[] = {NULL}, *const abc[] = {"abc", NULL},
                             *const pieces[] = {"a", "", "bc", NULL},
                             *const blocks[] = {"abcdbcdecdefdefgefghfghighijhijk",
                                                "ijkljklmklmnlmnomnopnopq", NULL};

    (void)state;
    assert_digest(nothing, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_digest(abc, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_digest(pieces, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_digest(blocks, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/* echo -n key | sha256sum begins with 2c70e12b7a0646f9 */
static void test_digest_number(void **state)
{
    g_autoptr(Digest) digest = digest_new();

    (void)state;
    digest_add(digest, "key", 3);
    assert_true(digest_finish_number(digest) == G_GUINT64_CONSTANT(0x2c70e12b7a0646f9) >> 1);
}

static void test_digest_of_texts_keeps_them_apart(void **state)
{
    g_autoptr(Digest) one = digest_new();
    g_autoptr(Digest) other = digest_new();

    (void)state;
    digest_add_text(one, "ab");
    digest_add_text(one, "c");
    digest_add_text(other, "a");
    digest_add_text(other, "bc");
    assert_true(digest_finish_number(one) != digest_finish_number(other));
}

static void test_digest_free_unfinished(void **state)
{
    (void)state;
    Digest *digest = digest_new();
    digest_add(digest, "x", 1);
    digest_free(digest);
    digest_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digest_of_known_messages),
        cmocka_unit_test(test_digest_number),
        cmocka_unit_test(test_digest_of_texts_keeps_them_apart),
        cmocka_unit_test(test_digest_free_unfinished),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
