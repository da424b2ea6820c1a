/* SPDX-License-Identifier: MIT */
#include "cli/timeline_step.h"

#include <stdio.h>

#include "cli/timeline_line.h"
#include "cli/visits.h"

static void print_hold(const Record *message, gint64 start)
{
    g_autofree char *reason = timeline_text(message, "hold_reason");
    g_autofree char *rule = timeline_text(message, "hold_rule");
    g_autofree char *until = timeline_text(message, "hold_expires");
    g_autofree char *what = record_is_null(message, "hold_rule")
                                ? g_strdup_printf("to be held: %s", reason)
                                : g_strdup_printf("to be held: %s (rule %s)", reason, rule);

    timeline_at(record_int(message, "hold_at"), start, what);
    if (!record_is_null(message, "hold_expires"))
        timeline_more("until", until);
}

static void print_hold_seen(const Record *message, gint64 start)
{
    timeline_at(record_int(message, "hold_seen_at"), start, "on hold in Postfix's queue");
}

static void print_release(const Record *message, gint64 start)
{
    timeline_at(record_int(message, "released_at"), start, "released from hold");
}

static void print_cancelled(const Record *message, gint64 start)
{
    g_autofree char *reason = timeline_text(message, "status_reason");
    g_autofree char *what = g_strdup_printf("hold cancelled: %s", reason);

    timeline_at(record_int(message, "status_at"), start, what);
}

static void print_bounced(const Record *message, gint64 start)
{
    g_autofree char *reason = timeline_text(message, "status_reason");

    timeline_at(record_int(message, "status_at"), start, "it came back");
    timeline_more("notification", reason);
}

static void print_copy(const Record *copy, gint64 start)
{
    g_autofree char *queue_id = timeline_text(copy, "queue_id");
    g_autofree char *parent = timeline_text(copy, "parent");
    g_autofree char *what =
        record_is_null(copy, "parent")
            ? g_strdup_printf("in Postfix's queue, queue id %s", queue_id)
            : g_strdup_printf("requeued, queue id %s, before that %s", queue_id, parent);

    timeline_at(record_int(copy, "at"), start, what);
}

/* What the answer is taken for. */
static void print_verdict(const Record *delivery)
{
    if (record_is_null(delivery, "class"))
        return;
    gboolean known = !record_is_null(delivery, "provider");
    g_autofree char *text = g_strdup_printf(
        "%s, %s%s%s", record_text(delivery, "class"), record_text(delivery, "permanence"),
        known ? ", at " : "", known ? record_text(delivery, "provider") : "");
    timeline_more("class", text);
}

static void print_delivery(const Record *delivery, gint64 start)
{
    g_autofree char *status = timeline_text(delivery, "status");
    g_autofree char *relay = timeline_text(delivery, "relay");
    g_autofree char *dsn = timeline_text(delivery, "dsn");
    g_autofree char *text = timeline_text(delivery, "text");
    g_autofree char *source = timeline_text(delivery, "source_ip");
    g_autofree char *helo = timeline_text(delivery, "helo");
    g_autofree char *tls = timeline_tls(delivery, "tls");
    g_autofree char *queue_id = timeline_text(delivery, "queue_id");
    g_autofree char *what =
        g_strdup_printf("%s: %s, dsn %s, queue id %s", status, relay, dsn, queue_id);
    g_autofree char *way = g_strdup_printf("%s, HELO %s, %s", source, helo, tls);

    timeline_at(record_int(delivery, "at"), start, what);
    if (!record_is_null(delivery, "source_ip"))
        timeline_more("from", way);
    timeline_more("answer", text);
    print_verdict(delivery);
}

/* What happened after acceptance, by time. */
typedef struct {
    gint64 at;
    const Record *record;
    void (*print)(const Record *record, gint64 start);
} Step;

static gint by_time(gconstpointer a, gconstpointer b)
{
    const Step *left = a, *right = b;

    return (left->at > right->at) - (left->at < right->at);
}

static void add_step(GArray *steps, const Record *message, const char *column,
                     void (*print)(const Record *record, gint64 start))
{
    const Step step = {record_int(message, column), message, print};

    if (!record_is_null(message, column))
        g_array_append_val(steps, step);
}

static void add_steps(GArray *steps, const Record *list, gsize most,
                      void (*print)(const Record *record, gint64 start))
{
    for (gsize i = 0; i < MIN(json_object_array_length(list), most); i++) {
        const Record *record = json_object_array_get_idx(list, i);
        const Step step = {record_int(record, "at"), record, print};
        g_array_append_val(steps, step);
    }
}

void timeline_print_steps(const Record *message, gint64 start)
{
    g_autoptr(GArray) steps = g_array_new(FALSE, FALSE, sizeof(Step));
    const Record *visits = json_object_object_get(message, "visits");

    add_step(steps, message, "hold_at", print_hold);
    add_step(steps, message, "hold_seen_at", print_hold_seen);
    add_step(steps, message, "released_at", print_release);
    if (g_str_equal(record_text(message, "status"), "HoldCancelled"))
        add_step(steps, message, "status_at", print_cancelled);
    if (g_str_equal(record_text(message, "status"), "Bounced"))
        add_step(steps, message, "status_at", print_bounced);
    add_steps(steps, json_object_object_get(message, "copies"), G_MAXSIZE, print_copy);
    add_steps(steps, json_object_object_get(message, "deliveries"), G_MAXSIZE, print_delivery);
    add_steps(steps, visits, VISITS_SHOWN_MAX, visits_print_step);
    g_array_sort(steps, by_time);
    for (guint i = 0; i < steps->len; i++) {
        const Step *step = &g_array_index(steps, Step, i);
        step->print(step->record, start);
    }
    if (json_object_array_length(visits) > VISITS_SHOWN_MAX)
        printf("  of %zu visits the first %d are shown; `outrider message show' has more\n",
               json_object_array_length(visits), VISITS_SHOWN_MAX);
}
