/* SPDX-License-Identifier: MIT */
#include "lib/history/visits.h"

#include "lib/base/error.h"

VisitorList *history_visitors(const Config *config, GError **error)
{
    g_autoptr(VisitorList) list = visitor_list_new();
    const char *path = config_string(config, CONFIG_VISITORS_FILE);
    g_autofree char *text = NULL;
    g_autoptr(GError) why = NULL;

    if (!*path)
        return g_steal_pointer(&list);
    if (!g_file_get_contents(path, &text, NULL, &why))
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND, "visitors_file: %s",
                    why->message);
    else if (!visitor_list_add(list, text, &why))
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "visitors_file: %s: %s", path,
                    why->message);
    else
        return g_steal_pointer(&list);
    return NULL;
}

/* When the first attempt succeeded. Of a message whose end is not known this is not, either. */
static gint64 delivered_at(const Record *message)
{
    const Record *deliveries = json_object_object_get(message, "deliveries");

    for (gsize i = 0; i < json_object_array_length(deliveries); i++) {
        const Record *delivery = json_object_array_get_idx(deliveries, i);
        if (g_strcmp0(record_text(delivery, "status"), "Sent") == 0)
            return record_int(delivery, "at");
    }
    return g_strcmp0(record_text(message, "status"), "Unknown") == 0 ? VISITOR_DELIVERY_UNKNOWN
                                                                     : VISITOR_NOT_DELIVERED;
}

static void count(Record *record, const char *key, gboolean machine)
{
    g_autofree char *by_machines = g_strconcat(key, "_by_machines", NULL);
    const char *name = machine ? by_machines : key;

    json_object_object_add(record, name, json_object_new_int64(record_int(record, name) + 1));
}

static void begin_counts(Record *record, const char *key)
{
    g_autofree char *by_machines = g_strconcat(key, "_by_machines", NULL);

    json_object_object_add(record, key, json_object_new_int64(0));
    json_object_object_add(record, by_machines, json_object_new_int64(0));
}

static void mark_all(const VisitorList *list, Record *message, Record *visits, guint links)
{
    guint n = (guint)json_object_array_length(visits);
    g_autofree Visit *facts = g_new0(Visit, n + 1);
    g_autofree VisitorMark *marks = g_new0(VisitorMark, n + 1);

    for (guint i = 0; i < n; i++) {
        const Record *visit = json_object_array_get_idx(visits, i);
        facts[i] = (Visit){.at = record_int(visit, "at"),
                           .ordinal = (guint)record_int(visit, "ordinal"),
                           .ip = record_text(visit, "ip"),
                           .agent = record_text(visit, "agent"),
                           .head = g_strcmp0(record_text(visit, "method"), "HEAD") == 0};
    }
    visitor_mark(list, facts, n, delivered_at(message), links, marks);
    for (guint i = 0; i < n; i++) {
        Record *visit = json_object_array_get_idx(visits, i);
        gboolean machine = visitor_mark_is_machine(marks[i]);
        json_object_object_add(visit, "mark", json_object_new_string(visitor_mark_word(marks[i])));
        json_object_object_add(visit, "machine", json_object_new_boolean(machine));
        count(message, facts[i].ordinal ? "clicks" : "opens", machine);
    }
}

/* The links as records, each with its counts; by_ordinal borrows them. */
static Record *read_links(const char *text, GHashTable *by_ordinal)
{
    g_autoptr(Record) pairs = text ? json_tokener_parse(text) : NULL;
    Record *links = json_object_new_array();

    for (gsize i = 0;
         json_object_is_type(pairs, json_type_array) && i < json_object_array_length(pairs); i++) {
        Record *pair = json_object_array_get_idx(pairs, i);
        if (!json_object_is_type(pair, json_type_array) || json_object_array_length(pair) != 2)
            continue;
        Record *link = json_object_new_object();
        gint ordinal = json_object_get_int(json_object_array_get_idx(pair, 0));
        json_object_object_add(link, "ordinal", json_object_new_int(ordinal));
        json_object_object_add(link, "url", json_object_get(json_object_array_get_idx(pair, 1)));
        begin_counts(link, "clicks");
        json_object_array_add(links, link);
        g_hash_table_insert(by_ordinal, GINT_TO_POINTER(ordinal), link);
    }
    return links;
}

static void count_links(GHashTable *by_ordinal, const Record *visits)
{
    for (gsize i = 0; i < json_object_array_length(visits); i++) {
        const Record *visit = json_object_array_get_idx(visits, i);
        Record *link =
            g_hash_table_lookup(by_ordinal, GINT_TO_POINTER((gint)record_int(visit, "ordinal")));
        if (link)
            count(link, "clicks",
                  json_object_get_boolean(json_object_object_get(visit, "machine")));
    }
}

/* Columns that are JSON become what they say. */
static void unfold(Record *tracking, GHashTable *by_ordinal)
{
    const char *skipped = record_text(tracking, "skipped");

    json_object_object_add(tracking, "skipped", skipped ? json_tokener_parse(skipped) : NULL);
    json_object_object_add(tracking, "links",
                           read_links(record_text(tracking, "links"), by_ordinal));
}

gboolean history_visits_add(Sql *sql, const VisitorList *list, Record *message, GError **error)
{
    const SqlParameter parameters[] = {SQL_UNSIGNED(record_int(message, "id")),
                                       SQL_UNSIGNED(HISTORY_VISITS_MAX)};
    g_autoptr(GHashTable) by_ordinal = g_hash_table_new(NULL, NULL);
    g_autoptr(GError) why = NULL;
    g_autoptr(Record) tracking = record_first(sql, SQL_TRACKING_FIND, parameters, 1, &why);
    g_autoptr(Record) visits = why ? NULL : record_list(sql, SQL_VISIT_LIST, parameters, 2, &why);

    if (!visits) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    if (tracking)
        unfold(tracking, by_ordinal);
    begin_counts(message, "clicks");
    begin_counts(message, "opens");
    mark_all(list, message, visits,
             g_hash_table_size(by_ordinal) + (guint)record_int(tracking, "more"));
    count_links(by_ordinal, visits);
    json_object_object_add(message, "tracking", g_steal_pointer(&tracking));
    json_object_object_add(message, "visits", g_steal_pointer(&visits));
    return TRUE;
}
