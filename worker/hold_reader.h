/* SPDX-License-Identifier: MIT */
/*
 * Purpose: mail that is on hold, or is to be, as history has it.
 * Used by: the worker's hold keeper and its release.
 * May touch: MariaDB, by reading.
 * Threads: that of the connection.
 */
#pragma once

#include "lib/sql/sql.h"
#include "worker/hold_memo.h"

/* Array of HeldMail that a statement of lib/sql/statement_hold.def finds; NULL with error. */
GArray *hold_reader_mail(Sql *sql, SqlStatement statement, const SqlParameter *parameters, guint n,
                         GError **error);

/* Array of guint32: servers that have mail on hold at a node by a rule, and may send. NULL with error. */
GArray *hold_reader_servers(Sql *sql, guint node, const char *rule, GError **error);

/* Whether any server or organization is suspended. */
gboolean hold_reader_suspended(Sql *sql, gboolean *any, GError **error);

/* Whether its recipient is suppressed now. */
gboolean hold_reader_suppressed(Sql *sql, const HeldMail *mail, gboolean *suppressed,
                                GError **error);

/* The database's clock, in Unix microseconds. */
gboolean hold_reader_clock(Sql *sql, gint64 *now_us, GError **error);
