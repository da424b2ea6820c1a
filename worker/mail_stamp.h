/* SPDX-License-Identifier: MIT */
/*
 * Purpose: time stamps of log lines: RFC 3339 and the traditional one without year and zone.
 * Used by: mail_line.
 * May touch: the process's time zone.
 * Threads: any.
 */
#pragma once

#include <glib.h>

/* Reads the stamp at the start of text. Returns its length, 0 when there is none; *at_us is then
 * untouched. A traditional stamp is local time and gets the latest year that does not put it more
 * than a day after now (Unix seconds). */
gsize mail_stamp_parse(const char *text, gsize length, gint64 now, gint64 *at_us);
