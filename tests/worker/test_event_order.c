/* SPDX-License-Identifier: MIT */
/*
 * The promise of the event applier: random histories of messages, applied in any order, any number of
 * times, in batches of any size, and from two nodes' journals in any interleaving, leave the same rows.
 * OUTRIDER_TEST_SEED repeats a run whose seed a failure has named.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/id.h"
#include "lib/journal/journal.h"
#include "tests/lib/database_fixture.h"
#include "tests/lib/testing.h"
#include "worker/event_apply.h"

#define DATABASE  "order"
#define ROUNDS    30
#define LIVES     10 /* submissions of one history */
#define REPEATS   3
#define BATCH_MAX 40

static const char tables[][24] = {"submission", "message",        "message_copy",     "delivery",
                                  "refusal",    "event_rejected", "journal_position", "credential",
                                  "tracking",   "visit"};
/* What depends on which journal an event came from. */
static const char of_journals[][24] = {"event_rejected", "journal_position"};

static const EventSource sources[] = {
    {.node = 1, .program = "outrider-milter", .epoch = "0123456789abcdef"},
    {.node = 1, .program = "outrider-worker", .epoch = "1123456789abcdef"},
    {.node = 2, .program = "outrider-milter", .epoch = "2123456789abcdef"},
    {.node = 2, .program = "outrider-worker", .epoch = "3123456789abcdef"},
};

static MariadbFixture *server;
static Sql *sql;
static guint32 first_seed;

/* A history as it grows. The milter's times are all different; those of the log are coarse. */
typedef struct {
    GRand *random;
    GPtrArray *texts;
    GArray *events; /* Event */
    gint64 clock;
    guint64 base;
    guint queue_id;
    guint attempt;
} History;

static guint pick(History *history, guint n)
{
    return (guint)g_rand_int_range(history->random, 0, (gint32)n);
}

/* 1 to BATCH_MAX, and no more than there are. */
static guint batch_of(History *history, guint left)
{
    guint wanted = 1 + pick(history, BATCH_MAX);

    return MIN(wanted, left);
}

static gboolean often(History *history, guint percent)
{
    return pick(history, 100) < percent;
}

static void add_text(History *history, EventType type, char *json)
{
    const Event event = {.at_us = 5, .type = (guint16)type, .json = json, .length = strlen(json)};

    g_ptr_array_add(history->texts, json);
    g_array_append_val(history->events, event);
}

G_GNUC_PRINTF(3, 4)
static void add(History *history, EventType type, const char *format, ...)
{
    gboolean milter = type != EVENT_MESSAGE_QUEUED && type != EVENT_DELIVERY_ATTEMPT &&
                      type != EVENT_MESSAGE_REMOVED && type != EVENT_HOLD_RELEASED &&
                      type != EVENT_HOLD_CANCELLED;
    gint64 at = ++history->clock;
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *fields = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    add_text(history, type,
             g_strdup_printf("{\"v\":1,\"at\":%" G_GINT64_FORMAT ",\"server\":3,%s}",
                             milter ? at : at - at % 8, fields));
}

/* g_free. */
static char *new_queue_id(History *history)
{
    return g_strdup_printf("4d%06uz", ++history->queue_id);
}

static void attempt(History *history, guint64 id, const char *queue_id, const char *status)
{
    guint number = ++history->attempt;

    add(history, EVENT_DELIVERY_ATTEMPT,
        "\"id\":%" G_GUINT64_FORMAT ",\"attempt\":%u,\"queue_id\":\"%s\",\"status\":\"%s\","
        "\"dsn\":\"4.7.1\",\"code\":451,\"text\":\"text %u\",\"tls\":\"TLSv1.3\"",
        id, number, queue_id, status, number);
    if (!often(history, 20))
        return;
    /* The same line, read again after a restart that forgot what the connection used. */
    const Event *whole = &g_array_index(history->events, Event, history->events->len - 1);
    g_auto(GStrv) parts = g_strsplit(whole->json, ",\"tls\":\"TLSv1.3\"", 2);
    add_text(history, EVENT_DELIVERY_ATTEMPT, g_strjoinv("", parts));
}

static void queued(History *history, guint64 id, const char *queue_id, const char *more)
{
    for (guint i = 1 + pick(history, 3); i > 0; i--) /* each return from deferred is a line */
        add(history, EVENT_MESSAGE_QUEUED, "\"id\":%" G_GUINT64_FORMAT ",\"queue_id\":\"%s\"%s", id,
            queue_id, more);
}

static void held(History *history, guint64 id, const char *queue_id, const char *more)
{
    g_autofree char *with_status = g_strconcat(",\"status\":\"Held\"", more, NULL);

    if (often(history, 80)) /* an admin tells no reason */
        add(history, EVENT_MESSAGE_HELD,
            "\"id\":%" G_GUINT64_FORMAT
            ",\"rule\":\"rule-%u\",\"reason\":\"reason %u\",\"expires\":%u",
            id, pick(history, 9), pick(history, 9), pick(history, 99));
    queued(history, id, queue_id, with_status);
}

/* Held, released, held again, and perhaps deleted then. */
static void held_and_released(History *history, guint64 id, const char *queue_id, const char *more)
{
    for (guint i = 1 + pick(history, 2); i > 0; i--) {
        if (often(history, 90)) /* a release whose hold was not read */
            held(history, id, queue_id, more);
        if (often(history, 75))
            add(history, EVENT_HOLD_RELEASED, "\"id\":%" G_GUINT64_FORMAT ",\"queue_id\":\"%s\"",
                id, queue_id);
        if (often(history, 50)) /* queued once more, soon or late */
            queued(history, id, queue_id, more);
    }
    if (often(history, 25))
        add(history, EVENT_HOLD_CANCELLED,
            "\"id\":%" G_GUINT64_FORMAT ",\"queue_id\":\"%s\",\"reason\":\"deleted %u\"", id,
            queue_id, pick(history, 9));
}

static void lost(History *history, guint64 id, const char *status)
{
    add(history, EVENT_MESSAGE_LOST,
        "\"id\":%" G_GUINT64_FORMAT ",\"status\":\"%s\",\"reason\":\"lost %u\"", id, status,
        pick(history, 9));
}

/* What follows when Postfix has a message: attempts, requeueing, loss, removal. */
static void deliver(History *history, guint64 id, const char *queue_id, gboolean copy)
{
    static const char *const statuses[] = {"SoftFail", "SoftFail", "Sent", "HardFail"};
    const char *more = copy ? ",\"copy\":true" : "";

    if (often(history, 25))
        held_and_released(history, id, queue_id, more);
    else if (often(history, 90))
        queued(history, id, queue_id, more);
    for (guint i = pick(history, 4); i > 0; i--)
        attempt(history, id, queue_id, statuses[pick(history, G_N_ELEMENTS(statuses))]);
    if (often(history, 10)) /* what has failed for now is held, and goes on */
        held_and_released(history, id, queue_id, more);
    if (often(history, 25)) {
        g_autofree char *again = new_queue_id(history);
        g_autofree char *parent = g_strdup_printf(",\"copy\":true,\"parent\":\"%s\"", queue_id);
        queued(history, id, again, parent);
        if (often(history, 50)) /* read where the parent was not known */
            queued(history, id, again, ",\"copy\":true");
        attempt(history, id, again, statuses[pick(history, G_N_ELEMENTS(statuses))]);
    }
    if (often(history, 30))
        lost(history, id, often(history, 50) ? "Unknown" : "Aborted");
    if (often(history, 20))
        attempt(history, id, queue_id, "Sent");
    if (often(history, 70))
        add(history, EVENT_MESSAGE_REMOVED, "\"id\":%" G_GUINT64_FORMAT, id);
}

/* As a field behind a comma, or nothing; g_free. */
static char *tracked(History *history)
{
    if (often(history, 50))
        return g_strdup("");
    return g_strdup_printf(
        ",\"tracked\":{\"host\":\"t%u.acme.test\",\"links\":[[1,\"https://%u.test/\"]],"
        "\"more\":%u,\"pixel\":%s,\"growth\":%d,\"skipped\":{\"scheme\":%u}}",
        pick(history, 3), pick(history, 9), pick(history, 3), often(history, 50) ? "true" : "false",
        (int)pick(history, 99) - 9, pick(history, 5));
}

/* Few clients and seconds, so that some visits are the same. */
static void visited(History *history, guint64 id)
{
    static const char *const methods[] = {"GET", "HEAD"};

    for (guint i = pick(history, 6); i > 0; i--) {
        history->clock += pick(history, 2) ? 300000 : 1;
        g_autofree char *client = g_strdup_printf(
            "\"id\":%" G_GUINT64_FORMAT ",\"ip\":\"192.0.2.%u\",\"ua\":\"\",\"method\":\"%s\"", id,
            pick(history, 2), methods[pick(history, 2)]);
        guint ordinal = 1 + pick(history, 2);
        if (often(history, 50))
            add(history, EVENT_OPEN, "%s", client);
        else
            add(history, EVENT_CLICK, "\"ordinal\":%u,\"url\":\"https://%u.test/\",%s", ordinal,
                ordinal, client);
    }
}

static void accepted(History *history, guint64 id, guint64 base, const char *queue_id, gboolean hop)
{
    g_autofree char *links = tracked(history);

    add(history, EVENT_MESSAGE_ACCEPTED,
        "\"id\":%" G_GUINT64_FORMAT ",\"base\":%" G_GUINT64_FORMAT
        ",\"credential\":%u,\"queue_id\":"
        "\"%s\",\"mail_from\":\"%s\",\"rcpt\":\"R%u@Ok.test\",\"subject\":%s,\"size\":%u,"
        "\"signed\":[\"a:b:c\"],\"lane\":%u,\"hop\":%s%s",
        id, base, 1 + pick(history, 3), queue_id, often(history, 50) ? "" : "a@acme.test",
        pick(history, 3), often(history, 50) ? "null" : "\"s\"", pick(history, 9999),
        pick(history, 5), hop ? "true" : "false", links);
    visited(history, id);
}

static void discarded(History *history, guint64 id, guint64 base)
{
    for (guint i = 1 + pick(history, 2); i > 0; i--)
        add(history, EVENT_MESSAGE_DISCARDED,
            "\"id\":%" G_GUINT64_FORMAT ",\"base\":%" G_GUINT64_FORMAT ",\"credential\":2,"
            "\"queue_id\":\"%u\",\"mail_from\":\"a@acme.test\",\"rcpt\":\"r%u@ok.test\",\"code\":"
            "\"554 5.7.%u\",\"text\":\"no\",\"rule\":\"r\"",
            id, base, ++history->queue_id, pick(history, 3), pick(history, 9));
}

/* Message by message after the split, or before it. */
static void live_after_hop(History *history, guint64 id, guint64 base, const char *first)
{
    guint copies = often(history, 25) ? 2 : 1;

    if (often(history, 15))
        attempt(history, id, first, often(history, 50) ? "SoftFail" : "HardFail");
    if (often(history, 15))
        return;
    if (often(history, 15))
        discarded(history, id, base);
    for (guint i = 0; i < copies; i++) {
        g_autofree char *queue_id = new_queue_id(history);
        accepted(history, id, base, queue_id, TRUE);
        deliver(history, id, queue_id, TRUE);
    }
}

static void live_hop(History *history)
{
    guint64 base = history->base;
    guint n = 1 + pick(history, 5);
    g_autofree char *queue_id = new_queue_id(history);
    g_autoptr(GString) rcpts = g_string_new(NULL);

    for (guint i = 0; i < n; i++)
        g_string_append_printf(rcpts, "%s\"r%u@ok.test\"", i ? "," : "", pick(history, 3));
    add(history, EVENT_SUBMISSION_ADMITTED,
        "\"base\":%" G_GUINT64_FORMAT ",\"n\":%u,\"hop\":true,\"credential\":2,\"queue_id\":\"%s\","
        "\"mail_from\":\"%s\",\"rcpts\":[%s],\"client\":{\"ip\":\"192.0.2.1\"}",
        base, n, queue_id, often(history, 50) ? "" : "a@acme.test", rcpts->str);
    for (guint i = pick(history, 3); i > 0; i--)
        add(history, EVENT_SUBMISSION_QUEUED,
            "\"base\":%" G_GUINT64_FORMAT ",\"n\":%u,\"queue_id\":\"%s\"", base, n, queue_id);
    for (guint i = 0; i < n; i++)
        live_after_hop(history, id_at(base, i), base, queue_id);
}

static void live_direct(History *history)
{
    guint64 id = history->base;
    g_autofree char *queue_id = new_queue_id(history);

    add(history, EVENT_SUBMISSION_ADMITTED,
        "\"base\":%" G_GUINT64_FORMAT ",\"n\":1,\"credential\":2,\"queue_id\":\"%s\",\"mail_from\":"
        "\"a@acme.test\",\"rcpts\":[\"r@ok.test\"],\"client\":{\"ip\":\"192.0.2.1\"}",
        id, queue_id);
    accepted(history, id, id, queue_id, FALSE);
    if (often(history, 75))
        deliver(history, id, queue_id, FALSE);
    else if (often(history, 75))
        lost(history, id, "Aborted");
}

/* Held for all of its life: released again and again, deleted in the end, or not. */
static void live_held(History *history)
{
    guint64 id = history->base;
    g_autofree char *queue_id = new_queue_id(history);

    accepted(history, id, id, queue_id, FALSE);
    held_and_released(history, id, queue_id, "");
    if (often(history, 50))
        held(history, id, queue_id, "");
}

static void live_otherwise(History *history)
{
    add(history, EVENT_MESSAGE_REFUSED,
        "\"id\":%" G_GUINT64_FORMAT
        ",\"credential\":2,\"code\":\"530\",\"text\":\"t\",\"rule\":\"r\"",
        history->base);
    add(history, EVENT_CREDENTIAL_USED, "\"credential\":1,\"count\":%u", pick(history, 9));
    add(history, EVENT_AUTH_FAILED, "\"ip\":\"192.0.2.1\"");
    if (often(history, 50)) /* a second statement that only the server refuses */
        add_text(history, EVENT_DELIVERY_ATTEMPT,
                 g_strdup_printf("{\"id\":%" G_GUINT64_FORMAT ",\"attempt\":1,\"status\":\"Sent\","
                                 "\"server\":99999999999}",
                                 history->base));
    if (often(history, 50))
        add_text(history, 4711, g_strdup("{}"));
    if (often(history, 50))
        add_text(history, EVENT_MESSAGE_QUEUED, g_strdup("{\"id\":"));
}

static void history_begin(History *history, guint32 seed)
{
    *history = (History){.random = g_rand_new_with_seed(seed),
                         .texts = g_ptr_array_new_with_free_func(g_free),
                         .events = g_array_new(FALSE, FALSE, sizeof(Event)),
                         .clock = G_GINT64_CONSTANT(1795248000000000),
                         .base = 1000};
    for (guint i = 0; i < LIVES; i++, history->base += 1000000) {
        guint kind = pick(history, 10);
        if (i < 2) /* chance leaves hardly any message at that: some are for certain */
            live_held(history);
        else if (kind < 5)
            live_hop(history);
        else if (kind < 8)
            live_direct(history);
        else
            live_otherwise(history);
    }
}

static void history_end(History *history)
{
    g_rand_free(history->random);
    g_ptr_array_unref(history->texts);
    g_array_unref(history->events);
}

static void apply(const EventSource *source, const Event *events, guint n)
{
    GError *error = NULL;
    guint rejected;

    if (!event_apply_batch(sql, source, events, n, &rejected, &error))
        fail_msg("seed %u: %s", first_seed, error->message);
}

/* Every row of every table that events write, and an empty database again. g_free. */
static char *take_rows(gboolean with_journals)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
        gboolean of_journal = FALSE;
        for (gsize k = 0; k < G_N_ELEMENTS(of_journals); k++)
            of_journal = of_journal || g_str_equal(tables[i], of_journals[k]);
        if (with_journals || !of_journal)
            g_string_append_printf(text, "SELECT '%s', t.* FROM %s t ORDER BY 2, 3, 4, 5; ",
                                   tables[i], tables[i]);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(tables); i++)
        if (!g_str_equal(tables[i], "credential"))
            g_string_append_printf(text, "DELETE FROM %s; ", tables[i]);
    g_string_append(text, "UPDATE credential SET last_used_at = NULL");
    return mariadb_fixture_run(server, DATABASE, text->str);
}

static void assert_same(const char *got, const char *wanted, guint32 seed, guint round)
{
    g_auto(GStrv) lines = g_strsplit(got, "\n", -1);
    g_auto(GStrv) others = g_strsplit(wanted, "\n", -1);

    if (g_str_equal(got, wanted))
        return;
    for (guint i = 0; lines[i] && others[i]; i++)
        if (!g_str_equal(lines[i], others[i]))
            fail_msg("OUTRIDER_TEST_SEED=%u, round %u (%u):\n%s\nnot\n%s", first_seed, round, seed,
                     lines[i], others[i]);
    fail_msg("OUTRIDER_TEST_SEED=%u, round %u (%u): other rows", first_seed, round, seed);
}

static void apply_shuffled(History *history)
{
    g_autoptr(GArray) deck = g_array_new(FALSE, FALSE, sizeof(Event));

    for (guint i = 0; i < history->events->len; i++)
        for (guint k = 1 + pick(history, REPEATS); k > 0; k--)
            g_array_append_val(deck, g_array_index(history->events, Event, i));
    Event *events = (Event *)(gpointer)deck->data;
    for (guint i = deck->len - 1; i > 0; i--) {
        guint other = pick(history, i + 1);
        Event kept = events[i];
        events[i] = events[other];
        events[other] = kept;
    }
    for (guint i = 0; i < deck->len; i++)
        events[i].seq = i + 1;
    for (guint at = 0, n; at < deck->len; at += n) {
        n = batch_of(history, deck->len - at);
        apply(&sources[0], &events[at], n);
    }
}

static void test_event_order_any_permutation_and_repetition(void **state)
{
    (void)state;
    for (guint round = 0; round < ROUNDS; round++) {
        guint32 seed = first_seed + round;
        History history;
        history_begin(&history, seed);
        for (guint i = 0; i < history.events->len; i++) {
            g_array_index(history.events, Event, i).seq = i + 1;
            apply(&sources[0], &g_array_index(history.events, Event, i), 1);
        }
        g_autofree char *wanted = take_rows(FALSE);
        apply_shuffled(&history);
        g_autofree char *got = take_rows(FALSE);
        assert_same(got, wanted, seed, round);
        history_end(&history);
    }
}

/* Deals the events out to the journals, each in its order. */
static void deal(History *history, GArray **journals)
{
    for (guint i = 0; i < history->events->len; i++) {
        Event event = g_array_index(history->events, Event, i);
        GArray *journal = journals[pick(history, G_N_ELEMENTS(sources))];
        event.seq = journal->len + 1;
        g_array_append_val(journal, event);
    }
}

/* Takes a batch from any journal until all are through; now and then one is read again, as by a worker
 * that does not know how far it came. */
static void apply_interleaved(History *history, GArray **journals)
{
    guint done[G_N_ELEMENTS(sources)] = {0};
    guint left = history->events->len;

    while (left > 0) {
        guint i = pick(history, G_N_ELEMENTS(sources));
        if (often(history, 10)) {
            guint back = MIN(done[i], 10);
            done[i] -= back;
            left += back;
        }
        guint n = batch_of(history, journals[i]->len - done[i]);
        if (n == 0)
            continue;
        apply(&sources[i], &g_array_index(journals[i], Event, done[i]), n);
        done[i] += n;
        left -= n;
    }
}

static void assert_positions(GArray **journals)
{
    for (guint i = 0; i < G_N_ELEMENTS(sources); i++) {
        guint64 position = 0;
        assert_true(event_position(sql, &sources[i], &position, NULL));
        assert_int_equal(position, journals[i]->len);
    }
}

static void test_event_order_two_nodes_interleaved(void **state)
{
    g_autoptr(GString) seen = g_string_new(NULL);

    (void)state;
    for (guint round = 0; round < ROUNDS; round++) {
        guint32 seed = first_seed + ROUNDS + round;
        GArray *journals[G_N_ELEMENTS(sources)];
        History history;
        history_begin(&history, seed);
        for (guint i = 0; i < G_N_ELEMENTS(sources); i++)
            journals[i] = g_array_new(FALSE, FALSE, sizeof(Event));
        deal(&history, journals);
        for (guint i = 0; i < G_N_ELEMENTS(sources); i++)
            if (journals[i]->len > 0)
                apply(&sources[i], (const Event *)(gpointer)journals[i]->data, journals[i]->len);
        assert_positions(journals);
        g_autofree char *wanted = take_rows(TRUE);
        apply_interleaved(&history, journals);
        assert_positions(journals);
        g_autofree char *got = take_rows(TRUE);
        assert_same(got, wanted, seed, round);
        g_string_append(seen, got);
        for (guint i = 0; i < G_N_ELEMENTS(sources); i++)
            g_array_unref(journals[i]);
        history_end(&history);
    }
    static const char *const statuses[] = {"Accepting", "Aborted",       "Pending",
                                           "Held",      "SoftFail",      "Unknown",
                                           "Sent",      "HoldCancelled", "HardFail"};
    for (gsize i = 0; i < G_N_ELEMENTS(statuses); i++) /* of each at least 15, expected */
        if (!strstr(seen->str, statuses[i]))
            fail_msg("OUTRIDER_TEST_SEED=%u: no message is %s", first_seed, statuses[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event_order_any_permutation_and_repetition),
        cmocka_unit_test(test_event_order_two_nodes_interleaved),
    };
    const char *seed = getenv("OUTRIDER_TEST_SEED");

    first_seed = seed ? (guint32)g_ascii_strtoull(seed, NULL, 10) : g_random_int();
    server = mariadb_fixture_start();
    sql = database_fixture_open(server, DATABASE);
    int status = cmocka_run_group_tests(tests, NULL, NULL);
    sql_close(sql);
    mariadb_fixture_stop(server);
    return status;
}
