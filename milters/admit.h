/* SPDX-License-Identifier: MIT */
/*
 * Purpose: ADMIT: may this credential hand in this message? Facts in, verdict out.
 * Used by: the milter.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include <glib.h>

#include "lib/edge/edge.h"
#include "milters/message.h"
#include "milters/refusal.h"

#define ADMIT_PERMALINK_MAX 63

/* ORG/SERVER/CREDENTIAL-ID, as policyd names who authenticated; or the credential that the client's address is. */
typedef struct {
    char organization[ADMIT_PERMALINK_MAX + 1];
    char server[ADMIT_PERMALINK_MAX + 1];
    guint32 credential;
    gboolean by_address;
} AdmitIdentity;

/* Reads {auth_authen}; FALSE (identity untouched) when it is NULL or has another form. */
gboolean admit_identity(const char *auth_authen, AdmitIdentity *identity);

/* The identity of a client whose address is a credential. */
void admit_source(const EdgeCredential *credential, AdmitIdentity *identity);

/* Whether the credential found for an identity may be used now (Unix seconds). */
RefusalName admit_credential(const AdmitIdentity *identity, const EdgeCredential *credential,
                             gint64 now);

/* Size, header and loops. */
RefusalName admit_form(const Message *message, guint received_max);
