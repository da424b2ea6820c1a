/* SPDX-License-Identifier: MIT */
/* Golden lines of Postfix 3.5 and newer, and lines that must not mislead. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/lib/testing.h"
#include "worker/mail_line.h"
#include "worker/mail_stamp.h"

#define NOW  1795248000 /* 2026-11-21T08:00:00Z */
#define HEAD "Nov 21 08:00:00 host postfix/"
#define LONG "4dKf2x0Wqzz1bC"
#define SEAL "abcdefghijklmnopqrstuvwxyz23456"
#define TO   "to=<x@ok.test>, relay=mx.ok.test[198.51.100.1]:25, delay=0.06, delays=0/0.01/0/0.04, "

static const struct {
    const char *line;
    MailLineKind kind;
    const char *queue_id, *from, *to, *relay, *dsn, *text;
    MailStatus status;
    guint code;
    guint64 delay_ms;
} golden[] = {
    {HEAD "qmgr[1]: " LONG ": from=<" SEAL "-8@rp.example>, size=372, nrcpt=1 (queue active)",
     MAIL_LINE_QUEUED, LONG, SEAL "-8@rp.example", NULL, NULL, NULL, NULL, 0, 0, 0},
    {HEAD "qmgr[1]: 51FC7A9A54A: from=<>, size=372, nrcpt=1 (queue active)", MAIL_LINE_QUEUED,
     "51FC7A9A54A", "", NULL, NULL, NULL, NULL, 0, 0, 0},
    {HEAD "qmgr[1]: " LONG
          ": from=<\"a>, size=1, nrcpt=1 (queue active)\"@b.test>, size=3, nrcpt=1 "
          "(queue active)",
     MAIL_LINE_QUEUED, LONG, "\"a>, size=1, nrcpt=1 (queue active)\"@b.test", NULL, NULL, NULL,
     NULL, 0, 0, 0},
    {HEAD "outrider-ip8/smtp[2]: " LONG ": " TO "dsn=2.0.0, status=sent (250 2.0.0 Ok: queued)",
     MAIL_LINE_DELIVERY, LONG, NULL, "x@ok.test", "mx.ok.test[198.51.100.1]:25", "2.0.0",
     "250 2.0.0 Ok: queued", MAIL_STATUS_SENT, 250, 60},
    {HEAD "smtp[2]: " LONG ": " TO "dsn=2.0.0, status=sent (250 ok, status=bounced (550 no))",
     MAIL_LINE_DELIVERY, LONG, NULL, "x@ok.test", "mx.ok.test[198.51.100.1]:25", "2.0.0",
     "250 ok, status=bounced (550 no)", MAIL_STATUS_SENT, 250, 60},
    {HEAD
     "smtp[2]: " LONG ": to=<x@ok.test>, orig_to=<y@b.test>, relay=mx[192.0.2.1]:25, "
     "conn_use=2, delay=62.5, delays=60/1/1/0.5, dsn=4.3.0, status=deferred (host mx[192.0.2.1] "
     "said: 451 4.3.0 busy 451 4.3.0 later (in reply to RCPT TO command))",
     MAIL_LINE_DELIVERY, LONG, NULL, "x@ok.test", "mx[192.0.2.1]:25", "4.3.0",
     "host mx[192.0.2.1] said: 451 4.3.0 busy 451 4.3.0 later (in reply to RCPT TO command)",
     MAIL_STATUS_DEFERRED, 451, 62500},
    {HEAD "smtp[2]: " LONG
          ": to=<\"a>, relay=x[192.0.2.9]:25, dsn=2.0.0, status=sent (250 ok)\"@b.test>, "
          "relay=mx[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (550 no)",
     MAIL_LINE_DELIVERY, LONG, NULL,
     "\"a>, relay=x[192.0.2.9]:25, dsn=2.0.0, status=sent (250 ok)\"@b.test", "mx[192.0.2.1]:25",
     "5.1.1", "550 no", MAIL_STATUS_BOUNCED, 550, 1000},
    {HEAD "smtp[2]: " LONG
          ": to=<\"a\\\">, orig_to=<c\"@b.test>, orig_to=<\"d>, relay=e\"@b.test>, "
          "relay=none, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (550 no>, orig_to=<f)",
     MAIL_LINE_DELIVERY, LONG, NULL, "\"a\\\">, orig_to=<c\"@b.test", "none", "5.1.1",
     "550 no>, orig_to=<f", MAIL_STATUS_BOUNCED, 550, 1000},
    {HEAD "smtp[2]: " LONG ": to=<\"a@b.test>, relay=none, delay=1, delays=0/0/0/1, dsn=5.1.1, "
          "status=bounced (550 no)",
     MAIL_LINE_DELIVERY, LONG, NULL, "\"a@b.test", "none", "5.1.1", "550 no", MAIL_STATUS_BOUNCED,
     550, 1000},
    {HEAD "smtp[2]: " LONG ": " TO "dsn=4.4.2, status=deferred (lost connection with mx[192.0.2.1] "
          "while sending end of data -- message may be sent more than once)",
     MAIL_LINE_DELIVERY, LONG, NULL, "x@ok.test", "mx.ok.test[198.51.100.1]:25", "4.4.2",
     "lost connection with mx[192.0.2.1] while sending end of data -- message may be sent more "
     "than once",
     MAIL_STATUS_DEFERRED, 0, 60},
    {HEAD "smtp[2]: " LONG ": to=<x@ok.test>, relay=none, delay=30, delays=0/0/30/0, dsn=4.4.1, "
          "status=deferred (connect to mx[192.0.2.1]:25: Connection refused)",
     MAIL_LINE_DELIVERY, LONG, NULL, "x@ok.test", "none", "4.4.1",
     "connect to mx[192.0.2.1]:25: Connection refused", MAIL_STATUS_DEFERRED, 0, 30000},
    {HEAD "smtp[2]: " LONG ": " TO "dsn=4.0.0, status=deferred (host mx[192.0.2.1] refused to talk "
          "to me: 554 5.7.1 no)",
     MAIL_LINE_DELIVERY, LONG, NULL, "x@ok.test", "mx.ok.test[198.51.100.1]:25", "4.0.0",
     "host mx[192.0.2.1] refused to talk to me: 554 5.7.1 no", MAIL_STATUS_DEFERRED, 554, 60},
    {HEAD "smtp[2]: " LONG ": " TO "dsn=5.1.1, status=bounced (host mx[192.0.2.1] said: 550 5.1.1 "
          "no such user (in reply to RCPT TO command))",
     MAIL_LINE_DELIVERY, LONG, NULL, "x@ok.test", "mx.ok.test[198.51.100.1]:25", "5.1.1",
     "host mx[192.0.2.1] said: 550 5.1.1 no such user (in reply to RCPT TO command)",
     MAIL_STATUS_BOUNCED, 550, 60},
    {HEAD "smtp[2]: " LONG ": " TO "dsn=4.1.1, status=SOFTBOUNCE (host mx[192.0.2.1] said: 550 no)",
     MAIL_LINE_DELIVERY, LONG, NULL, "x@ok.test", "mx.ok.test[198.51.100.1]:25", "4.1.1",
     "host mx[192.0.2.1] said: 550 no", MAIL_STATUS_DEFERRED, 550, 60},
    {HEAD "smtp[2]: " LONG ": to=<x@ok.test>, relay=mx[192.0.2.1]:25, delay=1, delays=0/0/0/1, "
          "tls=may, dsn=2.0.0, status=sent (250 Ok)",
     MAIL_LINE_DELIVERY, LONG, NULL, "x@ok.test", "mx[192.0.2.1]:25", "2.0.0", "250 Ok",
     MAIL_STATUS_SENT, 250, 1000},
    {HEAD "pipe[2]: " LONG ": to=<x@ok.test>, relay=outrider-http, delay=1, delays=0/0/0/1, "
          "dsn=4.3.0, status=deferred (endpoint answered 503 )",
     MAIL_LINE_DELIVERY, LONG, NULL, "x@ok.test", "outrider-http", "4.3.0",
     "endpoint answered 503 ", MAIL_STATUS_DEFERRED, 0, 1000},
    {HEAD "qmgr[1]: " LONG ": from=<a@b.test>, status=expired, returned to sender",
     MAIL_LINE_EXPIRED, LONG, "a@b.test", NULL, NULL, NULL, "expired, returned to sender",
     MAIL_STATUS_EXPIRED, 0, 0},
    {HEAD "qmgr[1]: " LONG ": from=<a@b.test>, status=force-expired, returned to sender",
     MAIL_LINE_EXPIRED, LONG, "a@b.test", NULL, NULL, NULL, "force-expired, returned to sender",
     MAIL_STATUS_EXPIRED, 0, 0},
    {HEAD "outrider-cleanup[1]: " LONG ": milter-hold: END-OF-MESSAGE from h[192.0.2.9]: milter "
          "triggers HOLD action; from=<a@b.test> to=<c@d.test> proto=ESMTP helo=<h>",
     MAIL_LINE_HELD, LONG, "a@b.test", NULL, NULL, NULL, NULL, 0, 0, 0},
    {HEAD "pickup[1]: 51FC7A9A54B: uid=103 from=<a@b.test> orig_id=51FC7A9A54A", MAIL_LINE_REQUEUED,
     "51FC7A9A54B", "a@b.test", NULL, NULL, NULL, NULL, 0, 0, 0},
    {HEAD "qmgr[1]: " LONG ": removed", MAIL_LINE_REMOVED, LONG, NULL, NULL, NULL, NULL, NULL, 0, 0,
     0},
    {HEAD "postsuper[1]: " LONG ": removed", MAIL_LINE_DELETED, LONG, NULL, NULL, NULL, NULL, NULL,
     0, 0, 0},
    {HEAD "postsuper[1]: " LONG ": placed on hold", MAIL_LINE_PLACED, LONG, NULL, NULL, NULL, NULL,
     NULL, 0, 0, 0},
    {HEAD "postsuper[1]: 51FC7A9A54A: released from hold", MAIL_LINE_RELEASED, "51FC7A9A54A", NULL,
     NULL, NULL, NULL, NULL, 0, 0, 0},
    {HEAD "outrider-ip8/smtp[2]: Untrusted TLS connection established to mx[192.0.2.1]:25: TLSv1.3 "
          "with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
     MAIL_LINE_TLS, NULL, NULL, NULL, "mx[192.0.2.1]:25", NULL,
     "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)", 0, 0, 0},
    {HEAD "smtp[2]: Verified TLS connection established to mx[192.0.2.1]:25: TLSv1.3 with cipher X "
          "(256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest "
          "SHA256",
     MAIL_LINE_TLS, NULL, NULL, NULL, "mx[192.0.2.1]:25", NULL,
     "TLSv1.3 with cipher X (256/256 bits)", 0, 0, 0},
    {HEAD "smtp[2]: Trusted TLS connection established to mx[192.0.2.1]:25: TLSv1.2 with cipher X",
     MAIL_LINE_TLS, NULL, NULL, NULL, "mx[192.0.2.1]:25", NULL, "TLSv1.2 with cipher X", 0, 0, 0},
    /* From Postfix, but nothing to do. */
    {HEAD "smtpd[1]: " LONG ": client=h[192.0.2.1], sasl_method=PLAIN, sasl_username=acme/main/7",
     MAIL_LINE_OTHER, LONG, NULL, NULL, NULL, NULL, NULL, 0, 0, 0},
    {HEAD "cleanup[1]: " LONG ": message-id=<removed>", MAIL_LINE_OTHER, LONG, NULL, NULL, NULL,
     NULL, NULL, 0, 0, 0},
    {HEAD "postsuper[1]: " LONG ": requeued", MAIL_LINE_OTHER, LONG, NULL, NULL, NULL, NULL, NULL,
     0, 0, 0},
    {HEAD "postsuper[1]: " LONG ": released from hold by whom", MAIL_LINE_OTHER, LONG, NULL, NULL,
     NULL, NULL, NULL, 0, 0, 0},
    {HEAD "postsuper[1]: " LONG ": Placed on hold", MAIL_LINE_OTHER, LONG, NULL, NULL, NULL, NULL,
     NULL, 0, 0, 0},
    {HEAD "postsuper[1]: Released from hold: 1 message", MAIL_LINE_OTHER, NULL, NULL, NULL, NULL,
     NULL, NULL, 0, 0, 0},
    {HEAD "cleanup[1]: " LONG ": released from hold", MAIL_LINE_OTHER, LONG, NULL, NULL, NULL, NULL,
     NULL, 0, 0, 0},
    {HEAD "smtpd[1]: " LONG ": placed on hold", MAIL_LINE_OTHER, LONG, NULL, NULL, NULL, NULL, NULL,
     0, 0, 0},
    {HEAD "qmgr[1]: " LONG ": placed on hold", MAIL_LINE_OTHER, LONG, NULL, NULL, NULL, NULL, NULL,
     0, 0, 0},
    {HEAD "bounce[1]: " LONG ": sender non-delivery notification: 51FC7A9A54A", MAIL_LINE_OTHER,
     LONG, NULL, NULL, NULL, NULL, NULL, 0, 0, 0},
    {HEAD "smtpd[1]: NOQUEUE: reject: RCPT from h[192.0.2.1]: 550 5.7.1 no; from=<a@b.test>",
     MAIL_LINE_OTHER, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0},
    {HEAD "qmgr[1]: warning: " LONG ": removed", MAIL_LINE_OTHER, NULL, NULL, NULL, NULL, NULL,
     NULL, 0, 0, 0},
    {HEAD "smtp[2]: " LONG ": host mx[192.0.2.1] said: 451 to=<x@y>, relay=z, status=sent (250 ok)",
     MAIL_LINE_OTHER, LONG, NULL, NULL, NULL, NULL, NULL, 0, 0, 0},
    {HEAD "smtp[2]: " LONG ": to=<x@ok.test>, status=sent (250 ok)", MAIL_LINE_OTHER, LONG, NULL,
     NULL, NULL, NULL, NULL, 0, 0, 0},
};

static void assert_text(const char *line, const char *field, MailText text, const char *wanted)
{
    g_autofree char *got = text.data ? g_strndup(text.data, text.length) : NULL;

    if (g_strcmp0(got, wanted) != 0)
        fail_msg("%s\n%s is %s, not %s", line, field, got ? got : "absent",
                 wanted ? wanted : "absent");
}

static void test_mail_line_parse_golden(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(golden); i++) {
        const char *text = golden[i].line;
        MailLine line;
        if (!mail_line_parse(text, strlen(text), "postfix", NOW, &line))
            fail_msg("%s", text);
        if (line.kind != golden[i].kind)
            fail_msg("%s\nkind is %d, not %d", text, (int)line.kind, (int)golden[i].kind);
        assert_text(text, "queue id", line.queue_id, golden[i].queue_id);
        assert_text(text, "from", line.from, golden[i].from);
        assert_text(text, "to", line.to, golden[i].to);
        assert_text(text, "relay", line.relay, golden[i].relay);
        assert_text(text, "dsn", line.dsn, golden[i].dsn);
        assert_text(text, "text", line.text, golden[i].text);
        assert_int_equal(line.status, golden[i].status);
        assert_int_equal(line.code, golden[i].code);
        assert_int_equal(line.delay_ms, golden[i].delay_ms);
        assert_int_equal(line.at_us, NOW * G_GINT64_CONSTANT(1000000));
    }
}

static void test_mail_line_parse_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "Nov 21 08:00:00",
        "Nov 21 08:00:00 host",
        "Nov 21 08:00:00 host postfix/qmgr[1]:",
        "Nov 21 08:00:00 host postfix/qmgr[1]: ",
        "Nov 21 08:00:00 host postfix/qmgr[x]: " LONG ": removed",
        "Nov 21 08:00:00 host postfix/qmgr[1: " LONG ": removed",
        "Nov 21 08:00:00 host postfix[1]: " LONG ": removed",
        "Nov 21 08:00:00 host postfix-out/qmgr[1]: " LONG ": removed",
        "Nov 21 08:00:00 host dovecot[1]: postfix/qmgr[1]: " LONG ": removed",
        "Nov 21 24:00:00 host postfix/qmgr[1]: " LONG ": removed",
        "Foo 21 08:00:00 host postfix/qmgr[1]: " LONG ": removed",
        "Nov 31 08:00:00 host postfix/qmgr[1]: " LONG ": removed",
        "2026-11-21 08:00:00 host postfix/qmgr[1]: " LONG ": removed",
        "2026-13-21T08:00:00Z host postfix/qmgr[1]: " LONG ": removed",
        "2026-11-21T08:00:00 host postfix/qmgr[1]: " LONG ": removed",
        "postfix/qmgr[1]: " LONG ": removed",
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        MailLine line;
        if (mail_line_parse(bad[i], strlen(bad[i]), "postfix", NOW, &line))
            fail_msg("taken: %s", bad[i]);
    }
}

static void test_mail_line_parse_too_long_or_nul(void **state)
{
    g_autoptr(GString) text = g_string_new(HEAD "qmgr[1]: " LONG ": removed");
    MailLine line;

    (void)state;
    text->str[text->len - 1] = '\0';
    assert_false(mail_line_parse(text->str, text->len, "postfix", NOW, &line));
    while (text->len <= MAIL_LINE_MAX)
        g_string_append_c(text, 'x');
    assert_false(mail_line_parse(text->str, text->len, "postfix", NOW, &line));
}

static void test_mail_stamp_parse_forms(void **state)
{
    static const struct {
        const char *text;
        gint64 now, at_us;
    } rows[] = {
        {"2026-11-21T08:00:00Z", NOW, NOW * G_GINT64_CONSTANT(1000000)},
        {"2026-11-21T09:00:00.123456+01:00", NOW, NOW * G_GINT64_CONSTANT(1000000) + 123456},
        {"2026-11-21T02:30:00.5-05:30", NOW, NOW * G_GINT64_CONSTANT(1000000) + 500000},
        {"Nov 21 08:00:00", NOW, NOW * G_GINT64_CONSTANT(1000000)},
        /* In January December is last year; on New Year's Eve January may be the next. */
        {"Dec 31 23:59:59", 1798761600 + 3600, (1798761600 - 1) * G_GINT64_CONSTANT(1000000)},
        {"Jan  1 00:00:00", 1798761600 - 60, 1798761600 * G_GINT64_CONSTANT(1000000)},
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        gint64 at = 0;
        assert_int_equal(mail_stamp_parse(rows[i].text, strlen(rows[i].text), rows[i].now, &at),
                         strlen(rows[i].text));
        if (at != rows[i].at_us)
            fail_msg("%s: %" G_GINT64_FORMAT, rows[i].text, at);
    }
}

static void test_mail_line_lane_and_family(void **state)
{
    static const struct {
        const char *line;
        guint32 lane;
        gboolean ipv6;
    } rows[] = {
        {HEAD "outrider-ip8/smtp[2]: " LONG ": to=<a@b>, relay=mx[2001:db8::1]:25, status=sent (2)",
         8, TRUE},
        {HEAD "outrider-ip12/smtp[2]: " LONG ": to=<a@b>, relay=mx[192.0.2.1]:25, status=sent (2)",
         12, FALSE},
        {HEAD "outrider-ipx/smtp[2]: " LONG ": to=<a@b>, relay=none, status=sent (2)", 0, FALSE},
        {HEAD "outrider-ip99999/smtp[2]: " LONG ": to=<a@b>, relay=mx[192.0.2.1]:25, status=sent "
              "(2)",
         0, FALSE},
        {HEAD "smtp[2]: " LONG ": to=<a@b>, relay=mx[192.0.2.1]:25, status=sent (2)", 0, FALSE},
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        MailLine line;
        assert_true(mail_line_parse(rows[i].line, strlen(rows[i].line), "postfix", NOW, &line));
        assert_int_equal(line.kind, MAIL_LINE_DELIVERY);
        assert_int_equal(mail_line_lane(&line), rows[i].lane);
        assert_int_equal(mail_line_relay_is_ipv6(&line), rows[i].ipv6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mail_line_parse_golden),
        cmocka_unit_test(test_mail_line_parse_refused),
        cmocka_unit_test(test_mail_line_parse_too_long_or_nul),
        cmocka_unit_test(test_mail_stamp_parse_forms),
        cmocka_unit_test(test_mail_line_lane_and_family),
    };

    g_setenv("TZ", "UTC", TRUE);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
