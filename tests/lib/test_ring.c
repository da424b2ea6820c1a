/* SPDX-License-Identifier: MIT */
#include <glib/gstdio.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/seal/ring.h"
#include "tests/lib/testing.h"

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0"

static void test_ring_parse_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", "r:1: state: one key must be in state seal"},
        {"0 " KEY_A " 1 verify\n", "r:2: state: one key must be in state seal"},
        {"0 " KEY_A " 1 seal\n1 " KEY_B " 1 seal", "r:2: state: allowed is one key in state seal"},
        {"0 " KEY_A " 1 seal\n0 " KEY_B " 1 verify",
         "r:2: number: allowed is a number that no other line has"},
        {"16 " KEY_A " 1 seal", "r:1: number: allowed is 0 to 15"},
        {"-1 " KEY_A " 1 seal", "r:1: number: allowed is 0 to 15"},
        {"x " KEY_A " 1 seal", "r:1: number: allowed is 0 to 15"},
        {"\n# c\n1 " KEY_A "0 1 seal", "r:3: key: allowed are 64 hexadecimal digits"},
        {"1 abcd 1 seal", "r:1: key: allowed are 64 hexadecimal digits"},
        {"1 g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 1 seal",
         "r:1: key: allowed are 64 hexadecimal digits"},
        {"1 " KEY_A " -1 seal", "r:1: created: allowed is a Unix time in seconds"},
        {"1 " KEY_A " now seal", "r:1: created: allowed is a Unix time in seconds"},
        {"1 " KEY_A " 1 Seal", "r:1: state: allowed is seal or verify"},
        {"1 " KEY_A " 1", "r:1: allowed is `number key created state'"},
        {"1 " KEY_A " 1 seal x", "r:1: allowed is `number key created state'"},
        {"1 " KEY_A " 1 seal\r\n", "r:1: state: allowed is seal or verify"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(ring_parse("r", cases[i].text, &error));
        assert_non_null(error);
        assert_string_equal(error->message, cases[i].message);
        assert_error_code(error, INVALID);
    }
    g_autofree char *huge = g_strnfill(20000, '\n');
    g_autoptr(GError) error = NULL;
    assert_null(ring_parse("r", huge, &error));
    assert_error_code(error, INVALID);
}

static void test_ring_mac_by_number(void **state)
{
    (void)state;
    g_autoptr(GError) error = NULL;
    g_autoptr(KeyRing) ring =
        ring_parse("r", "# ring\n 3\t" KEY_A "  1 verify\n\n15 " KEY_B " 2 seal", &error);
    guint8 mac[RING_MAC_LENGTH], plain[RING_MAC_LENGTH], key[RING_KEY_LENGTH];

    assert_no_error(error);
    assert_int_equal(ring_seal_number(ring), 15);
    for (guint i = 0; i < RING_KEY_LENGTH; i++)
        key[i] = (guint8)i;
    seal_hmac(key, sizeof(key), (const guint8 *)"abc", 3, plain);
    assert_true(ring_mac(ring, 3, (const guint8 *)"abc", 3, mac));
    assert_true(seal_equal(mac, plain, sizeof(mac)));
    assert_true(ring_mac(ring, 15, (const guint8 *)"abc", 3, mac));
    assert_false(seal_equal(mac, plain, sizeof(mac)));
    memset(mac, 7, sizeof(mac));
    assert_false(ring_mac(ring, 0, (const guint8 *)"abc", 3, mac));
    assert_false(ring_mac(ring, 16, (const guint8 *)"abc", 3, mac));
    assert_int_equal(mac[0], 7);
}

/* RFC 4231, cases 1, 2 and 6 (a key longer than a block). */
static void test_seal_hmac_vectors(void **state)
{
    (void)state;
    static const struct {
        guint8 fill;
        gsize fill_length;
        const char *key;
        const char *data;
        const char *mac;
    } cases[] = {
        {0x0b, 20, NULL, "Hi There",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {0, 0, "Jefe", "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {0xaa, 131, NULL, "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint8 key[131], mac[RING_MAC_LENGTH];
        gsize length = cases[i].key ? strlen(cases[i].key) : cases[i].fill_length;
        memset(key, cases[i].fill, sizeof(key));
        if (cases[i].key)
            memcpy(key, cases[i].key, length);
        seal_hmac(key, length, (const guint8 *)cases[i].data, strlen(cases[i].data), mac);
        g_autoptr(GString) hex = g_string_new(NULL);
        for (guint j = 0; j < sizeof(mac); j++)
            g_string_append_printf(hex, "%02x", mac[j]);
        assert_string_equal(hex->str, cases[i].mac);
    }
}

static void test_ring_generate_is_fresh(void **state)
{
    (void)state;
    GError *error = NULL;
    g_autofree char *first = ring_generate(1763712000);
    g_autofree char *second = ring_generate(1763712000);
    g_autoptr(KeyRing) ring = ring_parse("r", first, &error);

    assert_no_error(error);
    assert_int_equal(ring_seal_number(ring), 0);
    assert_string_not_equal(first, second);
    assert_true(g_str_has_suffix(first, " 1763712000 seal\n"));
}

static void test_ring_load_refuses_readable_by_others(void **state)
{
    (void)state;
    static const struct {
        int mode;
        gboolean good;
    } cases[] = {{0640, TRUE}, {0600, TRUE}, {0644, FALSE}, {0642, FALSE}, {0641, FALSE}};
    GError *error = NULL;
    g_autofree char *dir = g_dir_make_tmp("outrider-ring-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "return", NULL);

    assert_null(ring_load(path, &error));
    assert_error_code(error, NOT_FOUND);
    assert_null(ring_load(dir, &error));
    assert_error_code(error, INVALID);
    assert_true(g_file_set_contents(path, "0 " KEY_A " 1 seal\n", -1, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_int_equal(g_chmod(path, cases[i].mode), 0);
        g_autoptr(KeyRing) ring = ring_load(path, &error);
        assert_int_equal(ring != NULL, cases[i].good);
        if (!ring)
            assert_error_code(error, INVALID);
    }
    static const char with_nul[] = "0 " KEY_A " 1 seal\n\0junk";
    assert_true(g_file_set_contents(path, with_nul, sizeof(with_nul) - 1, NULL));
    assert_int_equal(g_chmod(path, 0600), 0);
    assert_null(ring_load(path, &error));
    assert_null(strstr(error->message, KEY_A));
    assert_error_code(error, INVALID);
    g_unlink(path);
    g_rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_parse_refuses),
        cmocka_unit_test(test_ring_mac_by_number),
        cmocka_unit_test(test_seal_hmac_vectors),
        cmocka_unit_test(test_ring_generate_is_fresh),
        cmocka_unit_test(test_ring_load_refuses_readable_by_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
