/* SPDX-License-Identifier: MIT */
/*
 * Purpose: one field of an event as a parameter of a statement.
 * Used by: worker/event_row.c.
 * May touch: nothing.
 * Threads: any.
 * Limits: free text is cut to its column's width.
 */
#pragma once

#include <json-c/json.h>

#include "lib/sql/sql.h"

typedef struct json_object Json;

/* As event_row.def explains them. */
typedef enum {
    EVENT_FIELD_END,
    EVENT_FIELD_NUMBER,
    EVENT_FIELD_NEED,
    EVENT_FIELD_SIGNED,
    EVENT_FIELD_SECONDS,
    EVENT_FIELD_ID_OF_EACH,
    EVENT_FIELD_FLAG,
    EVENT_FIELD_TEXT,
    EVENT_FIELD_BLANK,
    EVENT_FIELD_LIST,
    EVENT_FIELD_DOMAIN_OF,
    EVENT_FIELD_TEXT_OF_EACH,
    EVENT_FIELD_DOMAIN_OF_EACH,
    EVENT_FIELD_WORD,
    EVENT_FIELD_RECIPIENT,
    EVENT_FIELD_VISIT,
    EVENT_FIELD_CONSTANT,
} EventFieldKind;

typedef struct {
    EventFieldKind kind;
    const char *path;         /* or the text of a CONSTANT, or the kind of a VISIT */
    guint max;                /* characters */
    const char *absent;       /* what it is when it is not there; NULL: NULL */
    const char *const *words; /* that are allowed */
} EventField;

/* "a" or "a.b" of an event; NULL: absent or null. */
Json *event_field_lookup(Json *event, const char *path);

/* INVALID "path: allowed"; FALSE. */
gboolean event_field_refuse(GError **error, const char *path, const char *allowed);

/* The parameter; index says which of the messages it is for. Its text is a constant, in the event, or in texts (of g_free), which
 * receives it. INVALID: it is not what it should be. */
gboolean event_field_bind(const EventField *field, Json *event, guint index, GPtrArray *texts,
                          SqlParameter *out, GError **error);

/* A copy of at most max characters of valid UTF-8. g_free. */
char *event_field_cut(const char *text, guint max);
