/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what is stored of a new credential's key.
 * Used by: lib/directory.
 * May touch: credential_secret of MariaDB, and tombstones.
 * Threads: one connection per thread.
 */
#pragma once

#include "lib/sql/sql.h"

/* Within a transaction. cram: whether CRAM-MD5 may be used with the key. */
gboolean credential_secret_write(Sql *sql, guint64 credential, const char *key, gboolean cram,
                                 guint64 revision, GError **error);

/* Within a transaction: removes it, and the key from before it. */
gboolean credential_secret_forget(Sql *sql, guint64 credential, guint64 revision, GError **error);
