/* SPDX-License-Identifier: MIT */
/*
 * Purpose: many connections that ask and wait for the answer, from one thread; how fast that went.
 * Used by: smtp_load, http_load, ask_load.
 * May touch: the sockets that the protocol opens; standard output.
 * Threads: one.
 * Limits: LOAD_LINKS_MAX connections, LOAD_REQUESTS_MAX requests, LOAD_SECONDS_MAX seconds; an answer
 *     of at most LOAD_ANSWER_MAX octets.
 */
#pragma once

#include <glib.h>
#include <netinet/in.h>

#define LOAD_LINKS_MAX    1000
#define LOAD_REQUESTS_MAX 10000000
#define LOAD_SECONDS_MAX  3600
#define LOAD_ANSWER_MAX   65536

/* One connection. */
typedef struct {
    int fd;
    guint state;  /* the protocol's own */
    guint number; /* of the request, from 1 */
    GString *out; /* what is to be sent; the protocol appends */
    gsize sent;
    GString *in; /* what came and was not taken yet */
    gint64 begun_us;
    gboolean asking; /* a request is under way */
} LoadLink;

typedef enum {
    LOAD_MORE,     /* something was taken or sent; the request goes on */
    LOAD_ANSWERED, /* the request is done */
    LOAD_REFUSED,  /* the request is done, and failed */
    LOAD_CLOSE,    /* the connection is to be closed */
} LoadStep;

typedef struct {
    /* A connected socket, or -1. */
    int (*dial)(gpointer context);
    /* The connection stands; the greeting, if any, comes from the other side. TRUE: requests can
     * begin at once. */
    gboolean (*greet)(LoadLink *link, gpointer context);
    /* Puts the next request into out; its number is set. Called when the connection can take one. */
    void (*ask)(LoadLink *link, gpointer context);
    /* The length of the first whole answer in in; 0 none yet. */
    gsize (*whole)(const char *data, gsize length);
    /* Looks at that answer. */
    LoadStep (*take)(LoadLink *link, const char *answer, gsize length, gpointer context);
    /* Says goodbye into out, or NULL: the connection is closed at once. */
    void (*leave)(LoadLink *link, gpointer context);
} LoadProtocol;

typedef struct {
    int links;
    int requests;
    int seconds;    /* no request begins after that */
    int rate;       /* requests begun a second, with one connection; 0: as fast as answers come */
    gboolean reuse; /* else each request has a connection of its own */
} LoadPlan;

/* FALSE with one line on standard error when a number is out of range. */
gboolean load_plan_check(const LoadPlan *plan);

/* Runs the plan and prints one line of JSON: requests done and failed, seconds, rate, quantiles of
 * the time of a request in milliseconds (its connection included unless reused), own CPU seconds.
 * Exit status: 0, or 1 when nothing was answered. */
int load_run(const LoadPlan *plan, const LoadProtocol *protocol, gpointer context);

/* Reads "IPV4:PORT". FALSE: it is none. */
gboolean load_server(const char *text, struct sockaddr_in *address);

/* A connected socket that does not wait for more to send, or -1. */
int load_dial(const struct sockaddr_in *address);

/* At least size octets of lines of words in an order that does not repeat, so that compression meets something like text; in a page
 * every tenth is a paragraph with a link. g_free. */
char *load_text(int size, gboolean html);
