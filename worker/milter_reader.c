/* SPDX-License-Identifier: MIT */
#include "worker/milter_reader.h"

#include <json-c/json.h>
#include <stdatomic.h>
#include <string.h>

#include "lib/base/id.h"
#include "lib/journal/journal.h"
#include "lib/journal/reader.h"
#include "worker/recipient_key.h"

#define MILTER journal_program_name(JOURNAL_OF_MILTER)

struct MilterReader {
    char *spool_dir;
    QueueBook *book;
    JournalReader *journal; /* NULL: to be opened behind seq */
    char *epoch;            /* of the journal that seq counts in; NULL: not known */
    guint64 seq;            /* read up to here ... */
    _Atomic guint64 kept;   /* ... and kept */
};

MilterReader *milter_reader_new(const char *spool_dir, QueueBook *book)
{
    MilterReader *reader = g_new0(MilterReader, 1);
    g_autofree char *position = queue_book_position(book, MILTER);

    reader->spool_dir = g_strdup(spool_dir);
    reader->book = book;
    if (position) {
        g_auto(GStrv) words = g_strsplit(position, " ", 2);
        g_ascii_string_to_unsigned(words[0], 10, 0, G_MAXUINT64, &reader->seq, NULL);
        reader->epoch = g_strdup(words[1]);
    }
    atomic_store(&reader->kept, reader->seq);
    return reader;
}

void milter_reader_free(MilterReader *reader)
{
    if (!reader)
        return;
    journal_reader_close(reader->journal);
    g_free(reader->spool_dir);
    g_free(reader->epoch);
    g_free(reader);
}

static guint64 number(struct json_object *event, const char *key)
{
    struct json_object *value;

    return json_object_object_get_ex(event, key, &value) ? (guint64)json_object_get_int64(value)
                                                         : 0;
}

/* NULL: absent. */
static const char *text(struct json_object *event, const char *key)
{
    struct json_object *value;

    return json_object_object_get_ex(event, key, &value) ? json_object_get_string(value) : NULL;
}

static gboolean is_true(struct json_object *event, const char *key)
{
    struct json_object *value;

    return json_object_object_get_ex(event, key, &value) && json_object_get_boolean(value);
}

static void take_accepted(MilterReader *reader, struct json_object *event, gint64 at_us)
{
    const char *queue_id = text(event, "queue_id"), *to = text(event, "to");
    const char *recipient = to ? to : text(event, "rcpt");
    QueueEntry entry = {.said = number(event, "route") ? QUEUE_SAID_INCOMING : 0,
                        .id = number(event, "id"),
                        .server = (guint32)number(event, "server"),
                        .recipient = recipient ? recipient_key(recipient, -1) : 0,
                        .base = is_true(event, "hop") ? number(event, "base") : 0};

    if (entry.id && queue_id)
        queue_book_bind(reader->book, queue_id, &entry, at_us);
}

/* A submission of one recipient has its message's queue id, and is not split. */
static void take_admitted(MilterReader *reader, struct json_object *event, gint64 at_us)
{
    const char *queue_id = text(event, "queue_id");
    struct json_object *recipients;
    QueueEntry entry = {.id = number(event, "base"),
                        .server = (guint32)number(event, "server"),
                        .n = (guint)number(event, "n")};

    if (!is_true(event, "hop") || !entry.id || !entry.n || !queue_id ||
        !json_object_object_get_ex(event, "rcpts", &recipients) ||
        !json_object_is_type(recipients, json_type_array))
        return;
    queue_book_bind(reader->book, queue_id, &entry, at_us);
    for (gsize i = 0; i < json_object_array_length(recipients) && i < entry.n; i++) {
        const char *recipient = json_object_get_string(json_object_array_get_idx(recipients, i));
        if (recipient)
            queue_book_add_recipient(reader->book, entry.id, recipient_key(recipient, -1),
                                     id_at(entry.id, (guint)i));
    }
}

static void take_record(MilterReader *reader, const JournalRecord *record)
{
    struct json_object *event;

    if (record->type != EVENT_MESSAGE_ACCEPTED && record->type != EVENT_SUBMISSION_ADMITTED)
        return;
    if (!(event = json_tokener_parse(record->json)))
        return;
    if (record->type == EVENT_MESSAGE_ACCEPTED)
        take_accepted(reader, event, record->at_us);
    else
        take_admitted(reader, event, record->at_us);
    json_object_put(event);
}

/* One record; FALSE at the end. A damaged segment is passed over; the applier says so. */
static gboolean read_one(MilterReader *reader)
{
    g_autoptr(GError) error = NULL;
    JournalRecord record;

    switch (journal_reader_next(reader->journal, &record, &error)) {
    case JOURNAL_READ_RECORD:
        reader->seq = record.seq;
        take_record(reader, &record);
        return TRUE;
    case JOURNAL_READ_FAILED:
        return journal_reader_skip(reader->journal) > 0;
    case JOURNAL_READ_END:
        break;
    }
    return FALSE;
}

/* A journal of another epoch was wiped and begins again. */
static void open_journal(MilterReader *reader)
{
    g_autofree char *epoch = journal_epoch(reader->spool_dir, MILTER, NULL);

    if (!epoch)
        return;
    if (reader->epoch && strcmp(reader->epoch, epoch) != 0)
        reader->seq = 0;
    reader->journal = journal_reader_open(reader->spool_dir, MILTER, reader->seq, NULL);
    g_free(reader->epoch);
    reader->epoch = g_steal_pointer(&epoch);
}

gboolean milter_reader_read(MilterReader *reader)
{
    guint64 before = reader->seq;
    guint records = 0;

    if (!reader->journal)
        open_journal(reader);
    while (reader->journal && records < MILTER_READER_RECORDS && read_one(reader))
        records++;
    if (reader->seq != before) {
        g_autofree char *position =
            g_strdup_printf("%" G_GUINT64_FORMAT " %s", reader->seq, reader->epoch);
        queue_book_set_position(reader->book, MILTER, position);
    }
    return records < MILTER_READER_RECORDS;
}

void milter_reader_keep(MilterReader *reader)
{
    atomic_store(&reader->kept, reader->seq);
}

void milter_reader_undo(MilterReader *reader)
{
    reader->seq = atomic_load(&reader->kept);
    g_clear_pointer(&reader->journal, journal_reader_close);
}

guint64 milter_reader_kept(const MilterReader *reader)
{
    return atomic_load(&reader->kept);
}
