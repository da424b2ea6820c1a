/* SPDX-License-Identifier: MIT */
/*
 * Purpose: Postfix's own Received field: without the client, or taken apart.
 * Used by: the milter (servers in privacy mode, mail that comes in), the HTTP pipe.
 * May touch: nothing.
 * Threads: any.
 * Limits: reads what Postfix writes: each clause from "by" on begins a line of its own, and no client can
 *     put a line end into what stands before.
 */
#pragma once

#include <glib.h>

/* What Postfix writes into it of the client; NULL: it does not say. Mail that was made on the host has no client. */
typedef struct {
    char *helo, *name, *ip; /* name: "unknown" as Postfix has it */
    char *queue_id;
    gboolean tls; /* as Postfix says it with smtpd_tls_received_header */
} MimeReceived;

void mime_received_clear(MimeReceived *received);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MimeReceived, mime_received_clear)

/* Takes a value apart into *received, which is cleared before. What a client can choose (its HELO) cannot look like
 * anything else. */
void mime_received_read(const char *value, MimeReceived *received);

/* A Received value (RFC 5321 section 4.4) from its "by" clause on: without the client's name, address and TLS; g_free. NULL: it
 * has no "by" clause at the begin of a line, or nothing before it. */
char *mime_received_without_client(const char *value);
