/* SPDX-License-Identifier: MIT */
/*
 * Purpose: whose the hosts are that links come to: what the replica says, kept for a moment.
 * Used by: trackd.
 * May touch: edge.5.db, by way of lib/edge.
 * Threads: any.
 * Limits: OWNERS_MAX hosts are kept; a host beyond them is asked for each time.
 */
#pragma once

#include "lib/edge/edge.h"

#define OWNERS_MAX 4096

typedef struct Owners Owners;

Owners *owners_new(void);
void owners_free(Owners *owners);

/* *server becomes the server whose the host is, 0: nobody's that is known. FALSE: UNAVAILABLE. */
gboolean owners_find(Owners *owners, Edge *edge, const char *host, guint32 *server, GError **error);

/* What was asked from now on is asked of the replica again; the daemon calls it each second. */
void owners_forget(Owners *owners);
