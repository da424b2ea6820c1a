/* SPDX-License-Identifier: MIT */
#include "lib/directory/dns_finding.h"

#include <string.h>

#include "lib/base/error.h"
#include "tests/lib/testing.h"

#define MAX_RECORDS 3

typedef enum { SPF, DKIM, CNAME, MX, DMARC } Judge;

/* What a record includes: one name has a policy, of another nobody can tell. */
static GPtrArray *look(const char *name, gpointer data, GError **error)
{
    (void)data;
    if (g_str_equal(name, "mail.example")) {
        GPtrArray *records = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(records, g_strdup("v=spf1 include:rp.example"));
        return records;
    }
    g_set_error(error, OUTRIDER_ERROR,
                g_str_equal(name, "away.example") ? OUTRIDER_ERROR_UNAVAILABLE
                                                  : OUTRIDER_ERROR_NOT_FOUND,
                "no answer");
    return NULL;
}

static DnsFinding judge(Judge which, DnsAnswer answer)
{
    switch (which) {
    case SPF:
        return dns_judge_spf(answer, "rp.example", look, NULL);
    case DKIM:
        return dns_judge_dkim(answer, "rsa", "MIIB");
    case CNAME:
        return dns_judge_cname(answer, "rp.example");
    case MX:
        return dns_judge_mx(answer, "mail.example");
    case DMARC:
        return dns_judge_dmarc(answer);
    }
    return (DnsFinding){0};
}

static void test_dns_judge(void **state)
{
    static const struct {
        Judge which;
        const char *records[MAX_RECORDS];
        DnsStatus status;
    } cases[] = {
        {SPF, {"other", "v=spf1 include:rp.example ~all"}, DNS_STATUS_OK},
        {SPF, {"other"}, DNS_STATUS_MISSING},
        {SPF, {"v=spf1 -all"}, DNS_STATUS_WRONG},
        {SPF, {"v=spf1 include:mail.example -all"}, DNS_STATUS_OK},
        {SPF, {"v=spf1 include:none.example -all"}, DNS_STATUS_WRONG},
        {SPF, {"v=spf1 include:away.example -all"}, DNS_STATUS_UNKNOWN},
        {SPF, {"v=spf1 include:rp.example", "v=spf1 -all"}, DNS_STATUS_WRONG},
        {DKIM, {"v=DKIM1; p=MIIB"}, DNS_STATUS_OK},
        {DKIM, {"v=DKIM1; p=MIIC"}, DNS_STATUS_WRONG},
        {DKIM, {"v=DKIM1; p=MIIB", "v=DKIM1; p=MIIB"}, DNS_STATUS_WRONG},
        {DKIM, {"something else"}, DNS_STATUS_WRONG},
        {CNAME, {"rp.example"}, DNS_STATUS_OK},
        {CNAME, {"rp.example.com"}, DNS_STATUS_WRONG},
        {MX, {"10 other.example", "20 mail.example"}, DNS_STATUS_OK},
        {MX, {"10 other.example"}, DNS_STATUS_MISSING},
        {MX, {"10 xmail.example"}, DNS_STATUS_MISSING},
        {MX, {"0 "}, DNS_STATUS_MISSING},
        {DMARC, {"v=DMARC1; p=reject"}, DNS_STATUS_OK},
        {DMARC, {"v=spf1 -all"}, DNS_STATUS_MISSING},
        {DMARC, {"v=DMARC1; p=none", "v=DMARC1; p=reject"}, DNS_STATUS_WRONG},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) records = g_ptr_array_new();
        for (guint j = 0; j < MAX_RECORDS && cases[i].records[j]; j++)
            g_ptr_array_add(records, (gpointer)(guintptr)cases[i].records[j]);
        g_auto(DnsFinding) finding = judge(cases[i].which, (DnsAnswer){records, NULL});
        if (finding.status != cases[i].status)
            fail_msg("case %u: %s", i, dns_status_word(finding.status));
        assert_int_equal(finding.wrong != NULL, cases[i].status == DNS_STATUS_WRONG);
    }
}

/* What nobody could answer is not called missing. */
static void test_dns_judge_without_records(void **state)
{
    g_autoptr(GError) none = g_error_new(OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND, "there is none");
    g_autoptr(GError) away = g_error_new(OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "no answer");

    (void)state;
    for (guint which = SPF; which <= DMARC; which++) {
        g_auto(DnsFinding) missing = judge((Judge)which, (DnsAnswer){NULL, none});
        g_auto(DnsFinding) unknown = judge((Judge)which, (DnsAnswer){NULL, away});
        assert_int_equal(missing.status, DNS_STATUS_MISSING);
        assert_null(missing.found);
        assert_int_equal(unknown.status, DNS_STATUS_UNKNOWN);
        assert_string_equal(unknown.found, "no answer");
    }
}

static void test_dns_judge_cuts_what_was_found(void **state)
{
    g_autofree char *filler = g_strnfill(3000, 'x');
    g_autoptr(GPtrArray) records = g_ptr_array_new();

    (void)state;
    g_ptr_array_add(records, filler);
    g_auto(DnsFinding) finding = dns_judge_cname((DnsAnswer){records, NULL}, "rp.example");
    assert_int_equal(strlen(finding.found), DNS_FOUND_MAX);
}

static void test_dns_status_worse(void **state)
{
    (void)state;
    assert_int_equal(dns_status_worse(DNS_STATUS_OK, DNS_STATUS_UNKNOWN), DNS_STATUS_UNKNOWN);
    assert_int_equal(dns_status_worse(DNS_STATUS_MISSING, DNS_STATUS_UNKNOWN), DNS_STATUS_MISSING);
    assert_int_equal(dns_status_worse(DNS_STATUS_WRONG, DNS_STATUS_MISSING), DNS_STATUS_WRONG);
    assert_string_equal(dns_status_word(DNS_STATUS_UNKNOWN), "could not check");
}

static void test_dns_check_next(void **state)
{
    static const gint64 hour = 3600, now = 1000000;
    static const DnsPace pace = {.waiting = 60, .again = 6 * hour, .vanished = 1800};
    static const DnsPace quick = {.waiting = 60, .again = 2, .vanished = 0};
    const struct {
        DnsOutlook outlook;
        gint64 wait, wait_when_quick;
    } cases[] = {
        {{DNS_STATUS_OK, 0, FALSE}, 6 * hour, 2},
        {{DNS_STATUS_UNKNOWN, 0, FALSE}, hour, 2},
        {{DNS_STATUS_MISSING, 0, FALSE}, hour, 2},
        {{DNS_STATUS_WRONG, 0, FALSE}, hour, 2},
        {{DNS_STATUS_MISSING, now, FALSE}, 60, 2},
        {{DNS_STATUS_OK, now - hour, FALSE}, 60, 2},
        {{DNS_STATUS_MISSING, now - hour - 1, FALSE}, 600, 2},
        {{DNS_STATUS_MISSING, now - 24 * hour - 1, FALSE}, hour, 2},
        {{DNS_STATUS_OK, now - 24 * hour - 1, FALSE}, hour, 2},
        {{DNS_STATUS_MISSING, 0, TRUE}, 1800, 1},
        {{DNS_STATUS_OK, 0, TRUE}, 1800, 1},
        {{DNS_STATUS_MISSING, now, TRUE}, 60, 1},
        {{DNS_STATUS_MISSING, now - 24 * hour - 1, TRUE}, 1800, 1},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_int_equal(dns_check_next(&cases[i].outlook, &pace, now) - now, cases[i].wait);
        assert_int_equal(dns_check_next(&cases[i].outlook, &quick, now) - now,
                         cases[i].wait_when_quick);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dns_judge),
        cmocka_unit_test(test_dns_judge_without_records),
        cmocka_unit_test(test_dns_judge_cuts_what_was_found),
        cmocka_unit_test(test_dns_status_worse),
        cmocka_unit_test(test_dns_check_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
