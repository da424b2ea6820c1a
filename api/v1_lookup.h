/* SPDX-License-Identifier: MIT */
/*
 * Purpose: which message a reading call of API v1 is about, and what is to be told of it.
 * Used by: apid.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include <glib.h>
#include <json-c/json.h>

#include "api/v1_answer.h"

typedef enum {
#define X(NAME, name, from) V1_EXPANSION_BIT_##NAME,
#include "api/v1_expansion.def"
#undef X
    V1_EXPANSION_COUNT
} V1ExpansionBit;

/* A set of them. */
typedef enum {
#define X(NAME, name, from) V1_EXPANSION_##NAME = 1 << V1_EXPANSION_BIT_##NAME,
#include "api/v1_expansion.def"
#undef X
} V1Expansion;

/* "status" and so on. */
const char *v1_expansion_name(V1ExpansionBit bit);

/* Whether something of a set comes from visits, or from the stored message. */
gboolean v1_expansions_need_visits(guint expansions);
gboolean v1_expansions_need_bytes(guint expansions);

typedef struct {
    guint64 id;         /* 0: no message has such an id */
    json_object *given; /* the id as it was written; borrowed from the parameters */
    guint expansions;
} V1Lookup;

/* V1_ERROR_NONE, or V1_ERROR_PARAMETER and *text (g_free). An id is a whole number, or the digits of one as text. Expansions that
 * nobody knows, and anything but true or an array of names, are none. */
V1Error v1_lookup_read(json_object *parameters, V1Lookup *lookup, char **text);
