/* SPDX-License-Identifier: MIT */
#include "lib/mailauth/dkim_sign.h"

/* opendkim/dkim.h wants these before it. */
#include <stdbool.h>
#include <sys/types.h>

#include <opendkim/dkim.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/mailauth/dkim_ed25519.h"
#include "lib/mailauth/field_rule.h"
#include "lib/mailauth/key_cache.h"
#include "lib/mailauth/key_lend.h"

#define SIGNATURE_FIELD "DKIM-Signature: "

struct DkimSigner {
    DKIM_LIB *library; /* makes the RSA signatures */
    KeyCache *keys;
};

/* One message context of libopendkim. */
typedef DKIM DkimContext;

static void context_free(DkimContext *context)
{
    if (context)
        dkim_free(context);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DkimContext, context_free)

static void free_signature(gpointer data)
{
    DkimSignature *signature = data;

    g_free(signature->value);
    g_free(signature->label);
    g_free(signature);
}

static gboolean set_fields(DKIM_LIB *library)
{
    g_autoptr(GPtrArray) covered = g_ptr_array_new();
    g_autoptr(GPtrArray) oversigned = g_ptr_array_new();

    for (guint i = 0; i < field_rules_count; i++) {
        gpointer name = (gpointer)(guintptr)field_rules[i].name;
        g_ptr_array_add(covered, name);
        if (field_rules[i].oversign)
            g_ptr_array_add(oversigned, name);
    }
    g_ptr_array_add(covered, NULL);
    g_ptr_array_add(oversigned, NULL);
    /* libopendkim copies the lists. */
    return dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_SIGNHDRS, covered->pdata,
                        sizeof(unsigned char **)) == DKIM_STAT_OK &&
           dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_OVERSIGNHDRS, oversigned->pdata,
                        sizeof(unsigned char **)) == DKIM_STAT_OK;
}

DkimSigner *dkim_signer_open(GError **error)
{
    g_autoptr(DkimSigner) signer = g_new0(DkimSigner, 1);

    signer->keys = key_cache_new();
    signer->library = dkim_init(NULL, NULL);
    if (signer->library && set_fields(signer->library))
        return g_steal_pointer(&signer);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "libopendkim: cannot start");
    return NULL;
}

void dkim_signer_close(DkimSigner *signer)
{
    if (!signer)
        return;
    if (signer->library)
        dkim_close(signer->library);
    key_cache_free(signer->keys);
    g_free(signer);
}

static gboolean fail(DkimContext *context, DKIM_STAT status, const char *domain,
                     const char *selector, GError **error)
{
    const char *detail = context ? dkim_geterror(context) : NULL;

    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "DKIM key %s of %s: %s",
                selector, domain, detail ? detail : dkim_getresultstr(status));
    return FALSE;
}

/* Only what is signed: libopendkim refuses names with a semicolon, and signatures of others that it cannot read. */
static DKIM_STAT feed_header(DkimContext *context, const DkimContent *content)
{
    g_autoptr(GString) line = g_string_sized_new(512);
    DKIM_STAT status = DKIM_STAT_OK;

    for (guint i = 0; i < content->n_fields && status == DKIM_STAT_OK; i++) {
        if (field_rules_covering(content->fields[i].name) == 0)
            continue;
        g_string_printf(line, "%s:%s", content->fields[i].name, content->fields[i].value);
        status = dkim_header(context, (unsigned char *)line->str, line->len);
    }
    return status == DKIM_STAT_OK ? dkim_eoh(context) : status;
}

static gboolean ends_with_crlf(const DkimContent *content)
{
    return content->length >= 2 && memcmp(content->body + content->length - 2, "\r\n", 2) == 0;
}

/* Postfix ends the last line when it sends, so the signature is made over that. */
static DKIM_STAT feed(DkimContext *context, const DkimContent *content)
{
    unsigned char crlf[] = "\r\n";
    DKIM_STAT status = feed_header(context, content);

    if (status == DKIM_STAT_OK && content->length > 0) {
        /* dkim_body reads only; its prototype lacks the const. */
        union {
            const char *given;
            unsigned char *taken;
        } body = {.given = content->body};
        status = dkim_body(context, body.taken, content->length);
        if (status == DKIM_STAT_OK && !ends_with_crlf(content))
            status = dkim_body(context, crlf, 2);
    }
    return status == DKIM_STAT_OK ? dkim_eom(context, NULL) : status;
}

/* libopendkim folds with CRLF; a milter hands LF to the mail server. */
static char *field_value(const unsigned char *folded, size_t length)
{
    g_autoptr(GString) value = g_string_sized_new(length + 1);

    g_string_append_c(value, ' ');
    for (size_t i = 0; i < length; i++)
        if (folded[i] != '\r')
            g_string_append_c(value, (char)folded[i]);
    return g_string_free(g_steal_pointer(&value), FALSE);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)

/* What all signatures of one message share. */
typedef struct {
    DkimSigner *signer;
    const char *id;
    const char *domain;
    const DkimContent *content;
    gboolean hashed;
    guint8 body_hash[BODY_HASH_LENGTH];
} Work;

/* The value of an RSA signature; NULL with error. */
static char *sign_rsa(Work *work, const DkimKey *key, GError **error)
{
    DKIM_STAT status = DKIM_STAT_OK;
    unsigned char *folded = NULL;
    size_t length = 0;
    union {
        const char *given;
        dkim_sigkey_t taken;
    } secret = {.given = key->private_key};
    /* What libopendkim cannot load it does not free either, so it gets sound keys only. */
    g_autoptr(EVP_PKEY) sound = key_cache_get(work->signer->keys, key->private_key, EVP_PKEY_RSA);

    if (!sound) {
        fail(NULL, DKIM_STAT_INVALID, work->domain, key->selector, error);
        return NULL;
    }
    key_lend(sound);
    g_autoptr(DkimContext) context =
        dkim_sign(work->signer->library, (const unsigned char *)work->id, NULL, secret.taken,
                  (const unsigned char *)key->selector, (const unsigned char *)work->domain,
                  DKIM_CANON_RELAXED, DKIM_CANON_RELAXED, DKIM_SIGN_RSASHA256, -1, &status);

    if (context)
        status = feed(context, work->content);
    key_lend(NULL);
    if (status == DKIM_STAT_OK)
        status = dkim_getsighdr_d(context, strlen(SIGNATURE_FIELD), &folded, &length);
    if (context && status == DKIM_STAT_OK)
        return field_value(folded, length);
    fail(context, status, work->domain, key->selector, error);
    return NULL;
}

/* The value of an Ed25519 signature; NULL with error. */
static char *sign_ed25519(Work *work, const DkimKey *key, GError **error)
{
    g_autoptr(EVP_PKEY) private_key =
        key_cache_get(work->signer->keys, key->private_key, EVP_PKEY_ED25519);
    Ed25519Signer signer = {private_key, work->domain, key->selector,
                            g_get_real_time() / G_USEC_PER_SEC};

    if (private_key && !work->hashed)
        work->hashed =
            dkim_ed25519_hash_body(work->content->body, work->content->length, work->body_hash);
    char *value = work->hashed && private_key
                      ? dkim_ed25519_sign(&signer, work->content, work->body_hash)
                      : NULL;
    if (!value)
        fail(NULL, DKIM_STAT_INVALID, work->domain, key->selector, error);
    return value;
}

static gboolean check_size(const DkimContent *content, GError **error)
{
    guint covered = 0;

    for (guint i = 0; i < content->n_fields; i++)
        covered += field_rules_covering(content->fields[i].name);
    if (covered <= DKIM_FIELDS_MAX)
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_TOO_LARGE,
                "header: %u fields to sign, at most %d are allowed", covered, DKIM_FIELDS_MAX);
    return FALSE;
}

GPtrArray *dkim_signer_sign(DkimSigner *signer, const char *id, const char *domain,
                            const DkimKey *keys, guint n_keys, const DkimContent *content,
                            GError **error)
{
    g_autoptr(GPtrArray) signatures = g_ptr_array_new_with_free_func(free_signature);
    Work work = {.signer = signer, .id = id, .domain = domain, .content = content};

    if (n_keys == 0) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "no DKIM key for %s",
                    domain);
        return NULL;
    }
    if (!check_size(content, error))
        return NULL;
    for (guint i = 0; i < n_keys; i++) {
        gboolean ed25519 = keys[i].ed25519;
        char *value =
            ed25519 ? sign_ed25519(&work, &keys[i], error) : sign_rsa(&work, &keys[i], error);
        if (!value)
            return NULL;
        DkimSignature *signature = g_new0(DkimSignature, 1);
        signature->value = value;
        signature->label = g_strdup_printf("%s:%s:%s", domain, keys[i].selector,
                                           ed25519 ? "ed25519-sha256" : "rsa-sha256");
        g_ptr_array_add(signatures, signature);
    }
    return g_steal_pointer(&signatures);
}
