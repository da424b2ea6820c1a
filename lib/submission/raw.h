/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a whole message, as octets, as what is to be sent.
 * Used by: apid, the CLI.
 * May touch: nothing.
 * Threads: any.
 * Limits: FORM_FIELDS_MAX header fields; otherwise the caller's.
 *
 * Line ends of every kind become CRLF; nothing else of the message changes.
 */
#pragma once

#include "lib/submission/submission.h"

/* Sets header fields, body and message_id of a new submission. INVALID: "is no message: why"; TOO_LARGE: a
 * sentence. The submission is of no use then. */
gboolean raw_read(const char *octets, gsize length, Submission *submission, GError **error);
