/* SPDX-License-Identifier: MIT */
/*
 * Purpose: counts which credentials were used, and where wrong ones came from, for history: one event for each and writing.
 * Used by: policyd and the API.
 * May touch: the journal that it is given.
 * Threads: any.
 * Limits: USE_COUNT_MAX entries of a kind between two writings; more are not counted.
 */
#pragma once

#include "lib/edge/edge.h"
#include "lib/journal/journal.h"

#define USE_COUNT_MAX     16384
#define USE_COUNT_SECONDS 60 /* between two writings */

typedef struct UseCount UseCount;

UseCount *use_count_new(guint node);

/* What was not written is lost. */
void use_count_free(UseCount *uses);

void use_count_used(UseCount *uses, const EdgeCredential *credential);

/* mechanism is static; username may be NULL, and one that could be a key is left out. */
void use_count_failed(UseCount *uses, const char *source, const char *mechanism,
                      const char *username, const char *reason);

/* Whether there is nothing to write. */
gboolean use_count_is_empty(UseCount *uses);

/* Writes what was counted, and begins anew. FALSE: what could not be written is lost. */
gboolean use_count_write(UseCount *uses, Journal *journal, GError **error);
