/* SPDX-License-Identifier: MIT */
/*
 * Purpose: one SMTP session on a listener of ours, and what its events say.
 * Used by: the milter.
 * May touch: nothing by itself.
 * Threads: callbacks of one session come one after the other, on any thread.
 */
#pragma once

#include "milters/admit.h"
#include "milters/event.h"
#include "milters/message.h"
#include "milters/shared.h"

/* By which listener it came: what the end of a message means. */
typedef enum {
    SESSION_SUBMISSION, /* a client hands in */
    SESSION_INJECT,     /* the API hands in what it has admitted */
    SESSION_HOP,        /* Postfix hands back a submission, one recipient at a time */
} SessionKind;

typedef struct {
    SessionKind kind;
    Client client;
    AdmitIdentity identity; /* SESSION_SUBMISSION: who handed in the message */
    Message *message;       /* NULL: between messages */
    char *reply;            /* text of the refusal that follows; NULL: the refusal's own words */
} Session;

/* Begins a message within the limits of the session's kind. */
void session_begin(Session *session, const Config *config, const char *sender);

/* Who hands in: the user who authenticated (auth_authen), or without one (NULL) whom the client's address is, looked
 * up anew for each message. A refusal, or REFUSAL_NONE and session->identity. */
RefusalName session_identify(Session *session, Shared *shared, const char *auth_authen);

/* Looks the credential up: a refusal, or REFUSAL_NONE and *credential. */
RefusalName session_credential(Session *session, Shared *shared, EdgeCredential **credential);

/* What all events about the message say; credential may be NULL. Lives as long as the session's
 * message. */
EventSubject session_subject(const Session *session, Shared *shared,
                             const EdgeCredential *credential, const char *queue_id);

/* Journals a refusal after authentication; a failure to do so is logged. */
void session_refused(Session *session, Shared *shared, const EdgeCredential *credential,
                     const char *queue_id, RefusalName name);
