/* SPDX-License-Identifier: MIT */
/*
 * Purpose: DKIM signatures (RFC 6376, RFC 8463) for one message with one or more keys of one domain.
 * Used by: the milter; later the API's own reports.
 * May touch: nothing; keys come from the caller.
 * Threads: a signer is shared by all threads; each call is on its own.
 * Limits: at most DKIM_FIELDS_MAX fields that are signed: libopendkim cuts longer lists of names, and
 *     verifiers have limits as well. The body is hashed for each RSA key and once for all Ed25519 keys.
 *     Signing time is the clock's.
 *
 * relaxed/relaxed; what a reader sees or a filter decides by is signed, and the fields that must not
 * be added later are signed once more than they are there (oversigned). Fields that change or go on the
 * way (Received, Return-Path, Bcc, X-Outrider-*) are not.
 */
#pragma once

#include <glib.h>

#define DKIM_FIELDS_MAX 128

typedef struct DkimSigner DkimSigner;

/* Error UNAVAILABLE when libopendkim cannot start. */
DkimSigner *dkim_signer_open(GError **error);
void dkim_signer_close(DkimSigner *signer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DkimSigner, dkim_signer_close)

/* One header field: the value as it stands behind the colon, leading white space included. */
typedef struct {
    const char *name;
    const char *value;
} DkimField;

typedef struct {
    const char *selector;
    const char *private_key; /* PEM */
    gboolean ed25519;        /* else RSA with SHA-256 */
} DkimKey;

typedef struct {
    const DkimField *fields; /* top down */
    guint n_fields;
    const char *body; /* CRLF line ends, as it will be sent */
    gsize length;
} DkimContent;

typedef struct {
    char *value; /* of a DKIM-Signature field: starts with a space, folded with LF TAB */
    char *label; /* "domain:selector:rsa-sha256" */
} DkimSignature;

/* Signs as domain with each of n_keys; GPtrArray of DkimSignature in their order, freed with it. All or
 * nothing. id names the message in libopendkim's own texts. Error UNAVAILABLE (temporary) or
 * TOO_LARGE (permanent): nothing may be sent unsigned. */
GPtrArray *dkim_signer_sign(DkimSigner *signer, const char *id, const char *domain,
                            const DkimKey *keys, guint n_keys, const DkimContent *content,
                            GError **error);
