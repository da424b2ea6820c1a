/* SPDX-License-Identifier: MIT */
/*
 * Purpose: an answer while it is made, and as libmicrohttpd takes it; what a field may be.
 * Used by: lib/httpd.
 * May touch: nothing.
 * Threads: one at a time.
 */
#pragma once

#include <microhttpd.h>

#include "lib/httpd/httpd.h"

struct HttpdAnswer {
    guint status; /* 0: nothing was set */
    GBytes *body;
    GString *fields; /* name NUL value NUL ...; NULL: none */
};

/* Whether a field may be called that (RFC 9110 §5.1), and whether it may have that value (§5.5). */
gboolean answer_name_is_good(const char *name);
gboolean answer_value_is_good(const char *value);

/* Frees what it holds. */
void answer_clear(HttpdAnswer *answer);

/* Takes the body over; closing: the connection ends with it. */
struct MHD_Response *answer_response(HttpdAnswer *answer, gboolean closing);
