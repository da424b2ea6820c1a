/* SPDX-License-Identifier: MIT */
/*
 * Purpose: from the names on a command line to the keys of a statement: "acme/main", "acme.test"
 *     becomes "acme", "main", "acme.test", each checked and in its canonical form.
 * Used by: lib/directory, the API.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include "lib/directory/directory.h"

#define PATH_KEYS_MAX 3

typedef enum { OWNER_NONE, OWNER_ORGANIZATION, OWNER_SERVER, OWNER_EITHER, OWNER_POOL } OwnerKind;

OwnerKind path_owner_kind(DirectoryObject object);

/* The keys; unused ones are "". */
typedef struct {
    Value keys[PATH_KEYS_MAX];
    guint n;
} Path;

void path_clear(Path *path);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Path, path_clear)

/* What names an existing object. */
gboolean path_read(DirectoryObject object, const char *const *names, Path *path, GError **error);

/* What an owner is called: "acme", "acme/main" or a pool; for kind OWNER_EITHER the second key is ""
 * when no server is named. */
gboolean path_read_owner(OwnerKind kind, const char *text, Path *path, GError **error);

/* The keys as text parameters. */
void path_parameters(const Path *path, SqlParameter parameters[PATH_KEYS_MAX]);

/* "acme/main acme.test", as it was meant; g_free. */
char *path_text(DirectoryObject object, const Path *path);
