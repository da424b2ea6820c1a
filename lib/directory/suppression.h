/* SPDX-License-Identifier: MIT */
/*
 * Purpose: suppressions in the directory: recipients, and whole domains of them, that nothing is sent to by a server, an
 *     organization or the installation.
 * Used by: the CLI, the worker's housekeeping. What deliveries put there: worker/suppressor.h.
 * May touch: the directory tables of MariaDB.
 * Threads: one connection per thread.
 * Limits: one revision writes or removes SUPPRESSION_BATCH_MAX rows; a page has SUPPRESSION_PAGE_MAX.
 *
 * A scope is `installation', ORG or ORG/SERVER. A record has id, scope, address, reason, source, message_id, evidence,
 * created_at, expires_at, revision. Errors: INVALID (names the field), NOT_FOUND, and those of lib/sql.
 */
#pragma once

#include "lib/base/suppression.h"
#include "lib/directory/record.h"

#define SUPPRESSION_BATCH_MAX 5000
#define SUPPRESSION_PAGE_MAX  10000
#define SUPPRESSION_NO_REASON "no reason given"

typedef struct {
    SuppressionScope scope;
    guint64 id; /* of the organization or server; 0 for the installation */
} SuppressionOwner;

/* Reads a scope and looks it up. */
gboolean directory_suppression_owner(Sql *sql, const char *scope, SuppressionOwner *owner,
                                     GError **error);

/* One to be added: checked, in its canonical form. */
typedef struct {
    char *address;
    char *reason;
    gint64 expires_at; /* Unix seconds; 0: never */
} SuppressionEntry;

void suppression_entry_clear(SuppressionEntry *entry);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SuppressionEntry, suppression_entry_clear)

/* From texts as they come from outside; reason and expires ("2027-01-31", "2027-01-31T08:00:00Z", "never") may be NULL
 * or "". INVALID. entry is untouched on failure. */
gboolean suppression_entry_read(const char *address, const char *reason, const char *expires,
                                gint64 now, SuppressionEntry *entry, GError **error);

/* Adds n entries, or refreshes those that are there, by one revision; those that say the same already stay as they are.
 * n is at most SUPPRESSION_BATCH_MAX. */
gboolean directory_suppression_write(Sql *sql, const SuppressionOwner *owner,
                                     SuppressionSource source, const SuppressionEntry *entries,
                                     guint n, GError **error);

/* Adds one by hand; the record is the row as it is afterwards. */
Record *directory_suppression_add(Sql *sql, const char *scope, const char *address,
                                  const char *reason, const char *expires, GError **error);

/* NOT_FOUND: the scope has no such entry. */
gboolean directory_suppression_remove(Sql *sql, const char *scope, const char *address,
                                      GError **error);

/* Removes all of a scope, or those of a source (NULL: any), a batch a revision: what is interrupted is removed in part.
 * *removed receives how many were. */
gboolean directory_suppression_clear(Sql *sql, const char *scope, const char *source,
                                     guint64 *removed, GError **error);

/* The same, also for an owner that is gone. */
gboolean directory_suppression_remove_all(Sql *sql, const SuppressionOwner *owner,
                                          const char *source, guint64 *removed, GError **error);

/* What is listed; NULL: any. */
typedef struct {
    const char *scope;
    const char *address; /* of a recipient, or @domain: that entry */
    const char *domain;  /* entries of that domain */
    const char *source;
    guint64 after; /* only ids above it */
    guint64 limit; /* to SUPPRESSION_PAGE_MAX */
} SuppressionFilter;

/* An array, by id. */
Record *directory_suppression_list(Sql *sql, const SuppressionFilter *filter, GError **error);

/* An array: the entries of an address and of its domain in every scope. NOT_FOUND when there is none. */
Record *directory_suppression_show(Sql *sql, const char *address, GError **error);

/* An array: what suppresses a recipient for a server at now; empty when nothing does, or it is no address. */
Record *directory_suppression_for(Sql *sql, guint64 server, const char *recipient, gint64 now,
                                  GError **error);
