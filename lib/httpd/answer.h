/* SPDX-License-Identifier: MIT */
/*
 * Purpose: an answer while it is made, and as libmicrohttpd takes it.
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

/* Frees what it holds. */
void answer_clear(HttpdAnswer *answer);

/* Takes the body over; closing: the connection ends with it. */
struct MHD_Response *answer_response(HttpdAnswer *answer, gboolean closing);
