/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what a domain has beside its row from its first day: the token that proves it, DKIM keys, and a check that is due.
 * Used by: lib/directory.
 * May touch: domain, dkim_key, dns_check and domain_code of MariaDB, and tombstones.
 * Threads: one connection per thread.
 */
#pragma once

#include "lib/directory/dkim_key.h"
#include "lib/sql/sql.h"

typedef struct {
    char *token;
    DkimKey *rsa;
    DkimKey *ed25519; /* NULL: none is wanted */
} DomainAssets;

void domain_assets_clear(DomainAssets *assets);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DomainAssets, domain_assets_clear)

/* Makes token and keys, which takes a second: before the transaction. UNAVAILABLE: no random source. */
gboolean domain_assets_make(DomainAssets *assets, gboolean ed25519, GError **error);

/* Within a transaction: writes them for a new domain. The keys sign once the DNS shows them; until then the installation's
 * do. */
gboolean domain_assets_write(Sql *sql, const DomainAssets *assets, guint64 domain, gint64 now,
                             guint64 revision, GError **error);

/* Within a transaction: removes all of a domain. */
gboolean domain_assets_forget(Sql *sql, guint64 domain, guint64 revision, GError **error);
