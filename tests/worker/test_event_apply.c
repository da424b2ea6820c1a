/* SPDX-License-Identifier: MIT */
/* Events against a real MariaDB: any order and repetition gives the same rows. */
#include <stdio.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/journal/journal.h"
#include "tests/lib/database_fixture.h"
#include "tests/lib/testing.h"
#include "worker/event_apply.h"

#define ROUNDS   40
#define DATABASE "events"

static MariadbFixture *server;
static Sql *sql;
static guint64 seq;

static const EventSource source = {.node = 1, .program = "test", .epoch = "0123456789abcdef"};

/* One message's life; %d is its id. */
static const struct {
    EventType type;
    const char *json;
} life[] = {
    {EVENT_SUBMISSION_ADMITTED,
     "{\"v\":1,\"node\":1,\"at\":100,\"base\":%d,\"n\":1,\"server\":3,\"credential\":7,\"queue_"
     "id\":"
     "\"4dKf2x0Wqzz1bC\",\"mail_from\":\"a@acme.test\",\"client\":{\"ip\":\"192.0.2.9\",\"helo\":"
     "\"h\",\"tls\":\"TLSv1.3\"}}"},
    {EVENT_MESSAGE_ACCEPTED,
     "{\"v\":1,\"at\":101,\"id\":%d,\"base\":5,\"token\":\"abcdefghijklmnop\",\"server\":3,"
     "\"credential\":7,\"queue_id\":\"4dKf2x0Wqzz1bC\",\"mail_from\":\"a@acme.test\",\"rcpt\":"
     "\"x@OK.test\",\"subject\":\"h\xc3\xa9\",\"size\":10,\"lane\":8,\"signed\":[\"a:b:c\"],"
     "\"skipped\":[],\"tag\":null}"},
    {EVENT_MESSAGE_QUEUED, "{\"at\":102,\"id\":%d,\"server\":3,\"queue_id\":\"4dKf2x0Wqzz1bC\"}"},
    {EVENT_MESSAGE_QUEUED, "{\"at\":103,\"id\":%d,\"server\":3,\"queue_id\":\"4dKf2y0Wqzz1bC\"}"},
    {EVENT_DELIVERY_ATTEMPT,
     "{\"at\":104,\"id\":%d,\"server\":3,\"attempt\":11,\"status\":\"SoftFail\",\"queue_id\":"
     "\"4dKf2y0Wqzz1bC\",\"dsn\":\"4.3.0\",\"code\":451,\"text\":\"later\",\"delay_ms\":60}"},
    {EVENT_DELIVERY_ATTEMPT,
     "{\"at\":106,\"id\":%d,\"server\":3,\"attempt\":12,\"status\":\"Sent\",\"queue_id\":"
     "\"4dKf2y0Wqzz1bC\",\"dsn\":\"2.0.0\",\"code\":250,\"tls\":\"TLSv1.3\"}"},
    {EVENT_DELIVERY_ATTEMPT,
     "{\"at\":107,\"id\":%d,\"server\":3,\"attempt\":13,\"status\":\"SoftFail\",\"queue_id\":"
     "\"4dKf2y0Wqzz1bC\"}"},
    {EVENT_MESSAGE_REMOVED, "{\"at\":108,\"id\":%d,\"server\":3}"},
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static char *life_json(guint step, int id)
{
    return g_strdup_printf(life[step].json, id);
}
#pragma GCC diagnostic pop

static char *run(const char *text)
{
    return g_strchomp(mariadb_fixture_run(server, DATABASE, text));
}

static guint apply(EventType type, const char *json)
{
    const Event event = {
        .seq = ++seq, .at_us = 1, .type = (guint16)type, .json = json, .length = strlen(json)};
    GError *error = NULL;
    guint rejected = 99;

    event_apply_batch(sql, &source, &event, 1, &rejected, &error);
    assert_no_error(error);
    return rejected;
}

static char *rows_of(int id)
{
    g_autofree char *query = g_strdup_printf(
        "SELECT server_id, credential_id, submission_id, token, status, status_at, queue_id, "
        "mail_from, rcpt_to, rcpt_domain, subject, size, lane, signatures, tag, accepted_at, "
        "removed_at FROM message WHERE id = %d; "
        "SELECT attempt, at, status, queue_id, dsn, code, text, tls, delay_ms FROM delivery WHERE "
        "message_id = %d ORDER BY attempt; "
        "SELECT server_id, credential_id, recipients, queue_id, mail_from, client_ip, client_helo, "
        "client_tls, at FROM submission WHERE id = %d",
        id, id, id);
    return run(query);
}

static void test_event_apply_any_order(void **state)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(20261121);

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(life); i++) {
        g_autofree char *json = life_json(i, 1000);
        assert_int_equal(apply(life[i].type, json), 0);
    }
    g_autofree char *wanted = rows_of(1000);
    if (!strstr(wanted, "Sent\t106\t4dKf2y0Wqzz1bC\ta@acme.test\tx@OK.test\tok.test"))
        fail_msg("%s", wanted);
    for (int round = 1; round <= ROUNDS; round++) {
        guint order[3 * G_N_ELEMENTS(life)];
        for (guint i = 0; i < G_N_ELEMENTS(order); i++)
            order[i] = i % G_N_ELEMENTS(life);
        for (guint i = G_N_ELEMENTS(order) - 1; i > 0; i--) {
            guint other = (guint)g_rand_int_range(random, 0, (gint32)i + 1), kept = order[i];
            order[i] = order[other];
            order[other] = kept;
        }
        for (guint i = 0; i < G_N_ELEMENTS(order); i++) {
            g_autofree char *json = life_json(order[i], 1000 + round);
            assert_int_equal(apply(life[order[i]].type, json), 0);
        }
        g_autofree char *got = rows_of(1000 + round);
        if (strcmp(got, wanted) != 0)
            fail_msg("round %d:\n%s\nnot\n%s", round, got, wanted);
    }
}

static void test_event_apply_refused(void **state)
{
    static const struct {
        guint16 type;
        const char *json;
    } bad[] = {
        {EVENT_MESSAGE_QUEUED, ""},
        {EVENT_MESSAGE_QUEUED, "{"},
        {EVENT_MESSAGE_QUEUED, "[]"},
        {EVENT_MESSAGE_QUEUED, "{} trailing"},
        {EVENT_MESSAGE_QUEUED, "{\"server\":3}"},
        {EVENT_MESSAGE_QUEUED, "{\"id\":0,\"server\":3}"},
        {EVENT_MESSAGE_QUEUED, "{\"id\":-5,\"server\":3}"},
        {EVENT_MESSAGE_QUEUED, "{\"id\":\"5\",\"server\":3}"},
        {EVENT_MESSAGE_QUEUED, "{\"id\":5,\"server\":3,\"queue_id\":{}}"},
        {EVENT_MESSAGE_QUEUED, "{\"id\":5,\"server\":99999999999}"},
        {EVENT_MESSAGE_QUEUED, "{\"id\":5,\"status\":\"Sent\"}"},
        {EVENT_MESSAGE_QUEUED, "{\"id\":5,\"copy\":true}"}, /* which queue id? */
        {EVENT_MESSAGE_LOST, "{\"id\":5}"},
        {EVENT_MESSAGE_HELD, "{\"id\":5,\"rule\":[],\"reason\":\"r\"}"},
        {EVENT_MESSAGE_HELD, "{\"id\":5,\"expires\":\"tomorrow\"}"},
        {EVENT_HOLD_RELEASED, "{\"queue_id\":\"4dKf2x0Wqzz1bC\"}"},
        {EVENT_HOLD_RELEASED, "{\"id\":\"5\"}"},
        {EVENT_HOLD_CANCELLED, "{}"},
        {EVENT_HOLD_CANCELLED, "{\"id\":0,\"reason\":\"r\"}"},
        {EVENT_HOLD_CANCELLED, "{\"id\":5,\"reason\":{}}"},
        {EVENT_MESSAGE_LOST, "{\"id\":5,\"status\":\"Pending\"}"},
        {EVENT_MESSAGE_DISCARDED, "{\"base\":5}"},
        {EVENT_SUBMISSION_QUEUED, "{\"base\":5}"},
        {EVENT_SUBMISSION_QUEUED, "{\"base\":5,\"n\":0}"},
        {EVENT_SUBMISSION_QUEUED, "{\"base\":5,\"n\":50001}"},
        {EVENT_SUBMISSION_QUEUED, "{\"base\":5,\"n\":\"2\"}"},
        {EVENT_SUBMISSION_QUEUED, "{\"base\":0,\"n\":2}"},
        {EVENT_SUBMISSION_ADMITTED, "{\"base\":5,\"n\":2,\"hop\":true,\"rcpts\":\"a@b.test\"}"},
        {EVENT_SUBMISSION_ADMITTED,
         "{\"base\":5,\"n\":2,\"hop\":true,\"rcpts\":[\"a@b.test\",{}]}"},
        {EVENT_DELIVERY_ATTEMPT, "{\"id\":5,\"attempt\":1,\"status\":\"Nonsense\"}"},
        /* The first statement is good, the second is not. */
        {EVENT_DELIVERY_ATTEMPT,
         "{\"id\":5,\"attempt\":1,\"status\":\"Sent\",\"server\":99999999999}"},
        {EVENT_MESSAGE_DISCARDED, "{\"id\":5,\"lane\":1,\"base\":-1}"},
        {4711, "{\"id\":5}"},
    };
    g_autofree char *before = run("SELECT COUNT(*) FROM event_rejected");

    (void)state;
    assert_string_equal(before, "0");
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        if (apply(bad[i].type, bad[i].json) != 1)
            fail_msg("taken: %s", bad[i].json);
    g_autofree char *after = run("SELECT COUNT(*) FROM event_rejected");
    g_autofree char *wanted = g_strdup_printf("%zu", G_N_ELEMENTS(bad));
    assert_string_equal(after, wanted);
    guint64 position = 0;
    GError *error = NULL;
    assert_true(event_position(sql, &source, &position, &error));
    assert_int_equal(position, seq);
    g_autofree char *left = run("SELECT (SELECT COUNT(*) FROM message) + (SELECT COUNT(*) FROM "
                                "delivery) + (SELECT COUNT(*) FROM submission) + (SELECT COUNT(*) "
                                "FROM message_copy) + (SELECT COUNT(*) FROM refusal)");
    assert_string_equal(left, "0"); /* nothing of them */
}

static void test_event_apply_bad_among_good(void **state)
{
    const Event events[] = {
        {.seq = seq + 1,
         .type = EVENT_MESSAGE_QUEUED,
         .json = "{\"id\":51,\"at\":1}",
         .length = 16},
        {.seq = seq + 2, .type = EVENT_MESSAGE_QUEUED, .json = "nonsense", .length = 8},
        {.seq = seq + 3,
         .type = EVENT_MESSAGE_QUEUED,
         .json = "{\"id\":52,\"at\":1}",
         .length = 16},
    };
    GError *error = NULL;
    guint rejected = 0;

    (void)state;
    seq += 3;
    assert_true(event_apply_batch(sql, &source, events, 3, &rejected, &error));
    assert_int_equal(rejected, 1);
    g_autofree char *rows = run("SELECT COUNT(*) FROM message WHERE id IN (51, 52)");
    assert_string_equal(rows, "2");
}

/* One that only the server refuses, among others that are written together. */
static void test_event_apply_refused_among_good(void **state)
{
    static const char *const attempts[] = {
        "{\"id\":81,\"attempt\":1,\"status\":\"Sent\",\"server\":1}",
        "{\"id\":82,\"attempt\":1,\"status\":\"Sent\",\"server\":99999999999}",
        "nonsense",
        "{\"id\":83,\"attempt\":1,\"status\":\"Sent\",\"server\":1}",
    };
    Event events[G_N_ELEMENTS(attempts)];
    GError *error = NULL;
    guint rejected = 0;
    guint64 first = seq + 1;

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(events); i++)
        events[i] = (Event){.seq = ++seq,
                            .at_us = 7,
                            .type = EVENT_DELIVERY_ATTEMPT,
                            .json = attempts[i],
                            .length = strlen(attempts[i])};
    assert_true(event_apply_batch(sql, &source, events, 4, &rejected, &error));
    assert_int_equal(rejected, 2);
    g_autofree char *rows =
        run("SELECT message_id FROM delivery WHERE message_id BETWEEN 81 AND 83 "
            "UNION ALL SELECT id FROM message WHERE id BETWEEN 81 AND 83");
    assert_string_equal(rows, "81\n83\n81\n83");
    g_autofree char *query = g_strdup_printf(
        "SELECT seq, at, bytes FROM event_rejected WHERE seq >= %" G_GUINT64_FORMAT " ORDER BY seq",
        first);
    g_autofree char *aside = run(query);
    g_autofree char *wanted =
        g_strdup_printf("%" G_GUINT64_FORMAT "\t7\t%s\n%" G_GUINT64_FORMAT "\t7\tnonsense",
                        first + 1, attempts[1], first + 2);
    assert_string_equal(aside, wanted);
    guint64 position = 0;
    assert_true(event_position(sql, &source, &position, &error));
    assert_int_equal(position, seq);
}

/* The API knows the client, the milter the queue id; whichever is read first. */
static void test_event_apply_submission_told_twice(void **state)
{
    static const char *const told[] = {
        "{\"at\":20,\"base\":%u,\"n\":1,\"hop\":true,\"server\":3,\"credential\":7,\"mail_from\":"
        "\"a@acme.test\","
        "\"rcpts\":[\"x@ok.test\"],\"client\":{\"ip\":\"192.0.2.9\"}}",
        "{\"at\":21,\"base\":%u,\"n\":1,\"hop\":true,\"server\":3,\"credential\":7,\"queue_id\":"
        "\"Q1\","
        "\"mail_from\":\"a@acme.test\",\"rcpts\":[\"x@ok.test\"],\"client\":{}}"};

    (void)state;
    for (guint order = 0; order < 2; order++) {
        guint base = 5120 + 256 * order;
        for (guint i = 0; i < 2; i++) {
            g_autofree char *number = g_strdup_printf("%u", base);
            g_autoptr(GString) json = g_string_new(told[(i + order) % 2]);
            g_string_replace(json, "%u", number, 0);
            assert_int_equal(apply(EVENT_SUBMISSION_ADMITTED, json->str), 0);
        }
        g_autofree char *query =
            g_strdup_printf("SELECT queue_id, client_ip, at FROM submission WHERE id = %u", base);
        g_autofree char *row = run(query);
        assert_string_equal(row, "Q1\t192.0.2.9\t20");
    }
}

/* What each of the hop's events says, one after the other on the same two messages. */
static void test_event_apply_hop(void **state)
{
    static const struct {
        EventType type;
        const char *json;
        const char *rows; /* of messages 2000 and 2256 afterwards */
    } steps[] = {
        {EVENT_SUBMISSION_ADMITTED,
         "{\"at\":10,\"base\":2000,\"n\":2,\"hop\":true,\"server\":3,\"credential\":7,\"queue_id\":"
         "\"Q1\",\"mail_from\":\"a@acme.test\",\"rcpts\":[\"x@ok.test\",\"y@OK.test\"]}",
         "Accepting NULL 2000 7 3 Q1 x@ok.test ok.test NULL|"
         "Accepting NULL 2000 7 3 Q1 y@OK.test ok.test NULL"},
        {EVENT_SUBMISSION_QUEUED,
         "{\"at\":11,\"base\":2000,\"n\":2,\"server\":3,\"queue_id\":\"Q1\"}",
         "Pending NULL 2000 7 3 Q1 x@ok.test ok.test NULL|"
         "Pending NULL 2000 7 3 Q1 y@OK.test ok.test NULL"},
        {EVENT_MESSAGE_LOST,
         "{\"at\":12,\"id\":2000,\"server\":3,\"status\":\"Aborted\",\"reason\":\"early\"}",
         "Pending NULL 2000 7 3 Q1 x@ok.test ok.test NULL|"
         "Pending NULL 2000 7 3 Q1 y@OK.test ok.test NULL"},
        {EVENT_MESSAGE_HELD,
         "{\"at\":13,\"id\":2000,\"server\":3,\"reason\":\"dev mode\",\"expires\":99}",
         "Pending NULL 2000 7 3 Q1 x@ok.test ok.test dev mode|"
         "Pending NULL 2000 7 3 Q1 y@OK.test ok.test NULL"},
        {EVENT_MESSAGE_QUEUED,
         "{\"at\":14,\"id\":2000,\"server\":3,\"status\":\"Held\",\"queue_id\":\"Q2\",\"copy\":"
         "true}",
         "Held NULL 2000 7 3 Q2 x@ok.test ok.test dev mode|"
         "Pending NULL 2000 7 3 Q1 y@OK.test ok.test NULL"},
        {EVENT_MESSAGE_LOST,
         "{\"at\":15,\"id\":2000,\"server\":3,\"status\":\"Unknown\",\"reason\":\"gone\"}",
         "Unknown gone 2000 7 3 Q2 x@ok.test ok.test dev mode|"
         "Pending NULL 2000 7 3 Q1 y@OK.test ok.test NULL"},
        {EVENT_MESSAGE_DISCARDED,
         "{\"at\":16,\"id\":2256,\"base\":2000,\"server\":3,\"credential\":7,\"queue_id\":\"Q3\","
         "\"rcpt\":\"y@ok.test\",\"code\":\"554 5.7.1\",\"text\":\"no\",\"rule\":\"r\"}",
         "Unknown gone 2000 7 3 Q2 x@ok.test ok.test dev mode|"
         "HardFail 554 5.7.1 no 2000 7 3 Q3 y@ok.test ok.test NULL"},
        {EVENT_MESSAGE_ACCEPTED,
         "{\"at\":17,\"id\":2000,\"base\":2000,\"server\":3,\"credential\":7,\"hop\":true,\"queue_"
         "id\":"
         "\"Q2\",\"rcpt\":\"X@ok.test\"}",
         "Unknown gone 2000 7 3 Q2 X@ok.test ok.test dev mode|"
         "HardFail 554 5.7.1 no 2000 7 3 Q3 y@ok.test ok.test NULL"},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
        assert_int_equal(apply(steps[i].type, steps[i].json), 0);
        g_autofree char *rows =
            run("SELECT CONCAT_WS(' ', status, IFNULL(status_reason, 'NULL'), submission_id, "
                "credential_id, server_id, queue_id, rcpt_to, rcpt_domain, IFNULL(hold_reason, "
                "'NULL')) "
                "FROM message WHERE id IN (2000, 2256) ORDER BY id");
        g_strdelimit(rows, "\n", '|');
        if (strcmp(rows, steps[i].rows) != 0)
            fail_msg("step %u:\n%s\nnot\n%s", i, rows, steps[i].rows);
    }
    g_autofree char *others =
        run("SELECT CONCAT_WS(' ', id, code, text, rule, at) FROM refusal; "
            "SELECT CONCAT_WS(' ', message_id, queue_id, at) FROM message_copy; "
            "SELECT hop, recipients FROM submission WHERE id = 2000");
    assert_string_equal(others, "2256 554 5.7.1 no r 16\n2000 Q2 14\n1\t2");
}

/* What each event of a hold says, one after the other on a message of its own each row. */
static void test_event_apply_hold(void **state)
{
    enum { HELD, RELEASED, CANCELLED, QUEUED, SOFT, SENT, REMOVED };
    static const struct {
        EventType type;
        const char *fields;
    } kinds[] = {
        [HELD] = {EVENT_MESSAGE_QUEUED, "\"status\":\"Held\",\"queue_id\":\"Q1\""},
        [RELEASED] = {EVENT_HOLD_RELEASED, "\"queue_id\":\"Q1\""},
        [CANCELLED] = {EVENT_HOLD_CANCELLED, "\"queue_id\":\"Q1\",\"reason\":\"deleted\""},
        [QUEUED] = {EVENT_MESSAGE_QUEUED, "\"queue_id\":\"Q1\""},
        [SOFT] = {EVENT_DELIVERY_ATTEMPT, "\"attempt\":1,\"status\":\"SoftFail\""},
        [SENT] = {EVENT_DELIVERY_ATTEMPT, "\"attempt\":2,\"status\":\"Sent\""},
        [REMOVED] = {EVENT_MESSAGE_REMOVED, "\"queue_id\":\"Q1\""},
    };
    static const struct {
        struct {
            guint kind, at;
        } events[6];        /* at 0: no more */
        const char *wanted; /* status, its time, whether it is on hold */
    } cases[] = {
        {{{HELD, 5}}, "Held 5 1"},
        {{{HELD, 5}, {RELEASED, 7}}, "Pending 7 0"},
        {{{RELEASED, 7}, {HELD, 5}}, "Pending 7 0"}, /* the hold is read after its release */
        {{{RELEASED, 7}, {HELD, 7}}, "Pending 7 0"},
        {{{HELD, 7}, {RELEASED, 7}}, "Pending 7 0"},
        {{{RELEASED, 7}}, "Pending 7 0"},
        {{{HELD, 5}, {RELEASED, 7}, {HELD, 9}}, "Held 9 1"},
        {{{HELD, 9}, {RELEASED, 7}, {HELD, 5}}, "Held 9 1"},
        {{{HELD, 5}, {HELD, 9}, {RELEASED, 11}, {RELEASED, 7}}, "Pending 11 0"},
        {{{QUEUED, 3}, {HELD, 5}, {QUEUED, 8}}, "Held 8 1"},
        {{{QUEUED, 8}, {HELD, 5}, {RELEASED, 7}}, "Pending 8 0"},
        {{{HELD, 5}, {RELEASED, 7}, {QUEUED, 8}}, "Pending 8 0"},
        {{{SOFT, 4}, {HELD, 5}}, "SoftFail 4 1"}, /* both: it failed for now, and is on hold */
        {{{SOFT, 4}, {HELD, 5}, {RELEASED, 7}}, "SoftFail 4 0"},
        {{{HELD, 5}, {RELEASED, 7}, {SENT, 9}, {REMOVED, 10}}, "Sent 9 0"},
        {{{SENT, 9}, {HELD, 5}, {RELEASED, 7}}, "Sent 9 0"},
        {{{HELD, 5}, {CANCELLED, 7}, {REMOVED, 7}}, "HoldCancelled 7 0"},
        {{{CANCELLED, 7}, {HELD, 5}}, "HoldCancelled 7 0"},
        {{{SOFT, 4}, {HELD, 5}, {CANCELLED, 7}}, "HoldCancelled 7 0"},
        {{{HELD, 5}, {CANCELLED, 7}, {RELEASED, 9}, {HELD, 11}}, "HoldCancelled 7 0"},
        {{{CANCELLED, 7}, {SENT, 5}}, "Sent 5 0"}, /* another copy of it went out */
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (guint k = 0; k < G_N_ELEMENTS(cases[i].events) && cases[i].events[k].at; k++) {
            g_autofree char *json =
                g_strdup_printf("{\"id\":%u,\"server\":3,\"at\":%u,%s}", 3000 + i,
                                cases[i].events[k].at, kinds[cases[i].events[k].kind].fields);
            assert_int_equal(apply(kinds[cases[i].events[k].kind].type, json), 0);
        }
        g_autofree char *query = g_strdup_printf(
            "SELECT CONCAT_WS(' ', status, status_at, on_hold) FROM message WHERE id = %u",
            3000 + i);
        g_autofree char *row = run(query);
        if (strcmp(row, cases[i].wanted) != 0)
            fail_msg("case %u: %s, not %s", i, row, cases[i].wanted);
    }
}

static void test_event_apply_tracking(void **state)
{
    static const struct {
        EventType type;
        const char *json;
    } events[] = {
        {EVENT_CLICK, "{\"at\":5000000,\"id\":80,\"server\":3,\"ordinal\":2,\"url\":\"https://"
                      "b.test/?q=\u00e9\",\"host\":"
                      "\"t.test\",\"ip\":\"192.0.2.1\",\"ua\":\"x\",\"method\":\"GET\"}"},
        {EVENT_CLICK, "{\"at\":5900000,\"id\":80,\"server\":3,\"ordinal\":2,\"url\":\"https://"
                      "b.test/?q=\u00e9\",\"host\":"
                      "\"t.test\",\"ip\":\"192.0.2.1\",\"ua\":\"x\",\"method\":\"GET\"}"},
        {EVENT_CLICK, "{\"at\":6000000,\"id\":80,\"server\":3,\"ordinal\":2,\"url\":\"https://"
                      "b.test/?q=\u00e9\",\"host\":"
                      "\"t.test\",\"ip\":\"192.0.2.1\",\"ua\":\"x\",\"method\":\"HEAD\"}"},
        {EVENT_OPEN, "{\"at\":5000000,\"id\":80,\"server\":3,\"ip\":\"2001:db8::1\"}"},
        {EVENT_MESSAGE_ACCEPTED,
         "{\"at\":4,\"id\":80,\"server\":3,\"tracked\":{\"host\":\"t.test\",\"links\":[[1,\"https:/"
         "/a.test/\"],[2,"
         "\"https://b.test/"
         "\"]],\"more\":0,\"pixel\":true,\"growth\":-4,\"skipped\":{\"host\":2}}}"},
        {EVENT_MESSAGE_ACCEPTED, "{\"at\":4,\"id\":81,\"server\":3,\"tracked\":{}}"},
        {EVENT_MESSAGE_ACCEPTED, "{\"at\":4,\"id\":82,\"server\":3}"},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(events); i++)
        assert_int_equal(apply(events[i].type, events[i].json), 0);
    g_autofree char *visits = run("SELECT at, kind, ordinal, url, host, ip, agent, method FROM "
                                  "visit WHERE message_id = 80 ORDER BY at, kind");
    assert_string_equal(
        visits, "5000000\tclick\t2\thttps://b.test/?q=\xc3\xa9\tt.test\t192.0.2.1\tx\tGET\n"
                "5000000\topen\tNULL\tNULL\tNULL\t2001:db8::1\tNULL\tGET\n"
                "6000000\tclick\t2\thttps://b.test/?q=\xc3\xa9\tt.test\t192.0.2.1\tx\tHEAD");
    g_autofree char *tracking =
        run("SELECT * FROM tracking WHERE message_id BETWEEN 80 AND 82 ORDER BY message_id");
    assert_string_equal(tracking, "80\t4\tt.test\t[[1,\"https://a.test/"
                                  "\"],[2,\"https://b.test/\"]]\t0\t1\t-4\t"
                                  "{\"host\":2}\n81\t4\tNULL\tNULL\tNULL\t0\t0\tNULL");
}

static void test_event_apply_visit_refused(void **state)
{
    static const char *const bad[] = {
        "{\"at\":1,\"id\":90,\"server\":3,\"url\":\"https://a.test/\"}",
        "{\"at\":1,\"id\":90,\"server\":3,\"ordinal\":0}",
        "{\"at\":1,\"id\":90,\"server\":3,\"ordinal\":65536}",
        "{\"at\":1,\"id\":90,\"server\":3,\"ordinal\":1,\"method\":\"POST\"}",
        "{\"at\":1,\"id\":90,\"server\":3,\"ordinal\":1,\"ip\":[]}",
        "{\"at\":1,\"id\":90,\"server\":3,\"ordinal\":\"1\"}",
        "{\"at\":1,\"server\":3,\"ordinal\":1}",
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_int_equal(apply(EVENT_CLICK, bad[i]), 1);
    g_autofree char *count = run("SELECT COUNT(*) FROM visit WHERE message_id = 90");
    assert_string_equal(count, "0");
}

/* A record may hold more links than a text column. */
static void test_event_apply_many_links(void **state)
{
    g_autoptr(GString) json =
        g_string_new("{\"at\":4,\"id\":83,\"server\":3,\"tracked\":{\"links\":[");

    (void)state;
    for (guint i = 1; i <= 2000; i++)
        g_string_append_printf(json, "%s[%u,\"https://links.acme.test/%060u\"]", i > 1 ? "," : "",
                               i, i);
    g_string_append(json, "]}}");
    assert_int_equal(apply(EVENT_MESSAGE_ACCEPTED, json->str), 0);
    g_autofree char *found = run("SELECT JSON_LENGTH(links), JSON_VALUE(links, '$[1999][0]') FROM "
                                 "tracking WHERE message_id = 83");
    assert_string_equal(found, "2000\t2000");
}

static void test_event_apply_cuts_long_text(void **state)
{
    g_autofree char *subject = g_strnfill(5000, 's');
    g_autofree char *json =
        g_strdup_printf("{\"id\":60,\"at\":1,\"server\":1,\"subject\":\"%s\"}", subject);

    (void)state;
    assert_int_equal(apply(EVENT_MESSAGE_ACCEPTED, json), 0);
    g_autofree char *length = run("SELECT CHAR_LENGTH(subject) FROM message WHERE id = 60");
    assert_string_equal(length, "200");
}

static void test_event_apply_database_away(void **state)
{
    const Event event = {
        .seq = seq + 1, .type = EVENT_MESSAGE_QUEUED, .json = "{\"id\":70,\"at\":1}", .length = 16};
    GError *error = NULL;
    guint rejected = 99;

    (void)state;
    mariadb_fixture_kill(server);
    assert_false(event_apply_batch(sql, &source, &event, 1, &rejected, &error));
    assert_int_equal(error_class(error), ERROR_CLASS_TEMPORARY);
    g_clear_error(&error);
    assert_int_equal(rejected, 99);
    mariadb_fixture_restart(server);
    assert_int_equal(apply(EVENT_MESSAGE_QUEUED, event.json), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event_apply_refused),
        cmocka_unit_test(test_event_apply_any_order),
        cmocka_unit_test(test_event_apply_bad_among_good),
        cmocka_unit_test(test_event_apply_refused_among_good),
        cmocka_unit_test(test_event_apply_submission_told_twice),
        cmocka_unit_test(test_event_apply_hop),
        cmocka_unit_test(test_event_apply_hold),
        cmocka_unit_test(test_event_apply_tracking),
        cmocka_unit_test(test_event_apply_visit_refused),
        cmocka_unit_test(test_event_apply_many_links),
        cmocka_unit_test(test_event_apply_cuts_long_text),
        cmocka_unit_test(test_event_apply_database_away),
    };

    server = mariadb_fixture_start();
    sql = database_fixture_open(server, DATABASE);
    int status = cmocka_run_group_tests(tests, NULL, NULL);
    sql_close(sql);
    mariadb_fixture_stop(server);
    return status;
}
