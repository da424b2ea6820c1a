/* SPDX-License-Identifier: MIT */
/*
 * The Postfix lines of this installation. Everything of ours stands in services of its own, so that
 * what the relay did before is not touched: SASL_README, MILTER_README, SMTPD_POLICY_README,
 * ADDRESS_REWRITING_README.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "cli/session.h"
#include "lib/base/error.h"

/* Keeps the prefix of another Postfix instance in the log. */
#define SYSLOG_NAME "${multi_instance_name?{$multi_instance_name}:{postfix}}"

/* {maps}: the directory of generated maps; {sockets}: the socket directory below Postfix's queue. */
static const char *const main_lines[] = {
    "# Outrider. If you have sender_dependent_default_transport_maps already, put ours first in "
    "it.",
    "sender_dependent_default_transport_maps = regexp:{maps}/lanes.regexp",
    "enable_long_queue_ids = yes",
    "smtp_tls_security_level = may",
    "smtp_tls_loglevel = 1",
    "# Milters of the submission services; one of yours goes before ours, which must be the last.",
    "outrider_milters = { unix:{sockets}/milter, default_action=tempfail, connect_timeout=3s, "
    "command_timeout=30s, content_timeout=120s }",
    "outrider_recipient_restrictions = check_policy_service { unix:{sockets}/policy, timeout=3s, "
    "try_limit=1 }, permit_sasl_authenticated, reject",
    NULL,
};

/* What all submission services have. */
static const char *const listener_options[] = {
    "syslog_name=" SYSLOG_NAME "/outrider-submission",
    "cleanup_service_name=outrider-submit",
    "milter_macro_daemon_name=outrider-submission",
    "smtpd_milters=$outrider_milters",
    "smtpd_sasl_auth_enable=yes",
    "smtpd_sasl_type=dovecot",
    "smtpd_sasl_path={sockets}/auth",
    "smtpd_sasl_security_options=noanonymous",
    "smtpd_sasl_tls_security_options=noanonymous",
    "smtpd_client_restrictions=",
    "smtpd_helo_restrictions=",
    "smtpd_sender_restrictions=",
    "smtpd_relay_restrictions=permit_sasl_authenticated,reject",
    "smtpd_recipient_restrictions=$outrider_recipient_restrictions",
    "smtpd_data_restrictions=",
    "smtpd_end_of_data_restrictions=",
    "receive_override_options=no_address_mappings",
    "local_header_rewrite_clients=",
    "smtpd_forbid_bare_newline=yes",
    "smtpd_forbid_bare_newline_exclusions=",
    "content_filter=",
    "smtpd_proxy_filter=",
    NULL,
};

/* After the milter nothing may change sender, recipient or what was signed. */
static const char *const cleanup_options[] = {
    "syslog_name=" SYSLOG_NAME "/outrider-submission",
    "milter_header_checks=regexp:{maps}/milter_header_checks",
    "always_bcc=",
    "sender_bcc_maps=",
    "recipient_bcc_maps=",
    "virtual_alias_maps=",
    "canonical_maps=",
    "sender_canonical_maps=",
    "recipient_canonical_maps=",
    "masquerade_domains=",
    NULL,
};

/* Nor on the way out: what had to stay longer than SMTP's lines was signed as it is. */
static const char *const lane_options[] = {
    "smtp_line_length_limit=0", "disable_mime_output_conversion=yes",
    "smtp_generic_maps=",       "smtp_header_checks=",
    "smtp_mime_header_checks=", "smtp_nested_header_checks=",
    "smtp_body_checks=",        NULL,
};

typedef struct {
    const char *service;
    const char *security_level;
    gboolean wrapper;
    gboolean auth_only;
} Listener;

typedef struct {
    char *maps;
    char *sockets;
} Places;

static void places_clear(Places *places)
{
    g_free(places->maps);
    g_free(places->sockets);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Places, places_clear)

static char *replace(const char *text, const char *mark, const char *with)
{
    g_auto(GStrv) parts = g_strsplit(text, mark, -1);

    return g_strjoinv(with, parts);
}

static char *fill_in(const Places *places, const char *line)
{
    g_autofree char *with_maps = replace(line, "{maps}", places->maps);

    return replace(with_maps, "{sockets}", places->sockets);
}

static void print_options(const Places *places, const char *const *options)
{
    for (; *options; options++) {
        g_autofree char *line = fill_in(places, *options);
        printf("  -o %s\n", line);
    }
}

static void print_listener(const Places *places, const Listener *listener)
{
    printf("%s inet n - y - - smtpd\n", listener->service);
    print_options(places, listener_options);
    printf("  -o smtpd_tls_security_level=%s\n", listener->security_level);
    printf("  -o smtpd_tls_wrappermode=%s\n", listener->wrapper ? "yes" : "no");
    printf("  -o smtpd_tls_auth_only=%s\n", listener->auth_only ? "yes" : "no");
}

/* With a listener on a loopback address port 2525 cannot be bound on all: one listener for each
 * address that this host's name has. */
static void print_bound(const Places *places, const char *hostname)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    guint printed = 0;

    if (getaddrinfo(hostname, NULL, &hints, &found) != 0)
        found = NULL;
    for (const struct addrinfo *a = found; a; a = a->ai_next) {
        char text[NI_MAXHOST];
        if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) ||
            g_str_has_prefix(text, "127.") || g_str_equal(text, "::1") || strchr(text, '%'))
            continue;
        g_autofree char *service = a->ai_family == AF_INET6 ? g_strdup_printf("[%s]:2525", text)
                                                            : g_strdup_printf("%s:2525", text);
        print_listener(places, &(Listener){service, "may", FALSE, TRUE});
        printed++;
    }
    if (found)
        freeaddrinfo(found);
    if (printed == 0)
        printf("# %s has no address but loopback here: no 2525 with TLS, since `2525' alone would "
               "clash with the listener below.\n",
               hostname);
}

static void print_lanes(const Places *places, Record *addresses)
{
    for (gsize i = 0; i < json_object_array_length(addresses); i++) {
        const Record *address = json_object_array_get_idx(addresses, i);
        const char *ipv6 = record_text(address, "ipv6");
        gint64 lane = record_int(address, "lane");
        printf("outrider-ip%" G_GINT64_FORMAT " unix - - y - - smtp\n", lane);
        printf("  -o syslog_name=" SYSLOG_NAME "/outrider-ip%" G_GINT64_FORMAT "\n", lane);
        printf("  -o smtp_bind_address=%s\n", record_text(address, "ipv4"));
        if (ipv6)
            printf("  -o smtp_bind_address6=%s\n", ipv6);
        else
            /* inet_interfaces of the host may name IPv6 addresses, which smtp would refuse now. */
            printf("  -o smtp_bind_address6= -o inet_protocols=ipv4 -o inet_interfaces=%s\n",
                   record_text(address, "ipv4"));
        printf("  -o smtp_helo_name=%s\n", record_text(address, "helo"));
        print_options(places, lane_options);
    }
}

static void print_main(const Places *places)
{
    for (const char *const *line = main_lines; *line; line++) {
        g_autofree char *text = fill_in(places, *line);
        puts(text);
    }
}

static void print_master(const Places *places, const char *hostname, const char *plain,
                         Record *addresses)
{
    printf("# Outrider: submission services, their cleanup, and one transport a lane.\n");
    print_listener(places, &(Listener){"587", "may", FALSE, TRUE});
    print_listener(places, &(Listener){"465", "encrypt", TRUE, TRUE});
    if (plain) {
        g_autofree char *service = strchr(plain, ':') ? g_strdup_printf("[%s]:2525", plain)
                                                      : g_strdup_printf("%s:2525", plain);
        print_bound(places, hostname);
        print_listener(places, &(Listener){service, "may", FALSE, FALSE});
    } else {
        print_listener(places, &(Listener){"2525", "may", FALSE, TRUE});
    }
    printf("outrider-submit unix n - y - 0 cleanup\n");
    print_options(places, cleanup_options);
    print_lanes(places, addresses);
}

/* AUTH in clear text is for programs on the host itself. */
static gboolean check_plain(const char *text, GError **error)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, text, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127)
        return TRUE;
    if (inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6))
        return TRUE;
    g_autofree char *quoted = value_quote(text);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                "plain-auth: %s: allowed are loopback addresses", quoted);
    return FALSE;
}

gboolean postfix_lines(Cli *cli, GError **error)
{
    const char *plain = command_option(cli, "plain-auth");
    gboolean only_main = command_option(cli, "main") != NULL;
    gboolean only_master = command_option(cli, "master") != NULL;
    const Config *config = cli_config(cli, error);

    if (!config || (plain && !check_plain(plain, error)))
        return FALSE;
    g_auto(Places) places = {
        .maps = config_path(config, CONFIG_POSTFIX_CONFIG_DIR, "outrider"),
        .sockets = g_path_get_basename(config_string(config, CONFIG_SOCKET_DIR)),
    };
    g_autoptr(Record) addresses = NULL;
    if (!only_main || only_master) {
        Sql *sql = cli_sql(cli, error);
        if (!sql || !(addresses = directory_list(sql, DIRECTORY_ADDRESS, NULL, error)))
            return FALSE;
    }
    if (!only_master || only_main)
        print_main(&places);
    if (addresses)
        print_master(&places, config_string(config, CONFIG_HOSTNAME), plain, addresses);
    return TRUE;
}
