/* SPDX-License-Identifier: MIT */
/*
 * Purpose: ADMIT for the API: may this credential send that, under which ids, and off to Postfix with it.
 * Used by: apid.
 * May touch: the replicas, the key ring `claim', <spool_dir>/next-id, its journal; Postfix on inject_port.
 * Threads: any; the ring is swapped whole by a reload.
 *
 * What DISPATCH decides (limits, holds, suppressions, lanes, signatures) it decides behind the hop, as for any submission.
 */
#pragma once

#include "api/remembered.h"
#include "api/v1_answer.h"
#include "api/v1_submission.h"
#include "lib/config/config.h"
#include "lib/edge/edge.h"
#include "lib/journal/journal.h"

typedef struct Sender Sender;

/* config must outlive it. */
Sender *sender_open(const Config *config, GError **error);
void sender_close(Sender *sender);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sender, sender_close)

/* Reads the key ring again; on error the old one stays. */
gboolean sender_reload(Sender *sender, GError **error);

const Config *sender_config(const Sender *sender);
Edge *sender_edge(Sender *sender);
Journal *sender_journal(Sender *sender);

/* Whether it could send now: replicas and space. */
gboolean sender_is_ready(Sender *sender, GError **error);

/* A Message-ID of ours, and ids and seed for n messages. UNAVAILABLE. */
void sender_message_id(const Sender *sender, RememberedNames *names);
gboolean sender_reserve(Sender *sender, guint n, RememberedNames *names, GError **error);

/* Who may be From and Sender: V1_ERROR_NONE, V1_ERROR_UNAUTHENTICATED_FROM, or V1_ERROR_UNAVAILABLE and error. */
V1Error sender_judge_author(Sender *sender, const EdgeCredential *credential,
                            const V1Submission *submission, GError **error);

/* Size, header, loops and free space, as the milter would have it; *text (g_free) says what is too large. */
V1Error sender_judge_form(Sender *sender, const V1Submission *submission, char **text,
                          GError **error);

/* Journals the submission and hands it to Postfix. TRUE: it is Postfix's. FALSE: REFUSED and TOO_LARGE are for good; after
 * UNKNOWN_RESULT it may have it; after any other error it has not. */
gboolean sender_send(Sender *sender, const EdgeCredential *credential, const char *client,
                     const V1Submission *submission, const RememberedNames *names, GError **error);
