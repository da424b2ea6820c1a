/* SPDX-License-Identifier: MIT */
#include "lib/edge/edge_limit.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/edge/edge_pool.h"

static const char *const subject_words[] = {
#define X(SUBJECT, word) [EDGE_LIMIT_##SUBJECT] = word,
    EDGE_LIMIT_SUBJECTS(X)
#undef X
};

static const char *const period_words[] = {
#define X(PERIOD, word, seconds) [EDGE_LIMIT_##PERIOD] = word,
    EDGE_LIMIT_PERIODS(X)
#undef X
};

static const guint period_seconds[] = {
#define X(PERIOD, word, seconds) [EDGE_LIMIT_##PERIOD] = seconds,
    EDGE_LIMIT_PERIODS(X)
#undef X
};

static const char *const action_words[] = {
#define X(ACTION, word) [EDGE_LIMIT_##ACTION] = word,
    EDGE_LIMIT_ACTIONS(X)
#undef X
};

const char *edge_limit_subject_word(EdgeLimitSubject subject)
{
    return subject_words[subject];
}

const char *edge_limit_period_word(EdgeLimitPeriod period)
{
    return period_words[period];
}

const char *edge_limit_action_word(EdgeLimitAction action)
{
    return action_words[action];
}

guint edge_limit_period_seconds(EdgeLimitPeriod period)
{
    return period_seconds[period];
}

/* The place of a word among n; n when it is not there. */
static guint find_word(const char *const *words, guint n, const char *word)
{
    guint at = 0;

    while (at < n && g_strcmp0(words[at], word) != 0)
        at++;
    return at;
}

gboolean edge_limit_subject_read(const char *word, EdgeLimitSubject *subject)
{
    guint at = find_word(subject_words, EDGE_LIMIT_SUBJECT_COUNT, word);

    if (at < EDGE_LIMIT_SUBJECT_COUNT)
        *subject = (EdgeLimitSubject)at;
    return at < EDGE_LIMIT_SUBJECT_COUNT;
}

gboolean edge_limit_period_read(const char *word, EdgeLimitPeriod *period)
{
    guint at = find_word(period_words, EDGE_LIMIT_PERIOD_COUNT, word);

    if (at < EDGE_LIMIT_PERIOD_COUNT)
        *period = (EdgeLimitPeriod)at;
    return at < EDGE_LIMIT_PERIOD_COUNT;
}

gboolean edge_limit_action_read(const char *word, EdgeLimitAction *action)
{
    guint at = find_word(action_words, EDGE_LIMIT_ACTION_COUNT, word);

    if (at < EDGE_LIMIT_ACTION_COUNT)
        *action = (EdgeLimitAction)at;
    return at < EDGE_LIMIT_ACTION_COUNT;
}

void edge_limit_clear(EdgeLimit *limit)
{
    g_clear_pointer(&limit->subject_name, g_free);
}

char *edge_limit_domain(const char *domain)
{
    g_autofree char *ascii = g_hostname_to_ascii(domain);

    return g_ascii_strdown(ascii ? ascii : domain, -1);
}

static const char *word_at(sqlite3_stmt *row, int column)
{
    return (const char *)sqlite3_column_text(row, column);
}

static gboolean read_limit(sqlite3_stmt *row, EdgeLimit *limit, GError **error)
{
    if (!edge_limit_subject_read(word_at(row, 1), &limit->subject) ||
        !edge_limit_period_read(word_at(row, 4), &limit->period) ||
        !edge_limit_action_read(word_at(row, 6), &limit->action)) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_CORRUPT,
                    "%s: rate_limit %" G_GINT64_FORMAT ": unknown subject, period or action",
                    edge_file_name(EDGE_FILE_DIRECTORY), (gint64)sqlite3_column_int64(row, 0));
        return FALSE;
    }
    limit->id = (guint32)sqlite3_column_int64(row, 0);
    limit->subject_id = (guint32)sqlite3_column_int64(row, 2);
    limit->subject_name = g_strdup(word_at(row, 3) ? word_at(row, 3) : "");
    limit->max = (guint32)sqlite3_column_int64(row, 5);
    return TRUE;
}

GArray *edge_limits(Edge *edge, GError **error)
{
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    sqlite3_stmt *statement = link ? edge_link_statement(link, EDGE_STATEMENT_LIMITS, error) : NULL;
    g_autoptr(GArray) limits = g_array_new(FALSE, TRUE, sizeof(EdgeLimit));
    int step;

    if (!statement)
        return NULL;
    g_array_set_clear_func(limits, (GDestroyNotify)edge_limit_clear);
    while ((step = edge_link_step(link, statement, error)) > 0) {
        EdgeLimit limit = {0};
        if (!read_limit(statement, &limit, error))
            return NULL;
        g_array_append_val(limits, limit);
    }
    return step < 0 ? NULL : g_steal_pointer(&limits);
}

gboolean edge_is_limited(Edge *edge, const EdgeCredential *credential, const char *rcpt_domain,
                         gboolean *limited, GError **error)
{
    g_autofree char *domain = edge_limit_domain(rcpt_domain ? rcpt_domain : "");
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    sqlite3_stmt *statement =
        link ? edge_link_statement(link, EDGE_STATEMENT_IS_LIMITED, error) : NULL;

    if (!statement)
        return FALSE;
    sqlite3_bind_int64(statement, 1, credential->organization);
    sqlite3_bind_int64(statement, 2, credential->server);
    sqlite3_bind_int64(statement, 3, credential->id);
    sqlite3_bind_text(statement, 4, domain, -1, SQLITE_TRANSIENT);
    int step = edge_link_step(link, statement, error);
    if (step < 0)
        return FALSE;
    *limited = step > 0;
    return TRUE;
}
