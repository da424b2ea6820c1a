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
    EdgeLimitSubject kind;
    char *owner; /* organization or ORG/SERVER; NULL for a domain or user */
    char *name;  /* a credential's name, a domain in lower-case A-labels, a user; else "" */
} LimitSubject;

void limit_subject_clear(LimitSubject *subject);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LimitSubject, limit_subject_clear)

/* INVALID names the part and what is allowed. subject is untouched on failure, else its old content is
 * freed. */
gboolean limit_subject_read(const char *text, LimitSubject *subject, GError **error);

/* As it was read, a domain in its canonical form; g_free. */
char *limit_subject_text(const LimitSubject *subject);

/* "100/minute": 0 to LIMIT_MAX, where 0 lets nothing pass. INVALID. */
gboolean limit_rate_read(const char *text, guint32 *max, EdgeLimitPeriod *period, GError **error);

/* INVALID, naming the field and the words. */
gboolean limit_period_read(const char *text, EdgeLimitPeriod *period, GError **error);
gboolean limit_action_read(const char *text, EdgeLimitAction *action, GError **error);
