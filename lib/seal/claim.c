/* SPDX-License-Identifier: MIT */
#include "lib/seal/claim.h"

#include <json-c/json.h>
#include <openssl/evp.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/base/id.h"
#include "lib/seal/base64url.h"

#define FORMAT     "v1"
#define OUTGOING   "out"
#define INCOMING   "in"
#define JSON_DEPTH 4

#define LINE_LENGTH 900 /* of a folded claim, below what SMTP allows */

#define SHA256_LENGTH 32

G_STATIC_ASSERT(CLAIM_BODY_LENGTH == SHA256_LENGTH);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_MD_CTX, EVP_MD_CTX_free)

Claim *claim_new(const char *mail_from)
{
    Claim *claim = g_new0(Claim, 1);

    claim->mail_from = g_strdup(mail_from);
    claim->rcpts = g_byte_array_new();
    return claim;
}

void claim_free(Claim *claim)
{
    if (!claim)
        return;
    g_free(claim->mail_from);
    g_free(claim->tag);
    g_free(claim->rcpt_to);
    g_byte_array_unref(claim->rcpts);
    g_free(claim);
}

/* SHA-256 of two texts, one after the other. */
static void hash(const void *first, gsize length, const char *second, guint8 out[SHA256_LENGTH])
{
    g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();

    if (!context || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1 ||
        EVP_DigestUpdate(context, first, length) != 1 ||
        EVP_DigestUpdate(context, second, strlen(second)) != 1 ||
        EVP_DigestFinal_ex(context, out, NULL) != 1)
        g_error("SHA-256 does not work");
}

static void hash_recipient(const char *address, guint8 out[CLAIM_RECIPIENT_LENGTH])
{
    g_autofree char *lower = g_ascii_strdown(address, -1);
    guint8 whole[SHA256_LENGTH];

    hash(lower, strlen(lower), "", whole);
    memcpy(out, whole, CLAIM_RECIPIENT_LENGTH);
}

void claim_add_recipient(Claim *claim, const char *address)
{
    guint8 octets[CLAIM_RECIPIENT_LENGTH];

    g_return_if_fail(claim_recipients(claim) < CLAIM_RECIPIENTS_MAX);
    hash_recipient(address, octets);
    g_byte_array_append(claim->rcpts, octets, sizeof octets);
}

guint claim_recipients(const Claim *claim)
{
    return claim->rcpts->len / CLAIM_RECIPIENT_LENGTH;
}

gboolean claim_find_recipient(const Claim *claim, const char *address, guint *index)
{
    guint8 octets[CLAIM_RECIPIENT_LENGTH];
    guint n = claim_recipients(claim);

    hash_recipient(address, octets);
    for (guint i = 0; i < n; i++) {
        if (memcmp(claim->rcpts->data + i * CLAIM_RECIPIENT_LENGTH, octets, sizeof octets) == 0) {
            *index = i;
            return TRUE;
        }
    }
    return FALSE;
}

void claim_hash_body(const char *body, gsize length, guint8 out[CLAIM_BODY_LENGTH])
{
    gboolean ended = length >= 2 && memcmp(body + length - 2, "\r\n", 2) == 0;

    hash(body, length, length == 0 || ended ? "" : "\r\n", out);
}

static gboolean compute_mac(const KeyRing *ring, unsigned key, const void *json, gsize length,
                            guint8 mac[RING_MAC_LENGTH])
{
    const guint8 head[] = {'c', 'l', '1', (guint8)key};
    g_autoptr(GByteArray) data = g_byte_array_sized_new((guint)(sizeof head + length));

    g_byte_array_append(data, head, sizeof head);
    g_byte_array_append(data, json, (guint)length);
    return ring_mac(ring, key, data->data, data->len, mac);
}

static void add_number(json_object *object, const char *name, guint64 number)
{
    json_object_object_add(object, name, json_object_new_int64((gint64)number));
}

static void add_octets(json_object *object, const char *name, const guint8 *octets, gsize length)
{
    g_autofree char *text = base64url_encode(octets, length);

    json_object_object_add(object, name, json_object_new_string(text));
}

static json_object *write_json(const Claim *claim)
{
    json_object *object = json_object_new_object();

    json_object_object_add(object, "dir",
                           json_object_new_string(claim->rcpt_to ? INCOMING : OUTGOING));
    json_object_object_add(object, "exp", json_object_new_int64(claim->expires_at));
    add_number(object, "base", claim->base);
    add_number(object, "server", claim->server);
    if (!claim->rcpt_to)
        add_number(object, "credential", claim->credential);
    add_octets(object, "seed", claim->seed, sizeof claim->seed);
    add_octets(object, "body", claim->body, sizeof claim->body);
    /* Addresses may be any octets, JSON is UTF-8. */
    add_octets(object, "mail_from", (const guint8 *)claim->mail_from, strlen(claim->mail_from));
    add_octets(object, "rcpts", claim->rcpts->data, claim->rcpts->len);
    if (claim->tag)
        add_octets(object, "tag", (const guint8 *)claim->tag, strlen(claim->tag));
    if (claim->rcpt_to)
        add_octets(object, "to", (const guint8 *)claim->rcpt_to, strlen(claim->rcpt_to));
    return object;
}

char *claim_seal(const KeyRing *ring, const Claim *claim)
{
    unsigned key = ring_seal_number(ring);
    guint8 mac[RING_MAC_LENGTH];
    json_object *object = write_json(claim);
    const char *json = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
    gboolean made = compute_mac(ring, key, json, strlen(json), mac);
    g_autofree char *body = base64url_encode((const guint8 *)json, strlen(json));
    g_autofree char *seal = base64url_encode(mac, sizeof mac);

    json_object_put(object);
    g_return_val_if_fail(made, NULL);
    return g_strdup_printf(FORMAT ".%u.%s.%s", key, body, seal);
}

static gboolean read_number(json_object *object, const char *name, guint64 max, guint64 *number)
{
    json_object *value = NULL;

    if (!json_object_object_get_ex(object, name, &value) ||
        !json_object_is_type(value, json_type_int))
        return FALSE;
    gint64 read = json_object_get_int64(value);
    *number = (guint64)read;
    return read >= 1 && (guint64)read <= max;
}

/* NULL: not there, or no base64url. An empty text is no octets. */
static guint8 *read_octets(json_object *object, const char *name, gsize *length)
{
    json_object *value = NULL;

    if (!json_object_object_get_ex(object, name, &value) ||
        !json_object_is_type(value, json_type_string))
        return NULL;
    *length = 0;
    return json_object_get_string_len(value) == 0
               ? g_malloc0(1)
               : base64url_decode(json_object_get_string(value), length);
}

static gboolean read_fixed(json_object *object, const char *name, guint8 *out, gsize size)
{
    gsize length;
    g_autofree guint8 *octets = read_octets(object, name, &length);

    if (!octets || length != size)
        return FALSE;
    memcpy(out, octets, size);
    return TRUE;
}

static gboolean read_recipients(json_object *object, GByteArray *rcpts)
{
    gsize length;
    g_autofree guint8 *octets = read_octets(object, "rcpts", &length);

    if (!octets || length == 0 || length % CLAIM_RECIPIENT_LENGTH != 0 ||
        length / CLAIM_RECIPIENT_LENGTH > CLAIM_RECIPIENTS_MAX)
        return FALSE;
    g_byte_array_append(rcpts, octets, (guint)length);
    return TRUE;
}

/* A text that may be absent; FALSE: it is no text. */
static gboolean read_tag(json_object *object, char **tag)
{
    gsize length;

    if (!json_object_object_get_ex(object, "tag", NULL))
        return TRUE;
    *tag = (char *)read_octets(object, "tag", &length);
    return *tag && strlen(*tag) == length && g_utf8_validate(*tag, -1, NULL);
}

/* An address as octets without NUL; NULL: there is none. */
static char *read_address(json_object *object, const char *name)
{
    gsize length;
    g_autofree char *address = (char *)read_octets(object, name, &length);

    return address && strlen(address) == length ? g_steal_pointer(&address) : NULL;
}

/* What goes out has a credential, what came in the recipient that it came for. */
static gboolean read_direction(json_object *object, Claim *claim, guint64 *credential)
{
    const char *direction = json_object_get_string(json_object_object_get(object, "dir"));

    *credential = 0;
    if (g_strcmp0(direction, INCOMING) == 0)
        return (claim->rcpt_to = read_address(object, "to")) != NULL;
    return g_strcmp0(direction, OUTGOING) == 0 &&
           read_number(object, "credential", G_MAXUINT32, credential);
}

static Claim *read_json(json_object *object)
{
    guint64 expires_at, server, credential;
    g_autofree char *mail_from = read_address(object, "mail_from");
    g_autoptr(Claim) claim = claim_new(mail_from);

    if (!mail_from || !read_direction(object, claim, &credential) ||
        !read_number(object, "exp", G_MAXINT64, &expires_at) ||
        !read_number(object, "base", ID_MAX, &claim->base) ||
        !read_number(object, "server", G_MAXUINT32, &server) ||
        !read_fixed(object, "seed", claim->seed, sizeof claim->seed) ||
        !read_fixed(object, "body", claim->body, sizeof claim->body) ||
        !read_recipients(object, claim->rcpts) || !read_tag(object, &claim->tag))
        return NULL;
    claim->expires_at = (gint64)expires_at;
    claim->server = (guint32)server;
    claim->credential = (guint32)credential;
    return g_steal_pointer(&claim);
}

static Claim *parse_json(const guint8 *json, gsize length)
{
    struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH);
    json_object *object = json_tokener_parse_ex(tokener, (const char *)json, (int)length);
    Claim *claim = json_object_is_type(object, json_type_object) ? read_json(object) : NULL;

    json_object_put(object);
    json_tokener_free(tokener);
    return claim;
}

static char *without_space(const char *text)
{
    GString *out = g_string_sized_new(strlen(text));

    for (; *text; text++)
        if (!g_ascii_isspace(*text))
            g_string_append_c(out, *text);
    return g_string_free(out, FALSE);
}

/* The octets of the JSON when everything around them is right. */
static guint8 *verify(const KeyRing *ring, const char *text, gsize *length)
{
    g_autofree char *plain = without_space(text);
    g_auto(GStrv) part = g_strsplit(plain, ".", 5);
    guint8 mac[RING_MAC_LENGTH];
    gsize size;
    guint64 key;

    if (g_strv_length(part) != 4 || !g_str_equal(part[0], FORMAT) ||
        !g_ascii_string_to_unsigned(part[1], 10, 0, RING_KEYS_MAX - 1, &key, NULL))
        return NULL;
    g_autofree guint8 *json = base64url_decode(part[2], length);
    g_autofree guint8 *seal = base64url_decode(part[3], &size);
    if (!json || !seal || size != sizeof mac ||
        !compute_mac(ring, (unsigned)key, json, *length, mac) || !seal_equal(mac, seal, sizeof mac))
        return NULL;
    return g_steal_pointer(&json);
}

char *claim_fold(const char *text, const char *line_end)
{
    GString *value = g_string_sized_new(strlen(text) + 64);

    for (gsize left = strlen(text); left > 0;) {
        gsize part = MIN(left, LINE_LENGTH);
        g_string_append(value, value->len ? line_end : "");
        g_string_append_c(value, value->len ? '\t' : ' ');
        g_string_append_len(value, text, (gssize)part);
        text += part;
        left -= part;
    }
    return g_string_free(value, FALSE);
}

Claim *claim_open(const KeyRing *ring, const char *text, gint64 now, GError **error)
{
    gsize length;
    g_autofree guint8 *json = strlen(text) <= CLAIM_TEXT_MAX ? verify(ring, text, &length) : NULL;
    g_autoptr(Claim) claim = json ? parse_json(json, length) : NULL;

    if (!claim) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_FORGED,
                    "the claim's seal does not verify");
        return NULL;
    }
    if (claim->expires_at <= now) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "the claim has expired");
        return NULL;
    }
    return g_steal_pointer(&claim);
}
