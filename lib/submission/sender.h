/* SPDX-License-Identifier: MIT */
/*
 * Purpose: ADMIT for what does not come over SMTP: may this credential send that, under which ids, and off to Postfix with it.
 * Used by: apid, the CLI.
 * May touch: the replicas, the key ring `claim', <spool_dir>/next-id, its program's journal; Postfix on inject_port.
 * Threads: any; the ring is swapped whole by a reload.
 *
 * What DISPATCH decides (limits, holds, suppressions, lanes, signatures) it decides in the milter, as for any submission.
 */
#pragma once

#include "lib/config/config.h"
#include "lib/edge/edge.h"
#include "lib/journal/journal.h"
#include "lib/submission/submission.h"
#include "lib/submission/v1_error.h"

typedef struct Sender Sender;

/* config must outlive it. program: whose journal tells who the client was; NULL: there is no client to tell of, and nobody's journal,
 * of which there is one writer, is written. */
Sender *sender_open(const Config *config, const char *program, GError **error);
void sender_close(Sender *sender);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sender, sender_close)

/* Reads the key ring again; on error the old one stays. */
gboolean sender_reload(Sender *sender, GError **error);

const Config *sender_config(const Sender *sender);
Edge *sender_edge(Sender *sender);
Journal *sender_journal(Sender *sender); /* NULL: none */

/* Whether it could send now: replicas and space. */
gboolean sender_is_ready(Sender *sender, GError **error);

/* A Message-ID of ours, and ids and seed for n messages. UNAVAILABLE. */
void sender_message_id(const Sender *sender, SubmissionNames *names);
gboolean sender_reserve(Sender *sender, guint n, SubmissionNames *names, GError **error);

/* Who may be From and Sender; then later, what was found wrong and is told only if From is good; then size, header, loops and free
 * space, as the milter would have it. *text (g_free) says what is too large. With V1_ERROR_UNAVAILABLE there is an error. */
V1Error sender_judge(Sender *sender, const EdgeCredential *credential, const Submission *submission,
                     V1Error later, char **text, GError **error);

/* Journals the submission and hands it to Postfix. Its queue id (g_free; "" when Postfix does not say): it is Postfix's. NULL: REFUSED
 * is for good; after UNKNOWN_RESULT it may have it; after any other error it has not. client: NULL without a journal. */
char *sender_send(Sender *sender, const EdgeCredential *credential, const char *client,
                  const Submission *submission, const SubmissionNames *names, GError **error);
