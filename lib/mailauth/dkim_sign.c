/* SPDX-License-Identifier: MIT */
#include "lib/mailauth/dkim_sign.h"

/* opendkim/dkim.h wants these before it. */
#include <stdbool.h>
#include <sys/types.h>

#include <opendkim/dkim.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "lib/base/error.h"

#define SIGNATURE_FIELD "DKIM-Signature: "

struct DkimSigner {
    DKIM_LIB *library;
};

/* One message context of libopendkim. */
typedef DKIM DkimContext;

static void context_free(DkimContext *context)
{
    if (context)
        dkim_free(context);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DkimContext, context_free)

static const struct {
    const char *name;
    gboolean oversign;
} field_rules[] = {
#define X(name, oversign) {name, oversign},
#include "lib/mailauth/dkim_field.def"
#undef X
};

static void free_signature(gpointer data)
{
    DkimSignature *signature = data;

    g_free(signature->value);
    g_free(signature->label);
    g_free(signature);
}

static gboolean set_fields(DKIM_LIB *library)
{
    const char *oversigned[G_N_ELEMENTS(field_rules) + 1] = {NULL};
    const char *covered[G_N_ELEMENTS(field_rules) + 1] = {NULL};
    guint n = 0;

    for (guint i = 0; i < G_N_ELEMENTS(field_rules); i++) {
        covered[i] = field_rules[i].name;
        if (field_rules[i].oversign)
            oversigned[n++] = field_rules[i].name;
    }
    /* libopendkim copies the lists. */
    return dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_SIGNHDRS, covered,
                        sizeof(unsigned char **)) == DKIM_STAT_OK &&
           dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_OVERSIGNHDRS, oversigned,
                        sizeof(unsigned char **)) == DKIM_STAT_OK;
}

DkimSigner *dkim_signer_open(GError **error)
{
    g_autoptr(DkimSigner) signer = g_new0(DkimSigner, 1);

    signer->library = dkim_init(NULL, NULL);
    if (signer->library && dkim_libfeature(signer->library, DKIM_FEATURE_ED25519) &&
        set_fields(signer->library))
        return g_steal_pointer(&signer);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                "libopendkim: cannot start, or built without Ed25519");
    return NULL;
}

void dkim_signer_close(DkimSigner *signer)
{
    if (!signer)
        return;
    if (signer->library)
        dkim_close(signer->library);
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

static DKIM_STAT feed_header(DkimContext *context, const DkimContent *content)
{
    g_autoptr(GString) line = g_string_sized_new(512);
    DKIM_STAT status = DKIM_STAT_OK;

    for (guint i = 0; i < content->n_fields && status == DKIM_STAT_OK; i++) {
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

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)

/* libopendkim would sign with whatever key it finds and call the result Ed25519. */
static gboolean is_ed25519(const char *pem)
{
    g_autoptr(BIO) bio = BIO_new_mem_buf(pem, -1);
    g_autoptr(EVP_PKEY) key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;

    return key && EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
}

static DkimSignature *sign_once(DkimSigner *signer, const char *id, const char *domain,
                                const DkimKey *key, const DkimContent *content, GError **error)
{
    DKIM_STAT status = DKIM_STAT_OK;
    unsigned char *folded = NULL;
    size_t length = 0;
    union {
        const char *given;
        dkim_sigkey_t taken;
    } secret = {.given = key->private_key};

    if (key->ed25519 && !is_ed25519(key->private_key)) {
        fail(NULL, DKIM_STAT_INVALID, domain, key->selector, error);
        return NULL;
    }
    g_autoptr(DkimContext) context =
        dkim_sign(signer->library, (const unsigned char *)id, NULL, secret.taken,
                  (const unsigned char *)key->selector, (const unsigned char *)domain,
                  DKIM_CANON_RELAXED, DKIM_CANON_RELAXED,
                  key->ed25519 ? DKIM_SIGN_ED25519SHA256 : DKIM_SIGN_RSASHA256, -1, &status);
    if (context)
        status = feed(context, content);
    if (status == DKIM_STAT_OK)
        status = dkim_getsighdr_d(context, strlen(SIGNATURE_FIELD), &folded, &length);
    if (!context || status != DKIM_STAT_OK) {
        fail(context, status, domain, key->selector, error);
        return NULL;
    }
    DkimSignature *signature = g_new0(DkimSignature, 1);
    signature->value = field_value(folded, length);
    signature->label = g_strdup_printf("%s:%s:%s", domain, key->selector,
                                       key->ed25519 ? "ed25519-sha256" : "rsa-sha256");
    return signature;
}

GPtrArray *dkim_signer_sign(DkimSigner *signer, const char *id, const char *domain,
                            const DkimKey *keys, guint n_keys, const DkimContent *content,
                            GError **error)
{
    g_autoptr(GPtrArray) signatures = g_ptr_array_new_with_free_func(free_signature);

    if (n_keys == 0) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "no DKIM key for %s",
                    domain);
        return NULL;
    }
    for (guint i = 0; i < n_keys; i++) {
        DkimSignature *signature = sign_once(signer, id, domain, &keys[i], content, error);
        if (!signature)
            return NULL;
        g_ptr_array_add(signatures, signature);
    }
    return g_steal_pointer(&signatures);
}
