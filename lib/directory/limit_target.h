/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what a rate limit is about and how much it lets pass, as the command line writes it: ORG,
 *     ORG/SERVER, ORG/SERVER/CREDENTIAL (whatever follows the second slash is its name), @DOMAIN (of
 *     recipients), user:NAME (a SASL user name); COUNT/PERIOD.
 * Used by: lib/directory; the API and the CLI for what they check before.
 * May touch: nothing.
 * Threads: any.
 * Limits: names as lib/directory/value.h says; a user name is 1 to 255 characters.
 */
#pragma once

#include "lib/directory/path.h"
#include "lib/edge/edge_limit.h"

#define LIMIT_MAX 1000000000

typedef struct {
    LimitSubject kind;
    char *owner; /* organization or ORG/SERVER; NULL for a domain or user */
    char *name;  /* a credential's name, a domain in lower-case A-labels, a user; else "" */
} LimitTarget;

void limit_target_clear(LimitTarget *subject);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LimitTarget, limit_target_clear)

/* INVALID names the part and what is allowed. subject is untouched on failure, else its old content is
 * freed. */
gboolean limit_target_read(const char *text, LimitTarget *subject, GError **error);

/* As it was read, a domain in its canonical form; g_free. */
char *limit_target_text(const LimitTarget *subject);

/* "100/minute": 0 to LIMIT_MAX, where 0 lets nothing pass. INVALID. */
gboolean limit_rate_read(const char *text, guint32 *max, LimitPeriod *period, GError **error);

/* INVALID, naming the field and the words. */
gboolean limit_target_period_read(const char *text, LimitPeriod *period, GError **error);
gboolean limit_target_action_read(const char *text, LimitAction *action, GError **error);
