/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a line of Postfix's log, and the message it is about, as an event.
 * Used by: mail_follower, reconciler.
 * May touch: nothing.
 * Threads: any.
 * Limits: texts of the remote are cut at MAIL_EVENT_TEXT_MAX octets, at a character.
 */
#pragma once

#include "lib/journal/journal.h"
#include "worker/mail_line.h"
#include "worker/queue_book.h"

#define MAIL_EVENT_TEXT_MAX 500

typedef struct {
    guint node;
    QueueEntry about;   /* the message; of a line that Postfix queued, perhaps a submission */
    const char *source; /* address that the delivery left from; NULL: not known */
    const char *helo;
    const char *tls; /* protocol and cipher; NULL: no TLS, or not known */
} MailEventFacts;

/* The same line gives the same number, another one another: 63 bits of SHA-256. */
guint64 mail_event_attempt(const MailLine *line);

/* A message that is in no queue and has no outcome. */
typedef struct {
    guint node;
    gint64 at_us;
    guint64 id;
    guint32 server;
    const char *status; /* Aborted or Unknown */
    const char *reason;
} MailEventLost;

/* The JSON of message.lost; g_free. */
char *mail_event_lost(const MailEventLost *lost);

/* The event's JSON (g_free) and type. NULL: the line is no event. That a message was deleted is
 * hold.cancelled: it is for the caller to know that it was held. */
char *mail_event_build(const MailLine *line, const MailEventFacts *facts, EventType *type);
