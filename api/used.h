/* SPDX-License-Identifier: MIT */
/*
 * Purpose: counts which credentials were used, and where wrong keys came from, for history: one event each a minute.
 * Used by: apid.
 * May touch: the journal.
 * Threads: any.
 * Limits: USED_MAX entries of a kind between two writings; more are not counted.
 */
#pragma once

#include "lib/edge/edge.h"
#include "lib/journal/journal.h"

#define USED_MAX     16384
#define USED_SECONDS 60

typedef struct Used Used;

Used *used_new(Journal *journal, guint node);

/* Writes what is left; accepts NULL. */
void used_free(Used *used);

void used_count(Used *used, const EdgeCredential *credential);
void used_count_failure(Used *used, const char *source);

/* Writes what was counted and begins anew. UNAVAILABLE and so on: it is lost. */
gboolean used_write(Used *used, GError **error);
