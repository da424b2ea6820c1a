/* SPDX-License-Identifier: MIT */
#include "worker/mail_follower.h"

#include <json-c/json.h>
#include <stdatomic.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/edge/edge.h"
#include "lib/journal/reader.h"
#include "lib/log/log.h"
#include "lib/seal/return_path.h"
#include "worker/log_source.h"
#include "worker/mail_event.h"
#include "worker/tls_memory.h"

#define LINES_PER_ROUND 500
#define IDLE_MS         200
#define COMPLAIN_US     (60 * G_TIME_SPAN_SECOND)
#define LANES_AGE_US    (5 * G_TIME_SPAN_SECOND)
#define PRUNE_US        (60 * 60 * G_TIME_SPAN_SECOND)
#define MILTER          "milter"

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
    JournalReader *accepted;
    guint64 reading_seq;          /* up to here in this round ... */
    _Atomic guint64 accepted_seq; /* ... and in rounds that were kept */
    GPtrArray *texts;             /* the round's events, as JSON ... */
    GArray *entries;              /* ... and as journal entries */
    gint64 complained_us, pruned_us;
    GThread *thread;
    GMutex mutex;
    GCond wake;
    gboolean stopping;
};

MailFollower *mail_follower_new(const Config *config, GError **error)
{
    g_autoptr(MailFollower) follower = g_new0(MailFollower, 1);
    g_autofree char *path = config_path(config, CONFIG_SPOOL_DIR, "worker/worker.db");
    guint64 seq = 0;

    g_mutex_init(&follower->mutex);
    g_cond_init(&follower->wake);
    follower->config = config;
    follower->tls = tls_memory_new();
    follower->edge = edge_open(config_string(config, CONFIG_EDGE_DIR));
    follower->texts = g_ptr_array_new_with_free_func(g_free);
    follower->entries = g_array_new(FALSE, FALSE, sizeof(JournalEntry));
    if (!(follower->book = queue_book_open(path, error)) ||
        !(follower->journal =
              journal_open(config_string(config, CONFIG_SPOOL_DIR), "worker", NULL, error)))
        return NULL;
    g_autofree char *position = queue_book_position(follower->book, MILTER);
    if (position && g_ascii_string_to_unsigned(position, 10, 0, G_MAXUINT64, &seq, NULL))
        atomic_store(&follower->accepted_seq, seq);
    follower->reading_seq = seq;
    return g_steal_pointer(&follower);
}

/* Remembers the queue id that the milter gave the message to. */
static void bind_accepted(MailFollower *follower, const JournalRecord *record)
{
    struct json_object *event = json_tokener_parse(record->json);
    struct json_object *id, *server, *queue_id;

    if (json_object_object_get_ex(event, "id", &id) &&
        json_object_object_get_ex(event, "server", &server) &&
        json_object_object_get_ex(event, "queue_id", &queue_id)) {
        const QueueEntry entry = {.id = (guint64)json_object_get_int64(id),
                                  .server = (guint32)json_object_get_int64(server)};
        queue_book_bind(follower->book, json_object_get_string(queue_id), &entry, record->at_us);
    }
    json_object_put(event);
}

/* Reads what the milter has accepted since; a journal that is not there yet has nothing. */
static void read_accepted(MailFollower *follower)
{
    const char *spool = config_string(follower->config, CONFIG_SPOOL_DIR);
    JournalRecord record;
    JournalRead result;

    if (!follower->accepted)
        follower->accepted = journal_reader_open(spool, MILTER, follower->reading_seq, NULL);
    while (follower->accepted) {
        g_autoptr(GError) error = NULL;
        result = journal_reader_next(follower->accepted, &record, &error);
        if (result == JOURNAL_READ_RECORD) {
            follower->reading_seq = record.seq;
            if (record.type == EVENT_MESSAGE_ACCEPTED)
                bind_accepted(follower, &record);
        } else if (result == JOURNAL_READ_END || journal_reader_skip(follower->accepted) == 0) {
            break;
        }
    }
    g_autofree char *position = g_strdup_printf("%" G_GUINT64_FORMAT, follower->reading_seq);
    queue_book_set_position(follower->book, MILTER, position);
}

guint64 mail_follower_keep(const char *program, gpointer data)
{
    MailFollower *follower = data;

    return strcmp(program, MILTER) == 0 ? atomic_load(&follower->accepted_seq) : G_MAXUINT64;
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

static void add_event(MailFollower *follower, const MailLine *line, const QueueEntry *message)
{
    MailEventFacts facts = {.node = (guint)config_int(follower->config, CONFIG_NODE_ID),
                            .message = *message};
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
static gboolean find_accepted(MailFollower *follower, const char *queue_id, QueueEntry *entry)
{
    if (queue_book_find(follower->book, queue_id, entry))
        return TRUE;
    read_accepted(follower);
    return queue_book_find(follower->book, queue_id, entry);
}

/* Ties a queue id to the message in its sender. Every recipient of a message knows its return path, and may
 * send with it: only a queue id that the milter named (or the one it was requeued from) is that message.
 * A queue id that another sender has now was used before, and is forgotten. */
static void bind_sender(MailFollower *follower, const MailLine *line, const char *queue_id)
{
    g_autofree char *from = g_strndup(line->from.data, line->from.length);
    const char *domain = config_string(follower->config, CONFIG_RETURN_PATH_DOMAIN);
    QueueEntry entry;
    ReturnPath path;

    if (line->from.length == 0) {
        find_accepted(follower, queue_id, &entry);
    } else if (return_path_open(follower->ring, from, domain, &path, NULL) &&
               path.kind == RETURN_PATH_MESSAGE && find_accepted(follower, queue_id, &entry)) {
        entry = (QueueEntry){.id = path.id, .server = path.server};
        queue_book_bind(follower->book, queue_id, &entry, line->at_us);
    } else {
        queue_book_forget(follower->book, queue_id);
    }
}

static void bind_requeued(MailFollower *follower, const MailLine *line, const char *queue_id)
{
    g_autofree char *parent = g_strndup(line->parent.data, line->parent.length);
    QueueEntry entry;

    if (queue_book_find(follower->book, parent, &entry))
        queue_book_bind(follower->book, queue_id, &entry, line->at_us);
}

static void take_line(MailFollower *follower, const MailLine *line)
{
    g_autofree char *queue_id = g_strndup(line->queue_id.data, line->queue_id.length);
    QueueEntry entry;

    if (line->kind == MAIL_LINE_TLS)
        tls_memory_note(follower->tls, line);
    if (line->queue_id.length == 0 || line->kind == MAIL_LINE_OTHER)
        return;
    if (line->kind == MAIL_LINE_QUEUED || line->kind == MAIL_LINE_HELD)
        bind_sender(follower, line, queue_id);
    else if (line->kind == MAIL_LINE_REQUEUED)
        bind_requeued(follower, line, queue_id);
    if (!queue_book_find(follower->book, queue_id, &entry))
        return;
    add_event(follower, line, &entry);
    if (line->kind == MAIL_LINE_REMOVED)
        queue_book_forget(follower->book, queue_id);
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

static void prune(MailFollower *follower)
{
    gint64 now = g_get_real_time();

    if (now - follower->pruned_us < PRUNE_US)
        return;
    follower->pruned_us = now;
    queue_book_prune(follower->book, now - QUEUE_BOOK_DAYS * G_TIME_SPAN_DAY);
}

/* What this round took from the milter's journal is to be read again. */
static void read_accepted_again(MailFollower *follower)
{
    follower->reading_seq = atomic_load(&follower->accepted_seq);
    g_clear_pointer(&follower->accepted, journal_reader_close);
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
    read_accepted(follower);
    /* What was read before the log failed counts. */
    gboolean readable = read_lines(follower, lines, &unreadable);
    prune(follower);
    if (!keep_round(follower, error)) {
        read_accepted_again(follower);
        g_clear_pointer(&follower->source, log_source_close);
        return FALSE;
    }
    atomic_store(&follower->accepted_seq, follower->reading_seq);
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
    journal_reader_close(follower->accepted);
    journal_close(follower->journal);
    queue_book_close(follower->book);
    tls_memory_free(follower->tls);
    edge_close(follower->edge);
    ring_free(follower->ring);
    if (follower->lanes)
        g_array_unref(follower->lanes);
    g_ptr_array_unref(follower->texts);
    g_array_unref(follower->entries);
    g_mutex_clear(&follower->mutex);
    g_cond_clear(&follower->wake);
    g_free(follower);
}
