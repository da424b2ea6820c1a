/* SPDX-License-Identifier: MIT */
/*
 * Purpose: Postfix's own Received field without the client.
 * Used by: the milter, for servers in privacy mode.
 * May touch: nothing.
 * Threads: any.
 * Limits: reads what Postfix writes: each clause from "by" on begins a line of its own, and no client can
 *     put a line end into what stands before.
 */
#pragma once

/* A Received value (RFC 5321 section 4.4) from its "by" clause on: without the client's name, address and TLS; g_free. NULL: it
 * has no "by" clause at the begin of a line, or nothing before it. */
char *mime_received_without_client(const char *value);
