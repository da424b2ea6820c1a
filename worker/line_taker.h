/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what a line of Postfix's log says of our messages, as events.
 * Used by: mail_follower.
 * May touch: the queue book, within its transaction; the milter's journal, edge.5.db and the return-path
 *     ring (read).
 * Threads: one.
 *
 * A queue id is ours when the milter's journal names it (message.accepted; submission.admitted of a
 * submission that the hop splits), or when it was requeued from one that is; and when its sender is sealed for
 * the same, or null:
 *
 *     submission  from=<submission path> (queue active)  submission.queued
 *                 to=<R> deferred, bounced, expired       delivery.attempt of R's message
 *                 status=expired, without to=             the same of each message that the hop has not made
 *     message     from=<message path> (queue active)      message.queued
 *                 to=<its recipient>                      delivery.attempt
 *                 milter-hold, placed on hold             message.queued, Held
 *                 released from hold, or in the active queue all the same   hold.released
 *     both        removed, by postsuper, while on hold    hold.cancelled
 */
#pragma once

#include "lib/config/config.h"
#include "worker/mail_line.h"
#include "worker/milter_reader.h"
#include "worker/queue_book.h"

typedef struct LineTaker LineTaker;

/* config, book and milter must outlive it. */
LineTaker *line_taker_new(const Config *config, QueueBook *book, MilterReader *milter);
void line_taker_free(LineTaker *taker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LineTaker, line_taker_free)

/* Begins a round without events. Errors: the ring cannot be read. */
gboolean line_taker_begin(LineTaker *taker, GError **error);

/* Takes a line, between begin and the end of the book's transaction. */
void line_taker_take(LineTaker *taker, const MailLine *line);

/* The round's events so far (of JournalEntry), in order. */
const GArray *line_taker_entries(const LineTaker *taker);
