/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/error.h"
#include "lib/mime/field.h"
#include "lib/mime/mailbox.h"
#include "lib/mime/received.h"
#include "lib/mime/wire_safe.h"
#include "tests/lib/mime_decode.h"
#include "tests/lib/testing.h"

static void test_mailboxes_parse_one(void **state)
{
    (void)state;
    static const struct {
        const char *value, *address, *domain;
    } cases[] = {
        {" a@acme.test", "a@acme.test", "acme.test"},
        {" <a@acme.test>", "a@acme.test", "acme.test"},
        {" App <a@Acme.TEST>", "a@acme.test", "acme.test"},
        {" \"x, y <b@evil.test>\" <a@acme.test>", "a@acme.test", "acme.test"},
        {" App (b@evil.test) <a@acme.test> (c (d))", "a@acme.test", "acme.test"},
        {" =?utf-8?q?b=40evil.test=2C?= <a@acme.test>", "a@acme.test", "acme.test"},
        {"\tA\n B\r\n <a@acme.test>", "a@acme.test", "acme.test"},
        {" J. R. Smith <a@acme.test>", "a@acme.test", "acme.test"},
        {" \"a b\"@acme.test", "\"a b\"@acme.test", "acme.test"},
        {" A <A+b@sub.acme.test>", "A+b@sub.acme.test", "sub.acme.test"},
        {" J\xc3\xb6rg <j@acme.test>", "j@acme.test", "acme.test"},
        {" <j@B\u00fccher.test>", "j@b\u00fccher.test", "xn--bcher-kva.test"},
        {" <j@[192.0.2.1]>", "j@[192.0.2.1]", "[192.0.2.1]"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        g_autoptr(GPtrArray) list = mime_mailboxes_parse(cases[i].value, &error);
        if (error)
            fail_msg("%s: %s", cases[i].value, error->message);
        assert_int_equal(list->len, 1);
        const MimeMailbox *mailbox = list->pdata[0];
        assert_string_equal(mailbox->address, cases[i].address);
        assert_string_equal(mailbox->domain, cases[i].domain);
    }
}

static void test_mailboxes_parse_several(void **state)
{
    (void)state;
    GError *error = NULL;
    g_autoptr(GPtrArray) list = mime_mailboxes_parse(" a@acme.test, B <b@evil.test>", &error);

    assert_no_error(error);
    assert_int_equal(list->len, 2);
    assert_string_equal(((MimeMailbox *)list->pdata[1])->domain, "evil.test");
}

static void test_mailboxes_parse_long_address(void **state)
{
    (void)state;
    g_autofree char *local = g_strnfill(MIME_ADDRESS_MAX - 10, 'x');
    g_autofree char *longest = g_strconcat(local, "@acme.test", NULL);
    g_autofree char *longer = g_strconcat("x", longest, NULL);
    GError *error = NULL;
    g_autoptr(GPtrArray) good = mime_mailboxes_parse(longest, &error);

    assert_no_error(error);
    assert_int_equal(good->len, 1);
    assert_null(mime_mailboxes_parse(longer, &error));
    assert_error_code(error, INVALID);
}

static void test_mailboxes_parse_bad(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        " ",
        "a",
        "a@",
        "@acme.test",
        "<>",
        "a@acme.test b",
        "a@acme.test b@evil.test",
        "<a@acme.test> <b@evil.test>",
        "<b@evil.test> <a@acme.test>",
        "b@evil.test <a@acme.test>",
        "<a@acme.test> b@evil.test",
        "<a@acme.test",
        "a@acme.test>",
        "<<a@acme.test>>",
        "<@evil.test:a@acme.test>",
        "group: a@acme.test;",
        "a@acme.test;",
        "a@acme.test,",
        ",a@acme.test",
        "a@acme.test,,b@acme.test",
        "\"x <a@acme.test>",
        "(x <a@acme.test>",
        "a@b@acme.test",
        "<a@acme.test>x",
        "x\\ <a@acme.test>",
        "a@acme.test\x01",
        "a@acme.test\xff",
        "a @ acme.test b",
        "(a@acme.test)",
        "<a@acme.test>)",
        "((((((((((((((((((((((x))))))))))))))))))))))a@acme.test",
        "a@acme test",
        "<a, b@acme.test>",
        "\"a@acme.test\"",
        "[a@acme.test]",
        "a\r@acme.test",
        "\"a\rb\"@acme.test",
        "\"a\\\rb\"@acme.test",
        "\"a\x01"
        "b\"@acme.test",
        "\"a\x7f\"@acme.test",
        "<\"a\tb\"@acme.test>",
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        g_autoptr(GPtrArray) list = mime_mailboxes_parse(cases[i], &error);
        if (list)
            fail_msg("taken: %s", cases[i]);
        assert_error_code(error, INVALID);
    }
}

static void test_mailboxes_parse_too_many(void **state)
{
    (void)state;
    g_autoptr(GString) text = g_string_new("a@acme.test");
    GError *error = NULL;

    for (guint i = 0; i < MIME_MAILBOX_MAX; i++)
        g_string_append(text, ", a@acme.test");
    assert_null(mime_mailboxes_parse(text->str, &error));
    assert_error_code(error, INVALID);
    g_string_set_size(text, 0);
    while (text->len <= MIME_MAILBOX_VALUE_MAX)
        g_string_append(text, "x ");
    g_string_append(text, "<a@acme.test>");
    assert_null(mime_mailboxes_parse(text->str, &error));
    assert_error_code(error, INVALID);
}

static void test_fields_lookup(void **state)
{
    (void)state;
    g_autoptr(GPtrArray) fields = mime_fields_new();

    mime_fields_add(fields, "X-Tag", " one");
    mime_fields_add(fields, "Subject", " =?utf-8?q?J=C3=B6?=\n rg ");
    mime_fields_add(fields, "x-tag", "two");
    assert_int_equal(mime_fields_count(fields, "X-TAG"), 2);
    assert_int_equal(mime_fields_count(fields, "X-TA"), 0);
    assert_string_equal(mime_fields_nth(fields, "x-tag", 1), " one");
    assert_string_equal(mime_fields_last(fields, "x-tag"), "two");
    assert_null(mime_fields_nth(fields, "x-tag", 3));
    assert_null(mime_fields_last(fields, "From"));
    g_autofree char *decoded = mime_field_decoded(mime_fields_last(fields, "subject"), 200);
    assert_string_equal(decoded, "J\xc3\xb6 rg");
    g_autofree char *cut = mime_field_decoded(" a\xff\xff\xff", 2);
    assert_string_equal(cut, "a\xc3\xbf"); /* read as ISO 8859-1 */
}

static void test_message_id_bare_table(void **state)
{
    static const char *const cases[][2] = {
        {"<a@b.test>", "a@b.test"},
        {"words <a@b.test> more", "a@b.test"},
        {"a@b.test", "a@b.test"},
        {"<a@b.test", "a@b.test"},
        {"a@b.test>", "a@b.test>"},
        {"<>", ""},
        {"<a><b>", "a"},
        {"", ""},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *bare = mime_message_id_bare(cases[i][0]);
        assert_string_equal(bare, cases[i][1]);
    }
}

static void test_field_fold_long(void **state)
{
    (void)state;
    g_autoptr(GString) words = g_string_new(NULL);
    gboolean too_long = FALSE;

    for (guint i = 0; i < 1000; i++)
        g_string_append_printf(words, " %u", i);
    g_autofree char *folded = mime_field_fold("X-Long", words->str, &too_long);
    assert_non_null(folded);
    assert_false(too_long);
    assert_false(mime_is_unsafe(folded, strlen(folded)));
    g_autofree char *before = mime_field_text(words->str);
    g_autofree char *after = mime_field_text(folded);
    assert_string_equal(before, after);
}

static void test_field_fold_nothing(void **state)
{
    (void)state;
    gboolean too_long = FALSE;
    g_autofree char *full = g_strnfill(MIME_LINE_MAX - 2, 'x');

    assert_null(mime_field_fold("A", full, &too_long));
    assert_null(mime_field_fold("A", " b\n c\r\n d", &too_long));
    assert_null(mime_field_fold("A", "", &too_long));
    assert_false(too_long);
}

static void test_field_fold_no_white_space(void **state)
{
    (void)state;
    g_autofree char *word = g_strnfill(2000, 'x');
    g_autofree char *value = g_strdup_printf(" %s\n ok", word);
    gboolean too_long = FALSE;

    g_autofree char *folded = mime_field_fold("A", value, &too_long);
    assert_true(too_long);
    assert_null(folded);
}

/* One body; `~` in it stands for a run of 3,000 octets given by fill. */
typedef struct {
    const char *name, *type, *encoding, *body, *fill;
    gboolean changed;
    const char *top;    /* new top-level encoding */
    const char *reason; /* how it begins */
} Sample;

static const Sample samples[] = {
    {"nothing long", "text/plain", NULL, "a\r\nb\r\n", NULL, FALSE, NULL, NULL},
    {"empty", NULL, NULL, "", NULL, FALSE, NULL, NULL},
    {"plain", NULL, NULL, "~", "x", TRUE, "quoted-printable", NULL},
    {"plain with line ends", "text/html", "8bit", "a \r\n~\r\n.\r\n\r\nFrom b =\tc\t\r\n",
     "\xc3\xa9 ", TRUE, "quoted-printable", NULL},
    {"bare CR alone", "text/plain", "8bit", "a\rb\r\n", "x", TRUE, "quoted-printable", NULL},
    {"bare ends", "text/plain", "7bit", "a\rb\r\r\n~\r\n", "\r", TRUE, "quoted-printable", NULL},
    {"dashes", "text/plain", NULL, "~\r\n", "-", TRUE, "quoted-printable", NULL},
    {"binary", "application/pdf", "binary", "a\r\n~\r\n\r\n", "\x01\xff", TRUE, "base64", NULL},
    {"base64 in one line", "image/png", "base64", "~\r\n", "QUJD", TRUE, NULL, NULL},
    {"quoted in one line", "text/plain", "quoted-printable", "~ \r\nb=\r\nc\r\n", "=C3=A9-", TRUE,
     NULL, NULL},
    {"quoted with soft break", "text/plain", "quoted-printable", "~=\r\nb\r\n", "-- ", TRUE, NULL,
     NULL},
    {"broken quoted", "text/plain", "quoted-printable", "~=zz\r\n", "ab", FALSE, NULL,
     "line not fit for SMTP"},
    {"broken base64", "image/png", "base64", "~\r\n", "%!", FALSE, NULL, "line not fit for SMTP"},
    {"unknown encoding", "text/plain", "x-own", "~\r\n", "ab", FALSE, NULL,
     "line not fit for SMTP"},
    {"first part", "multipart/mixed; boundary=b", NULL,
     "pre\r\n--b\r\nContent-Type: text/plain\r\n\r\n~\r\n--b\r\n\r\nother\r\n--b--\r\npost\r\n",
     "x--b", TRUE, NULL, NULL},
    {"part without header", "multipart/mixed; boundary=b", NULL, "--b\r\n\r\n~\r\n--b--\r\n", "x ",
     TRUE, NULL, NULL},
    {"both, encoding declared", "multipart/mixed; boundary=\"b c\"", "8bit",
     "--b c\r\nContent-transfer-encoding:\r\n 8bit\r\nContent-Type: text/html\r\n\r\n~\r\n\r\n"
     "--b c\r\nContent-Type: application/zip\r\nContent-Transfer-Encoding: binary\r\n\r\n~\r\n"
     "--b c--\r\n",
     "\xe9=\r", TRUE, NULL, NULL},
    {"nested", "multipart/mixed; boundary=b", NULL,
     "--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\nshort\r\n--c\r\n"
     "Content-Type: text/html\r\n\r\n~\r\n--c--\r\n--b--\r\n",
     "<p>", TRUE, NULL, NULL},
    {"signed", "multipart/signed; boundary=b; protocol=\"application/pgp-signature\"", NULL,
     "--b\r\n\r\n~\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n", "x",
     FALSE, NULL, "line not fit for SMTP in a signed"},
    {"encrypted", "multipart/encrypted; boundary=b; protocol=\"application/pgp-encrypted\"", NULL,
     "--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--b\r\n"
     "Content-Type: application/octet-stream\r\n\r\n~\r\n--b--\r\n",
     "x", FALSE, NULL, "line not fit for SMTP in a signed or encrypted"},
    {"message", "message/rfc822", NULL, "Subject: x\r\n\r\n~\r\n", "x", FALSE, NULL,
     "line not fit for SMTP in an enclosed"},
    {"message beside text", "multipart/mixed; boundary=b", NULL,
     "--b\r\n\r\n~\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\n~\r\n--b--\r\n",
     "x", TRUE, NULL, "line not fit for SMTP in an enclosed"},
    {"encoding after a line like it", "multipart/mixed; boundary=b", NULL,
     "--b\r\nContent-Transfer-Encoding-\r\nContent-Transfer-Encoding: 8bit\r\n\r\n~\r\n--b--\r\n",
     "x", FALSE, NULL, "line not fit for SMTP in a part with an unclear header"},
    {"encoding twice", "multipart/mixed; boundary=b", NULL,
     "--b\r\nContent-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: 8bit\r\n\r\n~\r\n"
     "--b--\r\n",
     "x", FALSE, NULL, "line not fit for SMTP in a part with an unclear header"},
    {"preamble", "multipart/mixed; boundary=b", NULL, "~\r\n--b\r\n\r\nx\r\n--b--\r\n", "x", FALSE,
     NULL, "line not fit for SMTP outside"},
    {"part header", "multipart/mixed; boundary=b", NULL, "--b\r\nX-A: ~\r\n\r\nx\r\n--b--\r\n", "x",
     FALSE, NULL, "line not fit for SMTP outside"},
    {"no boundary", "multipart/mixed", NULL, "~\r\n", "x", FALSE, NULL, "line not fit for SMTP"},
    {"boundary never seen", "multipart/mixed; boundary=z", NULL, "~\r\n", "x", FALSE, NULL,
     "line not fit for SMTP"},
    {"last boundary without line end", "multipart/mixed; boundary=b", NULL,
     "~\r\n--b\r\n\r\nx\r\n--b--", "x", FALSE, NULL, "line not fit for SMTP outside"},
    {"unended", "multipart/mixed; boundary=b", NULL, "--b\r\n\r\n~", "x", TRUE, NULL, NULL},
};

static GString *sample_body(const Sample *sample)
{
    GString *body = g_string_new(NULL);

    for (const char *p = sample->body; *p; p++) {
        if (*p != '~') {
            g_string_append_c(body, *p);
            continue;
        }
        for (gsize n = 0; n < 3000; n += strlen(sample->fill))
            g_string_append(body, sample->fill);
    }
    return body;
}

static void check_sample(const Sample *sample)
{
    g_autoptr(GPtrArray) fields = mime_fields_new();
    g_autoptr(GString) body = sample_body(sample);
    g_auto(MimeWireSafe) safe = {0};

    if (sample->type)
        mime_fields_add(fields, "Content-Type", sample->type);
    if (sample->encoding)
        mime_fields_add(fields, "Content-Transfer-Encoding", sample->encoding);
    mime_wire_safe(fields, body->str, body->len, &safe);
    if (safe.changed != sample->changed)
        fail_msg("%s: changed %d, reason %s", sample->name, safe.changed, safe.reason);
    if (g_strcmp0(safe.encoding, sample->top) != 0)
        fail_msg("%s: top encoding %s", sample->name, safe.encoding);
    if (!safe.reason != !sample->reason ||
        (safe.reason && !g_str_has_prefix(safe.reason, sample->reason)))
        fail_msg("%s: reason %s", sample->name, safe.reason);
    if (!safe.changed)
        return;
    if (!safe.reason && mime_is_unsafe(safe.body->str, safe.body->len))
        fail_msg("%s: still long", sample->name);
    g_autoptr(GString) before = mime_decode(fields, body->str, body->len);
    if (safe.encoding)
        mime_fields_add(fields, "Content-Transfer-Encoding", safe.encoding);
    g_autoptr(GString) after = mime_decode(fields, safe.body->str, safe.body->len);
    if (!g_string_equal(before, after))
        fail_msg("%s:\n%s\n=======\n%s\n=====\n%s", sample->name, before->str, after->str,
                 safe.body->str);
}

static void test_wire_safe_samples(void **state)
{
    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(samples); i++)
        check_sample(&samples[i]);
}

static void test_wire_safe_nul_and_twice(void **state)
{
    (void)state;
    g_autoptr(GPtrArray) fields = mime_fields_new();
    g_autofree char *body = g_malloc0(5000);
    g_auto(MimeWireSafe) safe = {0};

    memcpy(body + 4998, "\r\n", 2);
    mime_wire_safe(fields, body, 5000, &safe);
    assert_true(safe.changed);
    g_autoptr(GString) before = mime_decode(fields, body, 5000);
    mime_fields_add(fields, "Content-Transfer-Encoding", safe.encoding);
    g_autoptr(GString) after = mime_decode(fields, safe.body->str, safe.body->len);
    assert_true(g_string_equal(before, after));
    mime_fields_add(fields, "content-transfer-encoding", " 7bit");
    mime_wire_safe_clear(&safe);
    mime_wire_safe(fields, body, 5000, &safe);
    assert_false(safe.changed);
    assert_non_null(safe.reason);
}

static void test_is_unsafe_borders(void **state)
{
    (void)state;
    g_autofree char *line = g_strnfill(1002, 'x');

    assert_false(mime_is_unsafe(line, 998));
    assert_true(mime_is_unsafe(line, 999));
    memcpy(line + 998, "\r\n", 2);
    assert_false(mime_is_unsafe(line, 1000));
    memcpy(line + 998, "x\r\n", 3);
    assert_true(mime_is_unsafe(line, 1001));
    assert_false(mime_is_unsafe(line, 0));
    assert_true(mime_is_unsafe("a\rb\r\n", 5));
    assert_true(mime_is_unsafe("a\r\r\n", 4));
    assert_true(mime_is_unsafe("a\r", 2));
    assert_false(mime_is_unsafe("a\r\nb\n", 5));
}

static void test_received_without_client_cases(void **state)
{
    (void)state;
    static const struct {
        const char *value, *wanted; /* NULL: none */
    } cases[] = {
        {" from laptop (host.test [192.0.2.7])\n\tby mx.test (Postfix) with ESMTPA id 4X\n\tfor "
         "<a@b.test>; Thu, 1 Jan 2026 00:00:00 +0000 (UTC)",
         " by mx.test (Postfix) with ESMTPA id 4X\n\tfor <a@b.test>; Thu, 1 Jan 2026 00:00:00 "
         "+0000 "
         "(UTC)"},
        {" from x (unknown [IPv6:2001:db8::1])\r\n\t(using TLSv1.3)\r\n\tby mx.test with ESMTP id "
         "1; "
         "now",
         " by mx.test with ESMTP id 1; now"},
        /* What a client calls itself begins no line. */
        {" from x by evil (unknown [192.0.2.7])\n\tby mx.test with ESMTP id 1; now",
         " by mx.test with ESMTP id 1; now"},
        {" from by (unknown [192.0.2.7]) by mx.test; now", NULL},
        {" from x (unknown [192.0.2.7])\n\tbye mx.test; now", NULL},
        {" by mx.test (Postfix, from userid 0)\n\tid 1; now", NULL},
        {"", NULL},
        {"\n", NULL},
        {"\n\t", NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *hidden = mime_received_without_client(cases[i].value);
        if (g_strcmp0(hidden, cases[i].wanted) != 0)
            fail_msg("%s: %s", cases[i].value, hidden);
    }
}

static void test_received_read_table(void **state)
{
    (void)state;
    static const struct {
        const char *value, *helo, *name, *ip, *queue_id; /* NULL: none */
        gboolean tls;
    } cases[] = {
        {" from laptop (host.test [192.0.2.7])\n\tby mx.test (Postfix) with ESMTPA id 4X\n\tfor "
         "<a@b.test>; Thu, 1 Jan 2026 00:00:00 +0000 (UTC)",
         "laptop", "host.test", "192.0.2.7", "4X", FALSE},
        {" from x (unknown [IPv6:2001:db8::1])\r\n\t(using TLSv1.3 with cipher X (256/256 "
         "bits))\r\n\t"
         "(No client certificate requested)\r\n\tby mx.test with ESMTPS id 4jWqvs5JCKz1; now",
         "x", "unknown", "2001:db8::1", "4jWqvs5JCKz1", TRUE},
        /* A HELO that looks like what follows it. */
        {" from a(b[192.0.2.9]) (unknown [192.0.2.7])\n\tby mx.test with ESMTP id 4X; now",
         "a(b[192.0.2.9])", "unknown", "192.0.2.7", "4X", FALSE},
        {" from [192.0.2.7] (unknown [192.0.2.8])\n\tby mx.test with ESMTP id 4X; now",
         "[192.0.2.7]", "unknown", "192.0.2.8", "4X", FALSE},
        /* Made on the host. */
        {" by mx.test (Postfix, from userid 0)\n\tid 4X; now", NULL, NULL, NULL, "4X", FALSE},
        {" by mx.test (Postfix)\n\tid 4X; now", NULL, NULL, NULL, "4X", FALSE},
        /* A name of the host that has it in it, and TLS that is said behind "by". */
        {" from x (y [192.0.2.7])\n\tby id.test (Postfix) with SMTP id 4Y\n\t(using TLSv1.3)", "x",
         "y", "192.0.2.7", "4Y", FALSE},
        {" from x\n\tby mx.test with SMTP; now", NULL, NULL, NULL, NULL, FALSE},
        {" from x (y [192.0.2.7]\n\tby mx.test id !", NULL, NULL, NULL, NULL, FALSE},
        {" from x (y ])\n\tby mx.test id", NULL, NULL, NULL, NULL, FALSE},
        {" from x ([192.0.2.7])\n\tby mx.test id 4", NULL, NULL, NULL, "4", FALSE},
        {"", NULL, NULL, NULL, NULL, FALSE},
        {"\n\n\n", NULL, NULL, NULL, NULL, FALSE},
    };
    g_auto(MimeReceived) read = {0};

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        mime_received_read(cases[i].value, &read);
        if (g_strcmp0(read.helo, cases[i].helo) || g_strcmp0(read.name, cases[i].name) ||
            g_strcmp0(read.ip, cases[i].ip) || g_strcmp0(read.queue_id, cases[i].queue_id) ||
            read.tls != cases[i].tls)
            fail_msg("%s: %s, %s, %s, %s, %d", cases[i].value, read.helo, read.name, read.ip,
                     read.queue_id, read.tls);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mailboxes_parse_one),
        cmocka_unit_test(test_mailboxes_parse_several),
        cmocka_unit_test(test_mailboxes_parse_long_address),
        cmocka_unit_test(test_mailboxes_parse_bad),
        cmocka_unit_test(test_mailboxes_parse_too_many),
        cmocka_unit_test(test_fields_lookup),
        cmocka_unit_test(test_message_id_bare_table),
        cmocka_unit_test(test_field_fold_long),
        cmocka_unit_test(test_field_fold_nothing),
        cmocka_unit_test(test_field_fold_no_white_space),
        cmocka_unit_test(test_received_without_client_cases),
        cmocka_unit_test(test_received_read_table),
        cmocka_unit_test(test_wire_safe_samples),
        cmocka_unit_test(test_wire_safe_nul_and_twice),
        cmocka_unit_test(test_is_unsafe_borders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
