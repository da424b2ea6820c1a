/* SPDX-License-Identifier: MIT */
/*
 * Purpose: reads a program's journal in order while it is written; drops segments that were applied.
 * Used by: the worker, the CLI.
 * May touch: <spool>/journal/<program>; unlinks only on journal_reader_drop.
 * Threads: one reader object per thread.
 */
#pragma once

#include <glib.h>

typedef struct JournalReader JournalReader;

typedef struct {
    guint64 seq;
    gint64 at_us;
    guint16 type;
    const char *json; /* NUL-terminated, valid until the next call */
    gsize length;
} JournalRecord;

/* What journal_reader_next found. */
typedef enum {
    JOURNAL_READ_RECORD,
    JOURNAL_READ_END,    /* nothing new now; ask again later */
    JOURNAL_READ_FAILED, /* error is set: IO or CORRUPT */
} JournalRead;

/* Opens a journal directory for records with seq > after (0: from the oldest). */
JournalReader *journal_reader_open(const char *spool_dir, const char *program, guint64 after,
                                   GError **error);
void journal_reader_close(JournalReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JournalReader, journal_reader_close)

/* The next record that is complete on disk. A damaged record in a closed segment is CORRUPT; the
 * caller may go on with journal_reader_skip, which resumes at the next segment and returns how many
 * octets were passed over. */
JournalRead journal_reader_next(JournalReader *reader, JournalRecord *record, GError **error);
guint64 journal_reader_skip(JournalReader *reader);

/* Unlinks closed segments all of whose records have seq <= applied; returns how many. The segment
 * being written is never unlinked. */
guint journal_reader_drop(JournalReader *reader, guint64 applied);

/* The journal's epoch: 16 hex digits written once into <dir>/epoch when the directory is made; a
 * wiped journal gets another, and seq starts again. g_free. */
char *journal_epoch(const char *spool_dir, const char *program, GError **error);

/* Names of the programs that have a journal, sorted; g_strfreev. */
char **journal_programs(const char *spool_dir, GError **error);
