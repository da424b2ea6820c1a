/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a whole message for who wants to read it: its texts as UTF-8, its files, its header decoded.
 * Used by: the API.
 * May touch: nothing.
 * Threads: any.
 * Limits: MIME_READ_FIELDS_MAX fields of MIME_READ_VALUE_MAX characters, MIME_READ_PARTS_MAX parts, MIME_DEPTH_MAX levels, texts of
 *     MIME_READ_TEXT_MAX octets; what is beyond them is left out, and cut says so. Files are as large as the message lets them be.
 *
 * Nothing is refused: what is not well-formed is read as far as it goes. A part is a file if it has a name (Content-Disposition,
 * Content-Type, Content-Location) or is a message; what is in an enclosed message stays there. Of a message that is one part
 * alone, text is never a file.
 */
#pragma once

#include <glib.h>

#define MIME_READ_FIELDS_MAX 10000
#define MIME_READ_VALUE_MAX  100000
#define MIME_READ_PARTS_MAX  1000
#define MIME_READ_TEXT_MAX   (16 * 1024 * 1024)

typedef struct {
    char *
        name; /* valid UTF-8; a message without one is called NUMBER.eml, by its place among the files */
    char *type;    /* "type/subtype", lower case */
    char *header;  /* all that Content-Type says, as it is written; NULL: there is none */
    GBytes *bytes; /* decoded */
} MimeReadFile;

typedef struct {
    GPtrArray
        *fields; /* of MimeField: name in lower case, decoded value; in order, topmost first */
    char *
        plain; /* the first text/plain and text/html that is no file: valid UTF-8, lines end with LF. NULL: none */
    char *html;
    GPtrArray *files; /* of MimeReadFile */
    gboolean cut;
} MimeRead;

/* What is wanted; the rest stays empty. */
typedef enum {
    MIME_READ_FIELDS = 1 << 0,
    MIME_READ_TEXTS = 1 << 1,
    MIME_READ_FILES = 1 << 2,
    MIME_READ_FILE_NAMES = 1 << 3, /* files without their octets */
} MimeReadWant;

/* Never NULL. */
MimeRead *mime_read(const char *octets, gsize length, guint want);
void mime_read_free(MimeRead *read);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MimeRead, mime_read_free)
