/* SPDX-License-Identifier: MIT */
/*
 * Purpose: which header fields signatures cover, read from dkim_field.def.
 * Used by: lib/mailauth.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include <glib.h>

typedef struct {
    const char *name;
    gboolean oversign; /* one more instance is signed than there is */
} FieldRule;

extern const FieldRule field_rules[];
extern const guint field_rules_count;

/* Whether a field of that name (any case, white space behind it) falls under a rule. */
gboolean field_rule_covers(const FieldRule *rule, const char *name);

/* How many of the rules cover a field of that name. */
guint field_rules_covering(const char *name);
