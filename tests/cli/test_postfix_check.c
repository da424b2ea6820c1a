/* SPDX-License-Identifier: MIT */
/* A Postfix made of our own lines, and what is found once something in it is changed. */
#include <stdio.h>
#include <string.h>

#include "cli/postfix_check.h"
#include "cli/postfix_incoming.h"
#include "cli/postfix_table.h"
#include "tests/lib/testing.h"

static const char configuration[] = "return_path_domain = rp.example\nhostname = relay.example\n"
                                    "postfix_config_dir = %s\n";

/* What postconf would print. */
typedef struct {
    Config *config;
    PostfixLines *lines;
    GString *main, *services, *options;
} World;

static const char foreign[] = "soft_bounce = no\nrelayhost =\nsyslog_name = postfix\n"
                              "queue_directory = /var/spool/postfix\nmaillog_file =\n"
                              "inet_protocols = all\nsmtpd_recipient_limit = 1000\n"
                              "outrider-ip7_destination_rate_delay = 0s\nheader_checks =\n"
                              "authorized_mailq_users = static:anyone\n"
                              "smtpd_tls_cert_file = /etc/ssl/relay.pem\n"
                              "maximal_queue_lifetime = 5d\n";

static void write_services(World *world)
{
    for (guint i = 0; i < world->lines->services->len; i++) {
        const PostfixService *service = world->lines->services->pdata[i];
        g_autofree char *type = g_strndup(service->fields, strcspn(service->fields, " "));
        g_string_append_printf(world->services, "%s %s -o x=y\n", service->name, service->fields);
        for (guint o = 0; o < service->options->len; o++) {
            const PostfixSetting *option = service->options->pdata[o];
            g_string_append_printf(world->options, "%s/%s/%s = %s\n", service->name, type,
                                   option->name, option->value);
        }
    }
}

static int setup(void **state)
{
    World *world = g_new0(World, 1);
    g_autofree char *text = g_strdup_printf(configuration, "/nonexistent");
    g_autoptr(Record) addresses = json_tokener_parse(
        "[{\"lane\": 7, \"ipv4\": \"192.0.2.7\", \"ipv6\": null, \"helo\": \"out7.example\"}]");

    world->config = config_parse("t", text, -1, NULL);
    assert_non_null(world->config);
    world->lines = postfix_lines_make(world->config, NULL, &(PostfixWays){.addresses = addresses});
    world->main = g_string_new(foreign);
    world->services = g_string_new("smtp inet n - y - - smtpd\nsmtp unix - - y - - smtp\n");
    world->options = g_string_new(NULL);
    for (guint i = 0; i < world->lines->settings->len; i++) {
        const PostfixSetting *setting = world->lines->settings->pdata[i];
        g_string_append_printf(world->main, "%s = %s\n", setting->name, setting->value);
    }
    write_services(world);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    World *world = *state;

    config_free(world->config);
    postfix_lines_free(world->lines);
    g_string_free(world->main, TRUE);
    g_string_free(world->services, TRUE);
    g_string_free(world->options, TRUE);
    g_free(world);
    return 0;
}

static char *with(const GString *text, const char *old, const char *now)
{
    GString *changed = g_string_new(text->str);

    if (old && g_string_replace(changed, old, now, 0) == 0)
        fail_msg("there is no %s", old);
    return g_string_free(changed, FALSE);
}

/* The findings as lines, once old became now in one of the three texts. */
static char *check(const World *world, char where, const char *old, const char *now)
{
    g_autofree char *main = with(world->main, where == 'm' ? old : NULL, now);
    g_autofree char *services = with(world->services, where == 's' ? old : NULL, now);
    g_autofree char *options = with(world->options, where == 'o' ? old : NULL, now);
    g_autoptr(PostfixRunning) running = postfix_running_parse(main, main, services, options);
    g_autoptr(GPtrArray) findings = postfix_findings_new();
    GString *text = g_string_new(NULL);

    postfix_check_lines(world->lines, running, findings);
    postfix_check_ports(world->lines, running, findings);
    postfix_check_agreement(world->config, running, findings);
    postfix_check_conflicts(world->lines, running, findings);
    postfix_table_checks(running, findings);
    for (guint i = 0; i < findings->len; i++) {
        const PostfixFinding *finding = findings->pdata[i];
        g_string_append_printf(text, "%s %s: %s\n", finding->conflict ? "conflict" : "note",
                               finding->where, finding->text);
    }
    return g_string_free(text, FALSE);
}

static void test_check_own_lines(void **state)
{
    g_autofree char *text = check(*state, ' ', NULL, NULL);

    assert_string_equal(text, "");
}

/* Each changes one thing, and one line names it. */
static void test_check_changed(void **state)
{
    static const struct {
        char where;
        const char *old, *now, *says;
    } cases[] = {
        {'m', "enable_long_queue_ids = yes", "enable_long_queue_ids = no",
         "conflict main.cf: enable_long_queue_ids = no, but should be yes"},
        {'m', "outrider_tls_security_level = may", "outrider_tls_security_level =",
         "conflict main.cf: outrider_tls_security_level is not set"},
        {'m', "_maps = regexp:", "_maps = hash:/x, regexp:", "but should begin with regexp:"},
        {'m', "/lanes.regexp", "/lanes.regexp2", "but should begin with regexp:"},
        {'m', "outrider_milters = $outrider_hop_milters",
         "outrider_milters = $outrider_hop_milters, unix:x", "should end with"},
        {'m', "outrider-split_destination_recipient_limit = 1\n", "",
         "outrider-split_destination_recipient_limit is not set; set it to 1"},
        {'m', "soft_bounce = no", "soft_bounce = yes", "conflict main.cf: soft_bounce = yes: "},
        {'m', "relayhost =", "relayhost = [mx.example]", "default_transport = smtp:HOST"},
        {'m', "inet_protocols = all", "inet_protocols = ipv6", "add ipv4"},
        {'m', "header_checks =", "header_checks = regexp:x",
         "note outrider-submit/unix: header_ch"},
        {'m', "smtpd_recipient_limit = 1000", "smtpd_recipient_limit = 50", "note "},
        {'m', "destination_rate_delay = 0s", "destination_rate_delay = 2s",
         "note main.cf: outrider-ip7_destination_rate_delay = 2s"},
        {'m', "static:anyone", "!web, root", "note main.cf: authorized_mailq_users"},
        {'m', "syslog_name = postfix", "syslog_name = mx2", "set mail_log_tag"},
        {'m', "maillog_file =", "maillog_file = /var/log/postfix.log", "set mail_log"},
        {'m', "queue_directory = /var", "queue_directory = /srv", "socket_dir is not in it"},
        {'m', "smtpd_tls_cert_file = /etc/ssl/relay.pem", "smtpd_tls_cert_file =", "certificate"},
        {'m', "maximal_queue_lifetime = 5d", "maximal_queue_lifetime = 1w", "set queue_lifetime"},
        {'m', "maximal_queue_lifetime = 5d", "maximal_queue_lifetime = 6", "set queue_lifetime"},
        {'m', "maximal_queue_lifetime = 5d", "maximal_queue_lifetime = 121h", "set queue_lifetime"},
        {'m', "soft_bounce = no", "smtpd_upstream_proxy_protocol = haproxy", "note 2525/inet"},
        {'m', "soft_bounce = no", "smtpd_hide_client_session = yes",
         "conflict 127.0.0.1:10026/inet: smtpd_hide_client_session"},
        {'m', "soft_bounce = no", "smtpd_discard_ehlo_keywords = chunking, AUTH",
         "conflict 2525/inet: smtpd_discard_ehlo_keywords"},
        {'m', ", $outrider_admission, reject", ", reject",
         "note main.cf: outrider_recipient_restr"},
        {'m', "policy_context=outrider-submission", "policy_context=x",
         "conflict main.cf: outrider_admission = check_policy_service"},
        {'m', "soft_bounce = no",
         "smtpd_relay_restrictions = permit_mynetworks, $outrider_admission, reject",
         "conflict main.cf: smtpd_relay_restrictions"},
        {'m', "soft_bounce = no",
         "smtpd_recipient_restrictions = check_policy_service { unix:outrider/policy, "
         "policy_context=outrider-submission }, reject",
         "conflict main.cf: smtpd_recipient_restrictions"},
        {'o', "587/inet/smtpd_authorized_xclient_hosts = ",
         "587/inet/smtpd_authorized_xclient_hosts = 127.0.0.1",
         "conflict 587/inet: smtpd_authorized_xclient_hosts=127.0.0.1"},
        {'s', "smtp inet", "submission inet",
         "conflict submission/inet: wants the port of 587/inet"},
        {'s', "smtp inet", "[::1]:smtps inet", "conflict [::1]:smtps/inet: wants the port of 465"},
        {'s', "smtp inet", "localhost:10026 inet", "wants the port of 127.0.0.1:10026/inet"},
        {'s', "smtp inet", "10026 inet", "conflict 10026/inet: wants the port of 127.0.0.1:10026"},
        {'m', "soft_bounce = no", "inet_interfaces = loopback-only", "note main.cf: inet_interf"},
        {'s', "outrider-split unix", "outrider-other unix",
         "conflict outrider-split/unix: not in master.cf"},
        {'s', "n - y - 30 smtpd", "n - y - 30 spawn", "runs spawn and not smtpd"},
        {'s', "outrider-ip7 unix", "outrider-ip8 unix", "conflict outrider-ip7/unix: not in"},
        {'o', "outrider-hop-cleanup/unix/always_bcc = \n", "",
         "conflict outrider-hop-cleanup/unix: lacks -o always_bcc=\n"},
        {'o', "message_size_limit = 0", "message_size_limit = 9", "should be `0'"},
        {'o', "milter_macro_daemon_name = outrider-submission", "milter_macro_daemon_name = x",
         "conflict master.cf: no submission service of ours"},
        {'o', "587/inet/smtpd_proxy_filter = ", "587/inet/smtpd_proxy_filter = x",
         "conflict 587/inet: smtpd_proxy_filter=x"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = check(*state, cases[i].where, cases[i].old, cases[i].now);
        if (!strstr(text, cases[i].says))
            fail_msg("%s: found: %s", cases[i].now, text);
    }
}

/* What an admin may do with our lines. */
static void test_check_kept(void **state)
{
    static const struct {
        char where;
        const char *old, *now;
    } cases[] = {
        {'m', "/lanes.regexp", "/lanes.regexp, hash:/etc/postfix/other"},
        {'m', "outrider_milters = ", "outrider_milters = unix:spam, "},
        {'m', "outrider_tls_security_level = may", "outrider_tls_security_level = dane"},
        {'m', "permit_sasl_authenticated, $outrider",
         "reject_unknown_recipient_domain, permit_sasl_authenticated, $outrider"},
        {'o', "587/inet/smtpd_tls_security_level = may",
         "587/inet/smtpd_tls_security_level = encrypt"},
        {'s', "2525 inet", "# 2525 inet"},
        {'s', "smtp inet", "192.0.2.9:10026 inet"},
        {'s', "smtp unix", "10026 unix"},
        {'m', "maximal_queue_lifetime = 5d", "maximal_queue_lifetime = 7200m"},
        {'m', "soft_bounce = no",
         "smtp_bind_address = 192.0.2.1\nalways_add_missing_headers = yes"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = check(*state, cases[i].where, cases[i].old, cases[i].now);
        if (*text)
            fail_msg("%s: found: %s", cases[i].now, text);
    }
}

/* With --plain-auth there is a listener for each address of the host. */
static void test_check_ports_without_ipv6(void **state)
{
    const World *world = *state;
    static const char services[] = "[2001:db8::1]:2525 inet n - y - - smtpd\n";
    static const char options[] =
        "[2001:db8::1]:2525/inet/milter_macro_daemon_name = outrider-submission\n";
    static const struct {
        const char *main;
        guint n;
    } cases[] = {
        {"inet_protocols = all\n", 0},
        {"inet_protocols = ipv4, ipv6\n", 0},
        {"inet_protocols = ipv4\n", 1},
        {"\n", 1},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) findings = postfix_findings_new();
        g_autoptr(PostfixRunning) running =
            postfix_running_parse("", cases[i].main, services, options);
        postfix_check_ports(world->lines, running, findings);
        assert_int_equal(findings->len, cases[i].n);
    }
}

static void test_table_checks_name_file_and_line(void **state)
{
    static const struct {
        const char *table;
        guint line; /* 0: nothing is found */
    } cases[] = {
        {"/^Subject: x/ REJECT no\n/^X-Spam: YES/ filter smtp:[192.0.2.1]\n", 2},
        {"# /x/ FILTER a:b\n\n/^To:/\n  BCC a@b.test\n", 0},
        {"/^To:/ BCC a@b.test\n", 1},
        {"/^To: REDIRECTED/ WARN redirect\n", 0},
        {"", 0},
    };
    int fd;
    g_autofree char *path = NULL;

    fd = g_file_open_tmp("outrider-checks-XXXXXX", &path, NULL);
    assert_true(fd >= 0);
    close(fd);
    g_autofree char *now = g_strdup_printf("header_checks = pcre:%s", path);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *says =
            g_strdup_printf("conflict %s: line %u: header_checks ", path, cases[i].line);
        assert_true(g_file_set_contents(path, cases[i].table, -1, NULL));
        g_autofree char *text = check(*state, 'm', "header_checks =", now);
        if (cases[i].line ? !strstr(text, says) : strstr(text, "conflict") != NULL)
            fail_msg("%s: found: %s", cases[i].table, text);
    }
    remove(path);
}

static void test_table_ours_wants_files_of_this_configuration(void **state)
{
    static const char *const names[] = {"lanes.regexp", "milter_header_checks",
                                        "hop_milter_header_checks", "hop_header_checks",
                                        "smarthost_status"};
    g_autofree char *dir = g_dir_make_tmp("outrider-tables-XXXXXX", NULL);
    g_autofree char *below = g_build_filename(dir, "outrider", NULL);
    g_autofree char *text = g_strdup_printf(configuration, dir);
    g_autoptr(Config) config = config_parse("t", text, -1, NULL);

    (void)state;
    g_mkdir_with_parents(below, 0700);
    for (guint n = 0; n < G_N_ELEMENTS(names); n++) {
        g_autoptr(GPtrArray) findings = postfix_findings_new();
        g_autofree char *path = g_build_filename(below, names[n], NULL);
        postfix_table_ours(config, findings);
        assert_int_equal(findings->len, G_N_ELEMENTS(names) - n);
        g_file_set_contents(path, n < 2 ? "/x/ outrider-split:[127.0.0.1]:10026\n" : "", -1, NULL);
    }
    for (guint n = 0; n < 2; n++) {
        g_autoptr(GPtrArray) findings = postfix_findings_new();
        g_autofree char *path = g_build_filename(below, names[n], NULL);
        postfix_table_ours(config, findings);
        assert_int_equal(findings->len, n);
        g_file_set_contents(path, "/x/ outrider-split:[127.0.0.1]:1002\n", -1, NULL);
    }
    for (guint n = 0; n < G_N_ELEMENTS(names); n++) {
        g_autofree char *path = g_build_filename(below, names[n], NULL);
        remove(path);
    }
    remove(below);
    remove(dir);
}

/* What the settings become; had: of relay_domains, relay_recipient_maps, transport_maps, smtpd_restriction_classes and
 * smtpd_recipient_restrictions. */
static void test_incoming_settings(void **state)
{
    const World *world = *state;
#define OURS(table, map)                                                                           \
    "pipemap:{regexp:/nonexistent/outrider/" table ".regexp, socketmap:unix:outrider/map:" map "}"
#define DOMAINS    OURS("our-domains", "relaydom")
#define RECIPIENTS OURS("our-recipients", "relayrcpt")
#define PASS       "regexp:/nonexistent/outrider/other-recipients.regexp"
#define WAY        "regexp:/nonexistent/outrider/transports.regexp"
#define CLASS      "outrider_incoming"
#define LOOK                                                                                       \
    "check_recipient_access pipemap:{regexp:/nonexistent/outrider/our-recipients.regexp, "         \
    "static:outrider_incoming}"
    static const struct {
        const char *had[5], *now[5];
    } cases[] = {
        {{"", "", "", "", ""}, {DOMAINS, RECIPIENTS ", " PASS, WAY, CLASS, LOOK}},
        {{"a.test, hash:/b", "", "", "", "reject_unauth_destination"},
         {"a.test, hash:/b, " DOMAINS, RECIPIENTS ", " PASS, WAY, CLASS,
          LOOK ", reject_unauth_destination"}},
        {{"a.test", "hash:/r", "hash:/t", "greylist", "permit_mynetworks, greylist"},
         {"a.test, " DOMAINS, RECIPIENTS ", hash:/r", WAY ", hash:/t", "greylist, " CLASS,
          LOOK ", permit_mynetworks, greylist"}},
        {{DOMAINS, RECIPIENTS ", hash:/r", "hash:/t, " WAY, CLASS " greylist",
          "permit_mynetworks " LOOK},
         {DOMAINS, RECIPIENTS ", hash:/r", "hash:/t, " WAY, CLASS " greylist",
          "permit_mynetworks " LOOK}},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *main = g_strdup_printf(
            "relay_domains = %s\nrelay_recipient_maps = %s\ntransport_maps = %s\n"
            "smtpd_restriction_classes = %s\nsmtpd_recipient_restrictions = %s\n",
            cases[i].had[0], cases[i].had[1], cases[i].had[2], cases[i].had[3], cases[i].had[4]);
        g_autoptr(PostfixRunning) running = postfix_running_parse(main, main, "", "");
        g_autoptr(PostfixLines) lines = postfix_lines_incoming(world->config, NULL);
        guint first = lines->settings->len;
        postfix_incoming_settings(world->config, running, lines->settings);
        assert_int_equal(lines->settings->len, first + 5);
        for (guint s = 0; s < 5; s++)
            assert_string_equal(((const PostfixSetting *)lines->settings->pdata[first + s])->value,
                                cases[i].now[s]);
    }
}

static void test_incoming_check(void **state)
{
    const World *world = *state;
    static const char whole[] =
        "relay_domains = a.test, " DOMAINS "\nrelay_recipient_maps = " RECIPIENTS ", " PASS
        "\ntransport_maps = " WAY "\nmydestination = localhost\n"
        "smtpd_reject_unlisted_recipient = yes\nmessage_size_limit = 10240000\n"
        "smtpd_restriction_classes = " CLASS "\nsmtpd_recipient_restrictions = " LOOK "\n";
    static const struct {
        const char *old, *now, *says; /* says NULL: nothing is found */
    } cases[] = {
        {"a.test, ", "", NULL},
        {"regexp, socketmap", "regexp,socketmap", NULL},
        {", " PASS, "", "conflict main.cf: relay_recipient_maps has our table only"},
        {", " PASS, ", hash:/r", NULL},
        {RECIPIENTS ", ", "", "conflict main.cf: relay_recipient_maps has no table"},
        {RECIPIENTS, "hash:/r, " RECIPIENTS,
         "note main.cf: relay_recipient_maps has a table before"},
        {WAY, "hash:/t, " WAY, "note main.cf: transport_maps has a table before"},
        {WAY, "hash:/t", "conflict main.cf: transport_maps has no table"},
        {DOMAINS, "", "conflict main.cf: relay_domains has no table"},
        {"map:relaydom", "map:relayrcpt", "but should have pipemap:"},
        {"recipient = yes", "recipient = no",
         "conflict main.cf: smtpd_reject_unlisted_recipient = no"},
        {"localhost", "localhost, routes.test", "mydestination has routes.test"},
        {"localhost", "localhost rp.example", "mydestination has rp.example"},
        {"localhost", "sub.routes.test", NULL},
        {"limit = 10240000", "limit = 104857600", NULL},
        {"limit = 10240000", "limit = 104857601",
         "conflict main.cf: message_size_limit = 104857601"},
        {"limit = 10240000", "limit = 0", "conflict main.cf: message_size_limit = 0"},
        {"classes = " CLASS, "classes =", "note main.cf: smtpd_restriction_classes does not ask"},
        {LOOK, "", "note main.cf: smtpd_recipient_restrictions does not ask"},
        {LOOK, "permit_mynetworks, " LOOK, NULL},
        {"static:outrider_incoming", "static:DUNNO", "note main.cf: smtpd_recipient_restrictions"},
    };
    g_autoptr(GPtrArray) domains = g_ptr_array_new();

    g_ptr_array_add(domains, (gpointer)(guintptr) "routes.test");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GString *text = g_string_new(whole);
        assert_true(g_string_replace(text, cases[i].old, cases[i].now, 0) > 0);
        g_autofree char *main = g_string_free(text, FALSE);
        g_autoptr(PostfixRunning) running = postfix_running_parse(main, main, "", "");
        g_autoptr(GPtrArray) findings = postfix_findings_new();
        postfix_incoming_check(world->config, running, domains, findings);
        assert_int_equal(findings->len, cases[i].says ? 1 : 0);
        if (!cases[i].says)
            continue;
        const PostfixFinding *finding = findings->pdata[0];
        g_autofree char *line = g_strdup_printf(
            "%s %s: %s", finding->conflict ? "conflict" : "note", finding->where, finding->text);
        if (!strstr(line, cases[i].says))
            fail_msg("case %u: %s", i, line);
    }
}

static void test_incoming_check_not_attached(void **state)
{
    const World *world = *state;
    static const char main[] = "relay_domains = a.test\n";
    g_autoptr(PostfixRunning) running = postfix_running_parse(main, main, "", "");
    g_autoptr(GPtrArray) findings = postfix_findings_new();
    g_autoptr(GPtrArray) domains = g_ptr_array_new();

    postfix_incoming_check(world->config, running, domains, findings);
    assert_int_equal(findings->len, 0);
    g_ptr_array_add(domains, (gpointer)(guintptr) "routes.test");
    postfix_incoming_check(world->config, running, domains, findings);
    assert_int_equal(findings->len, 1);
    assert_false(((const PostfixFinding *)findings->pdata[0])->conflict);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_check_own_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(test_check_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_check_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_check_ports_without_ipv6, setup, teardown),
        cmocka_unit_test_setup_teardown(test_table_checks_name_file_and_line, setup, teardown),
        cmocka_unit_test_setup_teardown(test_incoming_settings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_incoming_check, setup, teardown),
        cmocka_unit_test_setup_teardown(test_incoming_check_not_attached, setup, teardown),
        cmocka_unit_test(test_table_ours_wants_files_of_this_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
