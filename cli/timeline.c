/* SPDX-License-Identifier: MIT */
#include "cli/timeline.h"

#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "cli/timeline_line.h"
#include "cli/visits.h"

/* What every status means to who asks. */
static const struct {
    const char *status;
    const char *meaning;
} meanings[] = {
#define X(status, meaning) {status, meaning},
#include "lib/journal/status.def"
#undef X
};

static char *text_of(const Record *record, const char *key)
{
    return output_value(key, json_object_object_get(record, key));
}

/* g_free. */
static char *tls_text(const Record *record, const char *key)
{
    return record_is_null(record, key) ? g_strdup("no TLS") : text_of(record, key);
}

/* Who handed it in, from where. */
static void print_client(const Record *submission)
{
    g_autofree char *credential = text_of(submission, "credential");
    g_autofree char *ip = text_of(submission, "client_ip");
    g_autofree char *helo = text_of(submission, "client_helo");
    g_autofree char *tls = tls_text(submission, "client_tls");
    g_autofree char *sender = text_of(submission, "mail_from");
    g_autofree char *from = record_is_null(submission, "client_ip") ? g_strdup("this host")
                            : record_is_null(submission, "client_helo")
                                ? g_strdup_printf("%s over HTTP", ip)
                                : g_strdup_printf("%s, HELO %s, %s", ip, helo, tls);
    g_autofree char *by =
        g_strdup_printf("credential %s (id %" G_GINT64_FORMAT ") from %s", credential,
                        record_int(submission, "credential_id"), from);

    if (record_int(submission, "credential_id"))
        timeline_more("by", by);
    else
        timeline_more("from", from);
    timeline_more("sender", sender);
}

static void print_submission(const Record *message)
{
    const Record *submission = json_object_object_get(message, "submission");
    g_autofree char *credential = text_of(message, "credential");

    if (submission)
        print_client(submission);
    else
        timeline_more("by", json_object_object_get(message, "credential_id")
                                ? credential
                                : "? (the submission is not in the history, or not yet)");
}

static gboolean is_hop(const Record *submission)
{
    return json_object_get_boolean(json_object_object_get(submission, "hop"));
}

static void print_handed_in(const Record *submission)
{
    g_autofree char *queue_id = text_of(submission, "queue_id");
    g_autofree char *what =
        g_strdup_printf("handed in for %" G_GINT64_FORMAT " recipients, queue id %s",
                        record_int(submission, "recipients"), queue_id);

    timeline_at(record_int(submission, "at"), 0, what);
    print_client(submission);
}

static void print_smarthost(const Record *host)
{
    g_autofree char *text = g_strdup_printf(
        "%" G_GINT64_FORMAT ": smart host %s, [%s]:%" G_GINT64_FORMAT, record_int(host, "lane"),
        record_text(host, "name"), record_text(host, "host"), record_int(host, "port"));

    timeline_more("lane", text);
}

/* A route or an endpoint may be gone meanwhile. */
static void print_origin(const Record *message)
{
    g_autofree char *route = text_of(message, "route");
    g_autofree char *route_id = text_of(message, "route_id");
    g_autofree char *endpoint = text_of(message, "endpoint");
    g_autofree char *endpoint_id = text_of(message, "endpoint_id");
    g_autofree char *by = g_strdup_printf("%s (id %s)", route, route_id);
    g_autofree char *to = g_strdup_printf("%s (id %s)", endpoint, endpoint_id);

    timeline_more("route", by);
    if (record_int(message, "endpoint_id"))
        timeline_more("to endpoint", to);
}

static void print_lane(const Record *message)
{
    const Record *lane = json_object_object_get(message, "address");
    const Record *host = json_object_object_get(message, "smarthost");

    if (record_is_null(message, "lane")) {
        timeline_more("lane", "? (not known yet)");
        return;
    }
    if (record_int(message, "lane") == 0) {
        timeline_more("lane", "0: no pool, Postfix's default transport");
        return;
    }
    if (host) {
        print_smarthost(host);
        return;
    }
    g_autofree char *ipv4 = lane ? text_of(lane, "ipv4") : NULL;
    g_autofree char *ipv6 = lane ? text_of(lane, "ipv6") : NULL;
    g_autofree char *helo = lane ? text_of(lane, "helo") : NULL;
    g_autofree char *pool = lane ? text_of(lane, "pool") : NULL;
    g_autofree char *text =
        lane ? g_strdup_printf("%" G_GINT64_FORMAT ": pool %s, %s %s, HELO %s",
                               record_int(message, "lane"), pool, ipv4, ipv6, helo)
             : g_strdup_printf("%" G_GINT64_FORMAT
                               ": an address or smart host that is not there any more",
                               record_int(message, "lane"));
    timeline_more("lane", text);
}

/* A column that holds a JSON array of texts, or NULL. */
static Record *array_of(const Record *message, const char *key)
{
    const char *text = record_text(message, key);
    g_autoptr(Record) list = text ? json_tokener_parse(text) : NULL;

    return json_object_is_type(list, json_type_array) ? g_steal_pointer(&list) : NULL;
}

/* "DOMAIN:SELECTOR:ALGORITHM" texts as "as DOMAIN with SELECTOR (ALGORITHM) and ..."; g_free. */
static char *signed_text(Record *list)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *before = NULL;

    for (gsize i = 0; i < json_object_array_length(list); i++) {
        g_autofree char *text = output_value("", json_object_array_get_idx(list, i));
        g_auto(GStrv) part = g_strsplit(text, ":", 3);
        if (g_strv_length(part) != 3)
            g_string_append_printf(out, "%s%s", i ? " and " : "", text);
        else if (g_strcmp0(part[0], before) == 0)
            g_string_append_printf(out, " and %s (%s)", part[1], part[2]);
        else
            g_string_append_printf(out, "%sas %s with %s (%s)", i ? " and " : "", part[0], part[1],
                                   part[2]);
        g_free(before);
        before = g_strdup(part[0]);
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static void print_signatures(const Record *message)
{
    g_autoptr(Record) signatures = array_of(message, "signatures");
    g_autoptr(Record) skipped = array_of(message, "skipped");
    g_autofree char *how = signatures ? signed_text(signatures) : g_strdup("? (not recorded)");

    timeline_more("signed", *how ? how : "with no key");
    for (gsize i = 0; skipped && i < json_object_array_length(skipped); i++) {
        g_autofree char *why = output_value("", json_object_array_get_idx(skipped, i));
        timeline_more("left out", why);
    }
}

/* The queue id that it was accepted with: what the message has now may be a later one. g_free. */
static char *first_queue_id(const Record *message)
{
    const Record *submission = json_object_object_get(message, "submission");
    const Record *copies = json_object_object_get(message, "copies");

    if (submission && !is_hop(submission))
        return text_of(submission, "queue_id");
    for (gsize i = 0; i < json_object_array_length(copies); i++)
        if (record_is_null(json_object_array_get_idx(copies, i), "parent"))
            return text_of(json_object_array_get_idx(copies, i), "queue_id");
    return text_of(message, "queue_id");
}

/* Postfix has it among the recipients of a submission that is yet to be split. */
static gboolean is_waiting(const Record *message)
{
    static const char *const statuses[] = {"Accepting", "Pending", "SoftFail", NULL};
    const Record *copies = json_object_object_get(message, "copies");

    return json_object_array_length(copies) == 0 &&
           g_strv_contains(statuses, record_text(message, "status"));
}

/* What is known of one that has not been accepted by itself. */
static void print_unaccepted(const Record *message)
{
    const Record *submission = json_object_object_get(message, "submission");

    if (!submission || !is_hop(submission)) {
        puts("  its acceptance is not in the history yet: the milter's journal was not applied");
        return;
    }
    g_autofree char *queue_id = text_of(submission, "queue_id");
    if (is_waiting(message))
        printf("  waiting to be split, queue id %s\n", queue_id);
}

static void print_accepted(const Record *message)
{
    const Record *submission = json_object_object_get(message, "submission");
    gboolean hop = submission && is_hop(submission);
    g_autofree char *queue_id = first_queue_id(message);
    g_autofree char *from = text_of(message, "header_from");
    g_autofree char *subject = text_of(message, "subject");
    g_autofree char *size = text_of(message, "size");
    g_autofree char *what = g_strdup_printf("%s, queue id %s, %s octets",
                                            hop ? "split off" : "accepted", queue_id, size);

    if (hop)
        print_handed_in(submission);
    if (record_is_null(message, "accepted_at")) {
        print_unaccepted(message);
        return;
    }
    timeline_at(record_int(message, "accepted_at"), hop ? record_int(submission, "at") : 0, what);
    if (!hop)
        print_submission(message);
    timeline_more("From", from);
    timeline_more("Subject", subject);
    if (record_int(message, "route_id")) {
        print_origin(message);
        return;
    }
    print_signatures(message);
    visits_print_tracking(message);
    print_lane(message);
}

static void print_hold(const Record *message, gint64 start)
{
    g_autofree char *reason = text_of(message, "hold_reason");
    g_autofree char *rule = text_of(message, "hold_rule");
    g_autofree char *until = text_of(message, "hold_expires");
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
    g_autofree char *reason = text_of(message, "status_reason");
    g_autofree char *what = g_strdup_printf("hold cancelled: %s", reason);

    timeline_at(record_int(message, "status_at"), start, what);
}

static void print_bounced(const Record *message, gint64 start)
{
    g_autofree char *reason = text_of(message, "status_reason");

    timeline_at(record_int(message, "status_at"), start, "it came back");
    timeline_more("notification", reason);
}

static void print_copy(const Record *copy, gint64 start)
{
    g_autofree char *queue_id = text_of(copy, "queue_id");
    g_autofree char *parent = text_of(copy, "parent");
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
    g_autofree char *status = text_of(delivery, "status");
    g_autofree char *relay = text_of(delivery, "relay");
    g_autofree char *dsn = text_of(delivery, "dsn");
    g_autofree char *text = text_of(delivery, "text");
    g_autofree char *source = text_of(delivery, "source_ip");
    g_autofree char *helo = text_of(delivery, "helo");
    g_autofree char *tls = tls_text(delivery, "tls");
    g_autofree char *queue_id = text_of(delivery, "queue_id");
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

static void print_steps(const Record *message, gint64 start)
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

static const char *meaning_of(const char *status)
{
    for (gsize i = 0; i < G_N_ELEMENTS(meanings); i++)
        if (g_str_equal(meanings[i].status, status))
            return meanings[i].meaning;
    return "";
}

static void print_state(const Record *message)
{
    g_autofree char *recipient = text_of(message, "rcpt_to");
    g_autofree char *status = text_of(message, "status");
    g_autofree char *reason = text_of(message, "status_reason");
    g_autofree char *server = text_of(message, "server");
    g_autofree char *organization = text_of(message, "organization");

    printf("message %" G_GINT64_FORMAT " of %s/%s to %s\n  %s: %s\n", record_int(message, "id"),
           organization, server, recipient, status, meaning_of(status));
    if (!record_is_null(message, "status_reason"))
        printf("  reason: %s\n", reason);
    if (json_object_get_boolean(json_object_object_get(message, "on_hold")) &&
        !g_str_equal(record_text(message, "status"), "Held"))
        puts("  on hold: nothing is sent until it is released");
    if (json_object_get_boolean(json_object_object_get(message, "duplicate")))
        puts("  duplicate: Postfix took it more than once, the recipient may have it twice");
}

static void print_suppression(const Record *row)
{
    g_autofree char *address = text_of(row, "address");
    g_autofree char *scope = text_of(row, "scope");
    g_autofree char *reason = text_of(row, "reason");
    g_autofree char *source = text_of(row, "source");
    g_autofree char *since = text_of(row, "created_at");
    g_autofree char *until = text_of(row, "expires_at");
    g_autofree char *message = text_of(row, "message_id");
    g_autofree char *evidence = text_of(row, "evidence");

    printf("  %s is suppressed now for %s: %s (%s, since %s%s%s)\n", address, scope, reason, source,
           since, record_is_null(row, "expires_at") ? "" : ", until ",
           record_is_null(row, "expires_at") ? "" : until);
    if (!record_is_null(row, "message_id"))
        printf("  by message %s: %s\n", message, evidence);
}

void timeline_print_message(const Record *message)
{
    static const char *const quiet[] = {"Held",          "Aborted",  "Unknown",
                                        "HoldCancelled", "HardFail", NULL};
    const Record *deliveries = json_object_object_get(message, "deliveries");
    const Record *submission = json_object_object_get(message, "submission");
    gint64 start = record_int(submission && is_hop(submission) ? submission : message,
                              submission && is_hop(submission) ? "at" : "accepted_at");

    print_state(message);
    print_accepted(message);
    print_steps(message, start);
    if (json_object_array_length(deliveries) == 0)
        printf("  no attempt is known%s\n",
               g_strv_contains(quiet, record_text(message, "status")) ? "" : " yet");
    if (!record_is_null(message, "removed_at"))
        timeline_at(record_int(message, "removed_at"), start, "left Postfix's queue");
    const Record *suppressions = json_object_object_get(message, "suppressions");
    for (gsize i = 0; suppressions && i < json_object_array_length(suppressions); i++)
        print_suppression(json_object_array_get_idx(suppressions, i));
}

void timeline_print_submission(const Record *submission)
{
    Record *messages = json_object_object_get(submission, "messages");
    g_autofree char *server = text_of(submission, "server");
    g_autofree char *organization = text_of(submission, "organization");
    gint64 n = record_int(submission, "recipients");
    gint64 known = (gint64)json_object_array_length(messages);

    printf("submission %" G_GINT64_FORMAT " of %s/%s\n", record_int(submission, "id"), organization,
           server);
    print_handed_in(submission);
    if (known < n)
        printf("  %" G_GINT64_FORMAT " of its %" G_GINT64_FORMAT " messages are shown\n", known, n);
    output_table(messages, "id status duplicate queue_id rcpt_to status_reason");
}

void timeline_print_refusal(const Record *refusal)
{
    g_autofree char *credential = text_of(refusal, "credential");
    g_autofree char *recipient = text_of(refusal, "rcpt_to");
    g_autofree char *ip = text_of(refusal, "client_ip");
    g_autofree char *code = text_of(refusal, "code");
    g_autofree char *text = text_of(refusal, "text");
    g_autofree char *rule = text_of(refusal, "rule");
    g_autofree char *what = g_strdup_printf("%s %s (rule %s)", code, text, rule);

    printf("refusal %" G_GINT64_FORMAT " to %s\n", record_int(refusal, "id"), recipient);
    timeline_at(record_int(refusal, "at"), 0, what);
    timeline_more("credential", credential);
    timeline_more("from", ip);
}
