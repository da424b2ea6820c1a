/* SPDX-License-Identifier: MIT */
/*
 * Purpose: bodies whose lines survive SMTP: Postfix breaks what is longer than 998 octets when it
 *     sends, and signers and verifiers do not agree on a CR that stands alone (RFC 5321 section 2.3.8
 *     forbids it); so such parts are re-encoded before we sign.
 * Used by: the milter.
 * May touch: nothing.
 * Threads: any.
 * Limits: parts nested deeper than 200 levels stay as they are. A body that needs work is
 *     copied twice.
 *
 * Only the octets of the leaf parts concerned and their Content-Transfer-Encoding field change, and
 * what they decode to stays the same, octet for octet. Signed and encrypted parts and enclosed
 * messages are never touched.
 */
#pragma once

#include <glib.h>

typedef struct {
    gboolean changed;
    GString *body;        /* the new body when changed, else NULL */
    const char *encoding; /* new top-level Content-Transfer-Encoding, static; NULL: as it was */
    const char *reason;   /* static; why a line stays as it is; NULL: none is unfit */
} MimeWireSafe;

void mime_wire_safe_clear(MimeWireSafe *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MimeWireSafe, mime_wire_safe_clear)

/* TRUE when a line is longer than MIME_LINE_MAX octets without its line end (LF or CRLF), or has a CR
 * in it. */
gboolean mime_is_unsafe(const char *data, gsize length);

/* Looks at a body under its header's fields (GPtrArray of MimeField). *result is filled and must be
 * cleared; when every line is fit it is all zero. */
void mime_wire_safe(const GPtrArray *fields, const char *body, gsize length, MimeWireSafe *result);
