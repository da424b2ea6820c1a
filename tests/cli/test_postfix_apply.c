/* SPDX-License-Identifier: MIT */
#include "cli/postfix_apply.h"

#include <string.h>

#include "lib/base/error.h"
#include "tests/lib/testing.h"

#define A7                                                                                         \
    "{\"lane\":7,\"ip_pool_id\":1,\"ipv4\":\"192.0.2.7\",\"ipv6\":null,\"helo\":\"o7.test\","      \
    "\"weight\":9}"
#define A8                                                                                         \
    "{\"lane\":8,\"ip_pool_id\":1,\"ipv4\":\"192.0.2.8\",\"ipv6\":\"2001:db8::8\",\"helo\":\"o8."  \
    "test\",\"weight\":9}"
#define S9(tls, port)                                                                              \
    "{\"lane\":9,\"name\":\"s\",\"host\":\"smart.test\",\"port\":" port ",\"tls\":\"" tls          \
    "\",\"username\":\"u\",\"secret_file\":\"/s\"}"

static Config *config;

static char *joined(const PostfixPlan *plan)
{
    GString *text = g_string_new("served");

    for (guint i = 0; i < plan->served->len; i++)
        g_string_append_printf(text, " %u", g_array_index(plan->served, guint32, i));
    for (guint i = 0; i < plan->services->len; i++) {
        const PostfixService *service = plan->services->pdata[i];
        const char *bound = "";
        for (guint o = 0; o < service->options->len; o++) {
            const PostfixSetting *option = service->options->pdata[o];
            if (g_str_equal(option->name, "smtp_bind_address"))
                bound = option->value;
        }
        g_string_append_printf(text, ", set %s %s", service->name, bound);
    }
    for (guint i = 0; i < plan->removed->len; i++)
        g_string_append_printf(text, ", remove %s", (char *)plan->removed->pdata[i]);
    return g_string_free(text, FALSE);
}

static void test_postfix_plan_make_table(void **state)
{
    static const struct {
        const char *addresses, *smarthosts, *gone, *here, *services;
        gint64 unusable;
        const char *wanted;
    } cases[] = {
        {"[]", "[]", "[]", "", "", 0, "served"},
        {"[" A7 "]", "[]", "[]", "192.0.2.7", "", 0, "served 7, set outrider-ip7 192.0.2.7"},
        {"[" A7 "]", "[]", "[]", "192.0.2.70", "", 0, "served"},
        {"[" A8 "]", "[]", "[]", "192.0.2.8", "", 0, "served"}, /* half of it is not here */
        {"[" A8 "]", "[]", "[]", "192.0.2.8 2001:db8::8", "", 0,
         "served 8, set outrider-ip8 192.0.2.8"},
        {"[]", "[" S9("verify", "587") "]", "[]", "", "", 0, "served 9, set outrider-sh9 "},
        {"[]", "[" S9("verify", "587") "]", "[]", "", "", 9, "served"},
        {"[]", "[" S9("verify", "587") "]", "[]", "", "outrider-sh9", 9,
         "served"}, /* what it has stays */
        {"[]", "[]", "[]", "", "outrider-ip3 outrider-sh4", 0, "remove both"},
        {"[]", "[]", "[]", "", "outrider-ipx outrider-ip outrider-split smtp", 0, "served"},
        {"[" A7 "]", "[]", "[{\"lane\":3,\"kind\":\"address\",\"ip_pool_id\":1}]", "192.0.2.7",
         "outrider-ip3", 0, "served 7, set outrider-ip7 192.0.2.7, set outrider-ip3 192.0.2.7"},
        {"[" A7 "]", "[]", "[{\"lane\":3,\"kind\":\"address\",\"ip_pool_id\":2}]", "192.0.2.7",
         "outrider-ip3", 0, "served 7, set outrider-ip7 192.0.2.7, set outrider-ip3 "},
        /* where the pool wants that, what is left of a lane waits */
        {"[" A7 "]", "[]",
         "[{\"lane\":3,\"kind\":\"address\",\"ip_pool_id\":2,\"fallback\":\"defer\"}]", "192.0.2.7",
         "outrider-ip3", 0, "served 7, set outrider-ip7 192.0.2.7, set outrider-ip3 192.0.0.8"},
        {"[" A7 "]", "[]",
         "[{\"lane\":3,\"kind\":\"address\",\"ip_pool_id\":1,\"fallback\":\"defer\"}]", "192.0.2.7",
         "outrider-ip3", 0, "served 7, set outrider-ip7 192.0.2.7, set outrider-ip3 192.0.2.7"},
        {"[]", "[]", "[{\"lane\":4,\"kind\":\"smarthost\",\"ip_pool_id\":null}]", "",
         "outrider-sh4", 0, "served"},
        /* an address that has left this host */
        {"[" A7 "," A8 "]", "[]", "[]", "192.0.2.7", "outrider-ip8", 0,
         "served 7, set outrider-ip7 192.0.2.7, set outrider-ip8 192.0.2.7"},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Record) addresses = json_tokener_parse(cases[i].addresses);
        g_autoptr(Record) smarthosts = json_tokener_parse(cases[i].smarthosts);
        g_autoptr(Record) gone = json_tokener_parse(cases[i].gone);
        g_autoptr(GHashTable) here = g_hash_table_new(g_str_hash, g_str_equal);
        g_auto(GStrv) words = g_strsplit(cases[i].here, " ", -1);
        g_auto(GStrv) names = g_strsplit(cases[i].services, " ", -1);
        g_autoptr(GString) services = g_string_new(NULL);
        g_autoptr(GPtrArray) unusable = g_ptr_array_new();
        PostfixUnusable one = {.lane = cases[i].unusable};
        for (guint w = 0; words[w]; w++)
            g_hash_table_add(here, words[w]);
        for (guint n = 0; names[n] && *names[n]; n++)
            g_string_append_printf(services, "%s unix - - y - - smtp\n", names[n]);
        g_ptr_array_add(unusable, &one);
        g_autoptr(PostfixRunning) running = postfix_running_parse("", "", services->str, "");
        const PostfixFacts facts = {{addresses, smarthosts}, gone, here, unusable};
        g_autoptr(PostfixPlan) plan = postfix_plan_make(config, &facts, running);
        g_autofree char *text = joined(plan);
        if (g_str_equal(cases[i].wanted, "remove both"))
            assert_true(plan->removed->len == 2 && plan->services->len == 0);
        else if (!g_str_equal(text, cases[i].wanted))
            fail_msg("case %u: %s", i, text);
    }
}

/* What was applied is found so, and not written again. */
static void test_postfix_plan_make_twice(void **state)
{
    g_autoptr(Record) addresses = json_tokener_parse("[" A7 "]");
    g_autoptr(Record) none = json_tokener_parse("[]");
    g_autoptr(GHashTable) here = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GString) options = g_string_new(NULL);

    (void)state;
    g_hash_table_add(here, (char[]){"192.0.2.7"});
    const PostfixFacts facts = {{addresses, none}, none, here, NULL};
    g_autoptr(PostfixRunning) nothing = postfix_running_parse("", "", "", "");
    g_autoptr(PostfixPlan) first = postfix_plan_make(config, &facts, nothing);
    const PostfixService *service = first->services->pdata[0];
    for (guint i = 0; i < service->options->len; i++) {
        const PostfixSetting *option = service->options->pdata[i];
        g_string_append_printf(options, "outrider-ip7/unix/%s = %s\n", option->name, option->value);
    }
    g_autoptr(PostfixRunning) applied =
        postfix_running_parse("", "", "outrider-ip7 unix - - y - - smtp\n", options->str);
    g_autoptr(PostfixPlan) second = postfix_plan_make(config, &facts, applied);
    assert_int_equal(second->services->len, 0);
    g_hash_table_insert(applied->options, g_strdup("outrider-ip7/unix/smtp_helo_name"),
                        g_strdup("x"));
    g_autoptr(PostfixPlan) third = postfix_plan_make(config, &facts, applied);
    assert_int_equal(third->services->len, 1);
}

/* Only an address of a pool whose mail may wait has to be bound to. */
static void test_postfix_lines_address_enforced(void **state)
{
    static const struct {
        const char *row, *enforced;
    } cases[] = {
        {A7, "no"},
        {"{\"lane\":7,\"ipv4\":\"192.0.2.7\",\"helo\":\"x\",\"fallback\":\"default\"}", "no"},
        {"{\"lane\":7,\"ipv4\":\"192.0.2.7\",\"helo\":\"x\",\"fallback\":\"defer\"}", "yes"},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        for (guint stands_in = 0; stands_in < 2; stands_in++) {
            g_autoptr(Record) row = json_tokener_parse(cases[i].row);
            g_autoptr(PostfixService) service =
                postfix_lines_address(config, 7, stands_in ? NULL : row, row);
            g_autofree char *entry = postfix_service_entry(service);
            g_autofree char *wanted =
                g_strdup_printf(" -o smtp_bind_address_enforce=%s ", cases[i].enforced);
            assert_non_null(strstr(entry, wanted));
        }
}

static void test_postfix_smarthost_never_less_tls_than_asked(void **state)
{
    static const struct {
        const char *host;
        const char *level, *wrapped;
    } cases[] = {
        {S9("verify", "587"), "secure", "no"},  {S9("verify", "465"), "secure", "yes"},
        {S9("encrypt", "25"), "encrypt", "no"}, {S9("encrypt", "465"), "encrypt", "yes"},
        {S9("may", "25"), "may", "no"},         {S9("may", "465"), "encrypt", "yes"},
        {S9("none", "25"), "none", "no"},       {S9("none", "465"), "none", "no"},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Record) host = json_tokener_parse(cases[i].host);
        g_autoptr(PostfixService) service = postfix_lines_smarthost(config, host);
        g_autofree char *entry = postfix_service_entry(service);
        g_autofree char *level = g_strdup_printf(" -o smtp_tls_security_level=%s ", cases[i].level);
        g_autofree char *wrapped =
            g_strdup_printf(" -o smtp_tls_wrappermode=%s ", cases[i].wrapped);
        assert_non_null(strstr(entry, level));
        assert_non_null(strstr(entry, wrapped));
        assert_non_null(strstr(entry, " -o smtp_sasl_security_options=noanonymous,noplaintext "));
        assert_non_null(strstr(entry, " -o smtp_tls_policy_maps= "));
        assert_non_null(strstr(entry, " -o smtp_tls_per_site= "));
        assert_non_null(
            strstr(entry, " -o smtp_sasl_password_maps=texthash:/etc/postfix/outrider-secret/sh9"));
        assert_true(
            g_str_has_prefix(entry, "outrider-sh9/unix=outrider-sh9 unix - - y - - smtp -o "));
    }
}

static void test_postfix_secret_line_table(void **state)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"word", "[smart.test]:587 u:word\n"},
        {"a b:c#\r\nrest", "[smart.test]:587 u:a b:c#\n"},
        {"", NULL},
        {"\nword", NULL},
        {" word", NULL},
        {"word \n", NULL},
        {"wo\trd", NULL},
        {"wo\x01rd", NULL},
    };
    g_autofree char *endless = g_strnfill(513, 'x');
    g_autoptr(Record) host = json_tokener_parse(S9("may", "587"));
    GError *error = NULL;

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *line = postfix_secret_line(host, cases[i].text, &error);
        if (g_strcmp0(line, cases[i].wanted) != 0)
            fail_msg("case %u: %s", i, line);
        if (line)
            continue;
        assert_null(strstr(error->message, "rd\n"));
        assert_error_code(error, INVALID);
    }
    assert_null(postfix_secret_line(host, endless, &error));
    assert_error_code(error, INVALID);
}

static void test_postfix_secret_file_table(void **state)
{
#define NOW "[smart.test]:587 u:new\n"
    static const struct {
        const char *old, *wanted;
    } cases[] = {
        {NULL, NOW},
        {"", NOW},
        {NOW, NOW},
        {"[smart.test]:587 u:old\n", NOW},
        {"[smart.test]:58 u:a\n", NOW "[smart.test]:58 u:a\n"},
        {"[smart.test]:5870 u:a\n[smart.test]:587 u:old", NOW "[smart.test]:5870 u:a\n"},
        {"[smart.test]:587 u:old\n[a.test]:1 u:x y\n", NOW "[a.test]:1 u:x y\n"},
        {"[a.test]:1 u:a\n[b.test]:1 u:b\n[c.test]:1 u:c\n[d.test]:1 u:d\n",
         NOW "[a.test]:1 u:a\n[b.test]:1 u:b\n[c.test]:1 u:c\n"},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = postfix_secret_file(NOW, cases[i].old);
        if (g_strcmp0(text, cases[i].wanted) != 0)
            fail_msg("case %u: %s", i, text);
    }
}

static void test_postfix_service_lane_table(void **state)
{
    static const struct {
        const char *key;
        gint64 lane;
    } cases[] = {
        {"outrider-sh8/unix", 8},          {"outrider-sh4294967295/unix", 4294967295},
        {"outrider-sh8/inet", 0},          {"outrider-sh8", 0},
        {"outrider-sh/unix", 0},           {"outrider-sh0/unix", 0},
        {"outrider-sh8x/unix", 0},         {"outrider-sh-8/unix", 0},
        {"outrider-ip8/unix", 0},          {"x-outrider-sh8/unix", 0},
        {"outrider-sh4294967296/unix", 0},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(postfix_service_lane(cases[i].key, "sh"), cases[i].lane);
}

static int setup(void **state)
{
    (void)state;
    config = config_parse(
        "t", "return_path_domain = rp.example\npostfix_config_dir = /etc/postfix\n", -1, NULL);
    return config ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    config_free(config);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_postfix_plan_make_table),
        cmocka_unit_test(test_postfix_plan_make_twice),
        cmocka_unit_test(test_postfix_lines_address_enforced),
        cmocka_unit_test(test_postfix_smarthost_never_less_tls_than_asked),
        cmocka_unit_test(test_postfix_secret_line_table),
        cmocka_unit_test(test_postfix_secret_file_table),
        cmocka_unit_test(test_postfix_service_lane_table),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
