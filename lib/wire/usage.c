/* SPDX-License-Identifier: MIT */
#include "lib/wire/usage.h"

#include <string.h>

#include "lib/base/error.h"

#define WORDS_MAX 6

/* Takes the digits at *text and moves it behind them. */
static gboolean take_count(const char **text, guint32 *count)
{
    const char *p = *text;
    guint64 number = 0;

    for (; g_ascii_isdigit(*p) && number <= G_MAXUINT32; p++)
        number = number * 10 + (guint64)g_ascii_digit_value(*p);
    if (p == *text || number > G_MAXUINT32)
        return FALSE;
    *text = p;
    *count = (guint32)number;
    return TRUE;
}

gboolean usage_slots_parse(const char *text, UsageSlots *slots)
{
    UsageSlots parsed = {.age_us = slots->age_us};

    if (strcmp(text, USAGE_NONE) == 0) {
        *slots = parsed;
        return TRUE;
    }
    for (;; text++) {
        if (parsed.n >= USAGE_SLOTS_MAX || !take_count(&text, &parsed.counts[parsed.n++]))
            return FALSE;
        if (*text != ',')
            break;
    }
    if (*text || parsed.counts[parsed.n - 1] == 0)
        return FALSE;
    *slots = parsed;
    return TRUE;
}

void usage_slots_append(GString *out, const UsageSlots *slots)
{
    if (slots->n == 0)
        g_string_append(out, USAGE_NONE);
    for (guint i = 0; i < slots->n; i++)
        g_string_append_printf(out, i > 0 ? ",%u" : "%u", slots->counts[i]);
}

static gboolean strange(GError **error)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_CORRUPT,
                "policyd: not an answer about what it counted");
    return FALSE;
}

static gboolean take_usage(char **words, Usage *usage)
{
    guint64 limit, resets, age;
    Usage parsed = {0};

    if (!g_ascii_string_to_unsigned(words[1], 10, 1, G_MAXUINT32, &limit, NULL) ||
        !g_ascii_string_to_unsigned(words[2], 10, 0, G_MAXUINT32, &resets, NULL) ||
        !g_ascii_string_to_unsigned(words[3], 10, 0, USAGE_AGE_MAX, &age, NULL) ||
        !usage_slots_parse(words[4], &parsed.slots))
        return FALSE;
    parsed.limit = (guint32)limit;
    parsed.resets = (guint32)resets;
    parsed.slots.age_us = (gint64)age;
    *usage = parsed;
    return TRUE;
}

static gboolean take_mark(char **words, UsageMark *mark)
{
    UsageMark parsed;

    if (!g_ascii_string_to_unsigned(words[1], 10, 1, G_MAXUINT64, &parsed.instance, NULL) ||
        !g_ascii_string_to_unsigned(words[2], 10, 0, G_MAXUINT64, &parsed.sequence, NULL))
        return FALSE;
    *mark = parsed;
    return TRUE;
}

gboolean usage_answer_parse(const char *line, UsageKind *kind, Usage *usage, UsageMark *mark,
                            GError **error)
{
    g_auto(GStrv) words = g_strsplit(line, " ", WORDS_MAX);
    guint n = g_strv_length(words);

    if (n == 5 && strcmp(words[0], "usage") == 0 && take_usage(words, usage))
        *kind = USAGE_LINE;
    else if (n == 3 && strcmp(words[0], "more") == 0 && take_mark(words, mark))
        *kind = USAGE_MORE;
    else if (n == 3 && strcmp(words[0], "end") == 0 && take_mark(words, mark))
        *kind = USAGE_END;
    else
        return strange(error);
    return TRUE;
}

void usage_append(GString *out, const Usage *usage)
{
    g_string_append_printf(out, "usage %u %u %" G_GINT64_FORMAT " ", usage->limit, usage->resets,
                           usage->slots.age_us);
    usage_slots_append(out, &usage->slots);
    g_string_append_c(out, '\n');
}

void usage_mark_append(GString *out, const UsageMark *mark, gboolean more)
{
    g_string_append_printf(out, "%s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT "\n",
                           more ? "more" : "end", mark->instance, mark->sequence);
}
