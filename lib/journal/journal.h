/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a program's append-only journal with group commit.
 *     <spool>/journal/<program>/<sequence, 16 hex>.seg, named by the first record's sequence number.
 *     Record, integers little-endian: length u32 | crc32c u32 | seq u64 | at (Unix us) i64 |
 *     type u16 | JSON. length counts all that follows the crc; the crc covers the same octets.
 * Used by: milter, policyd, worker (append); worker, CLI (read, reader.h).
 * May touch: its own directory. One writer per program, kept by a lock on <dir>/lock.
 * Threads: append from any thread; callers wait for the fdatasync that covers their record.
 * Limits: a record of at most JOURNAL_JSON_MAX octets of JSON. A segment is closed at 64 MB or after
 *     10 minutes; the next one is preallocated where space is plenty. A torn tail is cut at open.
 */
#pragma once

#include <glib.h>

#define JOURNAL_JSON_MAX     (256 * 1024)
#define JOURNAL_TOLD_SECONDS 5 /* so often who applies journals writes down how far that is */

typedef enum {
#define X(number, NAME, name, fields) EVENT_##NAME = (number),
#include "lib/journal/event.def"
#undef X
} EventType;

/* "message.accepted" for a known type, else NULL. */
const char *event_name(guint16 type);

typedef enum {
#define X(NAME, name, user) JOURNAL_OF_##NAME,
#include "lib/journal/program.def"
#undef X
} JournalProgram;

/* The name of a program's journal. */
const char *journal_program_name(JournalProgram program);

typedef struct Journal Journal;

typedef struct {
    guint64 segment_size;  /* octets; 0: 64 MB */
    gint64 segment_age_us; /* 0: 10 minutes */
    guint64 min_free;      /* append fails with NO_SPACE below this much free space */
} JournalOptions;

typedef struct {
    EventType type;
    gint64 at_us;
    const char *json;
    gssize length; /* -1: NUL-terminated */
} JournalEntry;

/* Opens or makes the journal directory <spool_dir>/journal/<program> (0770, so that the worker's
 * group may unlink) and takes its lock. Errors: IO, CONFLICT (another writer), CORRUPT. options may
 * be NULL. */
Journal *journal_open(const char *spool_dir, const char *program, const JournalOptions *options,
                      GError **error);

/* Closes after the last commit; accepts NULL. */
void journal_close(Journal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Journal, journal_close)

/* Appends entries as neighbours and returns when they are durable (fdatasync). On FALSE none of
 * them will ever be read. Errors: NO_SPACE, IO, TOO_LARGE. */
gboolean journal_append(Journal *journal, const JournalEntry *entries, guint n, GError **error);

/* Appends without waiting; a commit follows within 50 ms or with the next waiting append. For what
 * may be lost at a crash (clicks, counters). */
gboolean journal_post(Journal *journal, const JournalEntry *entries, guint n, GError **error);

/* How many records that were posted could not be made durable since it was opened. */
guint64 journal_lost(Journal *journal);

/* FALSE and NO_SPACE or IO when an append would fail now for lack of space; cheap (the free space is
 * looked up at most once a second). */
gboolean journal_check_space(Journal *journal, GError **error);
