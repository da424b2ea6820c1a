/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what Postfix's own Received field says of the client, and the field without it.
 * Used by: the milter, for servers in privacy mode; outrider-pipe.
 * May touch: nothing.
 * Threads: any.
 * Limits: reads what Postfix writes: each clause from "by" on begins a line of its own, and no client can
 *     put a line end into what stands before.
 */
#pragma once

#include <glib.h>

/* A Received value (RFC 5321 section 4.4) from its "by" clause on: without the client's name, address and TLS; g_free. NULL: it
 * has no "by" clause at the begin of a line, or nothing before it. */
char *mime_received_without_client(const char *value);

/* Whether a Received value says that the client spoke TLS, as Postfix writes with smtpd_tls_received_header. */
gboolean mime_received_by_tls(const char *value);
