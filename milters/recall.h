/* SPDX-License-Identifier: MIT */
/*
 * Purpose: remembers what was reserved for mail that came in, so that the hop's retry makes the same ids and tokens; and
 *     what was done already and is not to be done again.
 * Used by: the milter.
 * May touch: nothing.
 * Threads: any.
 * Limits: the last RECALL_MAX; what was forgotten, or was before a restart, gets new ids, and is another message in history.
 */
#pragma once

#include "milters/outgoing.h"

#define RECALL_MAX 20000

typedef struct Recall Recall;

Recall *recall_new(void);
void recall_free(Recall *recall);

/* key names a message and its recipient. FALSE: nothing is known. */
gboolean recall_find(Recall *recall, const char *key, Reserved *reserved);

/* The tag of what is kept must be NULL. */
void recall_keep(Recall *recall, const char *key, const Reserved *reserved);

/* The same of a key alone. */
gboolean recall_has(Recall *recall, const char *key);
void recall_note(Recall *recall, const char *key);
