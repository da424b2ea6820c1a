/* SPDX-License-Identifier: MIT */
/*
 * Purpose: routes and endpoints as the replica has them: which addresses take mail in, and where it goes.
 * Used by: policyd (whether an address is one of ours), the milter (what becomes of a message), the HTTP pipe.
 * May touch: <edge_dir>/edge.5.db, read-only.
 * Threads: any.
 * Limits: as edge.h; EDGE_ROUTE_ENDPOINTS_MAX endpoints of a route.
 */
#pragma once

#include "lib/edge/edge.h"

#define EDGE_ROUTE_ENDPOINTS_MAX 20
#define EDGE_ROUTE_TOKEN_LENGTH  8
#define EDGE_ROUTE_RETURN_PATH   "__returnpath__"

typedef enum {
#define X(name, word, text) EDGE_ROUTE_##name,
#include "lib/edge/route_mode.def"
#undef X
} EdgeRouteMode;

typedef enum {
#define X(name, word, text) EDGE_ROUTE_SPAM_##name,
#include "lib/edge/route_spam.def"
#undef X
} EdgeRouteSpam;

typedef enum {
#define X(name, word, text) EDGE_ENDPOINT_##name,
#include "lib/edge/endpoint_kind.def"
#undef X
} EdgeEndpointKind;

typedef struct {
    guint32 id;
    guint32 server, organization;
    guint32 domain_id; /* 0: the route of a server's return path */
    char *domain;      /* A-labels in lower case; "": the same */
    char *name;        /* local part, "*", or EDGE_ROUTE_RETURN_PATH */
    char *token;
    EdgeRouteMode mode;
    EdgeRouteSpam spam;
    gboolean suspended;   /* its server or organization is */
    gboolean development; /* what comes is held */
    char *organization_permalink, *server_permalink;
    guint32 endpoints[EDGE_ROUTE_ENDPOINTS_MAX]; /* ids, the first by position */
    guint endpoint_count;                        /* 0 unless mode is ENDPOINT */
} EdgeRoute;

void edge_route_free(EdgeRoute *route);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EdgeRoute, edge_route_free)

/* The route that an address leads to: that of its local part up to a `+', in any case, else the wildcard of its domain; of a
 * verified domain only. *found becomes NULL when there is none, and when it is no address. FALSE: UNAVAILABLE. */
gboolean edge_route_for(Edge *edge, const char *address, EdgeRoute **found, GError **error);

/* The same by the token that a forward address begins with, in any case. */
gboolean edge_route_by_token(Edge *edge, const char *token, EdgeRoute **found, GError **error);

/* The same by id; also the one for a server's return path. */
gboolean edge_route_by_id(Edge *edge, guint32 id, EdgeRoute **found, GError **error);

/* The route EDGE_ROUTE_RETURN_PATH of a server. */
gboolean edge_route_of_return_path(Edge *edge, guint32 server, EdgeRoute **found, GError **error);

/* One endpoint. Texts that its kind does not have are "". */
typedef struct {
    guint32 id;
    guint32 server;
    char *name;
    EdgeEndpointKind kind;
    char *url;
    gboolean form, raw; /* else JSON, else a hash of the message's parts */
    gboolean strip_replies, attachments;
    guint timeout; /* seconds, 5 to 60 */
    char *host;    /* of lmtp also the path of a socket */
    guint16 port;
    char *tls;      /* none, may, encrypt, verify */
    char *address;  /* where mail is forwarded to */
    char *resolved; /* the address host had when it was looked up last; "": none that is allowed */
} EdgeEndpoint;

void edge_endpoint_free(EdgeEndpoint *endpoint);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EdgeEndpoint, edge_endpoint_free)

/* *found becomes NULL when there is none. FALSE: UNAVAILABLE. */
gboolean edge_endpoint_by_id(Edge *edge, guint32 id, EdgeEndpoint **found, GError **error);

/* Whether any verified domain of that name (A-labels, any case) has a route. FALSE: UNAVAILABLE. */
gboolean edge_route_domain(Edge *edge, const char *domain, gboolean *has, GError **error);

/* Names of the verified domains that have routes, in order, at most max of them. NULL: UNAVAILABLE. GPtrArray of char *. */
GPtrArray *edge_route_domains(Edge *edge, guint max, GError **error);
