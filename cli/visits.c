/* SPDX-License-Identifier: MIT */
#include "cli/visits.h"

#include <stdio.h>

#include "cli/output.h"
#include "cli/timeline_line.h"
#include "lib/history/visits.h"

/* Why something was not tracked, in words. */
static const struct {
    const char *word;
    const char *meaning;
} skips[] = {
#define X(NAME, word, meaning) {word, meaning},
#include "lib/tracking/skip.def"
#undef X
};

gboolean visits_complete(Cli *cli, Record *message, GError **error)
{
    g_autoptr(VisitorList) list = history_visitors(cli->config, error);

    return list && history_visits_add(cli->sql, list, message, error);
}

void visits_print_tables(const Record *message)
{
    Record *tracking = json_object_object_get(message, "tracking");
    Record *links = tracking ? json_object_object_get(tracking, "links") : NULL;
    Record *visits = json_object_object_get(message, "visits");

    if (links && json_object_array_length(links) > 0) {
        putchar('\n');
        output_table(links, "ordinal clicks clicks_by_machines url");
    }
    if (json_object_array_length(visits) > 0) {
        putchar('\n');
        output_table(visits, "at kind ordinal mark ip agent");
    }
}

static const char *meaning_of(const char *word)
{
    for (gsize i = 0; i < G_N_ELEMENTS(skips); i++)
        if (g_str_equal(skips[i].word, word))
            return skips[i].meaning;
    return word;
}

static void print_skipped(Record *skipped)
{
    if (!json_object_is_type(skipped, json_type_object))
        return;
    json_object_object_foreach(skipped, word, times)
    {
        g_autofree char *quoted = output_value("", times);
        g_autofree char *text = g_strdup_printf("%s (%s): %s", word, quoted, meaning_of(word));
        timeline_more("not tracked", text);
    }
}

void visits_print_tracking(const Record *message)
{
    Record *tracking = json_object_object_get(message, "tracking");

    if (!tracking)
        return;
    gint64 links = (gint64)json_object_array_length(json_object_object_get(tracking, "links")) +
                   record_int(tracking, "more");
    gboolean pixel = json_object_get_boolean(json_object_object_get(tracking, "pixel"));
    g_autofree char *host = output_value("", json_object_object_get(tracking, "host"));
    g_autofree char *text = g_strdup_printf(
        "%" G_GINT64_FORMAT " links%s over %s, %+" G_GINT64_FORMAT " octets: %" G_GINT64_FORMAT
        " clicks (%" G_GINT64_FORMAT " more by machines), %" G_GINT64_FORMAT
        " opens (%" G_GINT64_FORMAT " more by machines)",
        links, pixel ? " and the pixel" : "", host, record_int(tracking, "growth"),
        record_int(message, "clicks"), record_int(message, "clicks_by_machines"),
        record_int(message, "opens"), record_int(message, "opens_by_machines"));

    timeline_more("tracked", text);
    print_skipped(json_object_object_get(tracking, "skipped"));
}

void visits_print_step(const Record *visit, gint64 start)
{
    gboolean click = !record_is_null(visit, "ordinal");
    g_autofree char *url = output_value("", json_object_object_get(visit, "url"));
    g_autofree char *ip = output_value("", json_object_object_get(visit, "ip"));
    g_autofree char *agent = output_value("", json_object_object_get(visit, "agent"));
    g_autofree char *what = click ? g_strdup_printf("clicked link %" G_GINT64_FORMAT ": %s",
                                                    record_int(visit, "ordinal"), url)
                                  : g_strdup("opened: the pixel was fetched");
    g_autofree char *by = g_strdup_printf(
        "%s (%s) from %s, %s", record_text(visit, "mark"),
        json_object_get_boolean(json_object_object_get(visit, "machine")) ? "machine" : "people",
        ip, agent);

    timeline_at(record_int(visit, "at"), start, what);
    timeline_more("by", by);
}
