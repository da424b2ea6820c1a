/* SPDX-License-Identifier: MIT */
/*
 * Purpose: who is connected, how long that may last, and who may not connect any more.
 * Used by: lib/httpd.
 * May touch: sockets that are past their time, or whose client is gone: it shuts them down.
 * Threads: any; a thread of its own looks every second.
 * Limits: those of ConnectionLimits. Once three quarters of the connections are taken, those that do nothing, or have not
 *     said what they want yet, go after CONNECTION_PRESSED_SECONDS, and slow bodies and readers after
 *     CONNECTION_PRESSED_BODY_SECONDS; slow bodies also while there is no room for another one.
 *
 *     open ──▶ HEAD ──▶ BODY ──▶ WORK ──▶ ANSWER ──▶ IDLE ──▶ HEAD ...
 * In each phase but WORK a client can keep us waiting; each has a time that it may take altogether, however often an octet
 * comes. It is longer by what has come of a body, or was taken of an answer, at CONNECTION_OCTETS_PER_SECOND; what is only to come or
 * to go buys no time (but to go over a UNIX socket), and what has moved no more than the phase's time from then on.
 */
#pragma once

#include <glib.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/base/network.h"
#include "lib/httpd/certificate.h"
#include "lib/httpd/proxies.h"

#define CONNECTION_OCTETS_PER_SECOND    (16 * 1024)
#define CONNECTION_PRESSED_SECONDS      2
#define CONNECTION_PRESSED_BODY_SECONDS 10

typedef enum {
    CONNECTION_IDLE,   /* between requests */
    CONNECTION_HEAD,   /* a new connection, or a request has begun to come */
    CONNECTION_BODY,   /* its body is coming */
    CONNECTION_WORK,   /* we are busy with it */
    CONNECTION_ANSWER, /* the answer leaves */
} ConnectionPhase;

typedef struct {
    guint connections;
    guint per_address; /* of an IPv4 address or an IPv6 /64 that is no listed proxy; 0: no limit */
    guint idle_seconds, head_seconds, body_seconds, answer_seconds;
} ConnectionLimits;

/* What happened since the start. */
typedef struct {
    guint64 open; /* now */
    guint64 accepted;
    guint64 turned_away; /* over a limit */
    guint64 cut;         /* too slow, or idle */
} ConnectionCounts;

typedef struct Connections Connections;

typedef struct Connection {
    Connections *owner;
    gpointer server; /* whoever opened it may keep something here */
    GList link;
    int fd;
    guint8 source[NETWORK_OCTETS];
    gboolean counted; /* among those of its address */
    gboolean secure;
    gboolean trusted;            /* the peer is a listed proxy */
    char peer[INET6_ADDRSTRLEN]; /* "": a UNIX socket's */
    Certificate *certificate;    /* that it was shown; its own */
    _Atomic gint phase;
    _Atomic gint64 since_us; /* monotonic: from when on its time counts */
    _Atomic guint allowed_seconds;
    _Atomic guint64 octets; /* that go in this phase, where nobody tells how many went */
    /* The watcher's own. */
    gint64 left_us; /* monotonic: when it saw that the client is gone */
    guint64 acked;  /* octets that the client had taken when it looked last */
} Connection;

/* limits and proxies are borrowed. */
Connections *connections_new(const ConnectionLimits *limits, const Proxies *proxies);
/* After the last one is closed. */
void connections_free(Connections *connections);

/* There is no room for a body: slow ones are to go, for as long as these may take, as if connections were short. */
void connections_press_bodies(Connections *connections);

/* Whether one from there may come in. Address as of accept(2). */
gboolean connections_admit(Connections *connections, const struct sockaddr *address);

Connection *connection_open(Connections *connections, int fd, const struct sockaddr *address,
                            gboolean secure);
void connection_close(Connection *connection);

/* Enters a phase; octets: how much is to go. */
void connection_enter(Connection *connection, ConnectionPhase phase, guint64 octets);

/* More has come, or was taken. */
void connection_moved(Connection *connection, guint64 octets);

/* From now on whoever has no request under way is cut, and nobody is admitted. */
void connections_end(Connections *connections);
gboolean connections_ending(const Connections *connections);

/* Waits until all are closed, at most so long; FALSE: not all are. */
gboolean connections_await(Connections *connections, guint seconds);

void connections_count(Connections *connections, ConnectionCounts *counts);
