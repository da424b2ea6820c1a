/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a reply of an SMTP server, bytes to struct (RFC 5321 section 4.2), and how long one of ours may be.
 * Used by: the API, which hands messages to its own Postfix; policyd and milter for what they refuse.
 * May touch: nothing.
 * Threads: any.
 * Limits: SMTP_REPLY_MAX octets, all lines together.
 */
#pragma once

#include <glib.h>

#define SMTP_REPLY_MAX  16384
#define SMTP_LINE_MAX   512 /* of a reply with its code and its line end, section 4.5.3.1.5 */
#define SMTP_STATUS_MAX 12  /* "550 5.7.1 " and the longer ones, RFC 3463 */

typedef struct {
    guint code;
    char *text; /* of the last line, behind the code */
} SmtpReply;

void smtp_reply_clear(SmtpReply *reply);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SmtpReply, smtp_reply_clear)

/* Reads one reply: how many octets it had, or 0: it is not all there. -1, and INVALID: it is none. reply starts zeroed. */
gssize smtp_reply_read(const char *data, gsize length, SmtpReply *reply, GError **error);

/* The queue id in Postfix's answer to a message; NULL: there is none. g_free. */
char *smtp_reply_queue_id(const SmtpReply *reply);

/* A text of at most max octets (16 at least). What is longer gives up its middle, where addresses and reasons are: what it is stands in
 * front, and behind the rule and what `outrider explain' takes. Invalid UTF-8 if it was cut there. g_free. */
char *smtp_reply_fit(const char *text, gsize max);
