/* SPDX-License-Identifier: MIT */
/*
 * Purpose: one change of one object while it is made, and what every verb needs: its statements and its row.
 * Used by: lib/directory only.
 * May touch: the directory tables of MariaDB, by reading.
 * Threads: one connection per thread.
 */
#pragma once

#include "lib/directory/domain_assets.h"
#include "lib/directory/field.h"
#include "lib/directory/path.h"
#include "lib/directory/reference.h"
#include "lib/edge/edge.h"

/* By object. */
typedef struct {
    const char *table;
    SqlStatement add, change, find, list, delete;
} DirectoryStatements;

extern const DirectoryStatements directory_statements[DIRECTORY_OBJECT_COUNT];

/* What is known before the transaction begins; nothing in it depends on the database. */
typedef struct {
    DirectoryObject object;
    const char *const *names;
    const DirectoryOption *options;
    guint n;
    gint64 now;
    Path path;
    Path owner;
    Fields fields;
    ReferenceOwner of;
    DomainAssets assets;
    char *key; /* of a credential, or a token */
    guint8 key_hash[EDGE_KEY_HASH_LENGTH];
    gboolean force; /* delete what others need */
    guint64 revision;
    guint64 id;
    Record *record;
} Work;

void work_clear(Work *work);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Work, work_clear)

/* The row that a path names; NOT_FOUND says which object does not exist. */
Record *work_find(Sql *sql, DirectoryObject object, const Path *path, GError **error);

/* Reads work->record afresh. */
gboolean work_reload(Sql *sql, Work *work, GError **error);

/* What a record says that is worked out when it is read. */
void work_note_usage(DirectoryObject object, Record *record);
