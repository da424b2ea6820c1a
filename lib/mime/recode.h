/* SPDX-License-Identifier: MIT */
/*
 * Purpose: ranges of what a part stands for replaced, in the part's own transfer encoding.
 * Used by: lib/tracking.
 * May touch: nothing.
 * Threads: any.
 * Limits: the caller's. Quoted-printable: lines that nothing is replaced in stay octet for octet; base64: all is written anew, in
 *     lines of the same length; identity: nothing else changes.
 */
#pragma once

#include <glib.h>

#include "lib/mime/part.h"

/* What the octets of a part stand for. NULL: the encoding is not known, or such that decoders disagree about it. */
GString *recode_decode(MimeEncoding encoding, const char *data, gsize length);

/* Appends the part's octets with a list (lib/base/splice.h, in order) of ranges of what they stand for applied. The encoding is one
 * that recode_decode took. */
void recode_splice(MimeEncoding encoding, const char *data, gsize length, const GArray *list,
                   GString *out);
