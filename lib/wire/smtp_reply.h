/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a reply of an SMTP server, bytes to struct (RFC 5321 section 4.2).
 * Used by: the API, which hands messages to its own Postfix.
 * May touch: nothing.
 * Threads: any.
 * Limits: SMTP_REPLY_MAX octets, all lines together.
 */
#pragma once

#include <glib.h>

#define SMTP_REPLY_MAX 16384

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
