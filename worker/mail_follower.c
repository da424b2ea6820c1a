/* SPDX-License-Identifier: MIT */
#include "worker/mail_follower.h"

#include <stdatomic.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/edge/edge.h"
#include "lib/journal/journal.h"
#include "lib/log/log.h"
#include "lib/seal/return_path.h"
#include "worker/log_source.h"
#include "worker/mail_event.h"
#include "worker/milter_reader.h"
#include "worker/recipient_key.h"
#include "worker/tls_memory.h"

#define LINES_PER_ROUND 500
#define IDLE_MS         200
#define COMPLAIN_US     (60 * G_TIME_SPAN_SECOND)
#define LANES_AGE_US    (5 * G_TIME_SPAN_SECOND)
#define PRUNE_US        (60 * 60 * G_TIME_SPAN_SECOND)

struct MailFollower {
    const Config *config;
    Journal *journal;
    QueueBook *book;
    LogSource *source; /* NULL: to be opened at the book's position */
    TlsMemory *tls;
    Edge *edge;
    GArray *lanes; /* of EdgeLane */
    gint64 lanes_us;
    KeyRing *ring;
    MilterReader *milter;
    GPtrArray *texts; /* the round's events, as JSON ... */
    GArray *entries;  /* ... and as journal entries */
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
    follower->tls = tls_memory_new();
    follower->edge = edge_open(config_string(config, CONFIG_EDGE_DIR));
    follower->texts = g_ptr_array_new_with_free_func(g_free);
    follower->entries = g_array_new(FALSE, FALSE, sizeof(JournalEntry));
    follower->found = g_array_new(FALSE, FALSE, sizeof(QueueFound));
    if (!(follower->book = queue_book_open(path, error)) ||
        !(follower->journal = journal_open(config_string(config, CONFIG_SPOOL_DIR),
                                           journal_program_name(JOURNAL_OF_WORKER), NULL, error)))
        return NULL;
    follower->milter = milter_reader_new(config_string(config, CONFIG_SPOOL_DIR), follower->book);
    return g_steal_pointer(&follower);
}

guint64 mail_follower_keep(const char *program, gpointer data)
{
    MailFollower *follower = data;
    gboolean milters = g_str_equal(program, journal_program_name(JOURNAL_OF_MILTER));

    return milters ? milter_reader_kept(follower->milter) : G_MAXUINT64;
}

static const EdgeLane *search_lane(const MailFollower *follower, guint32 lane)
{
    for (guint i = 0; follower->lanes && i < follower->lanes->len; i++)
        if (g_array_index(follower->lanes, EdgeLane, i).lane == lane)
            return &g_array_index(follower->lanes, EdgeLane, i);
    return NULL;
}

/* The lane that a line's transport stands for; the list is read again when it may be old. */
static const EdgeLane *find_lane(MailFollower *follower, guint32 lane)
{
    gint64 now = g_get_monotonic_time();
    const EdgeLane *found = search_lane(follower, lane);

    if (found && now - follower->lanes_us < LANES_AGE_US)
        return found;
    GArray *lanes = edge_lanes(follower->edge, NULL);
    if (!lanes)
        return found;
    g_clear_pointer(&follower->lanes, g_array_unref);
    follower->lanes = lanes;
    follower->lanes_us = now;
    return search_lane(follower, lane);
}

/* What a line says of a message, as an event. */
static void add_event(MailFollower *follower, const MailLine *line, const QueueEntry *about)
{
    MailEventFacts facts = {.node = (guint)config_int(follower->config, CONFIG_NODE_ID),
                            .about = *about};
    guint32 number = mail_line_lane(line);
    const EdgeLane *lane = number ? find_lane(follower, number) : NULL;
    JournalEntry entry = {.at_us = line->at_us, .length = -1};

    if (line->kind == MAIL_LINE_DELIVERY)
        facts.tls = tls_memory_of(follower->tls, line);
    if (lane && line->relay.length > 0) {
        facts.source = mail_line_relay_is_ipv6(line) ? lane->ipv6 : lane->ipv4;
        facts.helo = lane->helo;
    }
    char *json = mail_event_build(line, &facts, &entry.type);
    if (!json)
        return;
    g_ptr_array_add(follower->texts, json);
    entry.json = json;
    g_array_append_val(follower->entries, entry);
}

/* Whether the milter named this queue id: it does so before Postfix queues the message. */
static gboolean find_named(MailFollower *follower, const char *queue_id, QueueEntry *entry)
{
    if (queue_book_find(follower->book, queue_id, entry))
        return TRUE;
    milter_reader_read(follower->milter);
    return queue_book_find(follower->book, queue_id, entry);
}

/* Whether the sender of a queue file is sealed for what the milter named its queue id for. A name that came
 * for a younger message, which took a short queue id over, gives way to the seal. */
static gboolean sender_agrees(MailFollower *follower, const char *from, const char *queue_id,
                              QueueEntry *entry)
{
    const char *domain = config_string(follower->config, CONFIG_RETURN_PATH_DOMAIN);
    ReturnPath path;

    if (!return_path_open(follower->ring, from, domain, &path, NULL) ||
        !find_named(follower, queue_id, entry))
        return FALSE;
    if (path.kind == RETURN_PATH_SUBMISSION)
        return entry->n > 0 && entry->id == path.id;
    if (path.kind == RETURN_PATH_MESSAGE && (entry->n > 0 || entry->id != path.id))
        *entry = (QueueEntry){.id = path.id, .server = path.server};
    return path.kind == RETURN_PATH_MESSAGE;
}

/* Ties a queue id to what is sealed in its sender. Every recipient of a message knows its return path, and
 * may send with it: only a queue id that the milter named (or the one it was requeued from) is that message.
 * A queue id that another sender has now was used before, and is forgotten. */
static gboolean bind_sender(MailFollower *follower, const MailLine *line, const char *queue_id,
                            QueueEntry *entry)
{
    g_autofree char *from = g_strndup(line->from.data, line->from.length);

    if (line->from.length == 0 ? find_named(follower, queue_id, entry) && entry->n == 0
                               : sender_agrees(follower, from, queue_id, entry))
        return TRUE;
    queue_book_forget(follower->book, queue_id);
    return FALSE;
}

/* Postfix has it, or holds it: said once of a queue id. */
static void take_queued(MailFollower *follower, const MailLine *line, const char *queue_id)
{
    const guint said = line->kind == MAIL_LINE_HELD ? QUEUE_SAID_HELD : QUEUE_SAID_QUEUED;
    QueueEntry entry;

    if (!bind_sender(follower, line, queue_id, &entry))
        return;
    if (!(entry.said & said))
        add_event(follower, line, &entry);
    if (entry.base && !(entry.said & said))
        queue_book_made(follower->book, entry.base, entry.recipient, entry.id);
    entry.said |= said;
    queue_book_bind(follower->book, queue_id, &entry, line->at_us);
}

static void take_requeued(MailFollower *follower, const MailLine *line, const char *queue_id)
{
    g_autofree char *parent = g_strndup(line->parent.data, line->parent.length);
    QueueEntry entry;

    if (!queue_book_find(follower->book, parent, &entry))
        return;
    entry.said = 0;
    g_strlcpy(entry.parent, parent, sizeof(entry.parent));
    queue_book_bind(follower->book, queue_id, &entry, line->at_us);
}

static guint64 key_of(MailText address)
{
    return address.length > 0 ? recipient_key(address.data, (gssize)address.length) : 0;
}

/* A delivery to somebody else (of a BCC or alias map) is not the message's. */
static void take_delivery(MailFollower *follower, const MailLine *line, const char *queue_id,
                          const QueueEntry *entry)
{
    if (entry->recipient == 0 || key_of(line->to) == entry->recipient ||
        key_of(line->original) == entry->recipient) {
        add_event(follower, line, entry);
        return;
    }
    g_autofree char *to = g_strndup(line->to.data, line->to.length);
    log_debug(queue_id, "delivery to another recipient is not the message's",
              LOG_ID("id", entry->id), LOG_TEXT("to", to));
}

/* The messages of a line's recipient, or of the one that an alias map made it of. */
static GArray *messages_of(MailFollower *follower, guint64 base, guint64 to, guint64 original)
{
    GArray *messages = queue_book_recipient(follower->book, base, to);

    if (messages->len > 0 || original == 0)
        return messages;
    g_array_unref(messages);
    return queue_book_recipient(follower->book, base, original);
}

static void take_stranger(MailFollower *follower, const MailLine *line, const char *queue_id,
                          QueueEntry *submission)
{
    g_autofree char *to = g_strndup(line->to.data, line->to.length);

    if (submission->said & QUEUE_SAID_STRANGER)
        return;
    log_info(queue_id, "recipient is none of the submission's, not recorded",
             LOG_ID("base", submission->id), LOG_TEXT("to", to));
    submission->said |= QUEUE_SAID_STRANGER;
    queue_book_bind(follower->book, queue_id, submission, line->at_us);
}

/* Until the hop has taken a recipient's message over, these lines tell its story. Then its own queue id does,
 * even when the hop's answer was lost and Postfix tries once more. What another transport sent, as of a requeued
 * submission to a local recipient, is sent. */
static void take_hop_delivery(MailFollower *follower, const MailLine *line, const char *queue_id,
                              QueueEntry *submission)
{
    const guint64 to = key_of(line->to), original = key_of(line->original);
    g_autoptr(GArray) messages = messages_of(follower, submission->id, to, original);

    if (messages->len == 0)
        take_stranger(follower, line, queue_id, submission);
    for (guint i = 0; i < messages->len; i++) {
        const QueueRecipient *found = &g_array_index(messages, QueueRecipient, i);
        const QueueEntry message = {.id = found->id, .server = submission->server};
        if (found->made)
            continue;
        if (line->status != MAIL_STATUS_SENT || !mail_line_is_hop(line))
            add_event(follower, line, &message);
        if (line->status != MAIL_STATUS_DEFERRED) {
            queue_book_made(follower->book, submission->id, to, found->id);
            queue_book_made(follower->book, submission->id, original, found->id);
        }
    }
}

/* Postfix gives the submission up: that ends the messages which the hop has not made. */
static void take_hop_expired(MailFollower *follower, const MailLine *line,
                             const QueueEntry *submission)
{
    g_autoptr(GArray) unmade = queue_book_unmade(follower->book, submission->id);

    for (guint i = 0; i < unmade->len; i++) {
        const QueueEntry message = {.id = g_array_index(unmade, QueueRecipient, i).id,
                                    .server = submission->server};
        add_event(follower, line, &message);
    }
}

static void take_outcome(MailFollower *follower, const MailLine *line, const char *queue_id)
{
    QueueEntry entry;

    if (!queue_book_find(follower->book, queue_id, &entry))
        return;
    if (line->kind == MAIL_LINE_DELIVERY && entry.n > 0)
        take_hop_delivery(follower, line, queue_id, &entry);
    else if (line->kind == MAIL_LINE_DELIVERY)
        take_delivery(follower, line, queue_id, &entry);
    else if (line->kind == MAIL_LINE_EXPIRED && entry.n > 0)
        take_hop_expired(follower, line, &entry);
    else
        add_event(follower, line, &entry);
    if (line->kind == MAIL_LINE_REMOVED)
        queue_book_forget(follower->book, queue_id);
}

static void take_line(MailFollower *follower, const MailLine *line)
{
    g_autofree char *queue_id = g_strndup(line->queue_id.data, line->queue_id.length);

    if (line->kind == MAIL_LINE_TLS)
        tls_memory_note(follower->tls, line);
    if (line->queue_id.length == 0)
        return;
    switch (line->kind) {
    case MAIL_LINE_QUEUED:
    case MAIL_LINE_HELD:
        take_queued(follower, line, queue_id);
        break;
    case MAIL_LINE_REQUEUED:
        take_requeued(follower, line, queue_id);
        break;
    case MAIL_LINE_DELIVERY:
    case MAIL_LINE_EXPIRED:
    case MAIL_LINE_REMOVED:
        take_outcome(follower, line, queue_id);
        break;
    case MAIL_LINE_OTHER:
    case MAIL_LINE_TLS:
        break;
    }
}

static gboolean read_lines(MailFollower *follower, guint *lines, GError **error)
{
    LogSourceRead result = LOG_SOURCE_LINE;
    MailLine line;

    *lines = 0;
    while (*lines < LINES_PER_ROUND &&
           (result = log_source_next(follower->source, &line, error)) == LOG_SOURCE_LINE) {
        take_line(follower, &line);
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
    g_autofree char *position = log_source_position(follower->source);

    if (follower->entries->len > 0 &&
        !journal_append(follower->journal, (const JournalEntry *)(void *)follower->entries->data,
                        follower->entries->len, error)) {
        queue_book_undo(follower->book);
        return FALSE;
    }
    if (position)
        queue_book_set_position(follower->book, "log", position);
    return queue_book_commit(follower->book, error);
}

static gboolean ensure_open(MailFollower *follower, GError **error)
{
    if (!follower->ring) {
        g_autofree char *path = config_path(follower->config, CONFIG_KEY_DIR, "return");
        follower->ring = ring_load(path, error);
    }
    if (follower->ring && !follower->source) {
        g_autofree char *position = queue_book_position(follower->book, "log");
        follower->source = log_source_open(follower->config, position);
    }
    return follower->ring && follower->source;
}

gboolean mail_follower_round(MailFollower *follower, guint *lines, GError **error)
{
    g_autoptr(GError) unreadable = NULL;

    if (!ensure_open(follower, error) || !queue_book_begin(follower->book, error))
        return FALSE;
    g_array_set_size(follower->entries, 0);
    g_ptr_array_set_size(follower->texts, 0);
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
    milter_reader_free(follower->milter);
    journal_close(follower->journal);
    queue_book_close(follower->book);
    tls_memory_free(follower->tls);
    edge_close(follower->edge);
    ring_free(follower->ring);
    if (follower->lanes)
        g_array_unref(follower->lanes);
    g_ptr_array_unref(follower->texts);
    g_array_unref(follower->entries);
    g_array_unref(follower->found);
    g_mutex_clear(&follower->mutex);
    g_cond_clear(&follower->wake);
    g_free(follower);
}
