/* SPDX-License-Identifier: MIT */
#include "lib/directory/track_finding.h"

#include "lib/base/error.h"
#include "tests/lib/testing.h"

#define MAX_RECORDS 3
#define HERE        "links.outrider.test"
#define NOBODY      "nobody could say"

/* An answer of a table: words, or nothing. "?": nobody could say. */
typedef struct {
    GPtrArray *records;
    GError *why;
} Answer;

static void answer_clear(Answer *answer)
{
    g_clear_pointer(&answer->records, g_ptr_array_unref);
    g_clear_error(&answer->why);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answer, answer_clear)

static Answer answer_of(const char *text)
{
    Answer answer = {0};
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    if (g_str_equal(text, "?")) {
        answer.why = g_error_new_literal(OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, NOBODY);
    } else if (!*text) {
        answer.why = g_error_new_literal(OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND, "none");
    } else {
        answer.records = g_ptr_array_new_with_free_func(g_free);
        for (guint i = 0; words[i]; i++)
            g_ptr_array_add(answer.records, g_strdup(words[i]));
    }
    return answer;
}

static void test_track_judge_table(void **state)
{
    static const struct {
        const char *alias, *own, *wanted;
        DnsStatus status;
    } cases[] = {
        {HERE, "192.0.2.1", "192.0.2.1", DNS_STATUS_OK},
        {"LINKS.outrider.test", "192.0.2.1", "192.0.2.1", DNS_STATUS_OK},
        {HERE, "192.0.2.1", "?", DNS_STATUS_OK},
        {"", "192.0.2.1", "192.0.2.1 2001:db8::1", DNS_STATUS_OK},
        {"", "2001:db8::1 192.0.2.1", "192.0.2.1 2001:db8::1", DNS_STATUS_OK},
        {"?", "192.0.2.1", "192.0.2.1", DNS_STATUS_OK},
        {"cdn.test", "192.0.2.1", "192.0.2.1", DNS_STATUS_OK},
        {"", "", "192.0.2.1", DNS_STATUS_MISSING},
        {"?", "", "192.0.2.1", DNS_STATUS_MISSING},
        {"", "192.0.2.9", "192.0.2.1", DNS_STATUS_WRONG},
        {"", "192.0.2.1 192.0.2.9", "192.0.2.1", DNS_STATUS_WRONG},
        {"", "192.0.2.1", "", DNS_STATUS_WRONG},
        {"cdn.test", "192.0.2.9", "192.0.2.1", DNS_STATUS_WRONG},
        {"x.links.outrider.test", "192.0.2.9", "192.0.2.1", DNS_STATUS_WRONG},
        {"links.outrider.test.evil.test", "192.0.2.9", "192.0.2.1", DNS_STATUS_WRONG},
        {HERE, "", "", DNS_STATUS_WRONG}, /* the tracking host has no address */
        {"gone.test", "", "192.0.2.1", DNS_STATUS_WRONG},
        {HERE, "?", "192.0.2.1", DNS_STATUS_UNKNOWN},
        {"", "?", "192.0.2.1", DNS_STATUS_UNKNOWN},
        {"", "192.0.2.1", "?", DNS_STATUS_UNKNOWN},
        {"?", "?", "?", DNS_STATUS_UNKNOWN},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Answer) alias = answer_of(cases[i].alias);
        g_auto(Answer) own = answer_of(cases[i].own);
        g_auto(Answer) wanted = answer_of(cases[i].wanted);
        const TrackAnswers answers = {
            HERE, {alias.records, alias.why}, {own.records, own.why}, {wanted.records, wanted.why}};
        g_auto(DnsFinding) finding = track_judge(&answers);
        if (finding.status != cases[i].status)
            fail_msg("case %u: %s", i, dns_status_word(finding.status));
        assert_int_equal(finding.wrong != NULL, finding.status == DNS_STATUS_WRONG);
        if (finding.status == DNS_STATUS_UNKNOWN)
            assert_string_equal(finding.found, NOBODY);
    }
}

static void test_track_dns_next_table(void **state)
{
    enum { NOW = 100000, EDGE = NOW - TRACK_GRACE_SECONDS };
    static const struct {
        TrackDns was;
        DnsStatus status;
        TrackDns is;
    } cases[] = {
        {{FALSE, 0}, DNS_STATUS_OK, {TRUE, 0}},
        {{FALSE, 5}, DNS_STATUS_OK, {TRUE, 0}},
        {{TRUE, EDGE - 9}, DNS_STATUS_OK, {TRUE, 0}},
        {{FALSE, 0}, DNS_STATUS_MISSING, {FALSE, NOW}},
        {{FALSE, 5}, DNS_STATUS_WRONG, {FALSE, 5}},
        {{TRUE, 0}, DNS_STATUS_MISSING, {TRUE, NOW}}, /* one bad look ends nothing */
        {{TRUE, 0}, DNS_STATUS_WRONG, {TRUE, NOW}},
        {{TRUE, EDGE + 1}, DNS_STATUS_WRONG, {TRUE, EDGE + 1}},
        {{TRUE, EDGE}, DNS_STATUS_WRONG, {FALSE, EDGE}},
        {{TRUE, EDGE - 1}, DNS_STATUS_MISSING, {FALSE, EDGE - 1}},
        {{TRUE, EDGE - 1}, DNS_STATUS_UNKNOWN, {TRUE, EDGE - 1}},
        {{TRUE, 0}, DNS_STATUS_UNKNOWN, {TRUE, 0}},
        {{FALSE, 0}, DNS_STATUS_UNKNOWN, {FALSE, 0}},
        {{TRUE, NOW + 50}, DNS_STATUS_WRONG, {TRUE, NOW + 50}}, /* the clock went back */
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        TrackDns is = track_dns_next(cases[i].was, cases[i].status, NOW);
        if (is.right != cases[i].is.right || is.wrong_since != cases[i].is.wrong_since)
            fail_msg("case %u: %d %d", i, is.right, (int)is.wrong_since);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_track_judge_table),
        cmocka_unit_test(test_track_dns_next_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
