/* SPDX-License-Identifier: MIT */
/*
 * Purpose: stored messages: the bytes as the milter left them, zstd, one file per message:
 *     <spool>/store/YYYYMMDD/HH/<id>.zst (UTC, from the id's seconds). Before the bytes stands a small
 *     header record (JSON: v, id, server, size, sha256) in a skippable frame, so that zstdcat shows
 *     the message.
 * Used by: the milter (write, remove), CLI and API (read), worker (retention).
 * May touch: <spool>/store.
 * Threads: any; StoreWriter belongs to one message.
 * Limits: not fsynced: Postfix's queue file is the durable copy until delivery. Who reads a file before
 *     it is finished finds it CORRUPT; what is journaled is finished. The same id written again
 *     replaces the file at once, when it is whole. Directories take the group of <spool>/store (setgid); the program's umask
 *     must leave the group its rights, or the worker cannot remove what is old.
 */
#pragma once

#include <glib.h>

typedef struct StoreWriter StoreWriter;

typedef struct {
    guint64 id;
    guint32 server;
} StoreHeader;

/* Begins a file; directories are made as needed (2770). Errors: NO_SPACE, IO. */
StoreWriter *store_writer_open(const char *spool_dir, const StoreHeader *header, GError **error);

/* Appends octets of the message (CRLF line ends). */
gboolean store_writer_add(StoreWriter *writer, const void *data, gsize length, GError **error);

/* Finishes; *path receives the path below <spool>/store (g_free). Frees the writer, on
 * failure too. */
gboolean store_writer_commit(StoreWriter *writer, char **path, GError **error);

/* Drops an unfinished file; accepts NULL. */
void store_writer_abort(StoreWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreWriter, store_writer_abort)

/* The path below <spool>/store of a message; g_free. */
char *store_path(guint64 id);

/* Reads a whole message back. max: refuse more octets than this (TOO_LARGE). Errors: NOT_FOUND,
 * CORRUPT, IO. header may be NULL. */
GBytes *store_read(const char *spool_dir, guint64 id, gsize max, StoreHeader *header,
                   GError **error);

/* Reads the first octets of a message, length of them or, when it has less, all. They are not compared with the digest, which is
 * of the whole. Errors as store_read has. */
GBytes *store_read_begin(const char *spool_dir, guint64 id, gsize length, GError **error);

/* Removes a message's file: for an accept that came to nothing. A file that is not there is no error. */
gboolean store_remove(const char *spool_dir, guint64 id, GError **error);

/* How many days there are, and how many of them store_expire would remove. */
gboolean store_count_days(const char *spool_dir, gint64 now, guint days, guint *found,
                          guint *overdue, GError **error);

/* Removes day directories older than days; *removed receives how many messages went. What cannot be
 * removed is left for the next time, and the first reason is the error. */
gboolean store_expire(const char *spool_dir, gint64 now, guint days, guint64 *removed,
                      GError **error);
