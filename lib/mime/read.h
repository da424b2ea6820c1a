/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a whole message for who wants to read it: its texts as UTF-8, its files, its header decoded.
 * Used by: the API, outrider-pipe.
 * May touch: nothing but its source.
 * Threads: one at a time.
 * Limits: MIME_READ_FIELDS_MAX fields of MIME_READ_VALUE_MAX characters, MIME_READ_PARTS_MAX parts, MIME_DEPTH_MAX levels, texts of
 *     MIME_READ_TEXT_MAX octets; what is beyond them is left out, and cut says so. Files are as large as the message lets them be;
 *     in pieces (lib/mime/content.h) they take no memory. A header is held in memory, whatever its size.
 *
 * Nothing is refused: what is not well-formed is read as far as it goes. A part is a file if it has a name (Content-Disposition,
 * Content-Type, Content-Location) or is a message; what is in an enclosed message stays there. Of a message that is one part
 * alone, text is never a file.
 */
#pragma once

#include "lib/mime/content.h"

#define MIME_READ_FIELDS_MAX 10000
#define MIME_READ_VALUE_MAX  100000
#define MIME_READ_PARTS_MAX  1000
#define MIME_READ_TEXT_MAX   (16 * 1024 * 1024)

typedef struct {
    /* Valid UTF-8; a message without one is called NUMBER.eml, by its place among the files. */
    char *name;
    char *type;        /* "type/subtype", lower case */
    char *header;      /* all that Content-Type says, as it is written; NULL: there is none */
    GBytes *bytes;     /* decoded; empty unless MIME_READ_FILES */
    gsize size;        /* decoded; 0 without MIME_READ_FILES and MIME_READ_FILE_SIZES */
    GMimeObject *part; /* for mime_read_file */
} MimeReadFile;

typedef struct {
    /* Of MimeField: name in lower case, decoded value; in order, topmost first. */
    GPtrArray *fields;
    /* The first text/plain and text/html that is no file: valid UTF-8, lines end with LF. NULL: none. */
    char *plain;
    char *html;
    GPtrArray *files; /* of MimeReadFile */
    gboolean cut;
    MimeContent *content; /* for mime_read_file */
} MimeRead;

/* What is wanted; the rest stays empty. */
typedef enum {
    MIME_READ_FIELDS = 1 << 0,
    MIME_READ_TEXTS = 1 << 1,
    MIME_READ_FILES = 1 << 2,
    MIME_READ_FILE_NAMES = 1 << 3, /* files without their octets */
    MIME_READ_FILE_SIZES = 1 << 4, /* the same with their sizes, for mime_read_file */
} MimeReadWant;

/* Never NULL. Sizes of files are those of their octets. */
MimeRead *mime_read(const char *octets, gsize length, guint want);

/* The same of octets that need not be in memory; whether all could be read, source says. With MIME_READ_FILE_SIZES it must live as
 * long. */
MimeRead *mime_read_source(Source *source, guint want);

/* The octets of a message up to the blank line behind its header, and some more. */
GString *mime_read_head(Source *source);

/* A file's octets, decoded, in pieces, after MIME_READ_FILE_SIZES. FALSE: the sink wanted no more. */
gboolean mime_read_file(const MimeRead *read, const MimeReadFile *file, MimeContentSink sink,
                        gpointer context);
void mime_read_free(MimeRead *read);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MimeRead, mime_read_free)
