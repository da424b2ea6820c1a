/* SPDX-License-Identifier: MIT */
#include "worker/line_taker.h"

#include "lib/edge/edge.h"
#include "lib/journal/journal.h"
#include "lib/log/log.h"
#include "lib/seal/return_path.h"
#include "worker/mail_event.h"
#include "worker/recipient_key.h"
#include "worker/tls_memory.h"

#define LANES_AGE_US (5 * G_TIME_SPAN_SECOND)

struct LineTaker {
    const Config *config;
    QueueBook *book;
    MilterReader *milter;
    KeyRing *ring; /* NULL: to be loaded */
    TlsMemory *tls;
    Edge *edge;
    GArray *lanes; /* of EdgeLane */
    gint64 lanes_us;
    GPtrArray *texts; /* the round's events, as JSON ... */
    GArray *entries;  /* ... and as journal entries */
};

LineTaker *line_taker_new(const Config *config, QueueBook *book, MilterReader *milter)
{
    LineTaker *taker = g_new0(LineTaker, 1);

    taker->config = config;
    taker->book = book;
    taker->milter = milter;
    taker->tls = tls_memory_new();
    taker->edge = edge_open(config_string(config, CONFIG_EDGE_DIR));
    taker->texts = g_ptr_array_new_with_free_func(g_free);
    taker->entries = g_array_new(FALSE, FALSE, sizeof(JournalEntry));
    return taker;
}

void line_taker_free(LineTaker *taker)
{
    if (!taker)
        return;
    tls_memory_free(taker->tls);
    edge_close(taker->edge);
    ring_free(taker->ring);
    if (taker->lanes)
        g_array_unref(taker->lanes);
    g_ptr_array_unref(taker->texts);
    g_array_unref(taker->entries);
    g_free(taker);
}

gboolean line_taker_begin(LineTaker *taker, GError **error)
{
    g_array_set_size(taker->entries, 0);
    g_ptr_array_set_size(taker->texts, 0);
    if (!taker->ring) {
        g_autofree char *path = config_path(taker->config, CONFIG_KEY_DIR, "return");
        taker->ring = ring_load(path, error);
    }
    return taker->ring != NULL;
}

const GArray *line_taker_entries(const LineTaker *taker)
{
    return taker->entries;
}

static const EdgeLane *search_lane(const LineTaker *taker, guint32 lane)
{
    for (guint i = 0; taker->lanes && i < taker->lanes->len; i++)
        if (g_array_index(taker->lanes, EdgeLane, i).lane == lane)
            return &g_array_index(taker->lanes, EdgeLane, i);
    return NULL;
}

/* The lane that a line's transport stands for; the list is read again when it may be old. */
static const EdgeLane *find_lane(LineTaker *taker, guint32 lane)
{
    gint64 now = g_get_monotonic_time();
    const EdgeLane *found = search_lane(taker, lane);

    if (found && now - taker->lanes_us < LANES_AGE_US)
        return found;
    GArray *lanes = edge_lanes(taker->edge, NULL);
    if (!lanes)
        return found;
    g_clear_pointer(&taker->lanes, g_array_unref);
    taker->lanes = lanes;
    taker->lanes_us = now;
    return search_lane(taker, lane);
}

/* What a line says of a message, as an event. */
static void add_event(LineTaker *taker, const MailLine *line, const QueueEntry *about)
{
    MailEventFacts facts = {.node = (guint)config_int(taker->config, CONFIG_NODE_ID),
                            .about = *about};
    guint32 number = mail_line_lane(line);
    const EdgeLane *lane = number ? find_lane(taker, number) : NULL;
    JournalEntry entry = {.at_us = line->at_us, .length = -1};

    if (line->kind == MAIL_LINE_DELIVERY)
        facts.tls = tls_memory_of(taker->tls, line);
    if (lane && line->relay.length > 0) {
        facts.source = mail_line_relay_is_ipv6(line) ? lane->ipv6 : lane->ipv4;
        facts.helo = lane->helo;
    }
    char *json = mail_event_build(line, &facts, &entry.type);
    if (!json)
        return;
    g_ptr_array_add(taker->texts, json);
    entry.json = json;
    g_array_append_val(taker->entries, entry);
}

/* Whether the milter named this queue id: it does so before Postfix queues the message. */
static gboolean find_named(LineTaker *taker, const char *queue_id, QueueEntry *entry)
{
    if (queue_book_find(taker->book, queue_id, entry))
        return TRUE;
    milter_reader_read(taker->milter);
    return queue_book_find(taker->book, queue_id, entry);
}

/* Whether the sender of a queue file is sealed for what the milter named its queue id for. A name that came
 * for a younger message, which took a short queue id over, gives way to the seal. */
static gboolean sender_agrees(LineTaker *taker, const char *from, const char *queue_id,
                              QueueEntry *entry)
{
    ReturnPath path;

    if (!return_path_open(taker->ring, from, &path, NULL) || !find_named(taker, queue_id, entry))
        return FALSE;
    if (path.kind == RETURN_PATH_SUBMISSION)
        return entry->n > 0 && entry->id == path.id;
    if (entry->n > 0 || entry->id != path.id)
        *entry = (QueueEntry){.id = path.id, .server = path.server};
    return TRUE;
}

/* Null senders are not sealed, and what came in keeps its sender: of anybody, another message's return path too. */
static gboolean is_named(LineTaker *taker, const MailLine *line, const char *queue_id,
                         QueueEntry *entry)
{
    return find_named(taker, queue_id, entry) && entry->n == 0 &&
           (line->from.length == 0 || entry->said & QUEUE_SAID_INCOMING);
}

/* Ties a queue id to what is sealed in its sender. Every recipient of a message knows its return path, and
 * may send with it: only a queue id that the milter named (or the one it was requeued from) is that message.
 * A queue id that another sender has now was used before, and is forgotten. */
static gboolean bind_sender(LineTaker *taker, const MailLine *line, const char *queue_id,
                            QueueEntry *entry)
{
    g_autofree char *from = g_strndup(line->from.data, line->from.length);

    if (is_named(taker, line, queue_id, entry) || sender_agrees(taker, from, queue_id, entry))
        return TRUE;
    queue_book_forget(taker->book, queue_id);
    return FALSE;
}

/* What the queue manager has is not on hold any more, even if the line that said so is not there: a
 * release of many is more than some logs take, and requeueing is a release that is not called one. */
static void take_silent_release(LineTaker *taker, const MailLine *line, QueueEntry *entry)
{
    MailLine released = *line;

    if (line->kind != MAIL_LINE_QUEUED || !(entry->said & QUEUE_SAID_HELD))
        return;
    released.kind = MAIL_LINE_RELEASED;
    add_event(taker, &released, entry);
    entry->said &= ~(guint)QUEUE_SAID_HELD;
}

/* Postfix has it, or holds it: said once of a queue id. */
static void take_queued(LineTaker *taker, const MailLine *line, const char *queue_id)
{
    const guint said = line->kind == MAIL_LINE_HELD ? QUEUE_SAID_HELD : QUEUE_SAID_QUEUED;
    QueueEntry entry;

    if (!bind_sender(taker, line, queue_id, &entry))
        return;
    take_silent_release(taker, line, &entry);
    if (!(entry.said & said))
        add_event(taker, line, &entry);
    if (entry.base && !(entry.said & said))
        queue_book_made(taker->book, entry.base, entry.recipient, entry.id);
    entry.said |= said;
    queue_book_bind(taker->book, queue_id, &entry, line->at_us);
}

static void take_requeued(LineTaker *taker, const MailLine *line, const char *queue_id)
{
    g_autofree char *parent = g_strndup(line->parent.data, line->parent.length);
    QueueEntry entry;

    if (!queue_book_find(taker->book, parent, &entry))
        return;
    entry.said &= QUEUE_SAID_HELD | QUEUE_SAID_INCOMING;
    g_strlcpy(entry.parent, parent, sizeof(entry.parent));
    queue_book_bind(taker->book, queue_id, &entry, line->at_us);
}

static guint64 key_of(MailText address)
{
    return address.length > 0 ? recipient_key(address.data, (gssize)address.length) : 0;
}

/* A delivery to somebody else (of a BCC or alias map) is not the message's. */
static void take_delivery(LineTaker *taker, const MailLine *line, const char *queue_id,
                          const QueueEntry *entry)
{
    if (entry->recipient == 0 || key_of(line->to) == entry->recipient ||
        key_of(line->original) == entry->recipient) {
        add_event(taker, line, entry);
        return;
    }
    g_autofree char *to = g_strndup(line->to.data, line->to.length);
    log_debug(queue_id, "delivery to another recipient is not the message's",
              LOG_ID("id", entry->id), LOG_TEXT("to", to));
}

/* The messages of a line's recipient, or of the one that an alias map made it of. */
static GArray *messages_of(LineTaker *taker, guint64 base, guint64 to, guint64 original)
{
    GArray *messages = queue_book_recipient(taker->book, base, to);

    if (messages->len > 0 || original == 0)
        return messages;
    g_array_unref(messages);
    return queue_book_recipient(taker->book, base, original);
}

static void take_stranger(LineTaker *taker, const MailLine *line, const char *queue_id,
                          QueueEntry *submission)
{
    g_autofree char *to = g_strndup(line->to.data, line->to.length);

    if (submission->said & QUEUE_SAID_STRANGER)
        return;
    log_info(queue_id, "recipient is none of the submission's, not recorded",
             LOG_ID("base", submission->id), LOG_TEXT("to", to));
    submission->said |= QUEUE_SAID_STRANGER;
    queue_book_bind(taker->book, queue_id, submission, line->at_us);
}

/* Until the hop has taken a recipient's message over, these lines tell its story. Then its own queue id does,
 * even when the hop's answer was lost and Postfix tries once more. What another transport sent, as of a requeued
 * submission to a local recipient, is sent. */
static void take_hop_delivery(LineTaker *taker, const MailLine *line, const char *queue_id,
                              QueueEntry *submission)
{
    const guint64 to = key_of(line->to), original = key_of(line->original);
    g_autoptr(GArray) messages = messages_of(taker, submission->id, to, original);

    if (messages->len == 0)
        take_stranger(taker, line, queue_id, submission);
    for (guint i = 0; i < messages->len; i++) {
        const QueueRecipient *found = &g_array_index(messages, QueueRecipient, i);
        const QueueEntry message = {.id = found->id, .server = submission->server};
        if (found->made)
            continue;
        if (line->status != MAIL_STATUS_SENT || !mail_line_is_hop(line))
            add_event(taker, line, &message);
        if (line->status != MAIL_STATUS_DEFERRED) {
            queue_book_made(taker->book, submission->id, to, found->id);
            queue_book_made(taker->book, submission->id, original, found->id);
        }
    }
}

/* The submission is given up or deleted: that ends the messages which the hop has not made. */
static void take_for_unmade(LineTaker *taker, const MailLine *line, const QueueEntry *submission)
{
    g_autoptr(GArray) unmade = queue_book_unmade(taker->book, submission->id);

    for (guint i = 0; i < unmade->len; i++) {
        const QueueEntry message = {.id = g_array_index(unmade, QueueRecipient, i).id,
                                    .server = submission->server};
        add_event(taker, line, &message);
    }
}

static void take_outcome(LineTaker *taker, const MailLine *line, const char *queue_id)
{
    QueueEntry entry;

    if (!queue_book_find(taker->book, queue_id, &entry))
        return;
    if (line->kind == MAIL_LINE_DELIVERY && entry.n > 0)
        take_hop_delivery(taker, line, queue_id, &entry);
    else if (line->kind == MAIL_LINE_DELIVERY)
        take_delivery(taker, line, queue_id, &entry);
    else if (line->kind == MAIL_LINE_EXPIRED && entry.n > 0)
        take_for_unmade(taker, line, &entry);
    else
        add_event(taker, line, &entry);
    if (line->kind == MAIL_LINE_REMOVED)
        queue_book_forget(taker->book, queue_id);
}

/* An admin holds it, or lets it go. Of a submission that is remembered only: what the hop makes of it
 * meanwhile is not held. */
static void take_hold(LineTaker *taker, const MailLine *line, const char *queue_id)
{
    const gboolean held = line->kind == MAIL_LINE_PLACED;
    QueueEntry entry;

    if (!queue_book_find(taker->book, queue_id, &entry))
        return;
    if (!held || !(entry.said & QUEUE_SAID_HELD))
        add_event(taker, line, &entry);
    entry.said = (entry.said & ~(guint)QUEUE_SAID_HELD) | (held ? QUEUE_SAID_HELD : 0);
    queue_book_bind(taker->book, queue_id, &entry, line->at_us);
}

/* An admin deletes it. Of what was held that is an end; why the rest was deleted nobody says. */
static void take_deleted(LineTaker *taker, const MailLine *line, const char *queue_id)
{
    MailLine removed = *line;
    QueueEntry entry;

    if (queue_book_find(taker->book, queue_id, &entry) && entry.said & QUEUE_SAID_HELD) {
        if (entry.n > 0)
            take_for_unmade(taker, line, &entry);
        else
            add_event(taker, line, &entry);
    }
    removed.kind = MAIL_LINE_REMOVED;
    take_outcome(taker, &removed, queue_id);
}

void line_taker_take(LineTaker *taker, const MailLine *line)
{
    g_autofree char *queue_id = g_strndup(line->queue_id.data, line->queue_id.length);

    if (line->kind == MAIL_LINE_TLS)
        tls_memory_note(taker->tls, line);
    if (line->queue_id.length == 0)
        return;
    switch (line->kind) {
    case MAIL_LINE_QUEUED:
    case MAIL_LINE_HELD:
        take_queued(taker, line, queue_id);
        break;
    case MAIL_LINE_REQUEUED:
        take_requeued(taker, line, queue_id);
        break;
    case MAIL_LINE_DELIVERY:
    case MAIL_LINE_EXPIRED:
    case MAIL_LINE_REMOVED:
        take_outcome(taker, line, queue_id);
        break;
    case MAIL_LINE_PLACED:
    case MAIL_LINE_RELEASED:
        take_hold(taker, line, queue_id);
        break;
    case MAIL_LINE_DELETED:
        take_deleted(taker, line, queue_id);
        break;
    case MAIL_LINE_OTHER:
    case MAIL_LINE_TLS:
        break;
    }
}
