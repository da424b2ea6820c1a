/* SPDX-License-Identifier: MIT */
#include "cli/hold_walk.h"

#include "lib/base/error.h"
#include "lib/base/id.h"

#define LATER_US   (G_USEC_PER_SEC / 10) /* when it is asked again */
#define NO_ROOM_US (60 * G_USEC_PER_SEC) /* how long there may be no room at all */

typedef gboolean (*PageFunc)(Record *page, gpointer data, gboolean *enough, GError **error);

Record *hold_find(Sql *sql, const HoldFilter *filter, GError **error)
{
    const SqlParameter parameters[] = {SQL_UNSIGNED(filter->after),
                                       SQL_TEXT(filter->rule),
                                       SQL_TEXT(filter->rule),
                                       SQL_TEXT(filter->recipient),
                                       SQL_TEXT(filter->recipient),
                                       SQL_UNSIGNED(filter->organization),
                                       SQL_UNSIGNED(filter->organization),
                                       SQL_UNSIGNED(filter->limit)};
    const SqlParameter of_server[] = {SQL_UNSIGNED(filter->after), SQL_TEXT(filter->rule),
                                      SQL_TEXT(filter->rule),      SQL_TEXT(filter->recipient),
                                      SQL_TEXT(filter->recipient), SQL_UNSIGNED(filter->server),
                                      SQL_UNSIGNED(filter->limit)};

    return filter->server
               ? record_list(sql, SQL_HOLD_LIST_SERVER, of_server, G_N_ELEMENTS(of_server), error)
               : record_list(sql, SQL_HOLD_LIST, parameters, G_N_ELEMENTS(parameters), error);
}

static HoldMessage message_of(const Record *row, guint64 id, gboolean on_hold)
{
    return (HoldMessage){.id = id,
                         .status = row ? record_text(row, "status") : NULL,
                         .on_hold = on_hold,
                         .queue_id = row ? record_text(row, "queue_id") : NULL};
}

static void add_not_done(const HoldWalk *walk, guint64 id, const char *queue_id, const char *reason)
{
    Record *entry = json_object_new_object();

    json_object_object_add(entry, "id", json_object_new_int64((gint64)id));
    json_object_object_add(entry, "queue_id", queue_id ? json_object_new_string(queue_id) : NULL);
    json_object_object_add(entry, "reason", json_object_new_string(reason));
    json_object_array_add(walk->not_done, entry);
}

static void take_answer(guint64 id, const QueueAnswer *answer, gpointer data)
{
    HoldWalk *walk = data;

    walk->results[answer->result]++;
    if (answer->result != QUEUE_REFUSED)
        return;
    g_autofree char *reason = g_strconcat("refused: ", answer->why, NULL);
    add_not_done(walk, id, answer->id, reason);
}

/* Until all is answered: what has no room now is asked for again. */
static gboolean send_batch(HoldWalk *walk, GError **error)
{
    gint64 since = g_get_monotonic_time();

    for (guint left; (left = hold_batch_count(walk->batch)) > 0; g_usleep(LATER_US)) {
        walk->stopped = walk->stopped || !walk->go_on(walk);
        if (walk->stopped)
            return TRUE;
        if (!hold_batch_send(walk->batch, take_answer, walk, error))
            return FALSE;
        if (hold_batch_count(walk->batch) == 0)
            return TRUE;
        if (hold_batch_count(walk->batch) < left)
            since = g_get_monotonic_time();
        if (g_get_monotonic_time() - since > NO_ROOM_US) {
            g_set_error_literal(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                                "for a minute there was no room in Postfix's active queue");
            return FALSE;
        }
    }
    return TRUE;
}

/* Adds a message to the batch, which goes first when it is full. */
static gboolean add_message(HoldWalk *walk, const HoldMessage *message, GError **error)
{
    if (hold_batch_add(walk->batch, message->id, message->queue_id))
        return TRUE;
    if (!send_batch(walk, error))
        return FALSE;
    return walk->stopped || hold_batch_add(walk->batch, message->id, message->queue_id);
}

static void skip_message(HoldWalk *walk, HoldVerdict verdict, const HoldMessage *message)
{
    g_autofree char *reason = hold_why_not(verdict, message, walk->verb);

    walk->not_asked++;
    add_not_done(walk, message->id, message->queue_id, reason);
}

gboolean hold_walk_ids(HoldWalk *walk, const guint64 *ids, guint count, GError **error)
{
    for (guint i = 0; i < count && !walk->stopped; i++) {
        const SqlParameter id[] = {SQL_UNSIGNED(ids[i])};
        g_autoptr(GError) why = NULL;
        g_autoptr(Record) row = record_first(walk->sql, SQL_MESSAGE_FIND, id, 1, &why);
        if (why) {
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
        gboolean on_hold = row && json_object_get_boolean(json_object_object_get(row, "on_hold"));
        HoldMessage message = message_of(row, ids[i], on_hold);
        HoldVerdict verdict = hold_decide(&message, walk->node);
        if (verdict != HOLD_ASK)
            skip_message(walk, verdict, &message);
        else if (!add_message(walk, &message, error))
            return FALSE;
    }
    return send_batch(walk, error);
}

/* Hands over the pages that a filter finds until func has enough. */
static gboolean each_page(Sql *sql, const HoldFilter *filter, PageFunc func, gpointer data,
                          GError **error)
{
    HoldFilter next = *filter;
    gboolean enough = FALSE;
    gsize count;

    next.limit = HOLD_PAGE;
    do {
        g_autoptr(Record) page = hold_find(sql, &next, error);
        if (!page || !func(page, data, &enough, error))
            return FALSE;
        count = json_object_array_length(page);
        if (count > 0)
            next.after = (guint64)record_int(json_object_array_get_idx(page, count - 1), "id");
    } while (!enough && count == HOLD_PAGE);
    return TRUE;
}

typedef struct {
    HoldWalk *walk;
    guint64 newest;
    guint64 elsewhere[ID_NODE_MAX + 1]; /* messages by node */
} Query;

static gboolean take_page(Record *page, gpointer data, gboolean *enough, GError **error)
{
    Query *query = data;
    HoldWalk *walk = query->walk;

    for (gsize i = 0; i < json_object_array_length(page) && !*enough; i++) {
        const Record *row = json_object_array_get_idx(page, i);
        HoldMessage message = message_of(row, (guint64)record_int(row, "id"), TRUE);
        HoldVerdict verdict = hold_decide(&message, walk->node);
        *enough = message.id > query->newest || walk->stopped;
        if (*enough)
            break;
        if (verdict == HOLD_ELSEWHERE)
            query->elsewhere[id_node(message.id)]++;
        else if (verdict != HOLD_ASK)
            skip_message(walk, verdict, &message);
        else if (!add_message(walk, &message, error))
            return FALSE;
    }
    if (!send_batch(walk, error))
        return FALSE;
    *enough |= walk->stopped;
    return TRUE;
}

/* In a query the messages of another node are one entry. */
static void tell_elsewhere(const Query *query)
{
    HoldWalk *walk = query->walk;

    for (guint node = 0; node <= ID_NODE_MAX; node++) {
        guint64 messages = query->elsewhere[node];
        if (messages == 0)
            continue;
        Record *entry = json_object_new_object();
        g_autofree char *reason =
            g_strdup_printf("held by node %u: %s there", node,
                            walk->verb == QUEUE_RELEASE ? "release them" : "cancel them");
        walk->not_asked += messages;
        json_object_object_add(entry, "node", json_object_new_int((gint32)node));
        json_object_object_add(entry, "messages", json_object_new_int64((gint64)messages));
        json_object_object_add(entry, "reason", json_object_new_string(reason));
        json_object_array_add(walk->not_done, entry);
    }
}

gboolean hold_walk_filter(HoldWalk *walk, const HoldFilter *filter, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(Record) newest = record_first(walk->sql, SQL_HOLD_NEWEST, NULL, 0, &why);
    g_autofree Query *query = g_new0(Query, 1);

    if (why) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    if (!newest)
        return TRUE;
    query->walk = walk;
    query->newest = (guint64)record_int(newest, "id");
    gboolean good = each_page(walk->sql, filter, take_page, query, error);
    tell_elsewhere(query);
    return good;
}

typedef struct {
    guint node, most, count;
} Count;

static gboolean count_page(Record *page, gpointer data, gboolean *enough,
                           G_GNUC_UNUSED GError **error)
{
    Count *count = data;

    for (gsize i = 0; i < json_object_array_length(page) && !*enough; i++) {
        const Record *row = json_object_array_get_idx(page, i);
        HoldMessage message = message_of(row, (guint64)record_int(row, "id"), TRUE);
        count->count += hold_decide(&message, count->node) == HOLD_ASK;
        *enough = count->count > count->most;
    }
    return TRUE;
}

gboolean hold_walk_is_more(const HoldWalk *walk, const HoldFilter *filter, guint most,
                           gboolean *more, GError **error)
{
    Count count = {.node = walk->node, .most = most};

    if (!each_page(walk->sql, filter, count_page, &count, error))
        return FALSE;
    *more = count.count > most;
    return TRUE;
}
