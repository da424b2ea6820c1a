/* SPDX-License-Identifier: MIT */
#include "worker/queue_snapshot.h"

#include <json-c/json.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/seal/return_path.h"
#include "worker/recipient_key.h"

#define MAIL_MAX   500000
#define JSON_DEPTH 8

struct QueueSnapshot {
    gint64 at_us;
    GArray *mail; /* of QueuedMail, in order once ended */
};

QueueSnapshot *queue_snapshot_new(gint64 at_us)
{
    QueueSnapshot *snapshot = g_new0(QueueSnapshot, 1);

    snapshot->at_us = at_us;
    snapshot->mail = g_array_new(FALSE, FALSE, sizeof(QueuedMail));
    return snapshot;
}

void queue_snapshot_free(QueueSnapshot *snapshot)
{
    if (!snapshot)
        return;
    g_array_unref(snapshot->mail);
    g_free(snapshot);
}

gint64 queue_snapshot_at(const QueueSnapshot *snapshot)
{
    return snapshot->at_us;
}

static const char *text(struct json_object *object, const char *key)
{
    struct json_object *value;

    if (!json_object_object_get_ex(object, key, &value) ||
        !json_object_is_type(value, json_type_string))
        return NULL;
    return json_object_get_string(value);
}

static gboolean add(QueueSnapshot *snapshot, const QueuedMail *mail, GError **error)
{
    if (snapshot->mail->len >= MAIL_MAX) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_TOO_LARGE,
                    "Postfix's queue holds more than %d messages of ours", MAIL_MAX);
        return FALSE;
    }
    g_array_append_vals(snapshot->mail, mail, 1);
    return TRUE;
}

static gboolean add_submission(QueueSnapshot *snapshot, QueuedMail *mail, struct json_object *entry,
                               GError **error)
{
    struct json_object *recipients;

    if (!json_object_object_get_ex(entry, "recipients", &recipients) ||
        !json_object_is_type(recipients, json_type_array))
        return TRUE;
    for (gsize i = 0; i < json_object_array_length(recipients); i++) {
        const char *address = text(json_object_array_get_idx(recipients, i), "address");
        if (!address)
            continue;
        mail->recipient = recipient_key(address, -1);
        if (!add(snapshot, mail, error))
            return FALSE;
    }
    return TRUE;
}

/* All but submissions is known by its queue id, too, as history may name one: null senders are not sealed, and what
 * came in keeps its sender. */
static gboolean add_entry(QueueSnapshot *snapshot, const KeyRing *ring, struct json_object *entry,
                          GError **error)
{
    const char *queue_id = text(entry, "queue_id"), *queue = text(entry, "queue_name"),
               *sender = text(entry, "sender");
    QueuedMail mail = {.kind = QUEUED_ANY, .held = g_strcmp0(queue, "hold") == 0};
    ReturnPath path;

    if (!queue_id || strlen(queue_id) > MAIL_QUEUE_ID_MAX || !sender) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                    "postqueue -j: an entry without queue_id or sender");
        return FALSE;
    }
    g_strlcpy(mail.queue_id, queue_id, sizeof(mail.queue_id));
    gboolean sealed = return_path_open(ring, sender, &path, NULL);
    if ((!sealed || path.kind != RETURN_PATH_SUBMISSION) && !add(snapshot, &mail, error))
        return FALSE;
    if (!sealed)
        return TRUE;
    mail.id = path.id;
    mail.kind = path.kind == RETURN_PATH_SUBMISSION ? QUEUED_SUBMISSION : QUEUED_MESSAGE;
    if (path.kind == RETURN_PATH_SUBMISSION)
        return add_submission(snapshot, &mail, entry, error);
    return add(snapshot, &mail, error);
}

gboolean queue_snapshot_add(QueueSnapshot *snapshot, const KeyRing *ring, const char *line,
                            gsize length, GError **error)
{
    struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH);
    struct json_object *entry =
        length <= G_MAXINT ? json_tokener_parse_ex(tokener, line, (int)length) : NULL;
    gboolean done = FALSE;

    json_tokener_free(tokener);
    if (json_object_is_type(entry, json_type_object))
        done = add_entry(snapshot, ring, entry, error);
    else
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                    "postqueue -j: a line is no JSON object");
    json_object_put(entry);
    return done;
}

static int compare_numbers(guint64 a, guint64 b)
{
    return (a > b) - (a < b);
}

static int compare(gconstpointer one, gconstpointer two)
{
    const QueuedMail *a = one, *b = two;
    int order = compare_numbers(a->kind, b->kind);

    if (order == 0)
        order = compare_numbers(a->id, b->id);
    if (order == 0)
        order = compare_numbers(a->recipient, b->recipient);
    return order ? order : strcmp(a->queue_id, b->queue_id);
}

void queue_snapshot_end(QueueSnapshot *snapshot)
{
    g_array_sort(snapshot->mail, compare);
}

/* Index of the first mail that is not before what is looked for. */
static guint lower_bound(const GArray *mail, const QueuedMail *wanted)
{
    guint low = 0, high = mail->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (compare(&g_array_index(mail, QueuedMail, middle), wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const QueuedMail *queue_snapshot_find(const QueueSnapshot *snapshot, QueuedKind kind, guint64 id,
                                      guint64 recipient, const char *queue_id)
{
    QueuedMail wanted = {.kind = kind, .id = id, .recipient = recipient};
    const QueuedMail *first = NULL;

    if (kind == QUEUED_ANY && queue_id)
        g_strlcpy(wanted.queue_id, queue_id, sizeof(wanted.queue_id));
    for (guint i = lower_bound(snapshot->mail, &wanted); i < snapshot->mail->len; i++) {
        const QueuedMail *mail = &g_array_index(snapshot->mail, QueuedMail, i);
        if (mail->kind != kind || mail->id != id || (recipient && mail->recipient != recipient))
            break;
        if (queue_id && strcmp(mail->queue_id, queue_id) == 0)
            return mail;
        if (kind == QUEUED_ANY)
            break;
        if (!first)
            first = mail;
    }
    return first;
}
