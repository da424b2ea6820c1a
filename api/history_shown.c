/* SPDX-License-Identifier: MIT */
#include "api/history_shown.h"

#include <string.h>

#include "lib/mime/field.h"
#include "lib/mime/transfer.h"

#define US             1000000
#define HTTP_TRANSPORT "outrider-http" /* to endpoints, by outrider-pipe */
#define LINE_OCTETS    45              /* that become a line of 60 characters */
#define ATTEMPT_BITS   10 /* of a delivery's key that JSON's numbers have no place for */

static json_object *text_or_null(const char *text)
{
    return text && *text ? json_object_new_string(text) : NULL;
}

static json_object *column(const Record *record, const char *key)
{
    return text_or_null(record_text(record, key));
}

/* Microseconds as seconds, with as many decimals as it takes, one at least. */
static json_object *seconds(gint64 us)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT ".%06d", us / US, (int)(us % US));
    gsize length = strlen(text);

    while (text[length - 1] == '0' && text[length - 2] != '.')
        text[--length] = '\0';
    return json_object_new_double_s((double)us / US, text);
}

static gboolean is_status(const Record *message, const char *status)
{
    return g_strcmp0(record_text(message, "status"), status) == 0;
}

static gboolean is_incoming(const Record *message)
{
    return g_strcmp0(record_text(message, "direction"), "incoming") == 0;
}

static gboolean is_held(const Record *message)
{
    return is_status(message, "Held") ||
           json_object_get_boolean(json_object_object_get(message, "on_hold"));
}

/* Whether no release came after the hold that history has the reason of. */
static gboolean hold_stands(const Record *message)
{
    return !record_is_null(message, "hold_at") &&
           (record_is_null(message, "released_at") ||
            record_int(message, "released_at") < record_int(message, "hold_at"));
}

/* The mail server's own hold, of which nothing but the fact is known; 0: there was none. */
static gint64 bare_hold_at(const Record *message)
{
    gint64 seen = record_int(message, "hold_seen_at"),
           released = record_int(message, "released_at");
    gboolean ours =
        !record_is_null(message, "hold_at") && (hold_stands(message) || seen <= released);

    return ours ? 0 : seen;
}

/* Ends that no attempt tells of. */
static gboolean ends_without_attempt(const Record *message)
{
    return is_status(message, "HoldCancelled") || is_status(message, "Unknown") ||
           is_status(message, "Bounced") ||
           (is_status(message, "HardFail") && record_is_null(message, "attempted_at"));
}

static gint64 last_entry_at(const Record *message)
{
    gint64 at = MAX(record_int(message, "attempted_at"), record_int(message, "hold_at"));

    at = MAX(at, bare_hold_at(message));
    return ends_without_attempt(message) ? MAX(at, record_int(message, "status_at")) : at;
}

static json_object *show_status(const Record *message)
{
    json_object *status = json_object_new_object();
    gint64 last = last_entry_at(message);
    gboolean held = is_held(message);
    gboolean expires = held && hold_stands(message) && !record_is_null(message, "hold_expires");

    json_object_object_add(status, "status", column(message, "status"));
    json_object_object_add(status, "last_delivery_attempt", last ? seconds(last) : NULL);
    json_object_object_add(status, "held", json_object_new_boolean(held));
    json_object_object_add(status, "hold_expiry",
                           expires ? seconds(record_int(message, "hold_expires")) : NULL);
    return status;
}

static json_object *show_message_id(const Record *message)
{
    const char *text = record_text(message, "header_message_id");
    g_autofree char *bare = text ? mime_message_id_bare(text) : NULL;

    return text_or_null(bare);
}

static json_object *show_details(const Record *message)
{
    json_object *details = json_object_new_object();
    gboolean bounce = g_strcmp0(record_text(message, "mail_from"), "") == 0;
    gint64 at =
        record_int(message, record_is_null(message, "accepted_at") ? "status_at" : "accepted_at");

    json_object_object_add(details, "rcpt_to", column(message, "rcpt_to"));
    json_object_object_add(details, "mail_from", column(message, "mail_from"));
    json_object_object_add(details, "subject", column(message, "subject"));
    json_object_object_add(details, "message_id", show_message_id(message));
    json_object_object_add(details, "timestamp", seconds(at));
    json_object_object_add(details, "direction", column(message, "direction"));
    json_object_object_add(details, "size", column(message, "size"));
    json_object_object_add(details, "bounce", json_object_new_boolean(bounce));
    json_object_object_add(details, "bounce_for_id", json_object_new_int(0));
    json_object_object_add(details, "tag", column(message, "tag"));
    json_object_object_add(details, "received_with_ssl",
                           record_int(message, "secured") ? json_object_new_boolean(TRUE) : NULL);
    return details;
}

/* Nothing tells spam yet. */
static json_object *show_inspection(void)
{
    json_object *inspection = json_object_new_object();

    json_object_object_add(inspection, "inspected", json_object_new_boolean(FALSE));
    json_object_object_add(inspection, "spam", json_object_new_boolean(FALSE));
    json_object_object_add(inspection, "spam_score", seconds(0));
    json_object_object_add(inspection, "threat", json_object_new_boolean(FALSE));
    json_object_object_add(inspection, "threat_details", NULL);
    return inspection;
}

/* Each line ends with a LF, the last one too. */
static json_object *base64_lines(GBytes *bytes)
{
    gsize length = 0;
    const guint8 *data = g_bytes_get_data(bytes, &length);
    GString *text = g_string_sized_new(length / LINE_OCTETS * 61 + 64);

    for (gsize at = 0; at < length; at += LINE_OCTETS) {
        char line[TRANSFER_BASE64_ROOM];
        gsize n = transfer_base64_line(data + at, MIN(LINE_OCTETS, length - at), line);
        line[n++] = '\n';
        g_string_append_len(text, line, (gssize)n);
    }
    json_object *value = json_object_new_string_len(text->str, (int)text->len);
    g_string_free(text, TRUE);
    return value;
}

static json_object *show_attachments(const MimeRead *read)
{
    json_object *list = json_object_new_array();

    for (guint i = 0; i < read->files->len; i++) {
        const MimeReadFile *file = read->files->pdata[i];
        json_object *attachment = json_object_new_object();
        g_autofree char *hash = g_compute_checksum_for_bytes(G_CHECKSUM_SHA1, file->bytes);
        json_object_object_add(attachment, "filename", json_object_new_string(file->name));
        json_object_object_add(attachment, "content_type", json_object_new_string(file->type));
        json_object_object_add(attachment, "data", base64_lines(file->bytes));
        json_object_object_add(attachment, "size",
                               json_object_new_int64((gint64)g_bytes_get_size(file->bytes)));
        json_object_object_add(attachment, "hash", json_object_new_string(hash));
        json_object_array_add(list, attachment);
    }
    return list;
}

static json_object *show_headers(const MimeRead *read)
{
    json_object *headers = json_object_new_object();

    for (guint i = 0; i < read->fields->len; i++) {
        const MimeField *field = read->fields->pdata[i];
        json_object *values = NULL;
        if (!json_object_object_get_ex(headers, field->name, &values)) {
            values = json_object_new_array();
            json_object_object_add(headers, field->name, values);
        }
        json_object_array_add(values, json_object_new_string(field->value));
    }
    return headers;
}

static json_object *show_time(gint64 us)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(us / US);
    g_autofree char *second = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%S") : NULL;
    g_autofree char *text =
        g_strdup_printf("%s.%03dZ", second ? second : "", (int)(us % US / 1000));

    return json_object_new_string(text);
}

/* The whole URL of a link is in the message's list of them; a click may have less of it. */
static json_object *show_url(const Record *message, const Record *visit)
{
    Record *tracking = json_object_object_get(message, "tracking");
    Record *links = tracking ? json_object_object_get(tracking, "links") : NULL;

    for (gsize i = 0; links && i < json_object_array_length(links); i++) {
        const Record *link = json_object_array_get_idx(links, i);
        if (record_int(link, "ordinal") == record_int(visit, "ordinal"))
            return column(link, "url");
    }
    return column(visit, "url");
}

static json_object *show_activity(const Record *message)
{
    json_object *activity = json_object_new_object();
    json_object *loads = json_object_new_array(), *clicks = json_object_new_array();
    const Record *visits = json_object_object_get(message, "visits");

    for (gsize i = 0; i < json_object_array_length(visits); i++) {
        const Record *visit = json_object_array_get_idx(visits, i);
        gboolean click = !record_is_null(visit, "ordinal");
        json_object *entry = json_object_new_object();
        if (click)
            json_object_object_add(entry, "url", show_url(message, visit));
        json_object_object_add(entry, "ip_address", column(visit, "ip"));
        json_object_object_add(entry, "user_agent", column(visit, "agent"));
        json_object_object_add(entry, "timestamp", show_time(record_int(visit, "at")));
        json_object_object_add(entry, "machine",
                               json_object_get(json_object_object_get(visit, "machine")));
        json_object_array_add(click ? clicks : loads, entry);
    }
    json_object_object_add(activity, "loads", loads);
    json_object_object_add(activity, "clicks", clicks);
    return activity;
}

/* What is not told by the stored message. */
static json_object *show_rows(const Record *message, V1Expansion expansion)
{
    switch (expansion) {
    case V1_EXPANSION_STATUS:
        return show_status(message);
    case V1_EXPANSION_DETAILS:
        return show_details(message);
    case V1_EXPANSION_INSPECTION:
        return show_inspection();
    case V1_EXPANSION_ACTIVITY_ENTRIES:
        return show_activity(message);
    default:
        return NULL;
    }
}

static json_object *show_bytes(GBytes *bytes, const MimeRead *read, V1Expansion expansion)
{
    switch (expansion) {
    case V1_EXPANSION_PLAIN_BODY:
        return read->plain ? json_object_new_string(read->plain) : NULL;
    case V1_EXPANSION_HTML_BODY:
        return read->html ? json_object_new_string(read->html) : NULL;
    case V1_EXPANSION_ATTACHMENTS:
        return show_attachments(read);
    case V1_EXPANSION_HEADERS:
        return show_headers(read);
    case V1_EXPANSION_RAW_MESSAGE:
        return base64_lines(bytes);
    default:
        return NULL;
    }
}

json_object *history_shown_message(const Record *message, GBytes *bytes, const MimeRead *read,
                                   guint expansions)
{
    json_object *shown = json_object_new_object();
    const char *token = record_text(message, "token");

    json_object_object_add(shown, "id", json_object_new_int64(record_int(message, "id")));
    json_object_object_add(shown, "token", json_object_new_string(token ? token : ""));
    for (guint i = 0; i < V1_EXPANSION_COUNT; i++) {
        V1Expansion expansion = 1U << i;
        if (!(expansions & expansion))
            continue;
        json_object_object_add(shown, v1_expansion_name(i),
                               !v1_expansions_need_bytes(expansion) ? show_rows(message, expansion)
                               : bytes ? show_bytes(bytes, read, expansion)
                                       : NULL);
    }
    return shown;
}

/* One entry of deliveries before it is put in order. */
typedef struct {
    gint64 at;
    json_object *shown;
} Entry;

static Entry make_entry(gint64 at, gint64 id, const char *status, const char *details)
{
    Entry entry = {at, json_object_new_object()};

    json_object_object_add(entry.shown, "id", json_object_new_int64(id));
    json_object_object_add(entry.shown, "status", text_or_null(status));
    json_object_object_add(entry.shown, "details", json_object_new_string(details ? details : ""));
    json_object_object_add(entry.shown, "output", NULL);
    json_object_object_add(entry.shown, "sent_with_ssl", json_object_new_boolean(FALSE));
    json_object_object_add(entry.shown, "log_id", NULL);
    json_object_object_add(entry.shown, "time", NULL);
    return entry;
}

/* The hop behind which each recipient gets a message of its own: mail waits there, nobody else has it. */
static gboolean is_hop(const char *relay)
{
    return relay && g_str_has_prefix(relay, "127.0.0.1[127.0.0.1]:");
}

/* Whether it was somebody over the network, who could be spoken to with TLS. */
static gboolean is_host(const char *relay)
{
    return relay && strchr(relay, '[') && !is_hop(relay);
}

/* Postfix's "host[address]:port" as "address:port (host)"; NULL: nobody was reached. g_free. */
static char *peer_of(const char *relay)
{
    const char *open = relay ? strchr(relay, '[') : NULL;
    const char *close = open ? strchr(open, ']') : NULL;

    if (!relay || g_str_equal(relay, "none"))
        return NULL;
    if (g_str_equal(relay, HTTP_TRANSPORT))
        return g_strdup("its HTTP endpoint");
    if (!close)
        return g_strdup(relay);
    return g_strdup_printf("%.*s%s (%.*s)", (int)(close - open - 1), open + 1, close + 1,
                           (int)(open - relay), relay);
}

/* Nobody was reached, or nobody was to be. g_free. */
static char *words_without_peer(const Record *message, const char *rcpt, gboolean hard)
{
    const char *domain = strrchr(rcpt, '@');

    if (is_incoming(message))
        return g_strdup_printf("Message to %s was %s", rcpt, hard ? "sent back" : "not handed on");
    return g_strdup_printf("No mail server for %s could be reached", domain ? domain + 1 : rcpt);
}

/* What happened, in a sentence. g_free. */
static char *words_of(const Record *message, const Record *delivery)
{
    const char *relay = record_text(delivery, "relay");
    g_autofree char *peer = peer_of(relay);
    const char *rcpt = record_text(delivery, "rcpt_to"),
               *source = record_text(delivery, "source_ip");
    gboolean sent = is_status(delivery, "Sent"), hard = is_status(delivery, "HardFail");
    g_autofree char *from = source ? g_strconcat(", from ", source, NULL) : g_strdup("");

    rcpt = rcpt ? rcpt : "the recipient";
    if (is_status(delivery, "Processed"))
        return g_strdup_printf("Message to %s was kept", rcpt);
    if (sent)
        return g_strdup_printf("Message to %s was taken by %s%s", rcpt, peer ? peer : "this host",
                               from);
    if (is_hop(relay))
        return g_strdup_printf("Message to %s %s", rcpt,
                               hard ? "was refused on this host" : "waits on this host");
    if (!peer)
        return words_without_peer(message, rcpt, hard);
    return g_strdup_printf("Message to %s was refused %s by %s%s", rcpt,
                           hard ? "for good" : "for now", peer, from);
}

static Entry make_attempt(const Record *message, const Record *delivery)
{
    g_autofree char *words = words_of(message, delivery);
    g_autofree char *output = g_strdup(record_text(delivery, "text"));
    Entry entry =
        make_entry(record_int(delivery, "at"), record_int(delivery, "attempt") >> ATTEMPT_BITS,
                   record_text(delivery, "status"), words);

    json_object_object_add(entry.shown, "output", output ? text_or_null(g_strstrip(output)) : NULL);
    json_object_object_add(entry.shown, "sent_with_ssl",
                           json_object_new_boolean(is_host(record_text(delivery, "relay")) &&
                                                   !record_is_null(delivery, "tls")));
    json_object_object_add(entry.shown, "log_id", column(delivery, "queue_id"));
    json_object_object_add(entry.shown, "time",
                           record_is_null(delivery, "delay_ms")
                               ? NULL
                               : seconds(record_int(delivery, "delay_ms") * 1000));
    return entry;
}

/* To the second, as the mail server's log has it. */
static gint by_time(gconstpointer a, gconstpointer b)
{
    gint64 left = ((const Entry *)a)->at / US, right = ((const Entry *)b)->at / US;

    return (left > right) - (left < right);
}

static void add_entry(GArray *entries, Entry entry)
{
    g_array_append_val(entries, entry);
}

/* In order; of the same second a hold goes first, which is told before anything is tried. */
static void add_entries(GArray *entries, const Record *message)
{
    const Record *deliveries = json_object_object_get(message, "deliveries");
    gint64 told = record_int(message, "hold_at"), seen = bare_hold_at(message);
    gint64 ended = record_int(message, "status_at");
    const char *reason = record_text(message, "status_reason");

    if (told)
        add_entry(entries, make_entry(told, told, "Held", record_text(message, "hold_reason")));
    for (gsize i = 0; i < json_object_array_length(deliveries); i++)
        add_entry(entries, make_attempt(message, json_object_array_get_idx(deliveries, i)));
    if (seen)
        add_entry(entries, make_entry(seen, seen, "Held", "on hold in the mail server's queue"));
    g_array_sort(entries, by_time);
    if (ends_without_attempt(message))
        add_entry(entries, make_entry(ended, ended, record_text(message, "status"),
                                      reason ? reason : "No result was seen"));
}

json_object *history_shown_deliveries(const Record *message)
{
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(Entry));
    json_object *list = json_object_new_array();
    gint64 last = 0;

    add_entries(entries, message);
    for (guint i = 0; i < entries->len; i++) {
        Entry *entry = &g_array_index(entries, Entry, i);
        last = MAX(last, entry->at);
        json_object_object_add(entry->shown, "timestamp", seconds(last));
        json_object_array_add(list, entry->shown);
    }
    return list;
}
