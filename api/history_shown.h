/* SPDX-License-Identifier: MIT */
/*
 * Purpose: rows of history and stored messages as the objects of API v1's answers (Postal's).
 * Used by: apid.
 * May touch: nothing.
 * Threads: any.
 * Limits: the caller's.
 */
#pragma once

#include "api/v1_lookup.h"
#include "lib/directory/record.h"
#include "lib/mime/read.h"

/* A row of MESSAGE_READ with id, token and what is asked for; json_object_put. For activity_entries it has `tracking' and `visits'
 * (lib/history/visits.h). bytes: the stored message, NULL: gone; read: what mime_read found in it for these expansions. */
json_object *history_shown_message(const Record *message, GBytes *bytes, const MimeRead *read,
                                   guint expansions);

/* The same row with its `deliveries' as an array, oldest first: each attempt, and what holds and ends without one. Attempts are
 * known to the second, so none is told to be earlier than what stands before it. `details' and `sent_with_ssl' are never null, and
 * neither is a message's `token': clients with types have none for that. */
json_object *history_shown_deliveries(const Record *message);
