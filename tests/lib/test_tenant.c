/* SPDX-License-Identifier: MIT */
/* What a tenant may have the directory say. */
#include "lib/directory/tenant.h"

#include <string.h>

#include "lib/base/error.h"
#include "tests/lib/testing.h"

static Config *config_with(const char *more)
{
    g_autofree char *text = g_strdup_printf("return_path_domain = rp.example\n%s", more);
    g_autoptr(GError) error = NULL;
    Config *config = config_parse("test", text, -1, &error);

    assert_no_error(error);
    return config;
}

static void test_tenant_may_endpoints(void **state)
{
    static const struct {
        const char *option, *text, *wrong; /* NULL: he may */
    } cases[] = {
        {"url", "http://127.0.0.1/", "url: "},
        {"url", "https://127.0.0.1:8443/x?y", "url: "},
        {"url", "http://[::1]/", "url: "},
        {"url", "http://[::ffff:10.0.0.1]/", "url: "},
        {"url", "http://[fe80::1]/", "url: "},
        {"url", "http://10.1.2.3/", "url: "},
        {"url", "http://169.254.169.254/latest", "url: "},
        {"url", "http://0.0.0.0/", "url: "},
        {"url", "http://198.18.0.9/", NULL}, /* allowed by http_allow */
        {"url", "http://hooks.example.com/", NULL},
        {"url", "http://localhost/", NULL}, /* judged when it is asked */
        {"url", "http://8.8.8.8/", NULL},
        {"url", "http://[2600::1]/", NULL},
        {"url", "no url", NULL}, /* no valid one: others say so */
        {"smtp", "127.0.0.1", "smtp: "},
        {"smtp", "127.0.0.1:2525", "smtp: "},
        {"smtp", "[::1]:25", "smtp: "},
        {"smtp", "192.168.7.7", "smtp: "},
        {"smtp", "198.18.0.9", "smtp: "}, /* http_allow is not for it */
        {"smtp", "10.9.8.7:25", NULL},    /* smtp_endpoint_allow is */
        {"smtp", "mx.example.com", NULL},
        {"smtp", "1.1.1.1", NULL},
        {"smtp", "bad host", NULL},
        {"lmtp", "/run/dovecot/lmtp", "lmtp: "},
        {"lmtp", "store.example.com", NULL},
        {"lmtp", "store.example.com:24", NULL},
        {"lmtp", "127.0.0.1:24", "lmtp: "},
        {"lmtp", "::1", "lmtp: "},
        {"lmtp", "10.9.8.7", NULL},
        {"lmtp", "1.1.1.1:2400", NULL},
        {"lmtp", "", NULL},
        {"address", "someone@example.com", NULL},
        {"tls", "127.0.0.1", NULL},
    };
    g_autoptr(Config) config =
        config_with("http_allow = 198.18.0.0/24\nsmtp_endpoint_allow = 10.9.8.0/24\n");

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const DirectoryOption options[] = {{"name", "127.0.0.1"}, {cases[i].option, cases[i].text}};
        g_autoptr(GError) error = NULL;
        gboolean may = tenant_may(config, DIRECTORY_ENDPOINT, options, 2, &error);
        if (may != !cases[i].wrong || (error && !g_str_has_prefix(error->message, cases[i].wrong)))
            fail_msg("%s=%s: %s", cases[i].option, cases[i].text, error ? error->message : "may");
        if (error)
            assert_int_equal(error->code, OUTRIDER_ERROR_REFUSED);
    }
}

static void test_tenant_may_other_objects(void **state)
{
    const DirectoryOption options[] = {{"url", "http://127.0.0.1/"}, {"host", NULL}};
    g_autoptr(Config) config = config_with("");
    GError *error = NULL;

    (void)state;
    assert_true(tenant_may(config, DIRECTORY_ROUTE, options, 2, &error));
    assert_no_error(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tenant_may_endpoints),
        cmocka_unit_test(test_tenant_may_other_objects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
