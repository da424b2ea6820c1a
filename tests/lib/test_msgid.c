/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/error.h"
#include "lib/base/id.h"
#include "lib/seal/msgid.h"
#include "lib/seal/return_path.h"
#include "tests/lib/testing.h"

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0"

/*
 * Vectors made apart from this code, with Python:
 *     def seal(key, num, token, id, server):
 *         n = 1 << 84 | num << 80 | 1 << 77 | id << 24 | server
 *         head = n.to_bytes(11, 'big')
 *         mac = hmac.new(key, b"mi1" + token + head, hashlib.sha256).digest()[:8]
 *         n = int.from_bytes(head + mac, 'big') << 3
 *         return token.decode() + '-' + ''.join("abcdefghijklmnopqrstuvwxyz234567"[n >> 5 * (30 - i) & 31]
 *                                               for i in range(31))
 */
static const struct {
    const char *ring;
    Msgid msgid;
    const char *text;
} vectors[] = {
    {"0 " KEY_A " 1 seal",
     {"0123456789ABCDEF", 1, 1},
     "0123456789ABCDEF-caqaaaaaaaaacaaaae3vq7v7ph2zisy"},
    {"0 " KEY_A " 1 seal",
     {"zzzzzzzzzzzzzzzz", ID_MAX, SEALED_ID_SERVER_MAX},
     "zzzzzzzzzzzzzzzz-ca7777777777777777247ffo24ntq7i"},
    {"15 " KEY_B " 1 seal",
     {"5Oynl5rlmfr2Kf4n", G_GUINT64_CONSTANT(123456789012345), 77},
     "5Oynl5rlmfr2Kf4n-d4qhasegbxpxsaaajvelqkop5g4g3qi"},
};

static KeyRing *ring_of(const char *text)
{
    GError *error = NULL;
    KeyRing *ring = ring_parse("r", text, &error);

    assert_no_error(error);
    return ring;
}

static void assert_same(const Msgid *a, const Msgid *b)
{
    assert_string_equal(a->token, b->token);
    assert_int_equal(a->id, b->id);
    assert_int_equal(a->server, b->server);
}

static void assert_forged(const KeyRing *ring, const char *text)
{
    static const Msgid untouched = {"untouched", 6, 7};
    Msgid msgid = untouched;
    GError *error = NULL;

    if (msgid_open(ring, text, &msgid, &error))
        fail_msg("%s opens", text);
    assert_error_code(error, FORGED);
    assert_same(&msgid, &untouched);
}

static void test_msgid_seal_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autoptr(KeyRing) ring = ring_of(vectors[i].ring);
        g_autofree char *text = msgid_seal(ring, &vectors[i].msgid);
        Msgid msgid = {0}, read = {0};
        assert_string_equal(text, vectors[i].text);
        assert_int_equal(strlen(text), MSGID_LENGTH);
        assert_true(strlen(MSGID_FIELD ": ") + strlen(text) < 78);
        assert_true(msgid_open(ring, text, &msgid, NULL));
        assert_same(&msgid, &vectors[i].msgid);
        assert_true(msgid_read(text, &read));
        assert_same(&read, &vectors[i].msgid);
    }
}

/* Every other character at every place, of the token too. */
static void test_msgid_open_tampered(void **state)
{
    (void)state;
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

    for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autoptr(KeyRing) ring = ring_of(vectors[i].ring);
        for (guint at = 0; at < MSGID_LENGTH; at++) {
            for (const char *c = alphabet; *c; c++) {
                g_autofree char *text = g_strdup(vectors[i].text);
                if (text[at] == *c)
                    continue;
                text[at] = *c;
                assert_forged(ring, text);
            }
        }
    }
}

static void test_msgid_open_refuses(void **state)
{
    (void)state;
#define TOKEN  "0123456789ABCDEF"
#define SEALED "caqaaaaaaaaacaaaae3vq7v7ph2zisy"
    static const char *const bad[] = {
        "",
        "-",
        TOKEN,
        SEALED,
        TOKEN "-",
        "-" SEALED,
        TOKEN SEALED,
        TOKEN " " SEALED,
        TOKEN "--" SEALED,
        " " TOKEN "-" SEALED,
        TOKEN "-" SEALED " ",
        TOKEN "-" SEALED "\n",
        TOKEN "-" SEALED "a",
        TOKEN "-" SEALED "-0@rp.example",
        TOKEN "-caqaaaaaaaaacaaaae3vq7v7ph2zis",
        TOKEN "-caqaaaaaaaaacaaaae3vq7v7ph2zis1",
        TOKEN "-caqaaaaaaaaacaaaae3vq7v7ph2zis\377",
        "0123456789ABCDEG-" SEALED,
        "0123456789abcdef-" SEALED,
        "0123456789ABCD:F-" SEALED,
        "0123456789ABCD\303\274-" SEALED,
        "zzzzzzzzzzzzzzzz-" SEALED,
        SEALED "-" TOKEN,
    };
    g_autoptr(KeyRing) ring = ring_of(vectors[0].ring);

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_forged(ring, bad[i]);
}

/* Of the same message and the same key; neither is the other. */
static void test_msgid_is_no_return_path(void **state)
{
    (void)state;
    static const ReturnPath path = {RETURN_PATH_MESSAGE, 1, 1, 0};
    g_autoptr(KeyRing) ring = ring_of(vectors[0].ring);
    g_autofree char *address = return_path_seal(ring, &path, "rp.example");
    g_autofree char *as_msgid = g_strdup_printf(TOKEN "-%.*s", RETURN_PATH_TOKEN_LENGTH, address);
    ReturnPath opened;

    assert_forged(ring, as_msgid);
    assert_false(return_path_open(ring, SEALED "-0@rp.example", &opened, NULL));
}

/* A seal that verifies, of another kind than ours. */
static void test_msgid_open_other_kind(void **state)
{
    (void)state;
    g_autoptr(KeyRing) ring = ring_of(vectors[0].ring);

    for (guint kind = 0; kind <= SEALED_ID_KIND_MAX; kind++) {
        const SealedId sealed = {kind, 1, 1};
        SealedBound bound = {.octets = "mi1" TOKEN, .length = 3 + TOKEN_LENGTH};
        char text[SEALED_ID_LENGTH + 1];
        Msgid msgid;
        assert_true(sealed_id_seal(ring, &sealed, &bound, text));
        g_autofree char *value = g_strdup_printf(TOKEN "-%s", text);
        if (kind != 1)
            assert_forged(ring, value);
        assert_int_equal(msgid_read(value, &msgid), kind == 1);
    }
}

static void test_msgid_open_after_rotation(void **state)
{
    (void)state;
    g_autoptr(KeyRing) rotated = ring_of("0 " KEY_A " 1 verify\n1 " KEY_B " 2 seal");
    g_autoptr(KeyRing) retired = ring_of("1 " KEY_B " 2 seal");
    g_autoptr(KeyRing) reused = ring_of("0 " KEY_B " 2 seal");
    Msgid msgid = {0};

    assert_true(msgid_open(rotated, vectors[0].text, &msgid, NULL));
    assert_same(&msgid, &vectors[0].msgid);
    assert_forged(retired, vectors[0].text);
    assert_forged(reused, vectors[0].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_msgid_seal_vectors),
        cmocka_unit_test(test_msgid_open_tampered),
        cmocka_unit_test(test_msgid_open_refuses),
        cmocka_unit_test(test_msgid_is_no_return_path),
        cmocka_unit_test(test_msgid_open_other_kind),
        cmocka_unit_test(test_msgid_open_after_rotation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
