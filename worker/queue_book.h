/* SPDX-License-Identifier: MIT */
/*
 * Purpose: which message or submission a queue id belongs to, which of a submission's messages the hop
 *     has made and how
 *     far the mail log has been read; all of it changes in one transaction.
 * Used by: mail_follower, milter_reader.
 * May touch: <spool>/worker/worker.db (SQLite, private).
 * Threads: one.
 * Limits: an entry is dropped when Postfix removes the queue file, or after QUEUE_BOOK_DAYS; a
 *     submission's recipients with it. About 100 octets an entry, 40 a recipient.
 */
#pragma once

#include <glib.h>

#include "worker/mail_line.h"

#define QUEUE_BOOK_DAYS 30

/* What has been said of a queue id, so that it is said once. */
typedef enum {
    QUEUE_SAID_QUEUED = 1 << 0,
    QUEUE_SAID_HELD = 1 << 1, /* and it has not been released since */
    QUEUE_SAID_INCOMING =
        1 << 3, /* it came in: its sender need not be sealed, and nobody is suppressed by it */
    QUEUE_SAID_STRANGER = 1 << 2, /* a delivery to somebody the submission did not name */
} QueueSaid;

typedef struct {
    guint64 id; /* of the message; the base of a submission */
    guint32 server;
    guint n;           /* messages of a submission before the hop; 0: a message */
    guint64 recipient; /* recipient_key of a message's; 0: not known */
    guint64 base;      /* the submission that the hop made the message of; 0: none */
    guint said;        /* QueueSaid */
    char parent[MAIL_QUEUE_ID_MAX + 1]; /* the queue id that it was requeued from, or empty */
} QueueEntry;

typedef struct QueueBook QueueBook;

/* Opens or makes the file. Errors IO, CORRUPT. */
QueueBook *queue_book_open(const char *path, GError **error);
void queue_book_close(QueueBook *book);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(QueueBook, queue_book_close)

/* Changes are kept by queue_book_commit, or forgotten by queue_book_undo. */
gboolean queue_book_begin(QueueBook *book, GError **error);
gboolean queue_book_commit(QueueBook *book, GError **error);
void queue_book_undo(QueueBook *book);

/* FALSE: not ours, or a database error, which the next commit reports. */
gboolean queue_book_find(QueueBook *book, const char *queue_id, QueueEntry *entry);
void queue_book_bind(QueueBook *book, const char *queue_id, const QueueEntry *entry, gint64 at_us);
void queue_book_forget(QueueBook *book, const char *queue_id);

/* One recipient of a submission. */
typedef struct {
    guint64 id;    /* its message */
    gboolean made; /* the submission's own queue id tells no more of it */
} QueueRecipient;

/* Adds a recipient; one that is there stays as it is. */
void queue_book_add_recipient(QueueBook *book, guint64 base, guint64 recipient, guint64 id);
void queue_book_made(QueueBook *book, guint64 base, guint64 recipient, guint64 id);

/* Arrays of QueueRecipient: one recipient's (who may have been named twice), or all that are not made;
 * g_array_unref. */
GArray *queue_book_recipient(QueueBook *book, guint64 base, guint64 recipient);
GArray *queue_book_unmade(QueueBook *book, guint64 base);

/* Drops entries from before a time (Unix microseconds). */
void queue_book_prune(QueueBook *book, gint64 before_us);

/* Named positions in what is read; NULL when there is none. g_free. */
char *queue_book_position(QueueBook *book, const char *name);
void queue_book_set_position(QueueBook *book, const char *name, const char *position);
