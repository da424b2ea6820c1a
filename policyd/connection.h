/* SPDX-License-Identifier: MIT */
/*
 * Purpose: sockets of policyd: accepting, limits, and handing whole requests to a protocol.
 * Used by: policyd's main and its three protocol edges.
 * May touch: the listening descriptors it is given.
 * Threads: one, libevent's loop.
 * Limits: CONNECTION_MAX connections together (fewer when descriptors are scarce): further ones are
 *     closed at once. A request that has begun must be whole within CONNECTION_REQUEST_SECONDS.
 */
#pragma once

#include <event2/event.h>
#include <glib.h>

#define CONNECTION_MAX             4096
#define CONNECTION_REQUEST_SECONDS 30
#define CONNECTION_OUTPUT_MAX      65536 /* a client that does not read its answers is cut */

typedef struct Connection Connection;

typedef struct {
    const char *name;  /* of the socket */
    gsize request_max; /* octets */
    int idle_seconds;  /* between requests */
    /* What to say first, and state of the connection's own; may be NULL. */
    gpointer (*open)(Connection *connection, gpointer context, GString *out);
    /* Takes one request: octets used, 0 when it is not whole, -1 to close. */
    gssize (*take)(Connection *connection, gpointer state, const char *data, gsize length,
                   GString *out);
    void (*closed)(gpointer state); /* may be NULL */
} Protocol;

typedef struct Listener Listener;

/* Serves fd from base. context goes to open (or to take, when open is NULL). */
Listener *listener_new(struct event_base *base, int fd, const Protocol *protocol, gpointer context);
void listener_free(Listener *listener);

/* Whether root, this program's own user or one of those that are named (up to NULL) is on the other side. */
gboolean connection_is_from(const Connection *connection, const char *const *users);

/* Sends later output; closes. Not from within open or take. */
void connection_send(Connection *connection, const GString *out);
