/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the journal events of one submission as JSON (fields: lib/journal/event.def).
 * Used by: the milter.
 * May touch: nothing.
 * Threads: any.
 * Limits: an address of 1,024, a subject of 200 characters; longer is cut.
 */
#pragma once

#include <glib.h>

#include "lib/edge/edge.h"
#include "lib/mime/report.h"
#include "milters/message.h"
#include "milters/refusal.h"
#include "milters/track.h"

/* Who, when, what: what all events of a submission tell. */
typedef struct {
    unsigned node;
    gint64 at_us;
    guint64 id;
    guint32 server; /* 0: not known */
    guint32 credential_id;
    const char *queue_id; /* NULL: not told */
    const Client *client;
    const Message *message; /* NULL: refused before there was one */
} EventSubject;

typedef struct {
    guint64 base; /* id of the submission's first message */
    gboolean hop; /* made by the hop */
    const char *token;
    const char *return_path; /* "": null sender */
    const char *from;        /* author's address */
    const char *tag;         /* NULL: none */
    const char *store;
    guint32 domain; /* what authorised it */
    guint32 lane;
    gsize size;
    const GPtrArray *skipped; /* of static text */
    const GPtrArray *labels;  /* of text, one per signature */
    const Tracked *tracked;
    Origin origin;
    const char *to; /* whom it goes to, if not to its recipient; NULL: to that */
} EventAccepted;

/* JSON texts; g_free. */
char *event_admitted(const EventSubject *subject, gboolean hop);
char *event_accepted(const EventSubject *subject, const EventAccepted *accepted);
/* report: of a notification that a message (subject's id) failed. */
char *event_bounce(const EventSubject *subject, const MimeReport *report);
char *event_refused(const EventSubject *subject, const Refusal *refusal);
char *event_discarded(const EventSubject *subject, guint64 base, const Refusal *refusal);
