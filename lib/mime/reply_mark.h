/* SPDX-License-Identifier: MIT */
/*
 * Purpose: lines of a plain text at which an answer ends.
 * Used by: lib/mime/strip_reply.
 * May touch: nothing.
 * Threads: any.
 * Limits: an attribution has REPLY_ATTRIBUTION_LINES lines and REPLY_ATTRIBUTION_OCTETS octets.
 */
#pragma once

#include <glib.h>

#define REPLY_ATTRIBUTION_LINES  4
#define REPLY_ATTRIBUTION_OCTETS 400

typedef enum {
    REPLY_MARK_NONE,
    REPLY_MARK_ATTRIBUTION, /* "On Monday, Bob wrote:" */
    REPLY_MARK_END, /* nothing behind it is the writer's: a signature, a separator, a quoted header */
} ReplyMark;

/* What begins with line at of count, whose line ends are cut off; *lines is how many lines an attribution has. */
ReplyMark reply_mark(char *const *text, guint count, guint at, guint *lines);

/* Whether a line is quoted with a >. */
gboolean reply_line_is_quoted(const char *line);

gboolean reply_line_is_blank(const char *line);

/* Whether a line may be an attribution in a language that is not known: it ends with a colon and has an address or a date. */
gboolean reply_line_may_attribute(const char *line);
