/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/error.h"
#include "lib/base/id.h"
#include "lib/seal/base64url.h"
#include "lib/seal/link.h"
#include "tests/lib/testing.h"

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0"

/*
 * Made apart from this code, with Python:
 *     def seal(key, num, flags, id, server, ordinal, url, host):
 *         head = bytes([16 | num, flags]) + id.to_bytes(7, 'big') + server.to_bytes(3, 'big')
 *         head += ordinal.to_bytes(2, 'big') + url.encode(); h = host.lower().encode()
 *         mac = hmac.new(key, b"lk1" + bytes([len(h)]) + h + head, hashlib.sha256).digest()[:12]
 *         return base64.urlsafe_b64encode(head + mac).rstrip(b'=').decode()
 */
static const struct {
    const char *ring;
    LinkKind kind;
    guint16 ordinal;
    guint32 server;
    guint64 id;
    const char *url, *host, *token;
} vectors[] = {
    {"0 " KEY_A " 1 seal", LINK_CLICK, 1, 1, 1, "http://a.test/", "t.example",
     "EAAAAAAAAAABAAABAAFodHRwOi8vYS50ZXN0L13mS7PCoy76gjyARA"},
    {"0 " KEY_A " 1 seal", LINK_CLICK, 65535, LINK_SERVER_MAX, ID_MAX,
     "https://shop.example/a b?x=1&y=\303\244#z", "Track.Example",
     "EAAf______________9odHRwczovL3Nob3AuZXhhbXBsZS9hIGI_eD0xJnk9w6QjeuvxX3IiK_AUOzqALg"},
    {"15 " KEY_B " 1 seal", LINK_OPEN, 0, 77, G_GUINT64_CONSTANT(123456789012345), "",
     "t.example.com", "HwEAcEiGDd95AABNAABK3r3FoToAW3DlrIM"},
};

static KeyRing *ring_of(const char *text)
{
    GError *error = NULL;
    KeyRing *ring = ring_parse("r", text, &error);

    assert_no_error(error);
    return ring;
}

static void assert_forged(const KeyRing *ring, LinkKind kind, const char *token, const char *host)
{
    GError *error = NULL;
    g_autoptr(Link) link = link_open(ring, kind, token, host, &error);

    if (link)
        fail_msg("%s opened", token);
    assert_error_code(error, FORGED);
}

static void test_link_vectors(void **state)
{
    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autoptr(KeyRing) ring = ring_of(vectors[i].ring);
        g_autofree char *url = g_strdup(vectors[i].url);
        const Link link = {vectors[i].kind, vectors[i].ordinal, vectors[i].server, vectors[i].id,
                           url};
        g_autofree char *token = link_seal(ring, &link, vectors[i].host);
        assert_string_equal(token, vectors[i].token);

        GError *error = NULL;
        g_autofree char *upper = g_ascii_strup(vectors[i].host, -1);
        g_autoptr(Link) opened = link_open(ring, vectors[i].kind, token, upper, &error);
        assert_no_error(error);
        assert_int_equal(opened->kind, vectors[i].kind);
        assert_int_equal(opened->ordinal, vectors[i].ordinal);
        assert_int_equal(opened->server, vectors[i].server);
        assert_int_equal(opened->id, vectors[i].id);
        assert_string_equal(opened->url, vectors[i].url);
    }
}

/* Every bit of every octet, every character and every length. */
static void test_link_open_tampered(void **state)
{
    (void)state;
    for (guint v = 0; v < G_N_ELEMENTS(vectors); v++) {
        g_autoptr(KeyRing) ring = ring_of(vectors[v].ring);
        LinkKind kind = vectors[v].kind;
        const char *host = vectors[v].host;
        gsize length;
        g_autofree guint8 *octets = base64url_decode(vectors[v].token, &length);

        for (gsize bit = 0; bit < length * 8; bit++) {
            octets[bit / 8] ^= (guint8)(1 << bit % 8);
            g_autofree char *token = base64url_encode(octets, length);
            assert_forged(ring, kind, token, host);
            octets[bit / 8] ^= (guint8)(1 << bit % 8);
        }
        g_autofree char *text = g_strdup(vectors[v].token);
        for (gsize i = 0; text[i]; i++) {
            char was = text[i];
            text[i] = was == 'A' ? 'B' : 'A';
            assert_forged(ring, kind, text, host);
            text[i] = '=';
            assert_forged(ring, kind, text, host);
            text[i] = '\0';
            assert_forged(ring, kind, text, host);
            text[i] = was;
        }
        g_autofree char *more = g_strconcat(text, "A", NULL);
        assert_forged(ring, kind, more, host);
    }
}

static void test_link_open_refuses(void **state)
{
    (void)state;
    g_autoptr(KeyRing) ring = ring_of("0 " KEY_A " 1 verify\n1 " KEY_B " 1 seal");
    g_autoptr(KeyRing) other = ring_of("0 " KEY_B " 1 seal");
    g_autoptr(KeyRing) later = ring_of("1 " KEY_A " 1 seal");
    g_autofree char *longest = g_strnfill(LINK_TOKEN_MAX + 1, 'A');
    g_autofree char *long_host = g_strnfill(254, 'a');
    /* Those with a right seal were made like the vectors. */
    static const char *const bad[] = {
        "",
        "A",
        "AA",
        "EAAAAAAAAAABAAABAAFodHRwOi8vYS50ZXN0L13mS7PCoy76gjyARA==",
        "EAIAAAAAAAABAAABAAFodHRwOi8vYS50ZXN0L0cxFLrEwWGPGSoEPg", /* flag 2 */
        "EAAAAAAAAAAAAAABAAFodHRwOi8vYS50ZXN0LyWyXbttZCde_ixDVQ", /* id 0 */
        "EAAgAAAAAAAAAAABAAFodHRwOi8vYS50ZXN0L3jizOr9ZLhzxInFeA", /* id 2^53 */
        "EAAAAAAAAAABAAABAAFqYXZhc2NyaXB0OmFsZXJ0KDEpkdI3IqoxWlweAoMz",
        "EAAAAAAAAAABAAABAAFodHRwOi8vYS50ZXN0Lw0KU2V0LUNvb2tpZTogYeJBrDpyeHDpXnWxDg",
        "EAAAAAAAAAABAAABAAFodHRwOi8vYS50ZXN0LwB7dYeFCSLLA-O8vDQ", /* a NUL in it */
        "EAAAAAAAAAABAAABAAH_qKTPvVn5grFIHKU",                     /* no URL */
        "EAEAAAAAAAABAAABAAFodHRwOi8vYS50ZXN0L6_okqX5-Ydvc8CeRg",  /* a pixel with a URL */
    };

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        assert_forged(ring, LINK_CLICK, bad[i], "t.example");
        assert_forged(ring, LINK_OPEN, bad[i], "t.example");
    }
    assert_forged(ring, LINK_CLICK, longest, "t.example");
    assert_forged(ring, LINK_OPEN, vectors[0].token, "t.example");
    assert_forged(ring, LINK_CLICK, vectors[0].token, "u.example");
    assert_forged(ring, LINK_CLICK, vectors[0].token, "t.example.");
    assert_forged(ring, LINK_CLICK, vectors[0].token, "");
    assert_forged(ring, LINK_CLICK, vectors[0].token, long_host);
    assert_forged(other, LINK_CLICK, vectors[0].token, "t.example");
    assert_forged(later, LINK_CLICK, vectors[0].token, "t.example");
    g_autoptr(Link) good = link_open(ring, LINK_CLICK, vectors[0].token, "t.example", NULL);
    assert_non_null(good);
}

static void test_link_longest(void **state)
{
    (void)state;
    g_autoptr(KeyRing) ring = ring_of("0 " KEY_A " 1 seal");
    g_autofree char *path = g_strnfill(LINK_URL_MAX - 7, 'x');
    g_autofree char *url = g_strconcat("http://", path, NULL);
    const Link link = {LINK_CLICK, 1, 1, 1, url};
    g_autofree char *token = link_seal(ring, &link, "t.example");
    g_autoptr(Link) opened = link_open(ring, LINK_CLICK, token, "t.example", NULL);

    assert_int_equal(strlen(token), LINK_TOKEN_MAX);
    assert_non_null(opened);
    assert_string_equal(opened->url, url);
}

static void test_link_url_is_fit_cases(void **state)
{
    static const char *const good[] = {"http://a", "HTTPS://a", "http://a/ b\303\244"};
    static const char *const bad[] = {"",
                                      "a",
                                      "http:/a",
                                      "ftp://a",
                                      " http://a",
                                      "javascript:a",
                                      "http://a\n",
                                      "http://a\r\nb",
                                      "http://\177",
                                      "http://a\001",
                                      "//a",
                                      "mailto:a@b"};
    g_autofree char *path = g_strnfill(LINK_URL_MAX - 6, 'x');
    g_autofree char *url = g_strconcat("http://", path, NULL);

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(good); i++)
        assert_true(link_url_is_fit(good[i]));
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_false(link_url_is_fit(bad[i]));
    assert_false(link_url_is_fit(url));
}

static void test_base64url_decode_refuses(void **state)
{
    /* The last ones have bits set that mean nothing: there is one text for some octets. */
    static const char *const bad[] = {"",    "A",   "AAAAA", "AA==", "AA=", "A+",
                                      "A/A", "A A", "AA\n",  "AB",   "AAB", "_w\\"};
    gsize length = 99;

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_null(base64url_decode(bad[i], &length));
    assert_int_equal(length, 99);
    g_autofree guint8 *octets = base64url_decode("_-8A", &length);
    assert_int_equal(length, 3);
    assert_memory_equal(octets, "\377\357\0", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_link_vectors),
        cmocka_unit_test(test_link_open_tampered),
        cmocka_unit_test(test_link_open_refuses),
        cmocka_unit_test(test_link_longest),
        cmocka_unit_test(test_link_url_is_fit_cases),
        cmocka_unit_test(test_base64url_decode_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
