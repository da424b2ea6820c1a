/* SPDX-License-Identifier: MIT */
/*
 *     every second  (five, while nothing comes of it) held by a limit, or for a suspension that is over ─▶
 *                   charged and released (hold_release.h)
 *     every ten     held too long ─▶ deleted, if the clock can be believed (hold_clock.h);
 *                   queued of a suspended sender ─▶ held, and told to history
 *
 * What comes of it is told by Postfix's log, a moment later: until then the same mail may be asked for again,
 * which is free and changes nothing.
 */
#include "worker/hold_keeper.h"

#include <stdatomic.h>
#include <time.h>

#include "lib/base/id.h"
#include "lib/journal/held.h"
#include "lib/log/log.h"
#include "worker/database.h"
#include "worker/hold_clock.h"
#include "worker/hold_reader.h"
#include "worker/hold_release.h"
#include "worker/rounds.h"

#define PAUSE_MS     1000
#define MINUTE_US    (60 * G_TIME_SPAN_SECOND)
#define LOOK_US      (10 * G_TIME_SPAN_SECOND)
#define PAGES_READ   500 /* of a list */
#define IDLE_US      (5 * G_TIME_SPAN_SECOND)
#define QUEUED_DAYS  7 /* how long Postfix may have had what is queued */
#define RULE_LIMIT   "limit"
#define RULE_SUSPEND "suspended"
#define REASON       "server is suspended"

struct HoldKeeper {
    const Config *config;
    MailFollower *follower;
    Sql *sql;
    HoldQueue *queue;
    HoldRelease limited, suspended;
    HoldClock clock;
    HoldClockVerdict clock_told; /* what was said of it last */
    gint64 released_us;          /* when it was last looked for what to release */
    gboolean busy;               /* and some was */
    gint64 looked_us;            /* when the rarer work was done last */
    gint64 complained_us;
    Rounds *rounds;
    _Atomic gboolean stop;
};

static guint node_of(const HoldKeeper *keeper)
{
    return (guint)config_int(keeper->config, CONFIG_NODE_ID);
}

/* Those that the helper may be asked for: pointers into the list. */
static GPtrArray *askable(const HoldKeeper *keeper, const GArray *list)
{
    GPtrArray *chosen = g_ptr_array_new();

    for (guint i = 0; i < list->len; i++) {
        HeldMail *mail = &g_array_index(list, HeldMail, i);
        if (hold_queue_can_ask(keeper->queue, mail))
            g_ptr_array_add(chosen, mail);
    }
    return chosen;
}

static guint count_done(const GArray *answers)
{
    guint done = 0;

    for (guint i = 0; i < answers->len; i++)
        done += g_array_index(answers, QueueAnswer, i).result == QUEUE_DONE;
    return done;
}

/* What is done with a page of a list. */
typedef gboolean (*PageFunc)(HoldKeeper *keeper, const GArray *list, guint *done, GError **error);

/* Page by page to the end: what cannot be done of one must not keep the next from its turn. parameters[0] is
 * the place of the id to read from. */
static gboolean each_page(HoldKeeper *keeper, SqlStatement statement, SqlParameter *parameters,
                          guint n, PageFunc func, guint *done, GError **error)
{
    for (guint pages = 0; pages < PAGES_READ && !keeper->stop; pages++) {
        g_autoptr(GArray) list = hold_reader_mail(keeper->sql, statement, parameters, n, error);
        if (!list || !func(keeper, list, done, error))
            return FALSE;
        if (list->len < QUEUE_IDS_MAX)
            return TRUE;
        parameters[0] = SQL_UNSIGNED(g_array_index(list, HeldMail, list->len - 1).id);
    }
    return TRUE;
}

static gboolean delete_list(HoldKeeper *keeper, const GArray *list, guint *done, GError **error)
{
    g_autoptr(GPtrArray) chosen = askable(keeper, list);
    g_autoptr(GArray) answers = hold_queue_ask(keeper->queue, QUEUE_DELETE, chosen, error);

    if (answers)
        *done += count_done(answers);
    return answers != NULL;
}

static gint64 boot_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* Each step is told, and once that the clocks differ. */
static void tell_clock(HoldKeeper *keeper, HoldClockVerdict verdict, gint64 difference_us)
{
    gint64 seconds = difference_us / G_USEC_PER_SEC;

    if (verdict == HOLD_CLOCK_STEPPED)
        log_warning(NULL, "the clock was set: no held mail expires for a day",
                    LOG_INT("by_seconds", seconds));
    else if (verdict == HOLD_CLOCK_APART && keeper->clock_told != verdict)
        log_warning(NULL, "no held mail expires while this host's and the database's clock differ",
                    LOG_INT("ahead_seconds", seconds));
    keeper->clock_told = verdict;
}

/* Whether what is too old by the clock is too old. */
static gboolean believe_clock(HoldKeeper *keeper, gint64 *now_us, gboolean *believed,
                              GError **error)
{
    HoldClockLook look = {0};
    gint64 difference = 0;

    if (!hold_reader_clock(keeper->sql, &look.database_us, error))
        return FALSE;
    look.wall_us = g_get_real_time();
    look.boot_us = boot_clock();
    HoldClockVerdict verdict = hold_clock_judge(&keeper->clock, &look, &difference);
    tell_clock(keeper, verdict, difference);
    *now_us = look.wall_us;
    *believed = verdict == HOLD_CLOCK_GOOD;
    return TRUE;
}

static gboolean delete_expired(HoldKeeper *keeper, GError **error)
{
    gboolean believed = FALSE;
    gint64 now = 0;

    if (!believe_clock(keeper, &now, &believed, error))
        return FALSE;
    if (!believed)
        return TRUE;
    SqlParameter parameters[] = {SQL_UNSIGNED(0), SQL_UNSIGNED(node_of(keeper)), SQL_INT(now),
                                 SQL_UNSIGNED(QUEUE_IDS_MAX)};
    guint deleted = 0;
    gboolean good = each_page(keeper, SQL_HOLD_EXPIRED, parameters, G_N_ELEMENTS(parameters),
                              delete_list, &deleted, error);

    if (deleted > 0)
        log_info(NULL, "held for too long, deleted", LOG_INT("messages", deleted));
    return good;
}

/* g_free. */
static char *held_event(const HoldKeeper *keeper, const HeldMail *mail, gint64 now)
{
    gint64 days = config_int(keeper->config, CONFIG_HOLD_DAYS);
    const JournalHeld held = {.node = node_of(keeper),
                              .at_us = now,
                              .expires_us = now + days * G_TIME_SPAN_DAY,
                              .id = mail->id,
                              .server = mail->server,
                              .rule = RULE_SUSPEND,
                              .reason = REASON};

    return journal_held_json(&held);
}

/* History learns the rule first: what is on hold without one would never come off it. */
static gboolean tell_held(HoldKeeper *keeper, const GPtrArray *list, GError **error)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autofree JournalEntry *entries = g_new(JournalEntry, list->len + 1);
    gint64 now = g_get_real_time();

    for (guint i = 0; i < list->len; i++) {
        g_ptr_array_add(texts, held_event(keeper, list->pdata[i], now));
        entries[i] = (JournalEntry){EVENT_MESSAGE_HELD, now, texts->pdata[i], -1};
    }
    return list->len == 0 ||
           journal_append(mail_follower_journal(keeper->follower), entries, list->len, error);
}

static gboolean hold_list(HoldKeeper *keeper, const GArray *list, guint *done, GError **error)
{
    g_autoptr(GPtrArray) chosen = askable(keeper, list);

    if (!tell_held(keeper, chosen, error))
        return FALSE;
    g_autoptr(GArray) answers = hold_queue_ask(keeper->queue, QUEUE_HOLD, chosen, error);
    if (answers)
        *done += count_done(answers);
    return answers != NULL;
}

static gboolean hold_suspended(HoldKeeper *keeper, GError **error)
{
    gint64 since = g_get_real_time() / G_USEC_PER_SEC - QUEUED_DAYS * 86400;
    SqlParameter parameters[] = {SQL_UNSIGNED(id_floor(since)), SQL_UNSIGNED(node_of(keeper)),
                                 SQL_UNSIGNED(QUEUE_IDS_MAX)};
    gboolean any = FALSE;
    guint held = 0;

    if (!hold_reader_suspended(keeper->sql, &any, error))
        return FALSE;
    gboolean good = !any || each_page(keeper, SQL_HOLD_SUSPENDED, parameters,
                                      G_N_ELEMENTS(parameters), hold_list, &held, error);
    if (held > 0)
        log_info(NULL, "queued mail of suspended senders held", LOG_INT("messages", held));
    return good;
}

static gboolean release(HoldKeeper *keeper, HoldRelease *of, GError **error)
{
    gboolean good = hold_release_look(of, keeper->sql, error);

    keeper->busy |= of->released > 0;
    if (of->released > 0)
        log_info(NULL, "held mail released", LOG_TEXT("rule", of->rule),
                 LOG_INT("messages", of->released));
    return good;
}

static gboolean release_limited(HoldKeeper *keeper, GError **error)
{
    keeper->busy = FALSE;
    return release(keeper, &keeper->limited, error);
}

static gboolean release_suspended(HoldKeeper *keeper, GError **error)
{
    return release(keeper, &keeper->suspended, error);
}

/* Does what is due; what one cannot do keeps no other from its turn. The first error is told. */
static gboolean run_tasks(HoldKeeper *keeper, gint64 *last_us, gint64 pause_us,
                          gboolean (*const *tasks)(HoldKeeper *keeper, GError **error), guint n,
                          GError **error)
{
    gint64 now = g_get_monotonic_time();
    gboolean good = TRUE;

    if (*last_us && now - *last_us < pause_us)
        return TRUE;
    *last_us = now;
    for (guint i = 0; i < n; i++)
        if (!tasks[i](keeper, good ? error : NULL))
            good = FALSE;
    return good;
}

static gboolean run_round(HoldKeeper *keeper, GError **error)
{
    static gboolean (*const rare[])(HoldKeeper *, GError **) = {hold_suspended, delete_expired};
    static gboolean (*const often[])(HoldKeeper *, GError **) = {release_limited,
                                                                 release_suspended};

    if (!keeper->sql && !(keeper->sql = database_open(keeper->config, error)))
        return FALSE;
    if (!sql_schema_check(keeper->sql, error))
        return FALSE;
    gboolean good = run_tasks(keeper, &keeper->looked_us, LOOK_US, rare, 2, error);
    return run_tasks(keeper, &keeper->released_us, keeper->busy ? 0 : IDLE_US, often, 2,
                     good ? error : NULL) &&
           good;
}

/* Once a minute while it lasts. */
static void complain(HoldKeeper *keeper, const GError *error)
{
    gint64 now = g_get_monotonic_time();

    if (keeper->complained_us && now - keeper->complained_us < MINUTE_US)
        return;
    keeper->complained_us = now;
    log_warning(NULL, "held mail stays as it is", LOG_GERROR(error));
}

static gboolean run(gpointer data)
{
    HoldKeeper *keeper = data;
    g_autoptr(GError) error = NULL;
    gboolean done = run_round(keeper, &error);

    if (done)
        keeper->complained_us = 0;
    else
        complain(keeper, error);
    return done;
}

HoldKeeper *hold_keeper_start(const Config *config, MailFollower *follower)
{
    HoldKeeper *keeper = g_new0(HoldKeeper, 1);
    const RoundsKind kind = {.name = "hold",
                             .first_ms = PAUSE_MS,
                             .interval_ms = PAUSE_MS,
                             .retry_ms = PAUSE_MS,
                             .retry_max_ms = PAUSE_MS,
                             .run = run};

    keeper->config = config;
    keeper->follower = follower;
    keeper->queue = hold_queue_new(config);
    keeper->limited = (HoldRelease){config, keeper->queue, &keeper->stop, RULE_LIMIT, 0, 0};
    keeper->suspended = (HoldRelease){config, keeper->queue, &keeper->stop, RULE_SUSPEND, 0, 0};
    keeper->rounds = rounds_new(&kind, keeper);
    rounds_start(keeper->rounds);
    return keeper;
}

void hold_keeper_stop(HoldKeeper *keeper)
{
    if (!keeper)
        return;
    keeper->stop = TRUE;
    rounds_stop(keeper->rounds);
    sql_close(keeper->sql);
    hold_queue_free(keeper->queue);
    g_free(keeper);
}
