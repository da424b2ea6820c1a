/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/error.h"
#include "lib/base/id.h"
#include "lib/seal/return_path.h"
#include "tests/lib/testing.h"

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0"

/*
 * Vectors made apart from this code, with Python:
 *     def seal(key, num, kind, id, server, lane, domain):
 *         n = 1 << 84 | num << 80 | kind << 77 | id << 24 | server
 *         head = n.to_bytes(11, 'big'); d = domain.lower().encode()
 *         mac = hmac.new(key, b"rp1" + bytes([len(d)]) + d + lane.to_bytes(4, 'big') + head,
 *                        hashlib.sha256).digest()[:8]
 *         n = int.from_bytes(head + mac, 'big') << 3
 *         return ''.join("abcdefghijklmnopqrstuvwxyz234567"[n >> 5 * (30 - i) & 31]
 *                        for i in range(31)) + "-%d@%s" % (lane, d.decode())
 */
static const struct {
    const char *ring;
    ReturnPath path;
    const char *domain;
    const char *address;
} vectors[] = {
    {"0 " KEY_A " 1 seal",
     {RETURN_PATH_MESSAGE, 1, 1, 0},
     "rp.example",
     "caqaaaaaaaaacaaaaghrkuh4hmqg2gi-0@rp.example"},
    {"0 " KEY_A " 1 seal",
     {RETURN_PATH_FORWARD, ID_MAX, RETURN_PATH_SERVER_MAX, RETURN_PATH_LANE_MAX},
     "RP.Example",
     "cbp777777777777774r6nb3scmdnc4a-65535@rp.example"},
    {"15 " KEY_B " 1 seal",
     {RETURN_PATH_SUBMISSION, G_GUINT64_CONSTANT(123456789012345), 77, 8},
     "rp.example.com",
     "d5qhasegbxpxsaaajvdpxb7usb3i2ei-8@rp.example.com"},
};

static KeyRing *ring_of(const char *text)
{
    GError *error = NULL;
    KeyRing *ring = ring_parse("r", text, &error);

    assert_no_error(error);
    return ring;
}

static void assert_same(const ReturnPath *a, const ReturnPath *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->id, b->id);
    assert_int_equal(a->server, b->server);
    assert_int_equal(a->lane, b->lane);
}

static void assert_forged(const KeyRing *ring, const char *address)
{
    static const ReturnPath untouched = {RETURN_PATH_FORWARD, 5, 6, 7};
    ReturnPath path = untouched;
    GError *error = NULL;

    assert_false(return_path_open(ring, address, &path, &error));
    assert_error_code(error, FORGED);
    assert_same(&path, &untouched);
}

static void test_return_path_seal_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autoptr(KeyRing) ring = ring_of(vectors[i].ring);
        g_autofree char *address = return_path_seal(ring, &vectors[i].path, vectors[i].domain);
        assert_string_equal(address, vectors[i].address);
    }
}

static void test_return_path_open_folded_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autoptr(KeyRing) ring = ring_of(vectors[i].ring);
        g_autofree char *upper = g_ascii_strup(vectors[i].address, -1);
        const char *const addresses[] = {vectors[i].address, upper};
        for (size_t j = 0; j < G_N_ELEMENTS(addresses); j++) {
            GError *error = NULL;
            ReturnPath path = {0};
            return_path_open(ring, addresses[j], &path, &error);
            assert_no_error(error);
            assert_same(&path, &vectors[i].path);
        }
    }
}

/* Every other character at every place, so also every bit of the 152 and the three of padding. */
/* A domain that has lost its own return path, or got one: what was sealed for either opens. */
static void test_return_path_open_any_domain(void **state)
{
    static const char *const domains[] = {"rp.example", "psrp.acme.example", "a"};
    static const ReturnPath path = {RETURN_PATH_MESSAGE, 12345, 3, 8};
    g_autoptr(KeyRing) ring = ring_of(vectors[0].ring);

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(domains); i++) {
        g_autofree char *address = return_path_seal(ring, &path, domains[i]);
        g_autofree char *moved = g_strconcat(address, ".example", NULL);
        ReturnPath opened = {0};
        GError *error = NULL;
        return_path_open(ring, address, &opened, &error);
        assert_no_error(error);
        assert_same(&opened, &path);
        assert_forged(ring, moved);
    }
}

/* The longest domain makes an address that SMTP takes. */
static void test_return_path_seal_longest_domain(void **state)
{
    static const ReturnPath path = {RETURN_PATH_MESSAGE, 12345, 3, RETURN_PATH_LANE_MAX};
    g_autoptr(KeyRing) ring = ring_of(vectors[0].ring);
    g_autofree char *domain = g_strnfill(RETURN_PATH_DOMAIN_MAX, 'a');
    g_autofree char *address = return_path_seal(ring, &path, domain);

    (void)state;
    assert_int_equal(strlen(address), 254);
}

static void test_return_path_open_tampered_token(void **state)
{
    (void)state;
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

    for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autoptr(KeyRing) ring = ring_of(vectors[i].ring);
        for (guint at = 0; at < RETURN_PATH_TOKEN_LENGTH; at++) {
            for (const char *c = alphabet; *c; c++) {
                g_autofree char *address = g_strdup(vectors[i].address);
                if (address[at] == *c)
                    continue;
                address[at] = *c;
                assert_forged(ring, address);
            }
        }
    }
}

static void test_return_path_open_refuses(void **state)
{
    (void)state;
#define TOKEN "caqaaaaaaaaacaaaaghrkuh4hmqg2gi"
    static const char *const bad[] = {
        "",
        "@rp.example",
        "<" TOKEN "-0@rp.example>",
        TOKEN,
        TOKEN "@rp.example",
        TOKEN "-@rp.example",
        TOKEN "-1@rp.example",
        TOKEN "-00@rp.example",
        TOKEN "-+0@rp.example",
        TOKEN "--0@rp.example",
        TOKEN "-65536@rp.example",
        TOKEN "-4294967296@rp.example",
        TOKEN "-18446744073709551616@rp.example",
        TOKEN "-0",
        TOKEN "-0@",
        TOKEN "-0@rp.exampl",
        TOKEN "-0@rp.example.",
        TOKEN "-0@rp.example.com",
        TOKEN "-0@other.example",
        TOKEN "-0 @rp.example",
        " " TOKEN "-0@rp.example",
        TOKEN "a-0@rp.example",
        "aqaaaaaaaaacaaaaghrkuh4hmqg2gi-0@rp.example",
        "caqaaaaaaaaacaaaaghrkuh4hmqg2g1-0@rp.example",
        "caqaaaaaaaaacaaaaghrkuh4hmqg2g\377-0@rp.example",
        "user@rp.example",
    };
    g_autoptr(KeyRing) ring = ring_of(vectors[0].ring);

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_forged(ring, bad[i]);
    g_autofree char *domain = g_strnfill(300, 'a');
    g_autofree char *endless = g_strconcat(TOKEN "-0@", domain, NULL);
    assert_forged(ring, endless);
}

static void test_return_path_open_after_rotation(void **state)
{
    (void)state;
    g_autoptr(KeyRing) rotated = ring_of("0 " KEY_A " 1 verify\n1 " KEY_B " 2 seal");
    g_autoptr(KeyRing) retired = ring_of("1 " KEY_B " 2 seal");
    g_autoptr(KeyRing) reused = ring_of("0 " KEY_B " 2 seal");
    GError *error = NULL;
    ReturnPath path = {0};

    return_path_open(rotated, vectors[0].address, &path, &error);
    assert_no_error(error);
    assert_same(&path, &vectors[0].path);
    assert_forged(retired, vectors[0].address);
    assert_forged(reused, vectors[0].address);

    g_autofree char *fresh = return_path_seal(rotated, &vectors[0].path, "rp.example");
    assert_string_not_equal(fresh, vectors[0].address);
    return_path_open(retired, fresh, &path, &error);
    assert_no_error(error);
}

static void test_return_path_seal_lane_bounds(void **state)
{
    (void)state;
    static const guint32 lanes[] = {0, 1, 9, 10, 99, 100, 9999, 10000, 65535};
    g_autoptr(KeyRing) ring = ring_of(vectors[0].ring);

    for (size_t i = 0; i < G_N_ELEMENTS(lanes); i++) {
        ReturnPath path = {RETURN_PATH_MESSAGE, 42, 7, lanes[i]}, opened = {0};
        g_autofree char *address = return_path_seal(ring, &path, "rp.example");
        assert_true(strcspn(address, "@") <= RETURN_PATH_LOCAL_MAX);
        assert_true(return_path_open(ring, address, &opened, NULL));
        assert_same(&opened, &path);
    }
}

static void test_submission_pattern_knows_the_kind(void **state)
{
    static const guint64 ids[] = {1, 4711, G_GUINT64_CONSTANT(123456789012345), ID_MAX};
    g_autoptr(GRegex) pattern =
        g_regex_new("^" RETURN_PATH_SUBMISSION_PATTERN "-0@rp\\.example$", 0, 0, NULL);

    (void)state;
    for (guint key = 0; key < RING_KEYS_MAX; key++) {
        g_autofree char *text = g_strdup_printf("%u " KEY_A " 1 seal", key);
        g_autoptr(KeyRing) ring = ring_parse("test", text, NULL);
        for (guint i = 0; i < 3 * G_N_ELEMENTS(ids); i++) {
            const ReturnPath path = {.kind = i % 3 + 1, .id = ids[i / 3], .server = 1};
            g_autofree char *address = return_path_seal(ring, &path, "rp.example");
            if (g_regex_match(pattern, address, 0, NULL) != (path.kind == RETURN_PATH_SUBMISSION))
                fail_msg("kind %d: %s", (int)path.kind, address);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_return_path_seal_vectors),
        cmocka_unit_test(test_return_path_open_folded_case),
        cmocka_unit_test(test_return_path_open_any_domain),
        cmocka_unit_test(test_return_path_seal_longest_domain),
        cmocka_unit_test(test_return_path_open_tampered_token),
        cmocka_unit_test(test_return_path_open_refuses),
        cmocka_unit_test(test_return_path_open_after_rotation),
        cmocka_unit_test(test_return_path_seal_lane_bounds),
        cmocka_unit_test(test_submission_pattern_knows_the_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
