/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the envelope of API v1's answers (Postal's): status, time, flags, data.
 * Used by: apid.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include <glib.h>
#include <json-c/json.h>

typedef enum {
    V1_ERROR_NONE,
#define X(name, http, status, code, message) V1_ERROR_##name,
#include "api/v1_error.def"
#undef X
    V1_ERROR_COUNT
} V1Error;

typedef struct {
    guint http;
    const char *status;
    const char *code;    /* NULL: none */
    const char *message; /* NULL: none, or the case's own */
} V1ErrorWords;

/* The words of an error; name is not V1_ERROR_NONE. */
const V1ErrorWords *v1_error_words(V1Error name);

/* A success with data (taken over) after us microseconds. The octets `<', `>' and `&' do not occur in an answer. */
GBytes *v1_answer_success(json_object *data, gint64 us);

/* An error; message NULL: the error's own. token: what was given as key, for INVALID_KEY; else NULL. */
GBytes *v1_answer_error(V1Error name, const char *message, const char *token, gint64 us);

/* MESSAGE_NOT_FOUND, with the id that was asked for as it was given (borrowed). */
GBytes *v1_answer_not_found(json_object *id, gint64 us);
