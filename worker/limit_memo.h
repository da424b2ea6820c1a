/* SPDX-License-Identifier: MIT */
/*
 * Purpose: which rows of other nodes' counters policyd has been told, so that each look at them reads and tells no
 *     more than is new.
 * Used by: the limit sharer.
 * May touch: nothing.
 * Threads: one.
 * Limits: a row may become visible LIMIT_MEMO_LATE_US after the time that it bears: its writer gives up no sooner.
 *     Times are the database's; when they go back everything is read again.
 */
#pragma once

#include <glib.h>

#define LIMIT_MEMO_LATE_US (30 * G_TIME_SPAN_SECOND)

typedef struct LimitMemo LimitMemo;

LimitMemo *limit_memo_new(void);
void limit_memo_free(LimitMemo *memo);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LimitMemo, limit_memo_free)

/* Begins a look: rows taken since the time that is returned are to be read. */
guint64 limit_memo_begin(LimitMemo *memo, guint64 now_us);

/* Whether a row has to be told; it then counts as told. */
gboolean limit_memo_is_news(LimitMemo *memo, guint node, guint32 limit, guint64 taken_us);

/* Ends a look: all was read, and told. */
void limit_memo_end(LimitMemo *memo);

/* Nothing is known to be told. */
void limit_memo_clear(LimitMemo *memo);
