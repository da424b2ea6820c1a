/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a body as GMime sees it, whose parts know where they lie in the octets.
 * Used by: lib/mime only.
 * May touch: nothing.
 * Threads: any; a tree belongs to one at a time.
 * Limits: MIME_DASHES_MAX lines that begin with "--": GMime compares each with the boundaries of every level it is in, and those
 *     are up to 1,024. Who walks a tree stops below MIME_DEPTH_MAX levels.
 */
#pragma once

#include <glib.h>
#include <gmime/gmime.h>

#include "lib/base/source.h"

#define MIME_DEPTH_MAX  200
#define MIME_DASHES_MAX 10000

/* The text that is parsed: of the fields (GPtrArray of MimeField) only those that say what the body is, a blank line, the body.
 * NULL when they are not clear: there twice. */
GString *mime_tree_text(const GPtrArray *fields, const char *body, gsize length);

/* Its tree, whose streams look into text; g_object_unref. NULL: it cannot be parsed. */
GMimeObject *mime_tree_parse(const GString *text);

/* The same of a text that is read twice, once as a stream; the tree's streams are parts of that one. */
GMimeObject *mime_tree_parse_stream(GMimeStream *stream, Source *text);

/* Where the octets of a leaf lie in the text that was parsed, [from, to), as they are encoded; FALSE: it has none. */
gboolean mime_tree_range(GMimePart *part, Source *text, gsize *from, gsize *to);

/* Whether a leaf is as it looks: 7bit, 8bit, binary, or no word about it. */
gboolean mime_tree_is_identity(GMimePart *part);
