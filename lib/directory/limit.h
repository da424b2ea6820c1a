/* SPDX-License-Identifier: MIT */
/*
 * Purpose: rate limits in the directory: how many messages (of one recipient each) a subject may send
 *     in a sliding period, and what becomes of the next one.
 * Used by: the CLI; lib/directory when a subject is deleted.
 * May touch: the directory tables of MariaDB.
 * Threads: one connection per thread.
 * Limits: as lib/directory/limit_target.h; a subject has one limit per period; a list of at most
 *     RECORD_LIST_MAX rows.
 *
 * A record has id, subject (as the command line writes it), max, period, action, created_at, revision.
 * Errors: INVALID (names the field), NOT_FOUND, and those of lib/sql.
 */
#pragma once

#include "lib/directory/limit_target.h"

/* Makes the limit of that subject and period, or changes it. rate: "100/minute". action NULL: as it is,
 * defer for a new one. The record is the row as it is afterwards. */
Record *directory_limit_set(Sql *sql, const char *subject, const char *rate, const char *action,
                            GError **error);

/* An array, by subject and period. subject NULL: all; an organization lists also those of its servers
 * and their credentials, a server those of its credentials. Empty when there is none. */
Record *directory_limit_list(Sql *sql, const char *subject, GError **error);

/* An array: those of this very subject, one per period. NOT_FOUND when there is none. */
Record *directory_limit_show(Sql *sql, const char *subject, GError **error);

/* period NULL: all of this very subject. NOT_FOUND when there is none. */
gboolean directory_limit_delete(Sql *sql, const char *subject, const char *period, GError **error);

/* Inside the transaction that deletes an organization, server or credential: its limits go with it. */
gboolean directory_limit_forget(Sql *sql, LimitSubject kind, guint64 id, guint64 revision,
                                GError **error);
