/* SPDX-License-Identifier: MIT */
#include "lib/directory/value_route.h"
#include "lib/http/url.h"

#include <string.h>

#include "lib/base/error.h"
#include "tests/lib/testing.h"

#define LABEL63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

static void test_value_route_read_good(void **state)
{
    static const struct {
        ValueKind kind;
        const char *text, *wanted; /* NULL: a number only */
        gint64 number;
    } cases[] = {
        {VALUE_ROUTE_ADDRESS, "info@acme.test", "info@acme.test", 0},
        {VALUE_ROUTE_ADDRESS, "a.b-c.9@Acme.TEST", "a.b-c.9@acme.test", 0},
        {VALUE_ROUTE_ADDRESS,
         "*@b\xc3\xbc"
         "cher.example",
         "*@xn--bcher-kva.example", 0},
        {VALUE_ROUTE_ADDRESS, LABEL63 "a@acme.test", LABEL63 "a@acme.test", 0},
        {VALUE_ROUTE_ADDRESS, "returnpath", "__returnpath__", 0},
        {VALUE_ROUTE_ADDRESS, "__returnpath__", "__returnpath__", 0},
        {VALUE_ROUTE_MODE, "endpoint", "endpoint", 0},
        {VALUE_ROUTE_MODE, "reject", "reject", 0},
        {VALUE_ROUTE_SPAM, "quarantine", "quarantine", 0},
        {VALUE_ENDPOINT_NAME, "CRM (new)", "CRM (new)", 0},
        {VALUE_ENDPOINT_NAME, "Größe", "Größe", 0},
        {VALUE_ENDPOINTS, "crm,Größe 2", "crm,Größe 2", 0},
        {VALUE_ENDPOINTS, "none", NULL, 0},
        {VALUE_URL, "http://crm.test", "http://crm.test", 0},
        {VALUE_URL, "https://CRM.test:8443/in?key=%20x&y=1",
         "https://CRM.test:8443/in?key=%20x&y=1", 0},
        {VALUE_URL, "HTTPS://crm.test/", "HTTPS://crm.test/", 0},
        {VALUE_URL, "http://192.0.2.1/", "http://192.0.2.1/", 0},
        {VALUE_URL, "http://[2001:db8::1]:80/", "http://[2001:db8::1]:80/", 0},
        {VALUE_URL, "http://crm_1/in", "http://crm_1/in", 0},
        {VALUE_URL, "http://crm.test./", "http://crm.test./", 0},
        {VALUE_URL, "http://crm.test/a@b", "http://crm.test/a@b", 0},
        {VALUE_ENCODING, "form", "form", 0},
        {VALUE_FORMAT, "raw", "raw", 0},
        {VALUE_TIMEOUT, "5", NULL, 5},
        {VALUE_TIMEOUT, "60", NULL, 60},
        {VALUE_SMTP_PLACE, "MX.acme.test", "mx.acme.test", 0},
        {VALUE_SMTP_PLACE, "mx.acme.test:2525", "mx.acme.test", 2525},
        {VALUE_SMTP_PLACE, "192.0.2.1", "192.0.2.1", 0},
        {VALUE_SMTP_PLACE, "192.0.2.1:25", "192.0.2.1", 25},
        {VALUE_SMTP_PLACE, "2001:DB8:0::1", "2001:db8::1", 0},
        {VALUE_SMTP_PLACE, "[2001:db8::1]:65535", "2001:db8::1", 65535},
        {VALUE_SMTP_PLACE, "[mx.acme.test]", "mx.acme.test", 0},
        {VALUE_LMTP_PLACE, "/run/dovecot/lmtp", "/run/dovecot/lmtp", 0},
        {VALUE_LMTP_PLACE, "store.acme.test:24", "store.acme.test", 24},
        {VALUE_MAILBOX, "A.B@Acme.test", "a.b@acme.test", 0},
        {VALUE_MAILBOX, "\"a b\"@acme.test", "\"a b\"@acme.test", 0},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Value) value = {0};
        GError *error = NULL;
        value_read(cases[i].kind, "field", cases[i].text, 1, &value, &error);
        if (error || g_strcmp0(value.text, cases[i].wanted) != 0 || value.number != cases[i].number)
            fail_msg("%s: %s %s", cases[i].text, value.text, error ? error->message : "");
    }
}

typedef struct {
    ValueKind kind;
    const char *text;
} BadValue;

static void assert_refused(const BadValue *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        g_auto(Value) value = {.is = VALUE_IS_INT, .number = 7};
        GError *error = NULL;
        if (value_read(cases[i].kind, "field", cases[i].text, 1, &value, &error))
            fail_msg("case %zu was allowed: %s", i, cases[i].text);
        assert_true(g_str_has_prefix(error->message, "field: \""));
        assert_error_code(error, INVALID);
        assert_int_equal(value.number, 7);
    }
}

static void test_value_route_read_bad_url(void **state)
{
    static const BadValue cases[] = {
        {VALUE_URL, ""},
        {VALUE_URL, "crm.test/in"},
        {VALUE_URL, "//crm.test/in"},
        {VALUE_URL, "ftp://crm.test/in"},
        {VALUE_URL, "file:///etc/passwd"},
        {VALUE_URL, "http:crm.test"},
        {VALUE_URL, "http:///in"},
        {VALUE_URL, "http://user@crm.test/"},
        {VALUE_URL, "http://user:secret@crm.test/"},
        {VALUE_URL, "http://@crm.test/"},
        {VALUE_URL, "http://crm.test\\@evil.test/"},
        {VALUE_URL, "http://crm.test:0/"},
        {VALUE_URL, "http://crm.test:99999/"},
        {VALUE_URL, "http://crm.test:x/"},
        {VALUE_URL, "http://crm.test/#there"},
        {VALUE_URL, "http://crm.test/a b"},
        {VALUE_URL, "http://crm.test/\r\nHost: evil"},
        {VALUE_URL, "http://crm.test/\xc3\xb6"},
        {VALUE_URL, "http://-crm.test/"},
        {VALUE_URL, "http://crm..test/"},
        {VALUE_URL, "http://2130706433/"},
        {VALUE_URL, "http://0x7f000001/"},
        {VALUE_URL, "http://0177.0.0.1/"},
        {VALUE_URL, "http://127.1/"},
        {VALUE_URL, "http://[::1%25lo]/"},
        {VALUE_URL, "http://[::1/"},
        {VALUE_URL, "http://%31%32%37.0.0.1/"},
    };

    (void)state;
    assert_refused(cases, G_N_ELEMENTS(cases));
}

static void test_value_route_read_bad(void **state)
{
    static const BadValue cases[] = {
        {VALUE_ROUTE_ADDRESS, ""},
        {VALUE_ROUTE_ADDRESS, "info"},
        {VALUE_ROUTE_ADDRESS, "@acme.test"},
        {VALUE_ROUTE_ADDRESS, "info@"},
        {VALUE_ROUTE_ADDRESS, "info@localhost"},
        {VALUE_ROUTE_ADDRESS, "info@acme.test."},
        {VALUE_ROUTE_ADDRESS, "info@[192.0.2.1]"},
        {VALUE_ROUTE_ADDRESS, "info@acme.test@acme.test"},
        {VALUE_ROUTE_ADDRESS, "Info@acme.test"},
        {VALUE_ROUTE_ADDRESS, "in_fo@acme.test"},
        {VALUE_ROUTE_ADDRESS, "info+tag@acme.test"},
        {VALUE_ROUTE_ADDRESS, "in*@acme.test"},
        {VALUE_ROUTE_ADDRESS, "**@acme.test"},
        {VALUE_ROUTE_ADDRESS, ".info@acme.test"},
        {VALUE_ROUTE_ADDRESS, "info.@acme.test"},
        {VALUE_ROUTE_ADDRESS, "in..fo@acme.test"},
        {VALUE_ROUTE_ADDRESS, "in fo@acme.test"},
        {VALUE_ROUTE_ADDRESS, "\"info\"@acme.test"},
        {VALUE_ROUTE_ADDRESS, "inf\xc3\xb6@acme.test"},
        {VALUE_ROUTE_ADDRESS, LABEL63 "ab@acme.test"},
        {VALUE_ROUTE_ADDRESS, "__returnpath__@acme.test"},
        {VALUE_ROUTE_ADDRESS, "ReturnPath"},
        {VALUE_ROUTE_MODE, "Endpoint"},
        {VALUE_ROUTE_MODE, ""},
        {VALUE_ROUTE_SPAM, "hold"},
        {VALUE_ENDPOINT_NAME, ""},
        {VALUE_ENDPOINT_NAME, "none"},
        {VALUE_ENDPOINT_NAME, "a,b"},
        {VALUE_ENDPOINT_NAME, " a"},
        {VALUE_ENDPOINT_NAME, "a "},
        {VALUE_ENDPOINT_NAME, "a\tb"},
        {VALUE_ENDPOINT_NAME, "."},
        {VALUE_ENDPOINT_NAME, ".."},
        {VALUE_ENDPOINTS, ""},
        {VALUE_ENDPOINTS, "crm,"},
        {VALUE_ENDPOINTS, "crm,crm"},
        {VALUE_ENDPOINTS, "crm, mx"},
        {VALUE_ENCODING, "xml"},
        {VALUE_FORMAT, "Hash"},
        {VALUE_TIMEOUT, "4"},
        {VALUE_TIMEOUT, "61"},
        {VALUE_TIMEOUT, "5s"},
        {VALUE_SMTP_PLACE, ""},
        {VALUE_SMTP_PLACE, "mx"},
        {VALUE_SMTP_PLACE, ":25"},
        {VALUE_SMTP_PLACE, "mx.test:"},
        {VALUE_SMTP_PLACE, "mx.test:0"},
        {VALUE_SMTP_PLACE, "mx.test:65536"},
        {VALUE_SMTP_PLACE, "mx.test:25:25"},
        {VALUE_SMTP_PLACE, "[mx.test"},
        {VALUE_SMTP_PLACE, "[2001:db8::1]25"},
        {VALUE_SMTP_PLACE, "mx.test 25"},
        {VALUE_SMTP_PLACE, "0x7f.1"},
        {VALUE_SMTP_PLACE, "192.0.2.256"},
        {VALUE_SMTP_PLACE, "/run/smtp"},
        {VALUE_LMTP_PLACE, "run/lmtp"},
        {VALUE_LMTP_PLACE, "/"},
        {VALUE_LMTP_PLACE, "/run/a b"},
        {VALUE_LMTP_PLACE, "/run/\xc3\xb6"},
        {VALUE_MAILBOX, "@acme.test"},
        {VALUE_MAILBOX, "a"},
        {VALUE_MAILBOX, "a b@acme.test"},
        {VALUE_MAILBOX, "a@localhost"},
        {VALUE_MAILBOX, "a@[192.0.2.1]"},
    };

    (void)state;
    assert_refused(cases, G_N_ELEMENTS(cases));
}

static void test_value_route_read_too_long(void **state)
{
    g_autofree char *path = g_strnfill(HTTP_URL_MAX, 'a');
    g_autofree char *url = g_strconcat("http://crm.test/", path, NULL);
    g_autofree char *socket = g_strnfill(VALUE_SOCKET_MAX + 1, '/');
    g_auto(Value) value = {0};

    (void)state;
    assert_non_null(value_route_read(VALUE_URL, url, &value));
    url[HTTP_URL_MAX] = '\0';
    assert_null(value_route_read(VALUE_URL, url, &value));
    assert_non_null(value_route_read(VALUE_LMTP_PLACE, socket, &value));
    socket[VALUE_SOCKET_MAX] = '\0';
    assert_null(value_route_read(VALUE_LMTP_PLACE, socket, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_value_route_read_good),
        cmocka_unit_test(test_value_route_read_bad),
        cmocka_unit_test(test_value_route_read_bad_url),
        cmocka_unit_test(test_value_route_read_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
