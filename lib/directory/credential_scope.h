/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what a credential works for: the networks and the sender addresses beside its row.
 * Used by: lib/directory.
 * May touch: credential_network and credential_sender of MariaDB, and their tombstones.
 * Threads: one connection per thread.
 * Limits: as lib/directory/value_list.h.
 */
#pragma once

#include "lib/directory/field.h"

/* Whether the type has no key: its networks are the credential. */
gboolean credential_is_source(Fields *fields);

/* Whether type and options go together; for a new credential (is_new), whether all is there that its type needs.
 * INVALID. */
gboolean credential_scope_check(Fields *fields, gboolean is_new, GError **error);

/* Within a transaction: writes the lists that were given, in place of the old ones. EXISTS, naming the holder, when
 * another credential has such a network as its source. */
gboolean credential_scope_write(Sql *sql, guint64 credential, Fields *fields, guint64 revision,
                                GError **error);

/* Within a transaction: removes both lists. */
gboolean credential_scope_forget(Sql *sql, guint64 credential, guint64 revision, GError **error);
