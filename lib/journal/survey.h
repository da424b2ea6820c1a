/* SPDX-License-Identifier: MIT */
/*
 * Purpose: how much lies in a program's journal and how much of it is not applied, from the segments'
 *     names and sizes.
 * Used by: the CLI.
 * May touch: <spool>/journal/<program>, by reading.
 * Threads: any.
 * Limits: at most one segment is read, however many there are.
 */
#pragma once

#include <glib.h>

typedef struct {
    guint segments;
    guint64 disk;       /* octets that the segments take, with what is preallocated */
    guint64 first;      /* the oldest record on disk; committed + 1 when there is none */
    guint64 committed;  /* the newest durable record; 0: none yet */
    gint64 first_at_us; /* when the oldest was written; 0: there is none that can be read */
} JournalSurvey;

/* Errors as folder's: NOT_FOUND, IO. */
gboolean journal_survey(const char *spool_dir, const char *program, JournalSurvey *survey,
                        GError **error);

typedef struct {
    guint64 records;
    guint64 octets;      /* in proportion where a segment is applied in part */
    gint64 oldest_at_us; /* 0: nothing is left, or it cannot be read */
} JournalBacklog;

/* What is left behind record `applied'. */
gboolean journal_backlog(const char *spool_dir, const char *program, guint64 applied,
                         JournalBacklog *backlog, GError **error);
