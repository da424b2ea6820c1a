/* SPDX-License-Identifier: MIT */
/*
 * Purpose: follows Postfix's log and journals what became of messages.
 * Used by: the worker's main.
 * May touch: the log, <spool>/worker/worker.db, the worker's own journal (append), the milter's (read),
 *     edge.5.db and the return-path ring (read).
 * Threads: one of its own, from start to stop.
 * Limits: at most 500 lines a round; events are durable before the position moves, so after a crash
 *     lines are read again and give the same events.
 */
#pragma once

#include "lib/config/config.h"
#include "lib/journal/journal.h"
#include "worker/queue_book.h"

typedef struct MailFollower MailFollower;

/* Opens the journal and worker.db; config must outlive it. Errors as theirs. */
MailFollower *mail_follower_new(const Config *config, GError **error);

/* Starts the thread. */
void mail_follower_start(MailFollower *follower);

/* Stops after the round at hand and frees; accepts NULL. */
void mail_follower_stop(MailFollower *follower);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MailFollower, mail_follower_stop)

/* One round. lines receives how many lines were read. */
gboolean mail_follower_round(MailFollower *follower, guint *lines, GError **error);

/* A queue id that Postfix's queue and history agree on: of a message, or of a submission with one of its
 * messages. */
typedef struct {
    char queue_id[MAIL_QUEUE_ID_MAX + 1];
    QueueEntry entry;
    guint64 message, recipient; /* of a submission: id and recipient_key ... */
    gboolean made;              /* ... and whether the hop has made it */
} QueueFound;

/* Has the next round remember queue ids (array of QueueFound) that it does not know, and what it has not read of others. From any thread. */
void mail_follower_learn(MailFollower *follower, const GArray *found);

/* When the newest round began that read the log to its end (monotonic); 0: none. From any thread. */
gint64 mail_follower_caught_up(const MailFollower *follower);

/* The worker's journal, to append to. */
Journal *mail_follower_journal(MailFollower *follower);

/* Up to which record of a program's journal the follower has read: a JournalKeepFunc. */
guint64 mail_follower_keep(const char *program, gpointer follower);
