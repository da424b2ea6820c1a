/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what all sessions of the milter share: configuration, replicas, journal, ids, keys.
 * Used by: the milter.
 * May touch: everything its members may.
 * Threads: any; the rings are swapped whole by a reload; their readers hold a lock.
 */
#pragma once

#include <glib.h>

#include "lib/base/id.h"
#include "lib/config/config.h"
#include "lib/edge/edge.h"
#include "lib/edge/lane_served.h"
#include "lib/journal/journal.h"
#include "lib/mailauth/dkim_sign.h"
#include "lib/seal/claim.h"
#include "lib/seal/link.h"
#include "lib/seal/msgid.h"
#include "lib/seal/return_path.h"
#include "milters/meter.h"

typedef struct Shared Shared;

/* Opens all of it; a ring that cannot be read, or a journal that another program holds, is an error;
 * without the ring `link' nothing is tracked, which is logged. config must outlive it. */
Shared *shared_open(const Config *config, GError **error);
void shared_close(Shared *shared);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Shared, shared_close)

/* Reads the key rings again; on error the old ones stay. */
gboolean shared_reload(Shared *shared, GError **error);

const Config *shared_config(const Shared *shared);
Edge *shared_edge(Shared *shared);
LaneServed *shared_served(Shared *shared);
Journal *shared_journal(Shared *shared);
IdSource *shared_ids(Shared *shared);
DkimSigner *shared_signer(Shared *shared);
Meter *shared_meter(Shared *shared);
struct Recall *shared_recall(Shared *shared);

/* lib/seal's functions with the rings of now. */
char *shared_seal_path(Shared *shared, const ReturnPath *path, const char *domain);
gboolean shared_open_path(Shared *shared, const char *address, ReturnPath *path);
char *shared_seal_msgid(Shared *shared, const Msgid *msgid);
/* NULL also without the ring: then nothing is tracked. */
char *shared_seal_link(Shared *shared, const Link *link, const char *host);
char *shared_seal_claim(Shared *shared, const Claim *claim);
Claim *shared_open_claim(Shared *shared, const char *text, gint64 now, GError **error);
