/* SPDX-License-Identifier: MIT */
/*
 * The timeline of a message: who handed it in, from where, what it was signed with, which way it took
 * and what the other side said; and what is not known, or not yet.
 */
#include <stdio.h>
#include <string.h>

#include "cli/history.h"
#include "cli/output.h"
#include "cli/session.h"
#include "lib/base/error.h"
#include "lib/base/id.h"
#include "lib/journal/journal.h"
#include "lib/journal/reader.h"

#define US               1000000
#define QUEUE_ID_MAX     32
#define JOURNAL_SCAN_MAX 1000000 /* records of one journal that are looked through */
#define QUEUE_ID_LETTERS "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

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

/* Since start, as exact as at is: a mail log may have stamps of whole seconds, which would seem to be
 * before the event that they follow. g_free. */
static char *delay_of(gint64 at, gint64 start)
{
    if (!start)
        return g_strdup("");
    if (at % US == 0)
        return g_strdup_printf("+%" G_GINT64_FORMAT " s", MAX(at / US - start / US, 0));
    return g_strdup_printf("+%.3f s", (double)MAX(at - start, 0) / US);
}

/* "  TIME  DELAY  what"; start is 0 for what has nothing before it. */
static void print_at(gint64 at, gint64 start, const char *what)
{
    g_autofree char *time = output_time_us(at);
    g_autofree char *delay = delay_of(at, start);

    printf("  %-23s %12s  %s\n", time, delay, what);
}

static void print_more(const char *label, const char *text)
{
    printf("  %38s%s %s\n", "", label, text);
}

/* g_free. */
static char *tls_text(const Record *record, const char *key)
{
    return record_is_null(record, key) ? g_strdup("no TLS") : text_of(record, key);
}

static void print_submission(const Record *message)
{
    const Record *submission = json_object_object_get(message, "submission");
    g_autofree char *credential = text_of(message, "credential");

    if (!submission) {
        print_more("by", json_object_object_get(message, "credential_id")
                             ? credential
                             : "? (the submission is not in the history, or not yet)");
        return;
    }
    g_autofree char *ip = text_of(submission, "client_ip");
    g_autofree char *helo = text_of(submission, "client_helo");
    g_autofree char *tls = tls_text(submission, "client_tls");
    g_autofree char *sender = text_of(submission, "mail_from");
    g_autofree char *by =
        g_strdup_printf("credential %s (id %" G_GINT64_FORMAT ") from %s, HELO %s, %s", credential,
                        record_int(message, "credential_id"), ip, helo, tls);
    print_more("by", by);
    print_more("sender", sender);
}

static void print_lane(const Record *message)
{
    const Record *lane = json_object_object_get(message, "address");

    if (record_is_null(message, "lane")) {
        print_more("lane", "? (not known yet)");
        return;
    }
    if (record_int(message, "lane") == 0) {
        print_more("lane", "0: no pool, Postfix's default transport");
        return;
    }
    g_autofree char *ipv4 = lane ? text_of(lane, "ipv4") : NULL;
    g_autofree char *ipv6 = lane ? text_of(lane, "ipv6") : NULL;
    g_autofree char *helo = lane ? text_of(lane, "helo") : NULL;
    g_autofree char *pool = lane ? text_of(lane, "pool") : NULL;
    g_autofree char *text =
        lane ? g_strdup_printf("%" G_GINT64_FORMAT ": pool %s, %s %s, HELO %s",
                               record_int(message, "lane"), pool, ipv4, ipv6, helo)
             : g_strdup_printf("%" G_GINT64_FORMAT ": an address that is not there any more",
                               record_int(message, "lane"));
    print_more("lane", text);
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

    print_more("signed", *how ? how : "with no key");
    for (gsize i = 0; skipped && i < json_object_array_length(skipped); i++) {
        g_autofree char *why = output_value("", json_object_array_get_idx(skipped, i));
        print_more("left out", why);
    }
}

static void print_accepted(const Record *message)
{
    g_autofree char *queue_id = text_of(message, "queue_id");
    g_autofree char *from = text_of(message, "header_from");
    g_autofree char *subject = text_of(message, "subject");
    g_autofree char *size = text_of(message, "size");
    g_autofree char *what = g_strdup_printf("accepted, queue id %s, %s octets", queue_id, size);

    if (record_is_null(message, "accepted_at")) {
        printf(
            "  its acceptance is not in the history yet: the milter's journal was not applied\n");
        return;
    }
    print_at(record_int(message, "accepted_at"), 0, what);
    print_submission(message);
    print_more("From", from);
    print_more("Subject", subject);
    print_signatures(message);
    print_lane(message);
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
    g_autofree char *what = g_strdup_printf("%s: %s, dsn %s", status, relay, dsn);
    g_autofree char *way = g_strdup_printf("%s, HELO %s, %s", source, helo, tls);

    print_at(record_int(delivery, "at"), start, what);
    print_more("from", way);
    print_more("answer", text);
}

static void print_message(const Record *message)
{
    const Record *deliveries = json_object_object_get(message, "deliveries");
    g_autofree char *recipient = text_of(message, "rcpt_to");
    g_autofree char *status = text_of(message, "status");
    g_autofree char *server = text_of(message, "server");
    g_autofree char *organization = text_of(message, "organization");
    const char *meaning = "";

    for (gsize i = 0; i < G_N_ELEMENTS(meanings); i++)
        if (g_str_equal(meanings[i].status, status))
            meaning = meanings[i].meaning;
    printf("message %" G_GINT64_FORMAT " of %s/%s to %s\n  %s: %s\n", record_int(message, "id"),
           organization, server, recipient, status, meaning);
    print_accepted(message);
    gint64 start = record_int(message, "accepted_at");
    for (gsize i = 0; i < json_object_array_length(deliveries); i++)
        print_delivery(json_object_array_get_idx(deliveries, i), start);
    if (json_object_array_length(deliveries) == 0)
        printf("  no attempt is known%s\n", g_str_equal(status, "Held") ? "" : " yet");
    if (!record_is_null(message, "removed_at"))
        print_at(record_int(message, "removed_at"), start, "left Postfix's queue");
}

static void print_refusal(const Record *refusal)
{
    g_autofree char *credential = text_of(refusal, "credential");
    g_autofree char *recipient = text_of(refusal, "rcpt_to");
    g_autofree char *ip = text_of(refusal, "client_ip");
    g_autofree char *code = text_of(refusal, "code");
    g_autofree char *text = text_of(refusal, "text");
    g_autofree char *rule = text_of(refusal, "rule");
    g_autofree char *what = g_strdup_printf("%s %s (rule %s)", code, text, rule);

    printf("refusal %" G_GINT64_FORMAT " to %s\n", record_int(refusal, "id"), recipient);
    print_at(record_int(refusal, "at"), 0, what);
    print_more("credential", credential);
    print_more("from", ip);
}

/* Joins what belongs to a message. */
static gboolean complete(Sql *sql, Record *message, GError **error)
{
    const SqlParameter submission[] = {SQL_UNSIGNED(record_int(message, "submission_id"))};
    const SqlParameter lane[] = {SQL_UNSIGNED(record_int(message, "lane"))};
    g_autoptr(GError) why = NULL;

    if (!json_object_object_get(message, "deliveries") &&
        !history_add_deliveries(sql, message, error))
        return FALSE;
    json_object_object_add(message, "submission",
                           record_first(sql, SQL_SUBMISSION_FIND, submission, 1, &why));
    if (!why)
        json_object_object_add(message, "address",
                               record_first(sql, SQL_LANE_ADDRESS, lane, 1, &why));
    if (!why)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

typedef struct {
    guint64 id; /* 0: what was asked for is no id */
    const char *queue_id;
    const char *address;
} Question;

/* A number may be an id or a short queue id; both are looked for. */
static gboolean read_question(const char *text, Question *question, GError **error)
{
    gsize length = strlen(text);

    if (id_parse(text, &question->id) ||
        (length >= 5 && length <= QUEUE_ID_MAX && strspn(text, QUEUE_ID_LETTERS) == length))
        question->queue_id = text;
    else if (strchr(text, '@') && g_utf8_validate(text, -1, NULL))
        question->address = text;
    else {
        g_autofree char *quoted = value_quote(text);
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                    "%s: allowed are a message id, a queue id and a mail address", quoted);
        return FALSE;
    }
    return TRUE;
}

static Record *find_messages(Sql *sql, const Question *question, GError **error)
{
    const SqlParameter id[] = {SQL_UNSIGNED(question->id)};
    const SqlParameter text[] = {
        SQL_TEXT(question->address ? question->address : question->queue_id)};
    g_autoptr(Record) found = NULL;

    if (question->id)
        found = record_list(sql, SQL_MESSAGE_FIND, id, 1, error);
    if (question->id && (!found || json_object_array_length(found) > 0))
        return g_steal_pointer(&found);
    return record_list(sql, question->address ? SQL_MESSAGE_BY_RECIPIENT : SQL_MESSAGE_BY_QUEUE_ID,
                       text, 1, error);
}

static Record *find_refusals(Sql *sql, const Question *question, GError **error)
{
    const SqlParameter address[] = {SQL_TEXT(question->address)};
    const SqlParameter ids[] = {SQL_UNSIGNED(question->id), SQL_TEXT(question->queue_id)};

    return question->address ? record_list(sql, SQL_REFUSAL_BY_RECIPIENT, address, 1, error)
                             : record_list(sql, SQL_REFUSAL_FIND, ids, 2, error);
}

/* Whether word stands in text, and not as a part of a longer word or number. */
static gboolean has_word(const char *text, const char *word)
{
    gsize length = strlen(word);

    for (const char *p = strstr(text, word); p; p = strstr(p + 1, word))
        if ((p == text || !g_ascii_isalnum(p[-1])) && !g_ascii_isalnum(p[length]))
            return TRUE;
    return FALSE;
}

/* The first record of a journal that has the word, as "type in the journal of program"; NULL when
 * there is none or it cannot be read. g_free. */
static char *find_in_journal(const char *spool, const char *program, const char *word)
{
    g_autoptr(JournalReader) reader = journal_reader_open(spool, program, 0, NULL);

    for (guint i = 0; reader && i < JOURNAL_SCAN_MAX; i++) {
        JournalRecord record;
        if (journal_reader_next(reader, &record, NULL) != JOURNAL_READ_RECORD)
            return NULL;
        if (!has_word(record.json, word))
            continue;
        const char *name = event_name(record.type);
        return g_strdup_printf("%s in the journal of %s", name ? name : "an event", program);
    }
    return NULL;
}

/* Nothing was found: says why that may be. */
static gboolean explain_nothing(Cli *cli, GError **error)
{
    const char *spool = config_string(cli->config, CONFIG_SPOOL_DIR);
    g_autofree char *quoted = value_quote(cli->arguments[0]);
    g_auto(GStrv) programs = journal_programs(spool, NULL);

    for (char **program = programs; program && *program; program++) {
        g_autofree char *found = find_in_journal(spool, *program, cli->arguments[0]);
        if (!found)
            continue;
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND,
                    "%s is not in the history yet: it is named by %s, which outrider-worker has "
                    "not applied (is it running?)",
                    quoted, found);
        return FALSE;
    }
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND,
                "%s is not in the history: it was never accepted here, is older than "
                "%" G_GINT64_FORMAT " days, or was accepted by another host whose worker has not "
                "applied its events yet",
                quoted, config_int(cli->config, CONFIG_HISTORY_DAYS));
    return FALSE;
}

gboolean explain(Cli *cli, GError **error)
{
    Question question = {0};

    if (!read_question(cli->arguments[0], &question, error))
        return FALSE;
    Sql *sql = cli_sql(cli, error);
    if (!sql)
        return FALSE;
    g_autoptr(Record) messages = find_messages(sql, &question, error);
    if (!messages)
        return FALSE;
    g_autoptr(Record) refusals = find_refusals(sql, &question, error);
    if (!refusals)
        return FALSE;
    gsize n = json_object_array_length(messages);
    gsize refused = json_object_array_length(refusals);
    if (n + refused == 0)
        return explain_nothing(cli, error);
    for (gsize i = 0; i < n; i++)
        if (!complete(sql, json_object_array_get_idx(messages, i), error))
            return FALSE;
    if (cli->json) {
        g_autoptr(Record) both = json_object_new_object();
        json_object_object_add(both, "messages", json_object_get(messages));
        json_object_object_add(both, "refusals", json_object_get(refusals));
        return output_json(cli, both);
    }
    for (gsize i = 0; i < n; i++)
        print_message(json_object_array_get_idx(messages, i));
    for (gsize i = 0; i < refused; i++)
        print_refusal(json_object_array_get_idx(refusals, i));
    return TRUE;
}
