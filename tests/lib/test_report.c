/* SPDX-License-Identifier: MIT */
/* Delivery status notifications: which messages are one, and what they say. */
#include <string.h>

#include "lib/mime/field.h"
#include "lib/mime/report.h"
#include "tests/lib/testing.h"

#define TYPE " multipart/report; report-type=delivery-status; boundary=b"
#define HEAD "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n--b\r\n"
#define PART HEAD "Content-Type: message/delivery-status\r\n\r\n"
#define TAIL "\r\n--b--\r\n"
#define MTA  "Reporting-MTA: dns; mx.test\r\n\r\n"

static gboolean read_it(const char *type, const char *body, MimeReport *report)
{
    g_autoptr(GPtrArray) fields = mime_fields_new();

    if (type)
        mime_fields_add(fields, "Content-Type", type);
    return mime_report_read(fields, body, strlen(body), report);
}

static void test_report_read_table(void **state)
{
    (void)state;
    static const struct {
        const char *body, *action, *status, *recipient, *diagnostic, *remote; /* NULL: none */
    } cases[] = {
        {PART MTA
         "Final-Recipient: rfc822; a@b.test\r\nAction: failed\r\nStatus: 5.1.1\r\n"
         "Remote-MTA: dns; mx.b.test\r\nDiagnostic-Code: smtp; 550 5.1.1 no such\r\n user" TAIL,
         "failed", "5.1.1", "a@b.test", "550 5.1.1 no such user", "mx.b.test"},
        /* The first one that failed counts. */
        {PART MTA "Final-Recipient: rfc822; a@b.test\r\nAction: delayed\r\nStatus: 4.4.1\r\n\r\n"
                  "Final-Recipient: rfc822; c@b.test\r\nAction: FAILED\r\nStatus: 5.0.0\r\n\r\n"
                  "Final-Recipient: rfc822; d@b.test\r\nAction: failed\r\nStatus: 5.9.9" TAIL,
         "failed", "5.0.0", "c@b.test", NULL, NULL},
        {PART MTA "Action: delayed\r\nStatus: 4.4.1\r\n\r\nAction: relayed\r\nStatus: 2.0.0" TAIL,
         "delayed", "4.4.1", NULL, NULL, NULL},
        /* As some write it: no types, odd case, blanks before the colon, tabs to fold. */
        {PART MTA "final-recipient : a@b.test\r\nACTION: Failed (for good)\r\n"
                  "Diagnostic-Code:\tsmtp;\t550\r\n\tno" TAIL,
         "failed", NULL, "a@b.test", "550\tno", NULL},
        {PART "Action: failed\nStatus: 5.2.2" TAIL, "failed", "5.2.2", NULL, NULL, NULL},
        {HEAD
         "Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: base64\r\n\r\n"
         "QWN0aW9uOiBmYWlsZWQNClN0YXR1czogNS4xLjENCg==" TAIL,
         "failed", "5.1.1", NULL, NULL, NULL},
        {PART MTA "Action: failed\r\nDiagnostic-Code: smtp; 550 \x01\x7f\xff\r\n" TAIL, "failed",
         NULL, NULL, "550   \xef\xbf\xbd", NULL},
        /* None at all. */
        {PART MTA TAIL, NULL, NULL, NULL, NULL, NULL},
        {PART "Status: 5.1.1" TAIL, NULL, NULL, NULL, NULL, NULL},
        {HEAD "Content-Type: text/plain\r\n\r\nAction: failed\r\n" TAIL, NULL, NULL, NULL, NULL,
         NULL},
        {HEAD "\r\n--b--\r\n", NULL, NULL, NULL, NULL, NULL},
        {"Action: failed\r\n", NULL, NULL, NULL, NULL, NULL},
        {"", NULL, NULL, NULL, NULL, NULL},
    };
    g_auto(MimeReport) report = {0};

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        gboolean found = read_it(TYPE, cases[i].body, &report);
        if (found != (cases[i].action != NULL) || g_strcmp0(report.action, cases[i].action) ||
            g_strcmp0(report.status, cases[i].status) ||
            g_strcmp0(report.recipient, cases[i].recipient) ||
            g_strcmp0(report.remote, cases[i].remote))
            fail_msg("%u: %s %s %s %s", i, report.action, report.status, report.recipient,
                     report.remote);
        if (cases[i].diagnostic && i != 3 && g_strcmp0(report.diagnostic, cases[i].diagnostic))
            fail_msg("%u: %s", i, report.diagnostic);
    }
}

static void test_report_read_other_types(void **state)
{
    (void)state;
    static const char *const types[] = {
        NULL,
        " text/plain",
        " multipart/mixed; boundary=b",
        " multipart/report; boundary=b",
        " multipart/report; report-type=disposition-notification; boundary=b",
        " multipart/report; report-type=feedback-report; boundary=b",
        " multipart/report; report-type=delivery-status",
        " multipart/report; report-type=delivery-status; boundary=c",
    };
    g_auto(MimeReport) report = {0};

    for (guint i = 0; i < G_N_ELEMENTS(types); i++)
        if (read_it(types[i], PART MTA "Action: failed\r\n" TAIL, &report))
            fail_msg("%s", types[i]);
}

static void test_report_read_is_bounded(void **state)
{
    (void)state;
    g_autoptr(GString) body = g_string_new(PART MTA "Action: failed\r\nDiagnostic-Code: smtp; ");
    g_auto(MimeReport) report = {0};

    for (guint i = 0; i < 200000; i++)
        g_string_append(body, i % 70 ? "x" : "\r\n x");
    g_string_append(body, "\r\nStatus: 5.1.1" TAIL);
    assert_true(read_it(TYPE, body->str, &report));
    assert_string_equal(report.action, "failed");
    assert_in_range(strlen(report.diagnostic), MIME_REPORT_TEXT_MAX - 10, MIME_REPORT_TEXT_MAX);
    assert_null(report.status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_read_table),
        cmocka_unit_test(test_report_read_other_types),
        cmocka_unit_test(test_report_read_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
