/* SPDX-License-Identifier: MIT */
#include "worker/mail_follower.h"

#include <stdatomic.h>

#include "lib/log/log.h"
#include "worker/line_taker.h"
#include "worker/log_source.h"

#define LINES_PER_ROUND 500
#define IDLE_MS         200
#define COMPLAIN_US     (60 * G_TIME_SPAN_SECOND)
#define PRUNE_US        (60 * 60 * G_TIME_SPAN_SECOND)

struct MailFollower {
    const Config *config;
    Journal *journal;
    QueueBook *book;
    LogSource *source; /* NULL: to be opened at the book's position */
    MilterReader *milter;
    LineTaker *taker;
    gint64 complained_us, pruned_us;
    _Atomic gint64 caught_up_us;
    GArray *found; /* of QueueFound, to be remembered; under mutex */
    GThread *thread;
    GMutex mutex;
    GCond wake;
    gboolean stopping;
};

MailFollower *mail_follower_new(const Config *config, GError **error)
{
    g_autoptr(MailFollower) follower = g_new0(MailFollower, 1);
    g_autofree char *path = config_path(config, CONFIG_SPOOL_DIR, "worker/worker.db");

    g_mutex_init(&follower->mutex);
    g_cond_init(&follower->wake);
    follower->config = config;
    follower->found = g_array_new(FALSE, FALSE, sizeof(QueueFound));
    if (!(follower->book = queue_book_open(path, error)) ||
        !(follower->journal = journal_open(config_string(config, CONFIG_SPOOL_DIR),
                                           journal_program_name(JOURNAL_OF_WORKER), NULL, error)))
        return NULL;
    follower->milter = milter_reader_new(config_string(config, CONFIG_SPOOL_DIR), follower->book);
    follower->taker = line_taker_new(config, follower->book, follower->milter);
    return g_steal_pointer(&follower);
}

guint64 mail_follower_keep(const char *program, gpointer data)
{
    MailFollower *follower = data;
    gboolean milters = g_str_equal(program, journal_program_name(JOURNAL_OF_MILTER));

    return milters ? milter_reader_kept(follower->milter) : G_MAXUINT64;
}

static gboolean read_lines(MailFollower *follower, guint *lines, GError **error)
{
    LogSourceRead result = LOG_SOURCE_LINE;
    MailLine line;

    *lines = 0;
    while (*lines < LINES_PER_ROUND &&
           (result = log_source_next(follower->source, &line, error)) == LOG_SOURCE_LINE) {
        line_taker_take(follower->taker, &line);
        (*lines)++;
    }
    return result != LOG_SOURCE_FAILED;
}

void mail_follower_learn(MailFollower *follower, const GArray *found)
{
    g_mutex_lock(&follower->mutex);
    g_array_append_vals(follower->found, found->data, found->len);
    g_mutex_unlock(&follower->mutex);
}

gint64 mail_follower_caught_up(const MailFollower *follower)
{
    return atomic_load(&follower->caught_up_us);
}

Journal *mail_follower_journal(MailFollower *follower)
{
    return follower->journal;
}

static void learn(MailFollower *follower, const QueueFound *found)
{
    const QueueEntry *entry = &found->entry;
    QueueEntry known;

    if (!queue_book_find(follower->book, found->queue_id, &known))
        queue_book_bind(follower->book, found->queue_id, entry, g_get_real_time());
    else if (known.id != entry->id || known.n != entry->n)
        return;
    else if (entry->said & ~known.said) {
        known.said |= entry->said;
        queue_book_bind(follower->book, found->queue_id, &known, g_get_real_time());
    }
    if (entry->n == 0)
        return;
    queue_book_add_recipient(follower->book, entry->id, found->recipient, found->message);
    if (found->made)
        queue_book_made(follower->book, entry->id, found->recipient, found->message);
}

/* What is lost with a round that is not kept is found again with the next look at the queue. */
static void learn_found(MailFollower *follower)
{
    GArray *found = NULL;

    g_mutex_lock(&follower->mutex);
    if (follower->found->len > 0) {
        found = follower->found;
        follower->found = g_array_new(FALSE, FALSE, sizeof(QueueFound));
    }
    g_mutex_unlock(&follower->mutex);
    for (guint i = 0; found && i < found->len; i++)
        learn(follower, &g_array_index(found, QueueFound, i));
    if (found)
        g_array_unref(found);
}

static void prune(MailFollower *follower)
{
    gint64 now = g_get_real_time();

    if (now - follower->pruned_us < PRUNE_US)
        return;
    follower->pruned_us = now;
    queue_book_prune(follower->book, now - QUEUE_BOOK_DAYS * G_TIME_SPAN_DAY);
}

/* Events first, then the position: what is read twice gives the same events. */
static gboolean keep_round(MailFollower *follower, GError **error)
{
    const GArray *entries = line_taker_entries(follower->taker);
    g_autofree char *position = log_source_position(follower->source);

    if (entries->len > 0 &&
        !journal_append(follower->journal, (const JournalEntry *)(void *)entries->data,
                        entries->len, error)) {
        queue_book_undo(follower->book);
        return FALSE;
    }
    if (position)
        queue_book_set_position(follower->book, "log", position);
    return queue_book_commit(follower->book, error);
}

static void ensure_open(MailFollower *follower)
{
    if (follower->source)
        return;
    g_autofree char *position = queue_book_position(follower->book, "log");
    follower->source = log_source_open(follower->config, position);
}

gboolean mail_follower_round(MailFollower *follower, guint *lines, GError **error)
{
    g_autoptr(GError) unreadable = NULL;

    ensure_open(follower);
    if (!line_taker_begin(follower->taker, error) || !queue_book_begin(follower->book, error))
        return FALSE;
    gint64 begun = g_get_monotonic_time();
    learn_found(follower);
    *lines = LINES_PER_ROUND;
    /* What the milter named comes first; what was read before the log failed counts. */
    gboolean readable =
        !milter_reader_read(follower->milter) || read_lines(follower, lines, &unreadable);
    prune(follower);
    if (!keep_round(follower, error)) {
        milter_reader_undo(follower->milter);
        g_clear_pointer(&follower->source, log_source_close);
        return FALSE;
    }
    milter_reader_keep(follower->milter);
    if (readable && *lines < LINES_PER_ROUND)
        atomic_store(&follower->caught_up_us, begun);
    if (!readable)
        g_propagate_error(error, g_steal_pointer(&unreadable));
    return readable;
}

/* Once a minute while it lasts. */
static void complain(MailFollower *follower, const GError *error)
{
    gint64 now = g_get_monotonic_time();

    if (follower->complained_us && now - follower->complained_us < COMPLAIN_US)
        return;
    follower->complained_us = now;
    log_warning(NULL, "mail log cannot be followed", LOG_GERROR(error));
}

static gboolean wait_ms(MailFollower *follower, gint64 ms)
{
    gint64 end = g_get_monotonic_time() + ms * 1000;

    g_mutex_lock(&follower->mutex);
    while (ms && !follower->stopping && g_cond_wait_until(&follower->wake, &follower->mutex, end))
        ;
    gboolean go_on = !follower->stopping;
    g_mutex_unlock(&follower->mutex);
    return go_on;
}

static gpointer run(gpointer data)
{
    MailFollower *follower = data;
    guint lines = 0;

    do {
        g_autoptr(GError) error = NULL;
        if (mail_follower_round(follower, &lines, &error)) {
            follower->complained_us = 0;
        } else {
            lines = 0;
            complain(follower, error);
        }
    } while (wait_ms(follower, lines == LINES_PER_ROUND ? 0 : IDLE_MS));
    return NULL;
}

void mail_follower_start(MailFollower *follower)
{
    follower->thread = g_thread_new("mail-log", run, follower);
}

void mail_follower_stop(MailFollower *follower)
{
    if (!follower)
        return;
    g_mutex_lock(&follower->mutex);
    follower->stopping = TRUE;
    g_cond_signal(&follower->wake);
    g_mutex_unlock(&follower->mutex);
    if (follower->thread)
        g_thread_join(follower->thread);
    log_source_close(follower->source);
    line_taker_free(follower->taker);
    milter_reader_free(follower->milter);
    journal_close(follower->journal);
    queue_book_close(follower->book);
    g_array_unref(follower->found);
    g_mutex_clear(&follower->mutex);
    g_cond_clear(&follower->wake);
    g_free(follower);
}
