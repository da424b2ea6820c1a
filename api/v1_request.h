/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what a request to API v1 is for, and its parameters: a JSON object, wherever it came in (Postal's rules).
 * Used by: apid.
 * May touch: nothing.
 * Threads: any.
 * Limits: those of json_body.h, V1_FORM_FIELDS_MAX fields in a form or query, and what the caller lets a body and a query be.
 *
 *     Content-Type application/json  the body, and the names of the query as text, which go before its own
 *     else                           the field `params' of a form (application/x-www-form-urlencoded) or of the query
 *     neither                        no parameters
 */
#pragma once

#include <glib.h>
#include <json-c/json.h>

#define V1_FORM_FIELDS_MAX 1000

/* Whether path is that of a call. Slashes may be doubled or stand at its end: clients put a base URL that ends with one before it. */
gboolean v1_request_is_for(const char *path, const char *call);

typedef struct {
    const char *content_type; /* NULL: none */
    const char *query;        /* without `?'; NULL: none */
    const char *body;
    gsize length;
} V1Input;

/* The object; json_object_put. INVALID, and the text says what is wrong: no JSON, no object, a name that stands twice in one object,
 * deeper or more than may be, no form. */
json_object *v1_request_parameters(const V1Input *input, GError **error);
