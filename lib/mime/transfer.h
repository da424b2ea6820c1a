/* SPDX-License-Identifier: MIT */
/*
 * Purpose: transfer encodings (RFC 2045 section 6) with short lines.
 * Used by: lib/mime; the API and outrider-pipe for lines of base64.
 * May touch: nothing.
 * Threads: any.
 * Limits: lines of at most 76 octets. No line that they begin starts with `-`, so that none can
 *     look like a boundary.
 */
#pragma once

#include <glib.h>

#define TRANSFER_BASE64_OCTETS 57 /* that make 76 characters */
#define TRANSFER_BASE64_ROOM   84 /* for these, and a line end */

/* Appends data in quoted-printable; CRLF stays a line end, a lone CR or LF is data. */
void transfer_quote(GString *out, const guint8 *data, gsize length);

/* Writes at most TRANSFER_BASE64_OCTETS in base64, without a line end or NUL; returns how many characters. */
gsize transfer_base64_line(const guint8 *data, gsize length, char line[TRANSFER_BASE64_ROOM]);

/* Appends data in base64, without a last line end. */
void transfer_base64(GString *out, const guint8 *data, gsize length);

/* Appends text that is encoded already, with lines over MIME_LINE_MAX broken where decoding does not
 * notice. FALSE when such a line is not well-formed; out then ends with garbage. */
gboolean transfer_rewrap_quoted(GString *out, const guint8 *data, gsize length);
gboolean transfer_rewrap_base64(GString *out, const guint8 *data, gsize length);

/* What base64 text says, as far as it says something: other characters are passed over, padding ends it and may be missing. g_free. */
guint8 *transfer_unbase64(const char *text, gsize length, gsize *size);
