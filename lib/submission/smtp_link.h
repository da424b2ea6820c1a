/* SPDX-License-Identifier: MIT */
/*
 * Purpose: hands a message to our own Postfix, on its listener for programs of ours. One transaction for all recipients: Postfix has them
 *     all afterwards, or none.
 * Used by: lib/submission.
 * May touch: 127.0.0.1, the port it is told.
 * Threads: any; a link belongs to one at a time, and some are kept for a moment for the next message.
 * Limits: waits SMTP_LINK_SECONDS at most for each step; SMTP_LINK_IDLE_MAX links are kept, each SMTP_LINK_IDLE_SECONDS.
 *
 * Not libcurl's: commands go in one piece (PIPELINING), so that a thousand recipients cost one round trip, and what is not known
 * after the link broke is told apart from what was refused.
 */
#pragma once

#include <glib.h>

#define SMTP_LINK_SECONDS      150 /* more than Postfix waits for the milter */
#define SMTP_LINK_IDLE_MAX     16
#define SMTP_LINK_IDLE_SECONDS 2

typedef struct SmtpPool SmtpPool;

SmtpPool *smtp_pool_new(guint16 port);
void smtp_pool_free(SmtpPool *pool);

typedef struct {
    const char *mail_from;  /* "": null */
    const GPtrArray *rcpts; /* of text */
    const GString *head;    /* header with the blank line, lines with CRLF */
    const GString *body;    /* the same; its last line has its end */
} SmtpMail;

/* The queue id (g_free; "" when Postfix does not say). NULL: UNAVAILABLE, Postfix has not taken it (4xx, or nobody answers); REFUSED,
 * it never will (5xx); UNKNOWN_RESULT, the link broke when it might have. */
char *smtp_pool_send(SmtpPool *pool, const SmtpMail *mail, GError **error);
