/* SPDX-License-Identifier: MIT */
/*
 * Purpose: message ids: 53 bits, unique without coordination, rising with time.
 *     (seconds since 2025-01-01 UTC, 31 bits) << 22 | sequence, 14 bits << 8 | node, 8 bits.
 * Used by: the milter and the API (reserve); everything else reads ids.
 * May touch: <spool>/next-id, an 8-byte file mapped by every program of the node.
 * Threads: any, and any number of processes: the word is advanced by compare-and-swap.
 * Limits: a block of at most ID_BLOCK_MAX; 16,384 ids a second on average, bursts borrow from the
 *     coming seconds. Survives kill -9 and clock steps: the word never goes back.
 */
#pragma once

#include <glib.h>

#define ID_EPOCH         1735689600 /* 2025-01-01T00:00:00Z in Unix seconds */
#define ID_NODE_BITS     8
#define ID_SEQUENCE_BITS 14
#define ID_SECONDS_SHIFT (ID_NODE_BITS + ID_SEQUENCE_BITS)
#define ID_MAX           ((G_GUINT64_CONSTANT(1) << 53) - 1)
#define ID_BLOCK_MAX     50000
#define ID_NODE_MAX      255

typedef struct IdSource IdSource;

/* Opens (or makes, 0660) the node's id file. node is 1..255. Errors: INVALID, IO, CORRUPT (wrong
 * file size). Free with id_source_close. */
IdSource *id_source_open(const char *path, unsigned node, GError **error);

/* Unmaps and frees; accepts NULL. */
void id_source_close(IdSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(IdSource, id_source_close)

/* Reserves count consecutive ids (1..ID_BLOCK_MAX) at Unix time now (seconds) and returns the
 * first; the others follow by id_at(). Returns 0 when the 31-bit seconds would overflow or now lies
 * before the epoch by more than the word already holds. */
guint64 id_reserve(IdSource *source, guint count, gint64 now);

/* The index-th id of a block: the sequence counts, the node stays. */
guint64 id_at(guint64 base, guint index);

/* Parts of an id. id_seconds is Unix time. */
gint64 id_seconds(guint64 id);
unsigned id_node(guint64 id);

/* The smallest id of a Unix second (node and sequence zero); partitions are cut there. Times before
 * the epoch give 0. */
guint64 id_floor(gint64 unix_seconds);

/* Parses decimal text of an id; FALSE when it is not 1..ID_MAX in plain digits. */
gboolean id_parse(const char *text, guint64 *id);
