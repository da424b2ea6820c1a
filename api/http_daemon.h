/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what the HTTP daemons have in common: where they listen and with what bounds, by options of their own; certificates,
 *     signals and the end.
 * Used by: outrider-trackd, outrider-apid.
 * May touch: sockets and certificates, through lib/service and lib/httpd; how many files the process may have open.
 * Threads: one; the site's functions run where lib/httpd says.
 */
#pragma once

#include "lib/config/config.h"
#include "lib/httpd/httpd.h"
#include "lib/service/service.h"

typedef struct {
    ConfigOption listen, proxies, proxy_field, tls_dir, connections, per_address;
    HttpdOptions http; /* proxies and the numbers of connections come from those options */
    HttpdSite site;
    guint stop_seconds;            /* that requests under way have at the end */
    void (*reload)(gpointer data); /* at SIGHUP, before the certificates; logs what it did */
    void (*tick)(Httpd *httpd, gpointer data); /* about once a second */
    gpointer data;
} HttpDaemon;

/* Serves until it is told to end. Returns the program's exit status; what was wrong is logged. */
int http_daemon_run(Service *service, const HttpDaemon *daemon);
