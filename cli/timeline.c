/* SPDX-License-Identifier: MIT */
#include "cli/timeline.h"

#include <stdio.h>

#include "cli/output.h"
#include "cli/timeline_line.h"
#include "cli/timeline_step.h"
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

/* Who handed it in, from where. */
static void print_client(const Record *submission)
{
    g_autofree char *credential = timeline_text(submission, "credential");
    g_autofree char *ip = timeline_text(submission, "client_ip");
    g_autofree char *helo = timeline_text(submission, "client_helo");
    g_autofree char *tls = timeline_tls(submission, "client_tls");
    g_autofree char *sender = timeline_text(submission, "mail_from");
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
    g_autofree char *credential = timeline_text(message, "credential");

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
    g_autofree char *queue_id = timeline_text(submission, "queue_id");
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
    g_autofree char *route = timeline_text(message, "route");
    g_autofree char *route_id = timeline_text(message, "route_id");
    g_autofree char *endpoint = timeline_text(message, "endpoint");
    g_autofree char *endpoint_id = timeline_text(message, "endpoint_id");
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
    g_autofree char *ipv4 = lane ? timeline_text(lane, "ipv4") : NULL;
    g_autofree char *ipv6 = lane ? timeline_text(lane, "ipv6") : NULL;
    g_autofree char *helo = lane ? timeline_text(lane, "helo") : NULL;
    g_autofree char *pool = lane ? timeline_text(lane, "pool") : NULL;
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
        return timeline_text(submission, "queue_id");
    for (gsize i = 0; i < json_object_array_length(copies); i++)
        if (record_is_null(json_object_array_get_idx(copies, i), "parent"))
            return timeline_text(json_object_array_get_idx(copies, i), "queue_id");
    return timeline_text(message, "queue_id");
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
    g_autofree char *queue_id = timeline_text(submission, "queue_id");
    if (is_waiting(message))
        printf("  waiting to be split, queue id %s\n", queue_id);
}

static void print_accepted(const Record *message)
{
    const Record *submission = json_object_object_get(message, "submission");
    gboolean hop = submission && is_hop(submission);
    g_autofree char *queue_id = first_queue_id(message);
    g_autofree char *from = timeline_text(message, "header_from");
    g_autofree char *subject = timeline_text(message, "subject");
    g_autofree char *size = timeline_text(message, "size");
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

static const char *meaning_of(const char *status)
{
    for (gsize i = 0; i < G_N_ELEMENTS(meanings); i++)
        if (g_str_equal(meanings[i].status, status))
            return meanings[i].meaning;
    return "";
}

static void print_state(const Record *message)
{
    g_autofree char *recipient = timeline_text(message, "rcpt_to");
    g_autofree char *status = timeline_text(message, "status");
    g_autofree char *reason = timeline_text(message, "status_reason");
    g_autofree char *server = timeline_text(message, "server");
    g_autofree char *organization = timeline_text(message, "organization");

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
    g_autofree char *address = timeline_text(row, "address");
    g_autofree char *scope = timeline_text(row, "scope");
    g_autofree char *reason = timeline_text(row, "reason");
    g_autofree char *source = timeline_text(row, "source");
    g_autofree char *since = timeline_text(row, "created_at");
    g_autofree char *until = timeline_text(row, "expires_at");
    g_autofree char *message = timeline_text(row, "message_id");
    g_autofree char *evidence = timeline_text(row, "evidence");

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
    timeline_print_steps(message, start);
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
    g_autofree char *server = timeline_text(submission, "server");
    g_autofree char *organization = timeline_text(submission, "organization");
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
    g_autofree char *credential = timeline_text(refusal, "credential");
    g_autofree char *recipient = timeline_text(refusal, "rcpt_to");
    g_autofree char *ip = timeline_text(refusal, "client_ip");
    g_autofree char *code = timeline_text(refusal, "code");
    g_autofree char *text = timeline_text(refusal, "text");
    g_autofree char *rule = timeline_text(refusal, "rule");
    g_autofree char *what = g_strdup_printf("%s %s (rule %s)", code, text, rule);

    printf("refusal %" G_GINT64_FORMAT " to %s\n", record_int(refusal, "id"), recipient);
    timeline_at(record_int(refusal, "at"), 0, what);
    timeline_more("credential", credential);
    timeline_more("from", ip);
}
