/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the header of a message as a list of fields, and what is asked of it.
 * Used by: the milter, outrider-pipe, lib/mime.
 * May touch: nothing.
 * Threads: any.
 * Limits: lists are as long as the caller lets them become; mime_field_decoded is bounded by its caller.
 *
 * A value is what stands behind the colon, leading white space included, lines parted by LF or CRLF,
 * without the last line end: as libmilter gives it with SMFIP_HDR_LEADSPC.
 */
#pragma once

#include <glib.h>

#define MIME_LINE_MAX 998 /* octets without the line end, RFC 5322 section 2.1.1 */

typedef struct {
    char *name;
    char *value;
} MimeField;

/* An empty list, a GPtrArray of MimeField that frees its fields. */
GPtrArray *mime_fields_new(void);

/* The same fields once more. */
GPtrArray *mime_fields_copy(const GPtrArray *fields);

/* Appends copies of name and value. */
void mime_fields_add(GPtrArray *fields, const char *name, const char *value);

/* How many fields have that name, in any case. */
guint mime_fields_count(const GPtrArray *fields, const char *name);

/* The value of the nth (from 1, topmost) field of that name, or NULL. */
const char *mime_fields_nth(const GPtrArray *fields, const char *name, guint nth);

/* The value of the last field of that name, or NULL. */
const char *mime_fields_last(const GPtrArray *fields, const char *name);

/* The value of the topmost field of that name in a message's octets, with its line ends as they are there; g_free. NULL: none. */
char *mime_field_first(const char *octets, gsize length, const char *name);

/* A value unfolded and without outer white space; g_free. */
char *mime_field_text(const char *value);

/* The same with RFC 2047 words decoded, valid UTF-8, at most max characters; g_free. */
char *mime_field_decoded(const char *value, glong max);

/* A Message-ID's text without its angle brackets, all of it where there are none; g_free. */
char *mime_message_id_bare(const char *text);

/* A moment (Unix seconds) as Date has it, in UTC (RFC 5322 section 3.3); g_free. */
char *mime_date(gint64 at);

/* Folds lines that are longer than MIME_LINE_MAX at white space that is there already; new line ends
 * are LF. Returns NULL when nothing was folded, else the new value (g_free). *too_long becomes TRUE
 * when a line stays too long. */
char *mime_field_fold(const char *name, const char *value, gboolean *too_long);
