/* SPDX-License-Identifier: MIT */
/*
 * Purpose: send/raw: its parameters (Postal's), a whole message among them, as what is to be sent.
 * Used by: apid.
 * May touch: nothing.
 * Threads: any.
 * Limits: SUBMISSION_RECIPIENTS_MAX addresses of SUBMISSION_ADDRESSES_MAX octets; the rest by what the caller lets a request be.
 */
#pragma once

#include <json-c/json.h>

#include "lib/submission/submission.h"
#include "lib/submission/v1_error.h"

/* The submission. NULL: PARAMETER, and *text (g_free) names what is missing or wrong. Without recipients there is nothing to do. */
Submission *v1_raw_read(json_object *parameters, V1Error *first, char **text);
