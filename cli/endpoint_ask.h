/* SPDX-License-Identifier: MIT */
/*
 * Purpose: whether the mail host or store of an endpoint answers: it greets, and takes EHLO or LHLO.
 * Used by: `outrider endpoint check'.
 * May touch: that host, over TCP or a UNIX socket.
 * Threads: one.
 * Limits: ENDPOINT_ASK_SECONDS for each answer, SMTP_REPLY_MAX octets each.
 */
#pragma once

#include <gio/gio.h>

#define ENDPOINT_ASK_SECONDS 10

/* place: an address, or the path of a socket. lmtp: LHLO. Its greeting (g_free), or NULL: UNAVAILABLE, or REFUSED with its
 * words. */
char *endpoint_ask(const char *place, guint16 port, gboolean lmtp, const char *hostname,
                   GError **error);
