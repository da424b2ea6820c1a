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

#include "lib/submission/v1_error.h"

/* A success with data (taken over) after us microseconds. The octets `<', `>' and `&' do not occur in an answer. */
GBytes *v1_answer_success(json_object *data, gint64 us);

/* An error; message NULL: the error's own. token: what was given as key, for INVALID_KEY; else NULL. */
GBytes *v1_answer_error(V1Error name, const char *message, const char *token, gint64 us);

/* MESSAGE_NOT_FOUND, with the id that was asked for as it was given (borrowed). */
GBytes *v1_answer_not_found(json_object *id, gint64 us);
