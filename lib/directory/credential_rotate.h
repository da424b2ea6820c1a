/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a credential's new key, beside which the old one works for a while.
 * Used by: the CLI.
 * May touch: credential_secret of MariaDB.
 * Threads: one connection per thread.
 */
#pragma once

#include "lib/directory/record.h"

#define CREDENTIAL_OVERLAP_MAX_MS (G_GINT64_CONSTANT(90) * 24 * 60 * 60 * 1000)
#define CREDENTIAL_OVERLAP        "7d"

/* Gives the credential that is named (as directory_show takes it) a new key. The one that it had works for overlap
 * (a duration as in outrider.conf, at most 90 days; NULL: CREDENTIAL_OVERLAP; 0: not any more), one before that
 * not any more. CRAM-MD5 works with the new key if it did with the old one. Returns the record with `key', which is
 * nowhere else. INVALID, NOT_FOUND, REFUSED (it has no key). */
Record *directory_credential_rotate(Sql *sql, const char *const *names, const char *overlap,
                                    GError **error);

/* Erases the keys whose time was over at now (Unix seconds). */
gboolean directory_old_keys_expire(Sql *sql, gint64 now, GError **error);
