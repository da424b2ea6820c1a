/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what events say as parameters of the statements that write them, by one table,
 *     event_row.def. Many events are collected, so that each statement is run once for all its rows.
 * Used by: the event applier.
 * May touch: nothing.
 * Threads: one per object.
 * Limits: an event of at most JOURNAL_JSON_MAX octets and ID_BLOCK_MAX messages; free text is cut to its
 *     column's width.
 */
#pragma once

#include "lib/sql/sql.h"

typedef struct EventRows EventRows;

EventRows *event_rows_new(void);
void event_rows_free(EventRows *rows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EventRows, event_rows_free)

/* Adds the rows of an event, all or none: INVALID when it is no JSON object of a known type or a field
 * is not what it should be. */
gboolean event_rows_add(EventRows *rows, guint16 type, const char *json, gsize length,
                        GError **error);

/* How many rows there are now. */
guint event_rows_count(const EventRows *rows);

/* The rows of a statement: parameters of *n each, *count times one after the other. They live until
 * event_rows_clear. NULL: none. */
const SqlParameter *event_rows_of(const EventRows *rows, SqlStatement statement, guint *n,
                                  guint *count);

void event_rows_clear(EventRows *rows);
