/* SPDX-License-Identifier: MIT */
/*
 * Purpose: one request and its answer, in the steps that libmicrohttpd calls.
 * Used by: lib/httpd.
 * May touch: nothing.
 * Threads: one at a time: one that serves, or, between suspension and resumption, a worker.
 * Limits: as httpd.h. Of a body that nobody wants EXCHANGE_DROP_MAX octets are read, so that the client sees the answer. Answers up
 *     to EXCHANGE_SMALL octets are not counted.
 *
 *     line ──▶ head ──▶ piece ... ──▶ all is there ──▶ (worker) ──▶ answer ──▶ over
 */
#pragma once

#include <microhttpd.h>

#include "lib/base/room.h"
#include "lib/httpd/answer.h"
#include "lib/httpd/httpd.h"

#define EXCHANGE_DROP_MAX (256 * 1024)
#define EXCHANGE_SMALL    (64 * 1024)

/* A pool of workers. */
typedef struct {
    GThreadPool *threads; /* NULL: none */
    Room waiting;         /* requests that nobody has begun */
} Crew;

struct Httpd {
    HttpdOptions options;
    HttpdSite site;
    Connections *connections;
    GPtrArray *daemons;          /* struct MHD_Daemon */
    Crew crews[1 + HTTPD_ASIDE]; /* the first for routes that block, then those aside */
    Room bodies;                 /* octets of them in memory */
    Room answers;                /* octets of large ones on their way */
    GMutex mutex;                /* guards what follows */
    CertificateSet *certificates;
    gboolean stopped; /* what no worker has begun is refused */
};

/* As MHD_OPTION_URI_LOG_CALLBACK, MHD_AccessHandlerCallback and MHD_OPTION_NOTIFY_COMPLETED want it; cls is the Httpd. */
void *exchange_line(void *cls, const char *target, struct MHD_Connection *connection);
enum MHD_Result exchange_step(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **state);
void exchange_over(void *cls, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode code);

/* Whose a connection is. */
Connection *exchange_peer(struct MHD_Connection *connection);

/* A worker's part. As GFunc wants it. */
void exchange_work(gpointer exchange, gpointer httpd);
