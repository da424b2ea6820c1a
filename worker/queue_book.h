/* SPDX-License-Identifier: MIT */
/*
 * Purpose: which message a queue id belongs to, and how far the mail log has been read; both change in
 *     one transaction.
 * Used by: mail_follower.
 * May touch: <spool>/worker/worker.db (SQLite, private).
 * Threads: one.
 * Limits: an entry is dropped when Postfix removes the queue file, or after QUEUE_BOOK_DAYS.
 */
#pragma once

#include <glib.h>

#define QUEUE_BOOK_DAYS 30

typedef struct {
    guint64 id;
    guint32 server;
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

/* Drops entries from before a time (Unix microseconds). */
void queue_book_prune(QueueBook *book, gint64 before_us);

/* Named positions in what is read; NULL when there is none. g_free. */
char *queue_book_position(QueueBook *book, const char *name);
void queue_book_set_position(QueueBook *book, const char *name, const char *position);
