/* SPDX-License-Identifier: MIT */
/*
 * Purpose: an HTTP/1.1 server: requests in, answers out, within stated bounds. The door to libmicrohttpd.
 * Used by: the daemons of api/.
 * May touch: the sockets that it is given; certificates (certificate.h).
 * Threads: a few serve all connections (epoll); route, take and answer run there and must not wait, but for a look into a replica.
 *     The answer of a route that blocks runs in a pool of workers; there are 1 + HTTPD_ASIDE such pools, so that what waits for a server that may be
 *     away, or for others, does not stop the rest.
 * Limits: those of HttpdOptions. What is beyond them, or is no HTTP, is answered 4xx here, and no route sees it; a chunked
 *     body beside a Content-Length is refused, as is any other transfer coding, and a field over which two programs could
 *     disagree: white space in or behind its name, lines that continue it, control characters (RFC 9112 §5). Whose chunked body
 *     goes on for too long behind its limit gets no answer: the library has none amid a body. No answer says what server this is.
 *
 *     static const HttpdRoute hello = {.answer = say_hello};
 *     HttpdSite site = {.route = find_route};
 *     Httpd *httpd = httpd_new(&options, &site);
 *     httpd_listen(httpd, fd, FALSE, &error);  ...  httpd_stop(httpd, 10);
 */
#pragma once

#include <glib.h>

#include "lib/httpd/connections.h"
#include "lib/httpd/proxies.h"

typedef struct {
    const char *method; /* as sent */
    const char *path;   /* as sent, percent-encoding and all; starts with '/', or is "*" */
    const char *query;  /* as sent; NULL: none. g_uri_parse_params reads it */
    const char *host;   /* lower case, without port; "": an HTTP/1.0 client named none */
    const char *client; /* address, as a listed proxy says; "": a UNIX socket's */
    gboolean secure;    /* came over TLS here */
    guint64 length;     /* of the body, if it was announced */
    guint64 came;       /* octets of it so far */
    GByteArray *body;   /* what was gathered, not to be changed; until answer returns */
    gpointer state;     /* the route's own */
    guint holder;       /* set by route: whose request that is; 0: nobody's in particular */
} HttpdRequest;

/* The value of a field (the first, if several came); NULL: there is none. */
const char *httpd_field(const HttpdRequest *request, const char *name);

typedef struct HttpdAnswer HttpdAnswer;

#define HTTPD_RETRY_SECONDS "5"

/* Sets status and body; type NULL: no Content-Type. It may be called again; a HEAD is answered without the body, as it has to be.
 * An answer of 429 or 503 has Retry-After, HTTPD_RETRY_SECONDS. An answer that nothing was set for is 500. */
void httpd_answer(HttpdAnswer *answer, guint status, const char *type, GBytes *body);

/* The same for text that lasts. */
void httpd_answer_text(HttpdAnswer *answer, guint status, const char *text);

/* Adds a field. FALSE: name or value is none that a field may have (RFC 9110 §5.5), and nothing is added. */
gboolean httpd_answer_field(HttpdAnswer *answer, const char *name, const char *value);

#define HTTPD_ASIDE 2 /* pools of workers beside the first */

/* One kind of request. What is zero is not wanted. */
typedef struct {
    /* Octets; beyond it 413. 0: no body, and one that comes all the same is read, if small, and dropped. */
    guint64 body_max;
    gboolean blocks; /* answer may wait for others */
    guint aside;     /* it blocks, in that pool: 1 to HTTPD_ASIDE */
    /* A piece of the body; FALSE: enough, the rest is dropped, and answer is asked. Without it the body is gathered. */
    gboolean (*take)(HttpdRequest *request, const char *octets, gsize length, gpointer context);
    void (*answer)(HttpdRequest *request, HttpdAnswer *answer, gpointer context);
    /* An answer of the server's own to such a request (413, 503): words it in another way. */
    void (*refused)(guint status, HttpdAnswer *answer);
    /* The request is over, answered or not: frees state. */
    void (*release)(HttpdRequest *request, gpointer context);
} HttpdRoute;

typedef struct {
    /* Chooses by the head; never NULL. It may set request->state. */
    const HttpdRoute *(*route)(HttpdRequest *request, gpointer context);
    /* After each request, also one that was answered here; may be NULL. host, path and so on are "" if they could not be read.
     * status 0: no answer that we know of, as the client went, was cut, or sent what the library refuses by itself. */
    void (*log)(const HttpdRequest *request, guint status, guint64 octets, gint64 us,
                gpointer context);
    /* Fields that may come once only, up to 32 and NULL; NULL: none. Twice is 400. */
    const char *const *single;
    gpointer context;
} HttpdSite;

/* Of what waits for a worker, and of bodies and answers in memory, one holder has half at most (lib/base/room.h). */
typedef struct {
    guint threads;                    /* of each listener; 0: one a processor, 4 at most */
    guint workers;                    /* for routes that block */
    guint workers_backlog;            /* requests that may wait for one; beyond it 503 */
    guint aside_workers[HTTPD_ASIDE]; /* for routes aside, pool 1 first */
    guint aside_backlog;              /* of each such pool */
    guint head_max;                   /* octets of request line and fields; beyond it 431 */
    guint answer_head_max; /* octets of status line and fields that answers have at most */
    /* Octets of gathered bodies in memory at a time, as they come; beyond it 503. */
    guint64 bodies_max;
    /* Octets of large answers in memory at a time that are on their way; beyond it 503. */
    guint64 answers_max;
    ConnectionLimits limits;
    const Proxies *proxies;
} HttpdOptions;

/* Open files that are left for all that is not a connection. */
#define HTTPD_FILES_KEPT 128

/* What a small public server wants. proxies is to be set. */
extern const HttpdOptions httpd_defaults;

typedef struct Httpd Httpd;

/* Takes copies. The number of connections is lowered to what the process may have files open. */
Httpd *httpd_new(const HttpdOptions *options, const HttpdSite *site);

/* Loads the certificates for TLS, or loads them anew: connections that are open keep theirs. wrong receives a line for each
 * that cannot be used (certificate.h). On FALSE those that were loaded before stay. */
gboolean httpd_load_certificates(Httpd *httpd, const char *directory, GPtrArray *wrong,
                                 GError **error);

/* Serves a listening, non-blocking socket, which becomes the server's. UNAVAILABLE: it cannot. TLS needs certificates. */
gboolean httpd_listen(Httpd *httpd, int fd, gboolean tls, GError **error);

void httpd_count(Httpd *httpd, ConnectionCounts *counts);

/* Takes no more connections, lets requests that are under way end for so long, and frees it. After that what waits for a worker is
 * 503, but what a worker has begun is waited for, as long as that takes. NULL is good. */
void httpd_stop(Httpd *httpd, guint seconds);
