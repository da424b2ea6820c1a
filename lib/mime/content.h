/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a message's body as GMime sees it, read from where it lies, and what its parts stand for, in pieces.
 * Used by: lib/mime/read.
 * May touch: nothing but its source.
 * Threads: one at a time.
 * Limits: as in lib/mime/tree.h; pieces of MIME_CONTENT_PIECE octets or a little more. A part in uuencode is decoded in one piece, in
 *     memory, as GMime decodes it only so.
 */
#pragma once

#include <gmime/gmime.h>

#include "lib/base/source.h"

#define MIME_CONTENT_PIECE (48 * 1024)

/* Takes a piece; FALSE: no more is wanted. */
typedef gboolean (*MimeContentSink)(const char *octets, gsize length, gpointer context);

typedef struct MimeContent MimeContent;

/* A body is the source's octets from at on, under a header of its own, which is taken. Source must live as long. */
MimeContent *mime_content_new(GString *header, Source *source, gsize at);
void mime_content_free(MimeContent *content);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MimeContent, mime_content_free)

/* Its tree, the content's own; NULL: it cannot be parsed. */
GMimeObject *mime_content_root(const MimeContent *content);

/* The octets that a leaf (GMimePart) stands for, decoded, which leaves out what is none; or the message in a GMimeMessagePart as it
 * stands there. FALSE: the sink wanted no more. */
gboolean mime_content_each(MimeContent *content, GMimeObject *object, MimeContentSink sink,
                           gpointer context);
