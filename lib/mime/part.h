/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the leaf parts of a message: what they are, whose they are and where their octets lie.
 * Used by: lib/tracking.
 * May touch: nothing.
 * Threads: any.
 * Limits: MIME_PART_DEPTH_MAX levels, 10,000 lines that begin with "--". The message is copied once.
 */
#pragma once

#include <glib.h>

#define MIME_PART_DEPTH_MAX 200

typedef enum {
    MIME_ENCODING_IDENTITY, /* 7bit, 8bit, binary or nothing said */
    MIME_ENCODING_QUOTED,
    MIME_ENCODING_BASE64,
    MIME_ENCODING_OTHER,
} MimeEncoding;

/* What a part is to its message. */
typedef enum {
    MIME_PART_SHOWN,  /* its text, or something shown with it */
    MIME_PART_FILE,   /* attached, or it has a file's name */
    MIME_PART_SIGNED, /* signed or encrypted: one part for all that is in it */
    MIME_PART_ENCLOSED, /* a message of its own, or in a multipart that is not known here: one part for all that is in it */
    MIME_PART_UNCLEAR, /* its header says things twice; a multipart: one part for all that is in it */
} MimeStanding;

typedef struct {
    char *type;    /* "text/html", lower case */
    char *charset; /* lower case; NULL: none said */
    MimeStanding standing;
    MimeEncoding encoding;
    gboolean flows_closed; /* RFC 3676 DelSp: a line may end within a word */
    guint alternative;     /* which outermost multipart/alternative it is in, from 1; 0: none */
    gsize from, to;        /* octets of the body; both 0 for what stands for all that is in it */
} MimePart;

/* The leaf parts of a body under its header's fields (GPtrArray of MimeField), in order: GPtrArray of MimePart that frees them.
 * INVALID: type or encoding said twice, nested too deep, or it cannot be parsed. */
GPtrArray *mime_parts(const GPtrArray *fields, const char *body, gsize length, GError **error);
