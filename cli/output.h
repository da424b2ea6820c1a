/* SPDX-License-Identifier: MIT */
/*
 * Purpose: records for people (aligned tables and lines) and for programs (JSON).
 * Used by: the files of cli/.
 * May touch: stdout.
 * Threads: one.
 * Limits: a table cell of at most OUTPUT_CELL_MAX characters; longer text is cut.
 */
#pragma once

#include "cli/command.h"
#include "lib/directory/record.h"

#define OUTPUT_CELL_MAX 60

/* Prints JSON and returns TRUE when --json was given. */
gboolean output_json(const Cli *cli, Record *record);

/* An array as a table of the named columns ("id name ..."). */
void output_table(Record *list, const char *columns);

/* A record as "column  value" lines; members that are arrays or objects are left out. */
void output_record(Record *record);

/* Text from outside in one line for a terminal: control characters and those that turn the direction of writing
 * escaped. g_free. */
char *output_text(const char *text);

/* One value as people read it: times by column name (..._at, at), yes and no, "-" for null, anything else by
 * output_text. g_free. */
char *output_value(const char *column, Record *value);

/* "2026-11-21 08:00:00.123456" (UTC) from microseconds; g_free. */
char *output_time_us(gint64 us);

/* DNS records, as zone file lines. */
void output_dns(Record *list);
