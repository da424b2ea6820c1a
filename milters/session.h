/* SPDX-License-Identifier: MIT */
/*
 * Purpose: one SMTP session on a submission listener.
 * Used by: the milter.
 * May touch: nothing by itself.
 * Threads: callbacks of one session come one after the other, on any thread.
 */
#pragma once

#include "milters/admit.h"
#include "milters/message.h"
#include "milters/shared.h"

typedef struct {
    Client client;
    AdmitIdentity identity;
    Message *message; /* NULL: between messages */
} Session;

/* Looks the credential up: a refusal, or REFUSAL_NONE and *credential. */
RefusalName session_credential(Session *session, Shared *shared, EdgeCredential **credential);

/* Journals a refusal after authentication; a failure to do so is logged. */
void session_refused(Session *session, Shared *shared, const EdgeCredential *credential,
                     const char *queue_id, RefusalName name);
