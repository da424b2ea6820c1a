/* SPDX-License-Identifier: MIT */
/*
 * Purpose: values of header fields from what people and programs write: UTF-8 text, mailboxes, types and file names
 *     (RFC 5322, 2047, 2231).
 * Used by: lib/mime/build, the API.
 * May touch: nothing.
 * Threads: any.
 * Limits: lines of at most 78 octets where there is white space to fold at; encoded words of at most 75.
 *
 * No value that is made here has a line end but in folds, whatever came in: white space with a control character in it becomes a space. Values
 * have their leading space, as in field.h; folds are CRLF.
 */
#pragma once

#include <glib.h>

/* A field's name: visible ASCII without colon, COMPOSE_NAME_MAX octets at most. */
#define COMPOSE_NAME_MAX 76
gboolean compose_name_is_good(const char *name);

/* Unstructured text (valid UTF-8) behind a field's name; what is not ASCII becomes encoded words. g_free. */
char *compose_text(const char *name, const char *text);

/* The mailboxes of a list, one a line, as lib/mime/mailbox.h reads it: names encoded, domains as A-labels. NULL and INVALID as
 * there. g_free. */
char *compose_mailboxes(const char *name, const char *list, GError **error);

/* Values of Content-Type and Content-Disposition of a file. type: what was said it is, with its parameters but for name and boundary;
 * application/octet-stream, if that is no type or one that has parts or a message in it. g_free. */
char *compose_type(const char *type, const guint8 *data, gsize length);
char *compose_attachment(const char *file_name);
