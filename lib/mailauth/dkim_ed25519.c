/* SPDX-License-Identifier: MIT */
#include "lib/mailauth/dkim_ed25519.h"

#include <string.h>

#include "lib/mailauth/canon.h"
#include "lib/mailauth/field_rule.h"

#define SIGNATURE_LENGTH 64
#define PIECE            16384
#define LINE_LENGTH      76

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_MD_CTX, EVP_MD_CTX_free)

gboolean dkim_ed25519_hash_body(const char *body, gsize length, guint8 hash[BODY_HASH_LENGTH])
{
    g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();
    g_autoptr(GString) out = g_string_sized_new(2 * PIECE);
    CanonBody state = {0};
    gboolean good = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;

    for (gsize at = 0; good && at < length; at += PIECE) {
        g_string_truncate(out, 0);
        canon_body(&state, body + at, MIN(PIECE, length - at), out);
        good = EVP_DigestUpdate(context, out->str, out->len) == 1;
    }
    g_string_truncate(out, 0);
    canon_body_end(&state, out);
    return good && EVP_DigestUpdate(context, out->str, out->len) == 1 &&
           EVP_DigestFinal_ex(context, hash, NULL) == 1;
}

/* The value while it is made; it is folded before a tag or a name of h= only. */
typedef struct {
    GString *text;
    gsize column;
} Folded;

static void add(Folded *value, const char *piece)
{
    if (value->column + strlen(piece) > LINE_LENGTH) {
        g_string_append(value->text, "\n\t");
        value->column = 1;
        piece += *piece == ' ';
    }
    g_string_append(value->text, piece);
    value->column += strlen(piece);
}

static void add_tag(Folded *value, const char *name, const char *text)
{
    g_autofree char *piece = g_strconcat(" ", name, "=", text, ";", NULL);

    add(value, piece);
}

static void add_name(Folded *value, const char *name)
{
    g_autofree char *piece = g_strconcat(name, ":", NULL);

    add(value, piece);
}

/* Appends the h= tag, and to input the fields in the same order: of one name the lowest first, as
 * a verifier takes them (RFC 6376 section 5.4.2). */
static void select_fields(const DkimContent *content, Folded *value, GString *input)
{
    g_string_append(value->text, "\n\th=");
    value->column = strlen("\th=");
    for (guint i = 0; i < field_rules_count; i++) {
        const FieldRule *rule = &field_rules[i];
        for (guint k = content->n_fields; k-- > 0;) {
            const DkimField *field = &content->fields[k];
            if (!field_rule_covers(rule, field->name))
                continue;
            canon_field(field->name, field->value, input);
            g_string_append(input, "\r\n");
            add_name(value, rule->name);
        }
        if (rule->oversign)
            add_name(value, rule->name);
    }
    /* Oversigned names are always there, so the last octet is a colon. */
    value->text->str[value->text->len - 1] = ';';
}

/* RFC 8463 section 3: Ed25519 over the SHA-256 of the header, not over the header; base64. */
static char *sign_hash(EVP_PKEY *key, const GString *input)
{
    g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();
    unsigned char hash[BODY_HASH_LENGTH], signature[SIGNATURE_LENGTH];
    size_t length = sizeof signature;

    if (!context || EVP_Digest(input->str, input->len, hash, NULL, EVP_sha256(), NULL) != 1 ||
        EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
        EVP_DigestSign(context, signature, &length, hash, sizeof hash) != 1)
        return NULL;
    return g_base64_encode(signature, length);
}

char *dkim_ed25519_sign(const Ed25519Signer *signer, const DkimContent *content,
                        const guint8 body_hash[BODY_HASH_LENGTH])
{
    g_autoptr(GString) text = g_string_new(" v=1; a=ed25519-sha256; c=relaxed/relaxed;");
    g_autoptr(GString) input = g_string_sized_new(2048);
    g_autofree char *hash = g_base64_encode(body_hash, BODY_HASH_LENGTH);
    g_autofree char *time = g_strdup_printf("%" G_GINT64_FORMAT, signer->now);
    Folded value = {text, strlen("DKIM-Signature:") + text->len};

    add_tag(&value, "d", signer->domain);
    add_tag(&value, "s", signer->selector);
    add_tag(&value, "t", time);
    add_tag(&value, "bh", hash);
    select_fields(content, &value, input);
    g_string_append(text, "\n\tb=");
    canon_field("DKIM-Signature", text->str, input);
    g_autofree char *signature = sign_hash(signer->key, input);
    if (!signature)
        return NULL;
    g_string_append(text, signature);
    return g_string_free(g_steal_pointer(&text), FALSE);
}
