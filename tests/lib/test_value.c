/* SPDX-License-Identifier: MIT */
#include "lib/directory/value.h"

#include <string.h>

#include "lib/base/error.h"
#include "tests/lib/testing.h"

#define NOW 1795248000 /* 2026-11-21 08:00 UTC */

static void test_value_read_good(void **state)
{
    static const struct {
        ValueKind kind;
        const char *text, *wanted; /* NULL: SQL NULL; a number as digits */
    } cases[] = {
        {VALUE_ORGANIZATION_PERMALINK, "acme-2", "acme-2"},
        {VALUE_SERVER_PERMALINK, "mail", "mail"}, /* reserved for organizations only */
        {VALUE_TITLE, "Größe & Co", "Größe & Co"},
        {VALUE_DOMAIN, "Example.COM", "example.com"},
        {VALUE_DOMAIN, "bücher.example", "xn--bcher-kva.example"},
        {VALUE_HELO, "out1.example.com", "out1.example.com"},
        {VALUE_IPV4, "192.0.2.1", "192.0.2.1"},
        {VALUE_IPV6, "2001:DB8:0:0::1", "2001:db8::1"},
        {VALUE_IPV6, "none", NULL},
        {VALUE_POOL, "none", NULL},
        {VALUE_WEIGHT, "0", "0"},
        {VALUE_WEIGHT, "100", "100"},
        {VALUE_YESNO, "yes", "1"},
        {VALUE_DATE, "2026-11-22", "1795305600"},
        {VALUE_DATE, "never", NULL},
        {VALUE_STAMP, NULL, "1795248000"},
        {VALUE_CREDENTIAL_TYPE, "smtp-ip", "smtp-ip"},
        {VALUE_NETWORKS, "none", NULL},
        {VALUE_NETWORKS, "192.0.2.7,2001:DB8::/32,::ffff:10.0.0.0/104",
         "192.0.2.7/32,2001:db8::/32,10.0.0.0/8"},
        {VALUE_SENDERS, "none", NULL},
        {VALUE_SENDERS, "App+x@Acme.Test,@bücher.example",
         "app+x@acme.test,@xn--bcher-kva.example"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Value value = {0};
        GError *error = NULL;
        assert_true(value_read(cases[i].kind, "field", cases[i].text, NOW, &value, &error));
        assert_no_error(error);
        g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, value.number);
        if (!cases[i].wanted)
            assert_int_equal(value.is, VALUE_IS_NULL);
        else
            assert_string_equal(value.is == VALUE_IS_TEXT ? value.text : number, cases[i].wanted);
        value_clear(&value);
    }
}

typedef struct {
    ValueKind kind;
    const char *text;
} BadValue;

static void assert_refused(const BadValue *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        Value value = {.is = VALUE_IS_INT, .number = 7};
        GError *error = NULL;
        if (value_read(cases[i].kind, "field", cases[i].text, NOW, &value, &error))
            fail_msg("case %zu was allowed: %s", i, cases[i].text);
        assert_true(g_str_has_prefix(error->message, "field: \""));
        assert_true(g_utf8_validate(error->message, -1, NULL));
        assert_null(strpbrk(error->message, "\n\r\t"));
        assert_error_code(error, INVALID);
        assert_int_equal(value.number, 7);
    }
}

static void test_value_read_bad(void **state)
{
    static const BadValue cases[] = {
        {VALUE_ORGANIZATION_PERMALINK, ""},
        {VALUE_ORGANIZATION_PERMALINK, "Acme"},
        {VALUE_ORGANIZATION_PERMALINK, "a_b"},
        {VALUE_ORGANIZATION_PERMALINK, "a/b"},
        {VALUE_ORGANIZATION_PERMALINK, "admin"},
        {VALUE_ORGANIZATION_PERMALINK, "ä"},
        {VALUE_ORGANIZATION_PERMALINK,
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
        {VALUE_SERVER_PERMALINK, "stats"},
        {VALUE_POOL_NAME, "none"},
        {VALUE_TITLE, ""},
        {VALUE_TITLE, "a\nb"},
        {VALUE_TITLE, "a\x7f"},
        {VALUE_TITLE, "\xc2\x85"}, /* NEL, a control character beyond ASCII */
        {VALUE_TITLE, "\xff\xfe"},
        {VALUE_TITLE, "\xed\xa0\x80"},
        {VALUE_DOMAIN, ""},
        {VALUE_DOMAIN, "localhost"},
        {VALUE_DOMAIN, ".example.com"},
        {VALUE_DOMAIN, "example.com."},
        {VALUE_DOMAIN, "a..b"},
        {VALUE_DOMAIN, "-a.example"},
        {VALUE_DOMAIN, "a-.example"},
        {VALUE_DOMAIN, "a_b.example"},
        {VALUE_DOMAIN, "a b.example"},
        {VALUE_DOMAIN, "192.0.2.1"},
        {VALUE_DOMAIN, "*.example.com"},
        {VALUE_DOMAIN, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example"},
        {VALUE_HELO, "[192.0.2.1]"},
        {VALUE_IPV4, ""},
        {VALUE_IPV4, "192.0.2"},
        {VALUE_IPV4, "192.0.2.01"},
        {VALUE_IPV4, "192.0.2.256"},
        {VALUE_IPV4, "0.0.0.0"},
        {VALUE_IPV4, "224.0.0.1"},
        {VALUE_IPV4, "255.255.255.255"},
        {VALUE_IPV4, "192.0.2.1/32"},
        {VALUE_IPV6, "192.0.2.1"},
        {VALUE_IPV6, "::"},
        {VALUE_IPV6, "ff02::1"},
        {VALUE_IPV6, "fe80::1"},
        {VALUE_IPV6, "fe80::1%eth0"},
        {VALUE_IPV6, "::ffff:192.0.2.1"},
        {VALUE_WEIGHT, "-1"},
        {VALUE_WEIGHT, "101"},
        {VALUE_WEIGHT, "1e2"},
        {VALUE_WEIGHT, " 1"},
        {VALUE_WEIGHT, "99999999999999999999"},
        {VALUE_YESNO, "Yes"},
        {VALUE_YESNO, ""},
        {VALUE_FALLBACK, "Defer"},
        {VALUE_FALLBACK, ""},
        {VALUE_MODE, "Live"},
        {VALUE_CREDENTIAL_TYPE, "SMTP-IP"},
        {VALUE_CREDENTIAL_TYPE, ""},
        {VALUE_DATE, "2026-11-21"},
        {VALUE_DATE, "2026-02-30"},
        {VALUE_DATE, "2026-13-01"},
        {VALUE_DATE, "22-11-2026"},
        {VALUE_DATE, "2026-11-22T00:00:00Z"},
    };

    (void)state;
    assert_refused(cases, G_N_ELEMENTS(cases));
}

static void test_value_read_bad_lists(void **state)
{
    static const BadValue cases[] = {
        {VALUE_NETWORKS, ""},
        {VALUE_NETWORKS, ","},
        {VALUE_NETWORKS, "192.0.2.0/24,"},
        {VALUE_NETWORKS, "192.0.2.0/24, 10.0.0.0/8"},
        {VALUE_NETWORKS, "192.0.2.0/24 10.0.0.0/8"},
        {VALUE_NETWORKS, "192.0.2.0/24,none"},
        {VALUE_NETWORKS, "192.0.2.7,192.0.2.7/32"},
        {VALUE_NETWORKS, "192.0.2.0/24,::ffff:192.0.2.0/120"},
        {VALUE_NETWORKS, "0.0.0.0/0"},
        {VALUE_NETWORKS, "192.0.2.1/24"},
        {VALUE_NETWORKS, "1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5,1.1.1.6,1.1.1.7,1.1.1.8,1.1.1.9,"
                         "1.1.2.1,1.1.2.2,1.1.2.3,1.1.2.4,1.1.2.5,1.1.2.6,1.1.2.7,1.1.2.8,1.1.2.9,"
                         "1.1.3.1,1.1.3.2,1.1.3.3,1.1.3.4,1.1.3.5,1.1.3.6,1.1.3.7,1.1.3.8,1.1.3.9,"
                         "1.1.4.1,1.1.4.2,1.1.4.3,1.1.4.4,1.1.4.5,1.1.4.6"},
        {VALUE_SENDERS, ""},
        {VALUE_SENDERS, "acme.test"},
        {VALUE_SENDERS, "app"},
        {VALUE_SENDERS, "app@"},
        {VALUE_SENDERS, "@"},
        {VALUE_SENDERS, "@localhost"},
        {VALUE_SENDERS, "a@b@acme.test"},
        {VALUE_SENDERS, "a b@acme.test"},
        {VALUE_SENDERS, "<app@acme.test>"},
        {VALUE_SENDERS, "\"app\"@acme.test"},
        {VALUE_SENDERS, "app@[192.0.2.1]"},
        {VALUE_SENDERS, "@*.acme.test"},
        {VALUE_SENDERS, "app@acme.test,APP@acme.test"},
        {VALUE_SENDERS, "app@acme.test, b@acme.test"},
    };

    (void)state;
    assert_refused(cases, G_N_ELEMENTS(cases));
}

static void test_value_read_absurd_length(void **state)
{
    g_autofree char *endless = g_strnfill(10240, 'x');

    (void)state;
    for (ValueKind kind = VALUE_ORGANIZATION_PERMALINK; kind <= VALUE_SENDERS; kind++) {
        Value value = {0};
        GError *error = NULL;
        assert_false(value_read(kind, "field", endless, NOW, &value, &error));
        assert_true(strlen(error->message) < 200);
        assert_error_code(error, INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_value_read_good),
        cmocka_unit_test(test_value_read_bad),
        cmocka_unit_test(test_value_read_bad_lists),
        cmocka_unit_test(test_value_read_absurd_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
