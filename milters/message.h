/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what one SMTP session tells us: its client, and the message it is handing in.
 * Used by: the milter.
 * May touch: nothing.
 * Threads: one at a time, as libmilter calls.
 * Limits: those that the message was made with; beyond, octets are counted only. The body is kept in one
 *     buffer (at most twice its size in memory while it grows).
 */
#pragma once

#include <glib.h>

/* All texts may be NULL: not told. */
typedef struct {
    char *ip, *port, *ptr, *helo, *tls, *auth;
} Client;

typedef struct {
    guint recipients;
    gsize addresses; /* octets of all recipients */
    gsize header, fields;
    gsize size; /* of header, blank line and body */
} MessageLimits;

typedef struct {
    char *address; /* as Postfix resolved it, and logs it; without brackets */
    char *key;     /* in lower case: of the same, Postfix keeps one */
    char *given;   /* the argument of the command, by which alone Postfix knows whom to take away */
} Recipient;

typedef struct {
    MessageLimits limits;
    char *mail_from;    /* without brackets; "" for the null sender */
    GPtrArray *rcpts;   /* of Recipient, each another one, as they came */
    gsize address_size; /* octets of these */
    char *came_for;     /* given of the first one that came, whatever they are set to */
    GHashTable *known;  /* their keys, borrowed */
    GPtrArray *fields;  /* of MimeField */
    GString *body;      /* NULL: dropped, too big */
    gsize n_fields;     /* also those that were not kept */
    gsize header_size;  /* octets as they stand on the wire */
    gsize body_size;
} Message;

/* Of mail that came in: by which route, and to which endpoint (0: none); all 0: a credential handed it in. */
typedef struct {
    guint32 route, endpoint;
} Origin;

void client_clear(Client *client);

/* A new message of that sender (as in MAIL FROM, with or without brackets). */
Message *message_new(const char *mail_from, const MessageLimits *limits);
void message_free(Message *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Message, message_free)

/* Takes a recipient (as in RCPT TO) unless it is there already; resolved: what Postfix made of it; NULL:
 * not told, as the client gave it. FALSE: there are as many as may be. */
gboolean message_add_recipient(Message *message, const char *rcpt, const char *resolved);

/* An address as the argument of a command, in brackets and, where it needs them, quotes; g_free. */
char *message_argument(const char *address);

/* Its recipients are those (of char *) from now on, however many they are, given as message_argument. */
void message_set_recipients(Message *message, const GPtrArray *addresses);

/* The first recipient's address; NULL: none yet. */
const char *message_rcpt(const Message *message);

/* Takes a field or body octets; what is beyond the limits is counted and not kept. */
void message_add_field(Message *message, const char *name, const char *value);
void message_add_body(Message *message, const void *data, gsize length);

/* Whether header and fields are within the limits. */
gboolean message_header_fits(const Message *message);

/* Octets of header, blank line and body. */
gsize message_size(const Message *message);
