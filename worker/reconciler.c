/* SPDX-License-Identifier: MIT */
/*
 *     look at the queue ─▶ log read to its end since? ─▶ journals applied since? ─▶ page by page:
 *     rows of history ─▶ reconcile_decide with this look and the one before ─▶ events, and queue ids that the
 *     follower may have lost
 */
#include "worker/reconciler.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/base/id.h"
#include "lib/log/log.h"
#include "worker/database.h"
#include "worker/mail_event.h"
#include "worker/reconcile_page.h"
#include "worker/rounds.h"

#define RETRY_MS    (60 * 1000)
#define PATIENCE_US (60 * G_TIME_SPAN_SECOND)
#define TICK_MS     100
#define COMPLAIN_US (60 * G_TIME_SPAN_SECOND)
#define IDS_SHOWN   5

struct Reconciler {
    const Config *config;
    MailFollower *follower;
    JournalApplier *applier;
    QueueSnapshot *before;
    gint64 complained_us;
    Rounds *rounds;
};

/* One comparison. */
typedef struct {
    Reconciler *reconciler;
    const QueueSnapshot *now;
    GPtrArray *texts;  /* events, as JSON ... */
    GArray *entries;   /* ... and as journal entries */
    GArray *found;     /* of QueueFound */
    guint64 last_base; /* the submission that was told last */
    guint aborted, unknown;
    GString *ids; /* of the first unknown ones */
} Round;

static const char *const statuses[] = {"Accepting", "Pending", "Held", "SoftFail"};

static gboolean is_stopping(const Reconciler *reconciler)
{
    return *rounds_stopping(reconciler->rounds);
}

static gboolean is_read(Reconciler *reconciler, gint64 since)
{
    return mail_follower_caught_up(reconciler->follower) >= since;
}

static gboolean is_applied(Reconciler *reconciler, gint64 since)
{
    return journal_applier_caught_up(reconciler->applier) >= since;
}

static gboolean wait_until(Reconciler *reconciler,
                           gboolean (*is_done)(Reconciler *reconciler, gint64 since),
                           const char *what, GError **error)
{
    gint64 since = g_get_monotonic_time();

    while (!is_done(reconciler, since)) {
        if (rounds_wait(reconciler->rounds, TICK_MS) &&
            g_get_monotonic_time() - since < PATIENCE_US)
            continue;
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "%s", what);
        return FALSE;
    }
    return TRUE;
}

static void add_text(Round *round, EventType type, gint64 at_us, char *json)
{
    const JournalEntry entry = {.type = type, .at_us = at_us, .json = json, .length = -1};

    g_ptr_array_add(round->texts, json);
    g_array_append_val(round->entries, entry);
}

static QueueEntry entry_of(const ReconcileMessage *message, const QueuedMail *mail)
{
    if (mail->kind == QUEUED_SUBMISSION)
        return (QueueEntry){.id = message->base, .server = message->server, .n = message->n};
    return (QueueEntry){.id = message->id,
                        .server = message->server,
                        .recipient = message->incoming ? 0 : message->recipient,
                        .base = message->hop ? message->base : 0,
                        .said = (mail->held ? QUEUE_SAID_HELD : 0) |
                                (message->incoming ? QUEUE_SAID_INCOMING : 0)};
}

/* What the line of the log would have said. */
static void add_queued(Round *round, const ReconcileMessage *message, const QueuedMail *mail,
                       ReconcileVerdict verdict)
{
    const MailLine line = {.kind = verdict == RECONCILE_RELEASED ? MAIL_LINE_RELEASED
                                   : mail->held                  ? MAIL_LINE_HELD
                                                                 : MAIL_LINE_QUEUED,
                           .at_us = queue_snapshot_at(round->now),
                           .queue_id = {mail->queue_id, strlen(mail->queue_id)}};
    const MailEventFacts facts = {.node = id_node(message->id), .about = entry_of(message, mail)};
    EventType type;

    if (mail->kind == QUEUED_SUBMISSION && message->base == round->last_base)
        return;
    if (mail->kind == QUEUED_SUBMISSION)
        round->last_base = message->base;
    char *json = mail_event_build(&line, &facts, &type);
    if (json)
        add_text(round, type, line.at_us, json);
}

static void add_lost(Round *round, const ReconcileMessage *message, gboolean aborted)
{
    const MailEventLost lost = {
        .node = id_node(message->id),
        .at_us = g_get_real_time(),
        .id = message->id,
        .server = message->server,
        .status = aborted ? "Aborted" : "Unknown",
        .reason = aborted ? "never seen in Postfix's queue"
                          : "not in Postfix's queue, and its log told no outcome",
    };

    add_text(round, EVENT_MESSAGE_LOST, lost.at_us, mail_event_lost(&lost));
    if (aborted) {
        round->aborted++;
    } else if (round->unknown++ < IDS_SHOWN) {
        g_string_append_printf(round->ids, "%s%" G_GUINT64_FORMAT, round->ids->len ? " " : "",
                               message->id);
    }
}

static void take_message(Round *round, const ReconcileMessage *message)
{
    const QueuedMail *mail;
    ReconcileVerdict verdict =
        reconcile_decide(message, round->now, round->reconciler->before, &mail);

    if (verdict == RECONCILE_ABORTED || verdict == RECONCILE_UNKNOWN)
        add_lost(round, message, verdict == RECONCILE_ABORTED);
    else if (verdict != RECONCILE_LEAVE)
        add_queued(round, message, mail, verdict);
    if (!mail)
        return;
    QueueFound found = {.entry = entry_of(message, mail),
                        .message = message->id,
                        .recipient = message->recipient,
                        .made = message->made};
    g_strlcpy(found.queue_id, mail->queue_id, sizeof(found.queue_id));
    g_array_append_val(round->found, found);
}

/* Decides a page, journals what is new, and tells the follower which queue ids are whose. */
static gboolean take_page(Round *round, const GArray *page, GError **error)
{
    Journal *journal = mail_follower_journal(round->reconciler->follower);

    g_array_set_size(round->entries, 0);
    g_ptr_array_set_size(round->texts, 0);
    g_array_set_size(round->found, 0);
    for (guint i = 0; i < page->len; i++)
        take_message(round, &g_array_index(page, ReconcileMessage, i));
    mail_follower_learn(round->reconciler->follower, round->found);
    return round->entries->len == 0 ||
           journal_append(journal, (const JournalEntry *)(void *)round->entries->data,
                          round->entries->len, error);
}

static gboolean take_status(Round *round, Sql *sql, const char *status, GError **error)
{
    const Config *config = round->reconciler->config;
    gint64 age = config_int(config, CONFIG_RECONCILE_AGE) * 1000;
    ReconcileRange range = {.node = (guint)config_int(config, CONFIG_NODE_ID),
                            .status = status,
                            .before_us = g_get_real_time() - age};

    while (!is_stopping(round->reconciler)) {
        g_autoptr(GArray) page = reconcile_page(sql, &range, error);
        if (!page || !take_page(round, page, error))
            return FALSE;
        if (page->len < RECONCILE_PAGE)
            return TRUE;
        range.after = g_array_index(page, ReconcileMessage, page->len - 1).id;
    }
    return TRUE;
}

static void report(const Round *round)
{
    if (round->aborted > 0)
        log_info(NULL, "accepted messages never came into the queue",
                 LOG_INT("count", round->aborted));
    if (round->unknown > 0)
        log_error(NULL,
                  "messages left the queue without an outcome, see message list --status Unknown",
                  LOG_INT("count", round->unknown), LOG_TEXT("ids", round->ids->str));
}

static gboolean compare(Reconciler *reconciler, const QueueSnapshot *now, GError **error)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(JournalEntry));
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(QueueFound));
    g_autoptr(GString) ids = g_string_new(NULL);
    g_autoptr(Sql) sql = database_open(reconciler->config, error);
    Round round = {.reconciler = reconciler,
                   .now = now,
                   .texts = texts,
                   .entries = entries,
                   .found = found,
                   .ids = ids};
    gboolean done = sql != NULL;

    for (gsize i = 0; done && i < G_N_ELEMENTS(statuses); i++)
        done = take_status(&round, sql, statuses[i], error);
    report(&round);
    return done;
}

static QueueSnapshot *look(Reconciler *reconciler, GError **error)
{
    const Config *config = reconciler->config;
    g_autofree char *path = config_path(config, CONFIG_KEY_DIR, "return");
    g_autoptr(KeyRing) ring = ring_load(path, error);

    return ring ? queue_snapshot_take(config_string(config, CONFIG_POSTFIX_CONFIG_DIR), ring,
                                      rounds_stopping(reconciler->rounds), error)
                : NULL;
}

static gboolean run_round(Reconciler *reconciler, GError **error)
{
    g_autoptr(QueueSnapshot) now = look(reconciler, error);

    if (!now || !wait_until(reconciler, is_read, "the mail log is not read to its end", error) ||
        !wait_until(reconciler, is_applied, "history is behind the journals", error) ||
        !compare(reconciler, now, error))
        return FALSE;
    queue_snapshot_free(reconciler->before);
    reconciler->before = g_steal_pointer(&now);
    return TRUE;
}

/* Once a minute while it lasts. */
static void complain(Reconciler *reconciler, const GError *error)
{
    gint64 now = g_get_monotonic_time();

    if (is_stopping(reconciler) ||
        (reconciler->complained_us && now - reconciler->complained_us < COMPLAIN_US))
        return;
    reconciler->complained_us = now;
    log_warning(NULL, "history cannot be compared with Postfix's queue", LOG_GERROR(error));
}

static gboolean run(gpointer data)
{
    Reconciler *reconciler = data;
    g_autoptr(GError) error = NULL;
    gboolean done = run_round(reconciler, &error);

    if (done)
        reconciler->complained_us = 0;
    else
        complain(reconciler, error);
    return done;
}

Reconciler *reconciler_start(const Config *config, MailFollower *follower, JournalApplier *applier)
{
    Reconciler *reconciler = g_new0(Reconciler, 1);
    gint64 interval = config_int(config, CONFIG_RECONCILE_INTERVAL);
    gint64 retry = MIN(interval, RETRY_MS);
    const RoundsKind kind = {.name = "reconcile",
                             .first_ms = retry,
                             .interval_ms = interval,
                             .retry_ms = retry,
                             .retry_max_ms = retry,
                             .run = run};

    reconciler->config = config;
    reconciler->follower = follower;
    reconciler->applier = applier;
    reconciler->rounds = rounds_new(&kind, reconciler);
    rounds_start(reconciler->rounds);
    return reconciler;
}

void reconciler_stop(Reconciler *reconciler)
{
    if (!reconciler)
        return;
    rounds_stop(reconciler->rounds);
    queue_snapshot_free(reconciler->before);
    g_free(reconciler);
}
