/* SPDX-License-Identifier: MIT */
/*
 * Purpose: send/raw: its parameters (Postal's), a whole message among them, as what is to be sent.
 * Used by: apid.
 * May touch: nothing.
 * Threads: any.
 * Limits: V1_RECIPIENTS_MAX addresses; the rest by what the caller lets a request be.
 *
 * Line ends of every kind become CRLF; nothing else of the message changes.
 */
#pragma once

#include "api/v1_answer.h"
#include "api/v1_submission.h"

/* The submission. NULL: PARAMETER, and *text (g_free) names what is missing or wrong. Without recipients there is nothing to do. */
V1Submission *v1_raw_read(json_object *parameters, V1Error *first, char **text);
