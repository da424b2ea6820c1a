/* SPDX-License-Identifier: MIT */
/* What becomes of mail that came in, and what is remembered of it. */
#include "milters/arrival.h"
#include "milters/recall.h"
#include "tests/lib/testing.h"

#define RECEIVED_MAX 50

static char text_of_http[] = "https://crm.test/in";

static EdgeEndpoint http = {.id = 7, .kind = EDGE_ENDPOINT_HTTP, .url = text_of_http};
static EdgeEndpoint verified = {.id = 8,
                                .kind = EDGE_ENDPOINT_SMTP,
                                .host = (char[]){"mx.test"},
                                .port = 2525,
                                .tls = (char[]){"verify"},
                                .resolved = (char[]){"192.0.2.8"}};
static EdgeEndpoint verified_nowhere = {.id = 16,
                                        .kind = EDGE_ENDPOINT_SMTP,
                                        .host = (char[]){"mx.test"},
                                        .port = 2525,
                                        .tls = (char[]){"verify"},
                                        .resolved = (char[]){""}};
static EdgeEndpoint opportunistic = {.id = 9,
                                     .kind = EDGE_ENDPOINT_SMTP,
                                     .host = (char[]){"mx.test"},
                                     .port = 25,
                                     .tls = (char[]){"may"},
                                     .resolved = (char[]){"2001:db8::1"}};
static EdgeEndpoint unresolved = {.id = 10,
                                  .kind = EDGE_ENDPOINT_SMTP,
                                  .host = (char[]){"mx.test"},
                                  .port = 25,
                                  .tls = (char[]){"none"},
                                  .resolved = (char[]){""}};
static EdgeEndpoint store = {.id = 11,
                             .kind = EDGE_ENDPOINT_LMTP,
                             .host = (char[]){"/run/dovecot/lmtp"},
                             .tls = (char[]){""},
                             .resolved = (char[]){""}};
static EdgeEndpoint remote_store = {.id = 12,
                                    .kind = EDGE_ENDPOINT_LMTP,
                                    .host = (char[]){"mail.test"},
                                    .port = 24,
                                    .resolved = (char[]){"192.0.2.7"}};
static EdgeEndpoint remote_store_v6 = {.id = 14,
                                       .kind = EDGE_ENDPOINT_LMTP,
                                       .host = (char[]){"mail.test"},
                                       .port = 2424,
                                       .resolved = (char[]){"2001:db8::7"}};
static EdgeEndpoint lost_store = {.id = 15,
                                  .kind = EDGE_ENDPOINT_LMTP,
                                  .host = (char[]){"mail.test"},
                                  .port = 24,
                                  .resolved = (char[]){""}};
static EdgeEndpoint forward = {
    .id = 13, .kind = EDGE_ENDPOINT_ADDRESS, .address = (char[]){"me@else.test"}};

static void test_arrival_decide_table(void **state)
{
    (void)state;
    static const struct {
        EdgeRouteMode mode;
        EdgeEndpoint *endpoint;
        gboolean suspended, development;
        guint received;
        const char *way, *to, *rule; /* NULL: none */
        gboolean seals, waits;
    } cases[] = {
        {EDGE_ROUTE_ENDPOINT, &http, 0, 0, 1, "outrider-http:endpoint/7", NULL, NULL, FALSE, FALSE},
        {EDGE_ROUTE_ENDPOINT, &http, 0, 0, 50, "outrider-http:endpoint/7", NULL, NULL, FALSE,
         FALSE},
        {EDGE_ROUTE_ENDPOINT, &http, 1, 0, 1, "outrider-http:endpoint/7", NULL, "suspended", FALSE,
         FALSE},
        {EDGE_ROUTE_ENDPOINT, &http, 0, 1, 1, "outrider-http:endpoint/7", NULL, "development",
         FALSE, FALSE},
        {EDGE_ROUTE_ENDPOINT, &http, 1, 1, 1, "outrider-http:endpoint/7", NULL, "suspended", FALSE,
         FALSE},
        {EDGE_ROUTE_ENDPOINT, &verified, 0, 0, 1, "outrider-out-verify:[mx.test]:2525", NULL, NULL,
         TRUE, FALSE},
        {EDGE_ROUTE_ENDPOINT, &opportunistic, 0, 0, 1, "outrider-out-may:[2001:db8::1]:25", NULL,
         NULL, TRUE, FALSE},
        {EDGE_ROUTE_ENDPOINT, &verified_nowhere, 0, 0, 1, NULL, NULL, NULL, TRUE, TRUE},
        {EDGE_ROUTE_ENDPOINT, &unresolved, 0, 0, 1, NULL, NULL, NULL, TRUE, TRUE},
        {EDGE_ROUTE_ENDPOINT, &store, 0, 0, 1, "outrider-lmtp:unix:/run/dovecot/lmtp", NULL, NULL,
         FALSE, FALSE},
        {EDGE_ROUTE_ENDPOINT, &remote_store, 0, 0, 1, "outrider-lmtp:inet:[192.0.2.7]:24", NULL,
         NULL, FALSE, FALSE},
        {EDGE_ROUTE_ENDPOINT, &remote_store_v6, 0, 0, 1, "outrider-lmtp:inet:[2001:db8::7]:2424",
         NULL, NULL, FALSE, FALSE},
        {EDGE_ROUTE_ENDPOINT, &lost_store, 0, 0, 1, NULL, NULL, NULL, FALSE, TRUE},
        {EDGE_ROUTE_ENDPOINT, &forward, 0, 0, 1, NULL, "me@else.test", NULL, TRUE, FALSE},
        {EDGE_ROUTE_ENDPOINT, NULL, 0, 0, 1, "error:5.3.5 its endpoint does not exist any more",
         NULL, NULL, FALSE, FALSE},
        {EDGE_ROUTE_ENDPOINT, &forward, 0, 0, 51,
         "error:5.4.6 too many Received fields: mail is looping", NULL, NULL, FALSE, FALSE},
        {EDGE_ROUTE_ACCEPT, NULL, 0, 0, 1, "discard:kept in history", NULL, NULL, FALSE, FALSE},
        {EDGE_ROUTE_ACCEPT, NULL, 0, 1, 1, "discard:kept in history", NULL, "development", FALSE,
         FALSE},
        {EDGE_ROUTE_HOLD, NULL, 0, 0, 1, "discard:kept in history", NULL, "route", FALSE, FALSE},
        {EDGE_ROUTE_HOLD, NULL, 1, 0, 1, "discard:kept in history", NULL, "suspended", FALSE,
         FALSE},
        {EDGE_ROUTE_BOUNCE, NULL, 0, 0, 1, "error:5.2.1 this address takes no mail", NULL, NULL,
         FALSE, FALSE},
        {EDGE_ROUTE_REJECT, NULL, 0, 0, 1, "error:5.1.1 no such address", NULL, NULL, FALSE, FALSE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const EdgeRoute route = {.mode = cases[i].mode,
                                 .suspended = cases[i].suspended,
                                 .development = cases[i].development};
        const ArrivalFacts facts = {&route, cases[i].endpoint, cases[i].received, RECEIVED_MAX};
        g_auto(ArrivalVerdict) verdict = {0};
        arrival_decide(&facts, &verdict);
        if (g_strcmp0(verdict.way, cases[i].way) || g_strcmp0(verdict.to, cases[i].to) ||
            g_strcmp0(verdict.hold_rule, cases[i].rule) || verdict.seals_sender != cases[i].seals ||
            verdict.no_address != cases[i].waits)
            fail_msg("%u: %s %s %s", i, verdict.way, verdict.to, verdict.hold_rule);
    }
}

static void test_recall_finds_what_was_kept(void **state)
{
    (void)state;
    Recall *recall = recall_new();
    const Reserved first = {.base = 7}, second = {.base = 8};
    Reserved found = {0};

    assert_false(recall_find(recall, "a", &found));
    recall_keep(recall, "a", &first);
    recall_keep(recall, "a", &second);
    assert_true(recall_find(recall, "a", &found));
    assert_int_equal(found.base, 7);
    recall_free(recall);
}

static void test_recall_forgets_the_eldest(void **state)
{
    (void)state;
    Recall *recall = recall_new();
    Reserved reserved = {0};

    for (guint i = 0; i <= RECALL_MAX; i++) {
        g_autofree char *key = g_strdup_printf("%u", i);
        reserved.base = i + 1;
        recall_keep(recall, key, &reserved);
    }
    assert_false(recall_find(recall, "0", &reserved));
    assert_true(recall_find(recall, "1", &reserved));
    assert_int_equal(reserved.base, 2);
    recall_free(recall);
    recall_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arrival_decide_table),
        cmocka_unit_test(test_recall_finds_what_was_kept),
        cmocka_unit_test(test_recall_forgets_the_eldest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
