/* SPDX-License-Identifier: MIT */
#include "policyd/limits.h"

#include <stdlib.h>

#include "lib/base/error.h"
#include "policyd/book.h"
#include "policyd/changes.h"
#include "policyd/others.h"

#define NEAR_PERCENT 90
#define EXPIRE_US    (60 * G_TIME_SPAN_SECOND)

struct Limits {
    char *path;
    guint node;
    Book *book; /* NULL: not open */
    Changes *changes;
    guint64 instance; /* of changes */
    Others *others;
    gint64 expired_us; /* when others were looked through last */
    LimitsNotice notice;
    gpointer data;
    gboolean loaded;        /* once */
    gint64 epoch, revision; /* of the directory that the table is of */
    LimitTable *table;
};

Limits *limits_new(const char *spool_dir, guint node, LimitsNotice notice, gpointer data)
{
    Limits *limits = g_new0(Limits, 1);

    limits->node = node;
    limits->changes = changes_new();
    limits->instance = (guint64)g_random_int() << 32 | g_random_int() | 1;
    limits->others = others_new();
    limits->path = g_build_filename(spool_dir, "policyd", "counters", NULL);
    limits->notice = notice;
    limits->data = data;
    limits->table = limit_table_new(g_array_new(FALSE, FALSE, sizeof(EdgeLimit)));
    return limits;
}

void limits_free(Limits *limits)
{
    if (!limits)
        return;
    book_close(limits->book);
    changes_free(limits->changes);
    others_free(limits->others);
    limit_table_free(limits->table);
    g_free(limits->path);
    g_free(limits);
}

static gboolean is_known(const Limits *limits, guint32 limit)
{
    return limit_table_by_id(limits->table, limit) != NULL;
}

static gboolean keep_known(guint32 limit, gpointer data)
{
    Limits *limits = data;
    gboolean known = is_known(limits, limit);

    if (!known)
        changes_forget(limits->changes, limit);
    return known;
}

static void note(const BookCounter *counter, gpointer data)
{
    changes_note(((Limits *)data)->changes, counter->limit);
}

static gboolean open_book(Limits *limits, GError **error)
{
    limits->book = book_open(limits->path, error);
    if (!limits->book)
        return FALSE;
    book_keep(limits->book, keep_known, limits);
    book_each(limits->book, note, limits);
    return TRUE;
}

static gboolean reload(Limits *limits, Edge *edge, GError **error)
{
    gint64 epoch, revision;

    if (!edge_state(edge, EDGE_FILE_DIRECTORY, &epoch, &revision, error))
        return FALSE;
    if (limits->loaded && epoch == limits->epoch && revision == limits->revision)
        return TRUE;
    GArray *all = edge_limits(edge, error);
    if (!all)
        return FALSE;
    limit_table_free(limits->table);
    limits->table = limit_table_new(all);
    limits->loaded = TRUE;
    limits->epoch = epoch;
    limits->revision = revision;
    if (limits->book)
        book_keep(limits->book, keep_known, limits);
    return TRUE;
}

gboolean limits_tick(Limits *limits, Edge *edge, GError **error)
{
    if (!reload(limits, edge, error))
        return FALSE;
    if (!limits->book && !open_book(limits, error))
        return FALSE;
    book_sync(limits->book);
    if (book_now(limits->book) - limits->expired_us >= EXPIRE_US) {
        limits->expired_us = book_now(limits->book);
        others_expire(limits->others, limits->expired_us);
    }
    return TRUE;
}

static gboolean is_known_yet(gboolean known, GError **error)
{
    if (!known)
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "limits are not known yet");
    return known;
}

static gboolean is_loaded(const Limits *limits, const LimitsFacts *facts, GError **error)
{
    return is_known_yet(limits->loaded || facts->user, error);
}

/* Begins anew, as of so many resets. */
static void clear(Limits *limits, BookCounter *counter, guint32 resets)
{
    *counter = (BookCounter){.limit = counter->limit, .resets = resets};
    changes_note(limits->changes, counter->limit);
}

static BookCounter *counter_of(Limits *limits, guint32 limit, GError **error)
{
    BookCounter *counter = limits->book ? book_counter(limits->book, limit) : NULL;

    if (!counter) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                    "limit %u: its counter cannot be had", limit);
        return NULL;
    }
    guint32 resets = others_resets(limits->others, limit);
    if (resets > counter->resets)
        clear(limits, counter, resets);
    return counter;
}

/* What all nodes count. */
static Window sum_of(const Limits *limits, const BookCounter *counter, gint64 now, gint64 period)
{
    Window sum = counter->window;

    others_merge(limits->others, counter->limit, counter->resets, now, period, &sum);
    return sum;
}

/* Once a period. */
static void tell(Limits *limits, EventType type, const EdgeLimit *limit, gint64 *told, gint64 now,
                 guint64 count)
{
    if (*told != 0 && now - *told < limit_period_us(limit->period))
        return;
    *told = now;
    limits->notice(type, limit, count, limits->data);
}

/* FALSE: no room; the verdict says so if no graver one does. */
static gboolean has_room(const EdgeLimit *limit, const Window *window, gint64 now, guint32 n,
                         ChargeVerdict *verdict)
{
    gint64 period = limit_period_us(limit->period);
    guint64 count = window_count(window, now, period);

    if (count + n <= limit->max)
        return TRUE;
    if (verdict->limit == 0 || limit->action > verdict->action)
        *verdict = (ChargeVerdict){.limit = limit->id,
                                   .action = limit->action,
                                   .subject = limit->subject,
                                   .period = limit->period,
                                   .max = limit->max,
                                   .count = count,
                                   .wait_us = window_wait(window, now, period, limit->max)};
    return FALSE;
}

static gboolean look(Limits *limits, const LimitsFound *found, guint32 n, ChargeVerdict *verdict,
                     GError **error)
{
    ChargeVerdict judged = {0};

    for (guint i = 0; i < found->n; i++) {
        BookCounter *counter = counter_of(limits, found->limits[i]->id, error);
        if (!counter)
            return FALSE;
        gint64 now = book_now(limits->book), period = limit_period_us(found->limits[i]->period);
        const Window sum = sum_of(limits, counter, now, period);
        if (!has_room(found->limits[i], &sum, now, n, &judged))
            tell(limits, EVENT_LIMIT_EXCEEDED, found->limits[i], &counter->told_exceeded, now,
                 window_count(&sum, now, period));
    }
    *verdict = judged;
    return TRUE;
}

gboolean limits_look(Limits *limits, const LimitsFacts *facts, guint32 n, ChargeVerdict *verdict,
                     GError **error)
{
    const LimitsFound found = limit_table_find(limits->table, facts);

    return is_loaded(limits, facts, error) && look(limits, &found, n, verdict, error);
}

/* Their counters have been looked at, so they are there. */
static void count_in(Limits *limits, const LimitsFound *found, guint32 n, LimitsCharge *charge)
{
    charge->n = found->n;
    for (guint i = 0; i < found->n; i++) {
        const EdgeLimit *limit = found->limits[i];
        gint64 period = limit_period_us(limit->period), now = book_now(limits->book);
        BookCounter *counter = book_counter(limits->book, limit->id);
        charge->parts[i].limit = limit->id;
        charge->parts[i].slot = window_add(&counter->window, now, period, n);
        changes_note(limits->changes, limit->id);
        const Window sum = sum_of(limits, counter, now, period);
        guint64 count = window_count(&sum, now, period);
        if (count * 100 >= (guint64)limit->max * NEAR_PERCENT)
            tell(limits, EVENT_LIMIT_NEAR, limit, &counter->told_near, now, count);
    }
}

gboolean limits_take(Limits *limits, const LimitsFacts *facts, guint32 n, LimitsCharge *charge,
                     ChargeVerdict *verdict, GError **error)
{
    const LimitsFound found = limit_table_find(limits->table, facts);
    LimitsCharge taken = {0};

    if (!is_loaded(limits, facts, error) || !look(limits, &found, n, verdict, error))
        return FALSE;
    if (verdict->limit == 0)
        count_in(limits, &found, n, &taken);
    if (charge)
        *charge = taken;
    return TRUE;
}

void limits_give_back(Limits *limits, const LimitsCharge *charge)
{
    for (guint i = 0; limits->book && i < charge->n; i++) {
        guint32 limit = charge->parts[i].limit;
        if (!is_known(limits, limit))
            continue;
        window_give_back(&book_counter(limits->book, limit)->window, charge->parts[i].slot, 1);
        changes_note(limits->changes, limit);
    }
}

static const EdgeLimit *by_id(const Limits *limits, guint32 limit, GError **error)
{
    const EdgeLimit *found = limit_table_by_id(limits->table, limit);

    if (!found)
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND, "limit %u is not known here",
                    limit);
    return found;
}

static int by_node(const void *a, const void *b)
{
    return (int)((const ChargeShare *)a)->node - (int)((const ChargeShare *)b)->node;
}

/* What each node has, when others have any. */
static void add_shares(const Limits *limits, const BookCounter *counter, gint64 now, gint64 period,
                       ChargeCount *count)
{
    count->shares[0] = (ChargeShare){limits->node, window_count(&counter->window, now, period)};
    count->n = 1;
    others_shares(limits->others, counter->limit, counter->resets, now, period, count);
    if (count->n == 1)
        count->n = 0;
    qsort(count->shares, count->n, sizeof *count->shares, by_node);
}

gboolean limits_count(Limits *limits, guint32 limit, ChargeCount *count, GError **error)
{
    const EdgeLimit *found = by_id(limits, limit, error);
    BookCounter *counter = found ? counter_of(limits, limit, error) : NULL;

    if (!counter)
        return FALSE;
    gint64 period = limit_period_us(found->period), now = book_now(limits->book);
    const Window sum = sum_of(limits, counter, now, period);
    *count = (ChargeCount){.count = window_count(&sum, now, period),
                           .wait_us = window_wait(&sum, now, period, found->max)};
    add_shares(limits, counter, now, period, count);
    return TRUE;
}

gboolean limits_reset(Limits *limits, guint32 limit, GError **error)
{
    BookCounter *counter = by_id(limits, limit, error) ? counter_of(limits, limit, error) : NULL;

    if (counter)
        clear(limits, counter, counter->resets + 1);
    return counter != NULL;
}

typedef struct {
    Limits *limits;
    LimitsUsage func;
    gpointer data;
} Telling;

static gboolean tell_usage(guint32 limit, gpointer data)
{
    const Telling *telling = data;
    const Limits *limits = telling->limits;
    const EdgeLimit *found = limit_table_by_id(limits->table, limit);
    const BookCounter *counter = found ? book_counter(limits->book, limit) : NULL;

    if (!counter || found->period == LIMIT_SECOND)
        return TRUE;
    Usage usage = {.limit = limit, .resets = counter->resets};
    window_slots(&counter->window, book_now(limits->book), limit_period_us(found->period),
                 &usage.slots);
    return telling->func(&usage, telling->data);
}

gboolean limits_changes(Limits *limits, UsageMark *mark, gboolean *more, LimitsUsage func,
                        gpointer data, GError **error)
{
    Telling telling = {limits, func, data};
    guint64 after = mark->instance == limits->instance ? mark->sequence : 0;

    if (!is_known_yet(limits->loaded && limits->book, error))
        return FALSE;
    mark->instance = limits->instance;
    mark->sequence = changes_each(limits->changes, after, tell_usage, &telling);
    *more = mark->sequence < changes_newest(limits->changes);
    return TRUE;
}

/* Who counts without a reset that is known here has not heard of it: the own counter is told again. */
gboolean limits_share(Limits *limits, const ChargeRequest *share, GError **error)
{
    if (!is_known_yet(limits->loaded && limits->book, error))
        return FALSE;
    if (!others_take(limits->others, share, book_now(limits->book))) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_TOO_LARGE,
                    "limit %u: more than %d counters of other nodes", share->limit, OTHERS_MAX);
        return FALSE;
    }
    if (!is_known(limits, share->limit))
        return TRUE;
    const BookCounter *counter = counter_of(limits, share->limit, error);
    if (counter && share->resets < counter->resets)
        changes_note(limits->changes, share->limit);
    return counter != NULL;
}

gboolean limits_is_charged(const Limits *limits, guint64 message)
{
    return limits->book && book_is_charged(limits->book, message);
}

void limits_note_charged(Limits *limits, guint64 message)
{
    if (limits->book)
        book_note_charged(limits->book, message);
}
