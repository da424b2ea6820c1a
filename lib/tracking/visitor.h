/* SPDX-License-Identifier: MIT */
/*
 * Purpose: tells visits of people from those of machines: link scanners, image proxies, services that fetch ahead.
 * Used by: lib/history, the CLI.
 * May touch: nothing.
 * Threads: any; a list is not changed while it is used.
 * Limits: lists of VISITOR_LINES_MAX lines, each of VISITOR_LINE_MAX octets. Time for n visits is n log n.
 *
 * The marks of a message's visits depend on all of them and on its delivery, which history may learn late and in any order. So
 * they are worked out when they are shown, as replies are: rules may get better, what happened stays.
 */
#pragma once

#include <glib.h>

#define VISITOR_LINES_MAX 10000
#define VISITOR_LINE_MAX  512
#define VISITOR_SWEEP_US  (10 * G_USEC_PER_SEC) /* all links in that time are no reader's */
#define VISITOR_SWEEP_MIN 3                     /* links that a message needs for that */

typedef enum {
#define X(NAME, word, machine, meaning) VISITOR_##NAME,
#include "lib/tracking/visitor_mark.def"
#undef X
    VISITOR_MARK_COUNT
} VisitorMark;

const char *visitor_mark_word(VisitorMark mark);
gboolean visitor_mark_is_machine(VisitorMark mark);

typedef struct VisitorList VisitorList;

/* With the lines of visitor_known.def. */
VisitorList *visitor_list_new(void);
void visitor_list_free(VisitorList *list);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VisitorList, visitor_list_free)

/* Adds more, a line each; what is blank or begins with # is passed over:
 *     agent MARK TEXT       the User-Agent has this in it, in any case
 *     agent-is MARK TEXT    the User-Agent is this
 *     network MARK CIDR     the client's address lies there
 * MARK is a word of visitor_mark.def. Of several lines that fit the last one counts. INVALID, naming the line: nothing was
 * added. */
gboolean visitor_list_add(VisitorList *list, const char *text, GError **error);

typedef struct {
    gint64 at;      /* Unix microseconds */
    guint ordinal;  /* of the link; 0: the pixel */
    const char *ip; /* may be NULL, as agent */
    const char *agent;
    gboolean head;
} Visit;

/* When the message was delivered, in Unix microseconds, or one of these. */
#define VISITOR_DELIVERY_UNKNOWN 0
#define VISITOR_NOT_DELIVERED    G_MAXINT64

/* Marks the n visits of one message, which come in order of time, and has that many links. */
void visitor_mark(const VisitorList *list, const Visit *visits, guint n, gint64 delivered_at,
                  guint links, VisitorMark *marks);
