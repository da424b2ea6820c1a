/* SPDX-License-Identifier: MIT */
#include "lib/seal/ring.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/seal/random.h"
#include "lib/seal/secret_file.h"

#define RING_FILE_MAX 16384

typedef enum { KEY_ABSENT, KEY_VERIFY, KEY_SEAL } KeyState;

struct KeyRing {
    KeyState states[RING_KEYS_MAX];
    guint8 keys[RING_KEYS_MAX][RING_KEY_LENGTH];
    unsigned seal;
};

static gboolean refuse(GError **error, const char *name, guint line, const char *what)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "%s:%u: %s", name, line, what);
    return FALSE;
}

static gboolean parse_hex(const char *text, guint8 key[RING_KEY_LENGTH])
{
    if (strlen(text) != 2 * RING_KEY_LENGTH)
        return FALSE;
    for (guint i = 0; i < RING_KEY_LENGTH; i++) {
        int high = g_ascii_xdigit_value(text[2 * i]), low = g_ascii_xdigit_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return FALSE;
        key[i] = (guint8)(high << 4 | low);
    }
    return TRUE;
}

/* Errors never quote the line: it holds a secret. */
static gboolean parse_key(KeyRing *ring, const char *name, guint line, char **fields,
                          GError **error)
{
    guint64 number, created;

    if (g_strv_length(fields) != 4)
        return refuse(error, name, line, "allowed is `number key created state'");
    if (!g_ascii_string_to_unsigned(fields[0], 10, 0, RING_KEYS_MAX - 1, &number, NULL))
        return refuse(error, name, line, "number: allowed is 0 to 15");
    if (ring->states[number] != KEY_ABSENT)
        return refuse(error, name, line, "number: allowed is a number that no other line has");
    if (!parse_hex(fields[1], ring->keys[number]))
        return refuse(error, name, line, "key: allowed are 64 hexadecimal digits");
    if (!g_ascii_string_to_unsigned(fields[2], 10, 0, G_MAXINT64, &created, NULL))
        return refuse(error, name, line, "created: allowed is a Unix time in seconds");
    if (g_str_equal(fields[3], "verify")) {
        ring->states[number] = KEY_VERIFY;
        return TRUE;
    }
    if (!g_str_equal(fields[3], "seal"))
        return refuse(error, name, line, "state: allowed is seal or verify");
    if (ring->seal < RING_KEYS_MAX)
        return refuse(error, name, line, "state: allowed is one key in state seal");
    ring->states[number] = KEY_SEAL;
    ring->seal = (unsigned)number;
    return TRUE;
}

static gboolean parse_line(KeyRing *ring, const char *name, guint line, char *text, GError **error)
{
    g_autoptr(GPtrArray) fields = g_ptr_array_new();
    char *rest = text;

    for (char *field; (field = strsep(&rest, " \t"));)
        if (*field)
            g_ptr_array_add(fields, field);
    g_ptr_array_add(fields, NULL);
    char **words = (char **)fields->pdata;
    if (!words[0] || words[0][0] == '#')
        return TRUE;
    return parse_key(ring, name, line, words, error);
}

KeyRing *ring_parse(const char *name, const char *text, GError **error)
{
    g_autoptr(KeyRing) ring = g_new0(KeyRing, 1);
    guint line = 0;
    gboolean good = TRUE;

    if (strlen(text) > RING_FILE_MAX) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                    "%s: allowed is a file of at most %d octets", name, RING_FILE_MAX);
        return NULL;
    }
    ring->seal = RING_KEYS_MAX;
    char *copy = g_strdup(text), *rest = copy;
    for (char *start; good && (start = strsep(&rest, "\n"));) {
        /* strsep has cut the line off, and parse_line cuts its words: forget what is left. */
        gsize length = strlen(start);
        good = parse_line(ring, name, ++line, start, error);
        OPENSSL_cleanse(start, length);
    }
    if (rest)
        OPENSSL_cleanse(rest, strlen(rest));
    g_free(copy);
    if (good && ring->seal == RING_KEYS_MAX)
        good = refuse(error, name, line, "state: one key must be in state seal");
    return good ? g_steal_pointer(&ring) : NULL;
}

KeyRing *ring_load(const char *path, GError **error)
{
    char *text = secret_file_read(path, RING_FILE_MAX, error);

    if (!text)
        return NULL;
    KeyRing *ring = ring_parse(path, text, error);
    secret_forget(text);
    return ring;
}

void ring_free(KeyRing *ring)
{
    if (!ring)
        return;
    OPENSSL_cleanse(ring, sizeof(*ring));
    g_free(ring);
}

char *ring_generate(gint64 created)
{
    guint8 key[RING_KEY_LENGTH];

    if (!random_octets(key, sizeof(key), NULL))
        return NULL;
    GString *text = g_string_new("# number key created state\n0 ");
    for (guint i = 0; i < sizeof(key); i++)
        g_string_append_printf(text, "%02x", key[i]);
    g_string_append_printf(text, " %" G_GINT64_FORMAT " seal\n", created);
    OPENSSL_cleanse(key, sizeof(key));
    return g_string_free(text, FALSE);
}

unsigned ring_seal_number(const KeyRing *ring)
{
    return ring->seal;
}

gboolean ring_mac(const KeyRing *ring, unsigned number, const guint8 *data, gsize length,
                  guint8 mac[RING_MAC_LENGTH])
{
    if (number >= RING_KEYS_MAX || ring->states[number] == KEY_ABSENT)
        return FALSE;
    seal_hmac(ring->keys[number], RING_KEY_LENGTH, data, length, mac);
    return TRUE;
}

void seal_hmac(const guint8 *key, gsize key_length, const guint8 *data, gsize length,
               guint8 mac[RING_MAC_LENGTH])
{
    unsigned written = 0;

    g_assert(key_length <= G_MAXINT);
    if (!HMAC(EVP_sha256(), key, (int)key_length, data, length, mac, &written) ||
        written != RING_MAC_LENGTH)
        g_error("HMAC-SHA256 is not available");
}

gboolean seal_equal(const guint8 *a, const guint8 *b, gsize length)
{
    return CRYPTO_memcmp(a, b, length) == 0;
}
