/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the body of a message from its texts and files, and the fields that say what it is.
 * Used by: lib/submission, apid, the CLI.
 * May touch: nothing.
 * Threads: any.
 * Limits: the caller's. Each file is encoded once, straight into the body.
 *
 *     text or html alone        that part is the body
 *     both                      multipart/alternative, text first
 *     files                     multipart/mixed: the above, then each file, base64
 */
#pragma once

#include <glib.h>

typedef struct {
    char *name; /* UTF-8 */
    char *type; /* as it was said, see compose_type */
    guint8 *data;
    gsize length;
} MimeFile;

void mime_file_free(MimeFile *file);

typedef struct {
    const char *text, *html; /* UTF-8; NULL or "": none, but not both */
    const GPtrArray *files;  /* of MimeFile; NULL: none */
} MimeContent;

/* Appends MIME-Version, Content-Type and, for a body without parts, Content-Transfer-Encoding to fields (GPtrArray of MimeField)
 * and makes the body, whose lines end with CRLF. g_string_free. */
GString *mime_build(const MimeContent *content, GPtrArray *fields);
