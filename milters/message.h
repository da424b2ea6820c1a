/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what one SMTP session tells us: its client, and the message it is handing in.
 * Used by: the milter.
 * May touch: nothing.
 * Threads: one at a time, as libmilter calls.
 * Limits: a header of MESSAGE_HEADER_MAX octets and MESSAGE_FIELDS_MAX fields (Postfix looks through
 *     all of them for each that we change); a body of what the caller allows, kept in one
 *     buffer (at most twice that in memory while it grows). Beyond, the octets are counted only.
 */
#pragma once

#include <glib.h>

#define MESSAGE_HEADER_MAX (1024 * 1024)
#define MESSAGE_FIELDS_MAX 1000

/* All texts may be NULL: not told. */
typedef struct {
    char *ip, *port, *ptr, *helo, *tls, *auth;
} Client;

typedef struct {
    char *mail_from;   /* without brackets; "" for the null sender */
    char *rcpt;        /* the one recipient, without brackets; NULL: none yet */
    GPtrArray *fields; /* of MimeField */
    GString *body;     /* NULL: dropped, too big */
    gsize n_fields;    /* also those that were not kept */
    gsize header_size; /* octets as they stand on the wire */
    gsize body_size;
} Message;

void client_clear(Client *client);

/* A new message of that sender (as in MAIL FROM, with or without brackets). */
Message *message_new(const char *mail_from);
void message_free(Message *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Message, message_free)

/* Takes the recipient; FALSE when there is one already. */
gboolean message_add_recipient(Message *message, const char *rcpt);

/* Takes a field or body octets; what is beyond the limits is counted and not kept. */
void message_add_field(Message *message, const char *name, const char *value);
void message_add_body(Message *message, const void *data, gsize length, gsize max);

/* Octets of header, blank line and body. */
gsize message_size(const Message *message);
