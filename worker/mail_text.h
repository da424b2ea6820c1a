/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a piece of a log line, and what is asked of it.
 * Used by: the mail log reader.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include <glib.h>

/* data NULL: absent. Not NUL-terminated. */
typedef struct {
    const char *data;
    gsize length;
} MailText;

MailText mail_text_of(const char *data, gsize length);

/* What is behind the first n octets, which it must have. */
MailText mail_text_skip(MailText text, gsize n);

gboolean mail_text_starts(MailText text, const char *with);
gboolean mail_text_ends(MailText text, const char *with);
gboolean mail_text_is(MailText text, const char *word);

/* Offset of the first or last occurrence, or -1. */
gssize mail_text_find(MailText text, const char *what);
gssize mail_text_find_last(MailText text, const char *what);

/* The number at its start, of nine digits at most; *used (may be NULL) is how many there are. */
guint mail_text_number(MailText text, gsize *used);

/* "12.034" seconds in milliseconds. */
guint64 mail_text_milliseconds(MailText text);
