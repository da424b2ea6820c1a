/* SPDX-License-Identifier: MIT */
/*
 * Purpose: messages of the history, found the ways people ask for them.
 * Used by: the message, hold and explain commands.
 * May touch: MariaDB, by reading.
 * Threads: one.
 * Limits: a list of at most HISTORY_LIMIT_MAX messages.
 */
#pragma once

#include "cli/command.h"

#define HISTORY_LIMIT_MAX   1000
#define HISTORY_LIMIT_USUAL "50"

typedef struct {
    guint32 server;        /* 0: any */
    const char *status;    /* "": any but Accepting and Aborted */
    const char *recipient; /* "": any */
    guint64 before;        /* only older ids; 0: newest */
    guint limit;
    guint days; /* how many days back are looked at one by one; older ones in one go */
} HistoryFilter;

/* INVALID, naming the option `to', unless the text is a mail address. */
gboolean history_check_recipient(const char *to, GError **error);

/* Newest first, walking the days so that only as many partitions are read as it takes. */
Record *history_list(Sql *sql, const HistoryFilter *filter, GError **error);

/* The message, complete; NULL without error when it is not there. */
Record *history_find(Sql *sql, guint64 id, GError **error);

/* Adds to a message its `copies` (queue ids, when it may have several) and its `deliveries`, each with the `class`
 * and `permanence` of what was said (null: no refusal) and the `provider` (null: not known). */
gboolean history_complete(Sql *sql, Record *message, GError **error);
