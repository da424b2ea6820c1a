/* SPDX-License-Identifier: MIT */
#include "cli/history.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/base/id.h"
#include "lib/wire/reply.h"

#define DAY 86400
#define US  1000000

gboolean history_check_recipient(const char *to, GError **error)
{
    if (g_utf8_validate(to, -1, NULL) && strchr(to, '@'))
        return TRUE;
    g_autofree char *quoted = value_quote(to);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "to: %s: allowed is a mail address",
                quoted);
    return FALSE;
}

static gboolean list_stretch(Sql *sql, const HistoryFilter *filter, guint64 from, guint64 to,
                             Record *list, GError **error)
{
    gsize have = json_object_array_length(list);
    const SqlParameter parameters[] = {SQL_UNSIGNED(from),
                                       SQL_UNSIGNED(to),
                                       SQL_UNSIGNED(filter->server),
                                       SQL_UNSIGNED(filter->server),
                                       SQL_TEXT(filter->status),
                                       SQL_TEXT(filter->status),
                                       SQL_TEXT(filter->recipient),
                                       SQL_TEXT(filter->recipient),
                                       SQL_UNSIGNED(filter->limit - have)};
    g_autoptr(Record) found =
        record_list(sql, SQL_MESSAGE_LIST, parameters, G_N_ELEMENTS(parameters), error);

    if (!found)
        return FALSE;
    for (gsize i = 0; i < json_object_array_length(found); i++)
        json_object_array_add(list, json_object_get(json_object_array_get_idx(found, i)));
    return TRUE;
}

Record *history_list(Sql *sql, const HistoryFilter *filter, GError **error)
{
    g_autoptr(Record) list = json_object_new_array();
    gint64 now = g_get_real_time() / US;
    guint64 to = filter->before ? filter->before : ID_MAX;
    gint64 newest = MIN(now, id_seconds(to));
    gint64 day = newest - newest % DAY;

    for (guint i = 0; to > 0 && json_object_array_length(list) < filter->limit; i++, day -= DAY) {
        guint64 from = i < filter->days ? id_floor(day) : 0;
        if (!list_stretch(sql, filter, from, to, list, error))
            return NULL;
        to = from;
    }
    return g_steal_pointer(&list);
}

static gboolean add_list(Sql *sql, Record *message, const char *key, SqlStatement statement,
                         GError **error)
{
    const SqlParameter id[] = {SQL_UNSIGNED(record_int(message, "id"))};
    Record *list = record_list(sql, statement, id, 1, error);

    if (!list)
        return FALSE;
    json_object_object_add(message, key, list);
    return TRUE;
}

static void add_name(Record *record, const char *key, const char *name)
{
    json_object_object_add(record, key, name ? json_object_new_string(name) : NULL);
}

/* What the words of an attempt are taken for. */
static void add_verdict(Record *delivery)
{
    ReplyVerdict verdict;

    reply_judge(record_text(delivery, "text"), record_text(delivery, "dsn"),
                record_text(delivery, "relay"), &verdict);
    gboolean refused = verdict.class != REPLY_NONE;
    add_name(delivery, "class", refused ? reply_class_name(verdict.class) : NULL);
    add_name(delivery, "permanence", refused ? reply_permanence_name(verdict.permanence) : NULL);
    add_name(delivery, "provider", verdict.provider ? reply_provider_name(verdict.provider) : NULL);
}

gboolean history_complete(Sql *sql, Record *message, GError **error)
{
    if (!add_list(sql, message, "copies", SQL_COPY_LIST, error) ||
        !add_list(sql, message, "deliveries", SQL_DELIVERY_LIST, error))
        return FALSE;
    Record *deliveries = json_object_object_get(message, "deliveries");
    for (gsize i = 0; i < json_object_array_length(deliveries); i++)
        add_verdict(json_object_array_get_idx(deliveries, i));
    return TRUE;
}

Record *history_find(Sql *sql, guint64 id, GError **error)
{
    const SqlParameter parameters[] = {SQL_UNSIGNED(id)};
    g_autoptr(Record) message = record_first(sql, SQL_MESSAGE_FIND, parameters, 1, error);

    if (!message || !history_complete(sql, message, error))
        return NULL;
    return g_steal_pointer(&message);
}
