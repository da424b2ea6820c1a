/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the refusals of the milter, read from refusal.def.
 * Used by: the milter.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include <glib.h>

typedef enum {
    REFUSAL_NONE,
#define X(name, code, enhanced, text, rule) REFUSAL_##name,
#include "milters/refusal.def"
#undef X
    REFUSAL_COUNT
} RefusalName;

typedef struct {
    const char *code;
    const char *enhanced;
    const char *text;
    const char *rule;
} Refusal;

/* The words of a refusal; name is not REFUSAL_NONE. */
const Refusal *refusal_words(RefusalName name);

/* What is told when a message could not be taken for a reason of ours: REFUSAL_SPACE or _INTERNAL. */
RefusalName refusal_of_trouble(const GError *error);
