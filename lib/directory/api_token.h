/* SPDX-License-Identifier: MIT */
/*
 * Purpose: whose a token of the management API is.
 * Used by: the API.
 * May touch: the table api_token of MariaDB, and of organizations and servers whether they are suspended.
 * Threads: one connection per thread.
 * Limits: a use is noted once in DIRECTORY_TOKEN_USE_SECONDS.
 */
#pragma once

#include "lib/sql/sql.h"

#define DIRECTORY_TOKEN_USE_SECONDS 60

typedef struct {
    guint64 id;
    char *name;
    char *organization; /* what it opens; NULL: the whole installation */
    char *server;       /* NULL: all of the organization */
    gboolean suspended; /* its organization or server */
    gint64 last_used_at;
} DirectoryToken;

void directory_token_free(DirectoryToken *token);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DirectoryToken, directory_token_free)

/* By the hash of the text: what is compared says nothing of it. now: Unix seconds. NOT_FOUND: there is none that works. */
DirectoryToken *directory_token_find(Sql *sql, const char *text, gint64 now, GError **error);

/* Notes that it was used, unless that stands there already. */
gboolean directory_token_used(Sql *sql, const DirectoryToken *token, gint64 now, GError **error);
