/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the pure part of logging: how a line reads and whether a call site may write now.
 * Used by: lib/log only, and its tests.
 * May touch: nothing.
 * Threads: any.
 * Limits: those of lib/log/log.h.
 */
#pragma once

#include <glib.h>

#include "lib/log/log.h"

#define LOG_VALUE_MAX       512
#define LOG_LINE_MAX        4096
#define LOG_LINES_PER_SITE  50
#define LOG_SECRET_SHOWN    4
#define LOG_SECRET_SHOW_MIN 12 /* of a shorter secret only the length is shown */

/* "queue-id: what key=value ..." without newline; left_out > 0 adds that field. Values that are
 * empty or hold anything but plain visible characters stand in double quotes, with backslash
 * escapes. g_free. */
char *log_line(const char *queue_id, const char *what, const LogField *fields, guint left_out);

/* Counts a line of a site in a second; FALSE when it has had its share. On TRUE *left_out is what
 * was left out since the last line that was written. site may be NULL. */
gboolean log_site_admit(LogSite *site, gint64 second, guint *left_out);
