/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the parameters of send/message (Postal's) as a letter.
 * Used by: apid.
 * May touch: nothing.
 * Threads: any.
 * Limits: those of lib/submission/letter.h; the rest by what the caller lets a request be.
 */
#pragma once

#include <json-c/json.h>

#include "lib/submission/letter.h"

/* Reads the parameters. NULL: PARAMETER, and *text (g_free) names one that cannot be taken. Else *first is what letter_error says, or
 * none. */
Letter *v1_message_read(json_object *parameters, V1Error *first, char **text);
