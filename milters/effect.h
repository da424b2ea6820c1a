/* SPDX-License-Identifier: MIT */
/*
 * Purpose: puts a prepared message into effect: envelope sender, header, body and hold at Postfix;
 *     stored octets; journal, last of all.
 * Used by: the milter.
 * May touch: Postfix through libmilter, the store, the journal.
 * Threads: any; one message each.
 */
#pragma once

#include <libmilter/mfapi.h>

#include "milters/event.h"
#include "milters/outgoing.h"

/* Begins what is stored of mail that came in: who sent it, as a field for the final delivery has it. */
#define EFFECT_STORED_SENDER "Return-Path: "

/* Header changes (of Edit), or another envelope sender (without brackets), at Postfix. */
gboolean effect_header(SMFICTX *context, const GPtrArray *edits, GError **error);
gboolean effect_sender(SMFICTX *context, const char *address, GError **error);

/* What milter_header_checks are to make of the message, as Outgoing has it. */
gboolean effect_way(SMFICTX *context, const char *way, GError **error);

/* The message goes to another recipient, or to several (of char *; without brackets). */
gboolean effect_recipients(SMFICTX *context, const Message *message, const GPtrArray *to,
                           GError **error);
gboolean effect_recipient(SMFICTX *context, const Message *message, char *to, GError **error);

/* Stores what came in and is yet to be split, under an id: so its sender is known. */
gboolean effect_store(Shared *shared, const Message *message, guint64 id, guint32 server,
                      GError **error);

/* TRUE: all is done and durable, answer "accept". FALSE: answer 451; nothing of it will be seen. Its events
 * are about subject, whose id need not be set. */
gboolean effect_message(SMFICTX *context, Shared *shared, const EventSubject *subject,
                        const Outgoing *outgoing, GError **error);
