/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the certificates of the hosts that are served, found by the name that a client asks for (SNI, RFC 6066 §3).
 * Used by: lib/httpd.
 * May touch: DIR/NAME/fullchain.pem and DIR/NAME/privkey.pem (NAME is free, and `default' serves whom no other does).
 * Threads: any; a loaded set is never changed. Who has a certificate keeps it, whatever becomes of its set.
 * Limits: CERTIFICATES_MAX hosts, files of 64 KiB, CERTIFICATE_CHAIN_MAX certificates in one. A key that others may read is
 *     refused.
 */
#pragma once

#include <glib.h>
#include <gnutls/abstract.h>

#define CERTIFICATES_MAX      4096
#define CERTIFICATE_CHAIN_MAX 8

typedef struct {
    gnutls_pcert_st chain[CERTIFICATE_CHAIN_MAX];
    guint length;
    gnutls_privkey_t key;
} Certificate;

void certificate_release(Certificate *certificate);

typedef struct CertificateSet CertificateSet;

/* Reads a directory. Folders that cannot be used keep the certificate that they had in elder (may be NULL) and are named in
 * wrong, one line each. NULL with an error: the directory cannot be read, or nothing in it be used. */
CertificateSet *certificate_set_load(const char *directory, const CertificateSet *elder,
                                     GPtrArray *wrong, GError **error);
void certificate_set_free(CertificateSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CertificateSet, certificate_set_free)

/* The certificate for a host (NULL or "": none was named): of that name, of its wildcard, or the default one; NULL: there is
 * none. certificate_release. */
Certificate *certificate_set_find(const CertificateSet *set, const char *host);
