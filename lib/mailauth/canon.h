/* SPDX-License-Identifier: MIT */
/*
 * Purpose: relaxed canonicalization of header fields and bodies (RFC 6376 sections 3.4.2 and 3.4.4).
 * Used by: lib/mailauth.
 * May touch: nothing.
 * Threads: any.
 * Limits: linear time; a body comes in pieces of any size, and what comes out is never longer than
 *     what came in and the line end that may be missing.
 *
 * A line ends with CRLF. A CR or LF alone is an octet like others in a body. In a header field, where
 * libmilter parts lines by LF, LF and CRLF both end a line.
 */
#pragma once

#include <glib.h>

/* Appends "name:value" in lower case and without white space that does not matter; no line end. */
void canon_field(const char *name, const char *value, GString *out);

/* Where a body stands between two pieces; starts zeroed. */
typedef struct {
    guint64 lines;  /* line ends that count only if something comes behind them */
    gboolean space; /* white space likewise */
    gboolean cr;    /* a CR that may begin a line end */
    gboolean wrote;
} CanonBody;

/* Appends what the next piece of the body adds for certain. */
void canon_body(CanonBody *body, const char *data, gsize length, GString *out);

/* Appends the end. An incomplete last line is ended; of a body without visible octets nothing is left. */
void canon_body_end(CanonBody *body, GString *out);
