/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what a node counted of a limit, as it travels from policyd over the worker and MariaDB to policyd
 *     of the other nodes: octets to struct and back.
 *
 *     The answer to `changes' (lib/wire/charge.h), line by line:
 *     usage LIMIT RESETS AGE SLOTS    for each limit, and then one of
 *     more INSTANCE SEQUENCE          ask again from there
 *     end INSTANCE SEQUENCE           that was all
 *
 *     SLOTS: how many there were in each 60th of the period, the newest first, with commas; "-": none at all.
 *     AGE: microseconds since the newest began. RESETS: how often the limit was reset; what comes with fewer
 *     is from before the last reset.
 * Used by: policyd and the worker.
 * May touch: nothing.
 * Threads: any.
 * Limits: USAGE_SLOTS_MAX slots of 2^32-1; an age up to USAGE_AGE_MAX.
 */
#pragma once

#include <glib.h>

#define USAGE_SLOTS_MAX 61
#define USAGE_AGE_MAX   (30 * G_TIME_SPAN_DAY)
#define USAGE_NONE      "-"

/* counts[0] is the newest slot, which began age_us ago; each further one began a 60th of the period before. */
typedef struct {
    gint64 age_us;
    guint n; /* the last of them is not 0 */
    guint32 counts[USAGE_SLOTS_MAX];
} UsageSlots;

typedef struct {
    guint32 limit;
    guint32 resets;
    UsageSlots slots;
} Usage;

/* How far somebody has been told: of which start of policyd, and which change of it. */
typedef struct {
    guint64 instance; /* never 0 */
    guint64 sequence;
} UsageMark;

/* "5,0,3" or "-"; age_us stays. FALSE, and nothing changed: it is no such text. */
gboolean usage_slots_parse(const char *text, UsageSlots *slots);
void usage_slots_append(GString *out, const UsageSlots *slots);

typedef enum { USAGE_LINE, USAGE_MORE, USAGE_END } UsageKind;

/* A line of the answer, without its end: fills usage or mark. CORRUPT: not one. */
gboolean usage_answer_parse(const char *line, UsageKind *kind, Usage *usage, UsageMark *mark,
                            GError **error);
void usage_append(GString *out, const Usage *usage);
void usage_mark_append(GString *out, const UsageMark *mark, gboolean more);
