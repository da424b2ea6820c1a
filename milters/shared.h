/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what all sessions of the milter share: configuration, replicas, journal, ids, keys.
 * Used by: the milter.
 * May touch: everything its members may.
 * Threads: any; the ring is swapped whole by a reload; its readers hold a lock.
 */
#pragma once

#include <glib.h>

#include "lib/base/id.h"
#include "lib/config/config.h"
#include "lib/edge/edge.h"
#include "lib/journal/journal.h"
#include "lib/mailauth/dkim_sign.h"
#include "lib/seal/ring.h"

typedef struct Shared Shared;

/* Opens all of it; a ring that cannot be read, or a journal that another program holds, is an error.
 * config must outlive it. */
Shared *shared_open(const Config *config, GError **error);
void shared_close(Shared *shared);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Shared, shared_close)

/* Reads the return-path ring again; on error the old one stays. */
gboolean shared_reload(Shared *shared, GError **error);

const Config *shared_config(const Shared *shared);
Edge *shared_edge(Shared *shared);
Journal *shared_journal(Shared *shared);
IdSource *shared_ids(Shared *shared);
DkimSigner *shared_signer(Shared *shared);

/* A return path sealed with the ring of now; g_free. NULL as return_path_seal. */
char *shared_seal(Shared *shared, guint64 id, guint32 server, guint32 lane);
