/* SPDX-License-Identifier: MIT */
/*
 * Purpose: counts authentications, and transactions of addresses that are credentials, and writes them to the
 *     journal once a minute, one event per credential and one per failing source; and writes that a limit is near or
 *     reached, once a second.
 * Used by: policyd's auth and policy edges and main.
 * May touch: <spool_dir>/journal/policyd/.
 * Threads: one.
 * Limits: TALLY_MAX entries of what limits did, and those of lib/admission/use_count.h, between two writings; more are not
 *     counted. A journal that cannot be written is logged and loses what was counted; one that cannot be opened is tried again.
 */
#pragma once

#include <glib.h>

#include "lib/edge/edge_limit.h"
#include "lib/journal/journal.h"

#define TALLY_MAX 16384

typedef struct Tally Tally;

Tally *tally_new(const char *spool_dir, guint node);

/* Writes what is left; accepts NULL. */
void tally_free(Tally *tally);

void tally_used(Tally *tally, const EdgeCredential *credential);

/* username may be NULL; one that could be a key is left out. */
void tally_failed(Tally *tally, const char *source, const char *mechanism, const char *username,
                  const char *reason);

/* EVENT_LIMIT_NEAR or EVENT_LIMIT_EXCEEDED, with the counter of that moment. */
void tally_limit(Tally *tally, EventType type, const EdgeLimit *limit, guint64 count);

/* A recipient that a limit puts off or refuses, or whose suppression does: message.refused. */
typedef struct {
    guint64 id; /* reserved for the refusal */
    const EdgeCredential *credential;
    const char *queue_id, *sender, *recipient, *client; /* "": none */
    const char *code;                                   /* "450 4.7.1" */
    const char *text;
    const char *rule; /* "limit" or "suppressed" */
} TallyRefusal;
void tally_refused(Tally *tally, const TallyRefusal *refusal);

/* Writes what limits did. */
void tally_write_limits(Tally *tally);

/* Writes the rest and begins anew. */
void tally_write(Tally *tally);
