/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/error.h"
#include "lib/wire/auth.h"
#include "lib/wire/cram.h"
#include "lib/wire/policy.h"
#include "lib/wire/smtp_reply.h"
#include "lib/wire/socketmap.h"
#include "tests/lib/testing.h"

#define REQUEST "request=smtpd_access_policy\n"

static void test_policy_parse_whole(void **state)
{
    (void)state;
    static const char text[] =
        REQUEST "protocol_state=RCPT\nunknown=1\nsasl_username=a/b/7\n\nrest";
    g_auto(PolicyRequest) request = {0};

    assert_int_equal(policy_parse(text, strlen(text), &request, NULL), strlen(text) - 4);
    assert_string_equal(request.protocol_state, "RCPT");
    assert_string_equal(request.sasl_username, "a/b/7");
    assert_string_equal(request.recipient, "");
}

static void test_policy_parse_table(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        gsize length;
        gssize result;
    } cases[] = {
        {"", 0, 0},
        {REQUEST, sizeof(REQUEST) - 1, 0},
        {"\n", 1, -1},
        {"a=b\n\n", 5, -1},
        {REQUEST "novalue\n\n", sizeof(REQUEST) + 8, -1},
        {REQUEST "=x\n\n", sizeof(REQUEST) + 3, -1},
        {REQUEST "sender=a\0b\n\n", sizeof(REQUEST) + 11, -1},
        {REQUEST "sender=a\tb\n\n", sizeof(REQUEST) + 11, -1},
        {REQUEST "sender=a\nsender=b\n\n", sizeof(REQUEST) + 18, -1},
        {"request=other\n\n", 15, -1},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        PolicyRequest request = {0};
        assert_int_equal(policy_parse(cases[i].text, cases[i].length, &request, NULL),
                         cases[i].result);
        assert_null(request.sender);
    }
    g_autofree char *large = g_strnfill(POLICY_REQUEST_MAX, 'a');
    PolicyRequest request = {0};
    GError *error = NULL;
    assert_int_equal(policy_parse(large, POLICY_REQUEST_MAX, &request, &error), -1);
    assert_error_code(error, TOO_LARGE);
    assert_int_equal(policy_parse(large, POLICY_REQUEST_MAX - 1, &request, NULL), 0);
}

static void test_policy_reply_has_no_controls(void **state)
{
    (void)state;
    g_autoptr(GString) out = g_string_new(NULL);

    policy_reply(out, "REJECT", "a\nb", "r@x.test");
    policy_reply(out, "DUNNO", NULL, "");
    assert_string_equal(out->str, "action=REJECT a b\n\naction=DUNNO\n\n");
}

/* As Postfix puts it, with the longest recipient and whatever is said of it: in RFC 5321's line, its ends whole. */
static void test_policy_reply_fits_a_line(void **state)
{
    (void)state;
    static const gsize recipients[] = {1, 64, 320}, reasons[] = {0, 100, 200, 1000};

    for (guint i = 0; i < G_N_ELEMENTS(recipients) * G_N_ELEMENTS(reasons); i++) {
        g_autofree char *recipient = g_strnfill(recipients[i / G_N_ELEMENTS(reasons)], 'r');
        g_autofree char *reason = g_strnfill(reasons[i % G_N_ELEMENTS(reasons)], 'y');
        g_autofree char *text =
            g_strdup_printf("5.7.1 %s is suppressed for server acme/main: %s (manual, since "
                            "2026-11-26); outrider explain 251738602864641",
                            recipient, reason);
        g_autoptr(GString) out = g_string_new(NULL);
        policy_reply(out, "550", text, recipient);
        assert_true(g_str_has_prefix(out->str, "action=550 5.7.1 r"));
        assert_true(g_str_has_suffix(
            out->str, " (manual, since 2026-11-26); outrider explain 251738602864641\n\n"));
        g_autofree char *told = g_strndup(out->str + strlen("action=550 5.7.1 "),
                                          out->len - strlen("action=550 5.7.1 \n\n"));
        g_autofree char *line =
            g_strdup_printf("550 5.7.1 <%s>: Recipient address rejected: %s\r\n", recipient, told);
        assert_in_range(strlen(line), 1, SMTP_LINE_MAX);
        assert_true(strlen(text) > 300 || strstr(line, reason));
    }
}

static void test_socketmap_parse_table(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        gssize result;
    } cases[] = {
        {"13:transport a@b,", 17},
        {"13:transport a@,", 0},
        {"12:transport aa,", 16},
        {"11:transport a,", 15},
        {"9:relaydom ,", 12},
        {"", 0},
        {"1", 0},
        {"4096:", 0},
        {"4097:", -1},
        {"99999", -1},
        {":x,", -1},
        {"x:", -1},
        {"-1:x,", -1},
        {"01:x,", -1},
        {"0:,", -1},
        {"1: ,", -1},
        {"3:a b;", -1},
        {"3:A b,", -1},
        {"3:a\tb,", -1},
        {"4:a b\n,", -1},
        {"3:abc,", -1},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(SocketmapRequest) request = {0};
        gssize used = socketmap_parse(cases[i].text, strlen(cases[i].text), &request, NULL);
        assert_int_equal(used, cases[i].result);
    }
}

static void test_socketmap_reply_is_netstring(void **state)
{
    (void)state;
    g_autoptr(GString) out = g_string_new(NULL);

    socketmap_reply(out, "NOTFOUND", "");
    socketmap_reply(out, "OK", "x:");
    assert_string_equal(out->str, "9:NOTFOUND ,5:OK x:,");
}

static void test_auth_parse_table(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        gssize result;
    } cases[] = {
        {"VERSION\t1\t0\n", 12},
        {"CPID\t5\n", 7},
        {"AUTH\t1\tPLAIN\tservice=smtp\trip=::1\tresp=AA==\nx", 44},
        {"CONT\t1\t\n", 8},
        {"", 0},
        {"AUTH\t1\tPLAIN", 0},
        {"\n", -1},
        {"AUTH\n", -1},
        {"AUTH\t1\n", -1},
        {"AUTH\t1\t\n", -1},
        {"AUTH\tx\tPLAIN\n", -1},
        {"AUTH\t-1\tPLAIN\n", -1},
        {"AUTH\t4294967296\tPLAIN\n", -1},
        {"AUTH\t1\tPLAIN\r\n", -1},
        {"CONT\t1\n", -1},
        {"CONT\t1\tA\tB\n", -1},
        {"GET / HTTP/1.0\n", -1},
        {"auth\t1\tPLAIN\n", -1},
        {"VERSION\n", -1},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(AuthLine) line = {0};
        assert_int_equal(auth_parse(cases[i].text, strlen(cases[i].text), &line, NULL),
                         cases[i].result);
        if (cases[i].result < 0)
            assert_null(line.mechanism);
    }
    g_autofree char *large = g_strnfill(AUTH_LINE_MAX, 'a');
    g_auto(AuthLine) line = {0};
    assert_int_equal(auth_parse(large, AUTH_LINE_MAX, &line, NULL), -1);
    assert_int_equal(auth_parse("CONT\t1\t\0\n", 9, &line, NULL), -1);
}

/* Feeds responses as plain text (base64 is made here); '-' as first octet: no initial response,
 * '!': the rest is sent as it is. */
static void test_sasl_step_table(void **state)
{
    (void)state;
    static const struct {
        const char *mechanism;
        const char *responses[3];
        gsize length; /* of the first; 0: strlen */
        SaslStep result;
        const char *username, *secret;
    } cases[] = {
        {"PLAIN", {"\0u\0key"}, 6, SASL_DONE, "u", "key"},
        {"plain", {"a\0u\0key"}, 7, SASL_DONE, "u", "key"},
        {"PLAIN", {"-", "!AHUAaw=="}, 0, SASL_DONE, "u", "k"},
        {"LOGIN", {"-", "u", "key"}, 0, SASL_DONE, "u", "key"},
        {"LOGIN", {"u", "key"}, 0, SASL_DONE, "u", "key"},
        {"CRAM-MD5", {"-", "a/b 0123"}, 0, SASL_DONE, "a/b", "0123"},
        {"PLAIN", {"-"}, 0, SASL_MORE, NULL, NULL},
        {"LOGIN", {"u"}, 0, SASL_MORE, NULL, NULL},
        {"CRAM-MD5", {"a/b 0123"}, 0, SASL_FAILED, NULL, NULL},
        {"CRAM-MD5", {"-", "nospace"}, 0, SASL_FAILED, NULL, NULL},
        {"PLAIN", {"nonul"}, 0, SASL_FAILED, NULL, NULL},
        {"PLAIN", {"a\0u"}, 3, SASL_FAILED, NULL, NULL},
        {"PLAIN", {"\0u\0k\0x"}, 6, SASL_FAILED, NULL, NULL},
        {"PLAIN", {"\0u\0k\ny"}, 6, SASL_FAILED, NULL, NULL},
        {"PLAIN", {"\0u\t\0key"}, 7, SASL_FAILED, NULL, NULL},
        {"PLAIN", {"!****"}, 0, SASL_FAILED, NULL, NULL},
        {"PLAIN", {"!AHU"}, 0, SASL_FAILED, NULL, NULL},
        {"PLAIN", {"!AHUAaw="}, 0, SASL_FAILED, NULL, NULL},
        {"LOGIN", {"-", "!=", NULL}, 0, SASL_FAILED, NULL, NULL},
        {"LOGIN", {"u\n", "k"}, 0, SASL_FAILED, NULL, NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(SaslExchange) exchange = {0};
        SaslStep step = SASL_MORE;
        assert_true(sasl_begin(&exchange, cases[i].mechanism, "<1@x>"));
        for (guint j = 0; j < 3 && cases[i].responses[j] && step == SASL_MORE; j++) {
            const char *text = cases[i].responses[j];
            gsize length = j == 0 && cases[i].length ? cases[i].length : strlen(text);
            g_autofree char *encoded = g_base64_encode((const guchar *)text, length);
            g_autofree char *prompt = NULL;
            const char *sent = *text == '-' ? NULL : *text == '!' ? text + 1 : encoded;
            step = sasl_step(&exchange, sent, &prompt);
        }
        assert_int_equal(step, cases[i].result);
        if (step == SASL_DONE) {
            assert_string_equal(exchange.username, cases[i].username);
            assert_string_equal(exchange.secret, cases[i].secret);
        }
    }
    SaslExchange exchange = {0};
    assert_false(sasl_begin(&exchange, "GSSAPI", ""));
    assert_false(sasl_begin(&exchange, "", ""));
}

/* RFC 2195 section 2, and RFC 2202 section 2 with keys of 16, 4 and 80 octets. */
static void test_cram_digest_vectors(void **state)
{
    (void)state;
    g_autofree char *long_key = g_strnfill(80, (char)0xaa);
    const struct {
        const char *key, *challenge, *digest;
    } cases[] = {
        {"tanstaaftanstaaf", "<1896.697170952@postoffice.reston.mci.net>",
         "b913a602c7eda7a495b4e6e7334d3890"},
        {"Jefe", "what do ya want for nothing?", "750c783e6ab0b503eaa86e310a5db738"},
        {long_key, "Test Using Larger Than Block-Size Key - Hash Key First",
         "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint8 saved[CRAM_STATE_LENGTH];
        char digest[CRAM_DIGEST_LENGTH + 1];
        cram_state_make(cases[i].key, saved);
        cram_digest(saved, cases[i].challenge, digest);
        assert_string_equal(digest, cases[i].digest);
        assert_true(cram_verify(saved, cases[i].challenge, digest));
        assert_false(cram_verify(saved, "other", digest));
        digest[31] ^= 1;
        assert_false(cram_verify(saved, cases[i].challenge, digest));
        assert_false(cram_verify(saved, cases[i].challenge, ""));
    }
}

/* GLib's HMAC agrees at every length around the block borders. */
static void test_cram_digest_agrees_with_hmac(void **state)
{
    (void)state;
    static const char key[] = "abcdefghijklmnopqrstuvwx";
    guint8 saved[CRAM_STATE_LENGTH];

    cram_state_make(key, saved);
    for (gsize length = 0; length < 200; length++) {
        g_autofree char *text = g_strnfill(length, 'x');
        g_autofree char *expected = g_compute_hmac_for_string(G_CHECKSUM_MD5, (const guchar *)key,
                                                              strlen(key), text, (gssize)length);
        char digest[CRAM_DIGEST_LENGTH + 1];
        cram_digest(saved, text, digest);
        assert_string_equal(digest, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy_parse_whole),
        cmocka_unit_test(test_policy_parse_table),
        cmocka_unit_test(test_policy_reply_has_no_controls),
        cmocka_unit_test(test_policy_reply_fits_a_line),
        cmocka_unit_test(test_socketmap_parse_table),
        cmocka_unit_test(test_socketmap_reply_is_netstring),
        cmocka_unit_test(test_auth_parse_table),
        cmocka_unit_test(test_sasl_step_table),
        cmocka_unit_test(test_cram_digest_vectors),
        cmocka_unit_test(test_cram_digest_agrees_with_hmac),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
