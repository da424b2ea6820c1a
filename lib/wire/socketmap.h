/* SPDX-License-Identifier: MIT */
/*
 * Purpose: Postfix's socketmap protocol (socketmap_table(5)): netstrings "NAME KEY" and replies.
 * Used by: policyd.
 * May touch: nothing.
 * Threads: any.
 * Limits: a request of at most SOCKETMAP_REQUEST_MAX octets within the netstring.
 */
#pragma once

#include <glib.h>

#define SOCKETMAP_REQUEST_MAX 4096
#define SOCKETMAP_NAME_MAX    64

typedef struct {
    char *name; /* of the table: [a-z0-9_-] */
    char *key;  /* may be empty */
} SocketmapRequest;

void socketmap_request_clear(SocketmapRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SocketmapRequest, socketmap_request_clear)

/* Parses one netstring from the start of data: octets used, 0 when it is not whole yet, -1 and
 * INVALID or TOO_LARGE. *request must be zero and is filled on success only. */
gssize socketmap_parse(const char *data, gsize length, SocketmapRequest *request, GError **error);

/* Appends the netstring "STATUS text": OK, NOTFOUND, TEMP, TIMEOUT, PERM. */
void socketmap_reply(GString *out, const char *status, const char *text);
