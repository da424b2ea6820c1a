/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what a request is for: its target (RFC 9112 §3.2) and the host it names.
 * Used by: lib/httpd; the fuzzer.
 * May touch: nothing.
 * Threads: any.
 * Limits: a host of TARGET_HOST_MAX octets. How long a target may be, the head's limit says.
 */
#pragma once

#include <glib.h>

#define TARGET_HOST_MAX 253

typedef struct {
    const char *authority; /* of an absolute target; else NULL */
    const char *path;      /* as sent; starts with '/', or is "*" */
    const char *query;     /* as sent, behind '?'; NULL: none */
} Target;

/* Splits text, which is changed and lent to target. FALSE (target untouched): it is none, or holds what no target may. */
gboolean target_read(char *text, Target *target);

/* The host of a Host field or of an authority: lower case, without port, without a dot at its end; an IPv6 address in
 * brackets. NULL: it is none. g_free. */
char *target_host(const char *text);
