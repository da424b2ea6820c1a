/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a credential's key, and what is stored of it.
 * Used by: lib/directory.
 * May touch: credential_secret of MariaDB, and tombstones; the random source.
 * Threads: one connection per thread.
 */
#pragma once

#include "lib/sql/sql.h"

#define CREDENTIAL_KEY_LENGTH 28 /* characters of A-Z a-z 0-9: 166 bits */

/* A new key; g_free. UNAVAILABLE. */
char *credential_key_generate(GError **error);

/* Within a transaction. cram: whether CRAM-MD5 may be used with the key. */
gboolean credential_secret_write(Sql *sql, guint64 credential, const char *key, gboolean cram,
                                 guint64 revision, GError **error);

/* Within a transaction: removes it, and the key from before it. */
gboolean credential_secret_forget(Sql *sql, guint64 credential, guint64 revision, GError **error);
