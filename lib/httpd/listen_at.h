/* SPDX-License-Identifier: MIT */
/*
 * Purpose: where a server listens, as the configuration says it: http://ADDRESS:PORT, https://ADDRESS:PORT or unix:PATH.
 * Used by: lib/service, which binds it.
 * May touch: nothing.
 * Threads: any.
 * Limits: LISTEN_AT_MAX places.
 */
#pragma once

#include <glib.h>
#include <sys/socket.h>

#define LISTEN_AT_MAX 16

typedef struct {
    char *text; /* as it was written */
    gboolean tls;
    struct sockaddr_storage address;
    socklen_t length;
} ListenAt;

/* Reads places with commas or blanks between; of addresses only numbers, IPv6 in brackets. Array of ListenAt, one at least.
 * INVALID names the word. */
GArray *listen_at_read(const char *text, GError **error);
