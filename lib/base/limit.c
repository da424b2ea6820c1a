/* SPDX-License-Identifier: MIT */
#include "lib/base/limit.h"

#define WORD(NAME, word, ...) word,
static const char *const subjects[] = {LIMIT_SUBJECTS(WORD)};
static const char *const actions[] = {LIMIT_ACTIONS(WORD)};
static const char *const periods[] = {LIMIT_PERIODS(WORD)};
#undef WORD

#define LENGTH(NAME, word, seconds) seconds,
static const guint32 lengths[] = {LIMIT_PERIODS(LENGTH)};
#undef LENGTH

static int find(const char *const *words, guint n, const char *word)
{
    for (guint i = 0; i < n; i++)
        if (g_strcmp0(words[i], word) == 0)
            return (int)i;
    return -1;
}

const char *limit_subject_word(LimitSubject subject)
{
    return subjects[subject];
}

const char *limit_action_word(LimitAction action)
{
    return actions[action];
}

const char *limit_period_word(LimitPeriod period)
{
    return periods[period];
}

gboolean limit_subject_read(const char *word, LimitSubject *subject)
{
    int found = find(subjects, LIMIT_SUBJECT_COUNT, word);

    if (found >= 0)
        *subject = (LimitSubject)found;
    return found >= 0;
}

gboolean limit_action_read(const char *word, LimitAction *action)
{
    int found = find(actions, LIMIT_ACTION_COUNT, word);

    if (found >= 0)
        *action = (LimitAction)found;
    return found >= 0;
}

gboolean limit_period_read(const char *word, LimitPeriod *period)
{
    int found = find(periods, LIMIT_PERIOD_COUNT, word);

    if (found >= 0)
        *period = (LimitPeriod)found;
    return found >= 0;
}

gint64 limit_period_us(LimitPeriod period)
{
    return (gint64)lengths[period] * G_USEC_PER_SEC;
}
