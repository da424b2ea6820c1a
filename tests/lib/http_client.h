/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a client for tests of servers: octets out, octets in, as it likes, and an HTTP server on loopback to talk to.
 * Used by: tests only.
 */
#pragma once

#include "lib/httpd/httpd.h"

/* A listening socket on 127.0.0.1 at a free port. */
int http_listen(guint16 *port);

/* A connection from an address of 127.0.0.0/8. */
int http_connect(guint16 port, const char *from);

/* Sends octets (length -1: text); FALSE: the server has closed. */
gboolean http_send(int fd, const char *octets, gssize length);

/* One whole answer: status line and fields, an empty line, and the body that its Content-Length says (head: none). NULL: the
 * server closed before. g_free. */
char *http_receive(int fd, gboolean head);

/* One request on a connection of its own. */
char *http_ask(guint16 port, const char *request);

/* Waits until the server closes. */
gboolean http_is_closed(int fd);

/* The number behind HTTP/1.1; 0: no answer. */
guint http_status(const char *answer);
