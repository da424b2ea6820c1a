/* SPDX-License-Identifier: MIT */
/* The Postfix lines of this installation, printed; and a Postfix compared with them. */
#include <arpa/inet.h>
#include <stdio.h>

#include "cli/output.h"
#include "cli/postfix_check.h"
#include "cli/postfix_incoming.h"
#include "cli/postfix_lines.h"
#include "cli/postfix_table.h"
#include "cli/postfix_ways.h"
#include "cli/session.h"
#include "lib/base/error.h"

#define ATTENTION 1 /* exit status */

static void print_main(const PostfixLines *lines)
{
    printf("# Outrider.\n");
    for (guint i = 0; i < lines->settings->len; i++) {
        const PostfixSetting *setting = lines->settings->pdata[i];
        if (setting->comment)
            printf("# %s\n", setting->comment);
        printf("%s = %s\n", setting->name, setting->value);
    }
}

static void print_master(const PostfixLines *lines, const char *what)
{
    printf("# Outrider: %s.\n", what);
    if (lines->note)
        printf("# %s\n", lines->note);
    for (guint i = 0; i < lines->services->len; i++) {
        const PostfixService *service = lines->services->pdata[i];
        printf("%s %s\n", service->name, service->fields);
        for (guint o = 0; o < service->options->len; o++) {
            const PostfixSetting *option = service->options->pdata[o];
            printf("  -o %s=%s\n", option->name, option->value);
        }
        if (service->command)
            printf("  %s\n", service->command);
    }
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

/* What this host's Postfix has already is kept, so it is asked. */
static gboolean print_incoming(Cli *cli, gboolean main, gboolean master, GError **error)
{
    const char *directory = config_string(cli->config, CONFIG_POSTFIX_CONFIG_DIR);
    g_autoptr(PostfixLines) lines = postfix_lines_incoming(cli->config, cli->config_file);
    g_autoptr(PostfixRunning) running = main ? postfix_running_read(directory, error) : NULL;

    if (main && !running)
        return FALSE;
    if (main) {
        postfix_incoming_settings(cli->config, running, lines->settings);
        print_main(lines);
    }
    if (master)
        print_master(lines, "where incoming mail goes");
    return TRUE;
}

gboolean postfix_lines(Cli *cli, GError **error)
{
    const char *plain = command_option(cli, "plain-auth");
    gboolean only_main = command_option(cli, "main") != NULL;
    gboolean only_master = command_option(cli, "master") != NULL;
    const Config *config = cli_config(cli, error);
    g_auto(PostfixWays) ways = {0};

    if (!config || (plain && !check_plain(plain, error)))
        return FALSE;
    if (command_option(cli, "incoming"))
        return print_incoming(cli, only_main || !only_master, only_master || !only_main, error);
    if (!only_main || only_master) {
        Sql *sql = cli_sql(cli, error);
        if (!sql || !postfix_ways_read(sql, &ways, error))
            return FALSE;
    }
    g_autoptr(PostfixLines) lines = postfix_lines_make(config, plain, &ways);
    if (!only_master || only_main)
        print_main(lines);
    if (ways.addresses)
        print_master(lines,
                     "submission services, their cleanup, the hop, and one transport a lane");
    return TRUE;
}

/* Names of the domains that have routes; NULL: error. */
static GPtrArray *route_domains(Sql *sql, GError **error)
{
    g_autoptr(Record) routes = directory_list(sql, DIRECTORY_ROUTE, NULL, error);
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

    for (gsize i = 0; routes && i < json_object_array_length(routes); i++) {
        const char *domain = record_text(json_object_array_get_idx(routes, i), "domain");
        gboolean same = names->len > 0 && g_strcmp0(domain, names->pdata[names->len - 1]) == 0;
        if (domain && !same)
            g_ptr_array_add(names, g_strdup(domain));
    }
    if (!routes)
        g_clear_pointer(&names, g_ptr_array_unref);
    return names;
}

static gboolean check_incoming(Cli *cli, const PostfixRunning *running, GPtrArray *findings,
                               GError **error)
{
    g_autoptr(GPtrArray) domains = route_domains(cli->sql, error);
    g_autoptr(PostfixLines) lines = postfix_lines_incoming(cli->config, cli->config_file);

    if (!domains)
        return FALSE;
    postfix_incoming_check(cli->config, running, domains, findings);
    if (!postfix_incoming_attached(running))
        return TRUE;
    postfix_check_lines(lines, running, findings);
    postfix_table_incoming(cli->config, findings);
    return TRUE;
}

static Record *findings_record(const GPtrArray *findings)
{
    Record *list = json_object_new_array();

    for (guint i = 0; i < findings->len; i++) {
        const PostfixFinding *finding = findings->pdata[i];
        Record *record = json_object_new_object();
        json_object_object_add(record, "level",
                               json_object_new_string(finding->conflict ? "conflict" : "note"));
        json_object_object_add(record, "where", json_object_new_string(finding->where));
        json_object_object_add(record, "text", json_object_new_string(finding->text));
        json_object_array_add(list, record);
    }
    return list;
}

static void print_findings(const GPtrArray *findings, guint conflicts)
{
    for (guint i = 0; i < findings->len; i++) {
        const PostfixFinding *finding = findings->pdata[i];
        g_autofree char *text = g_strescape(finding->text, "\"\\");
        printf("%-8s  %s: %s\n", finding->conflict ? "conflict" : "note", finding->where, text);
    }
    if (conflicts == 0)
        printf("Nothing stands in the way.\n");
}

gboolean postfix_check(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);
    g_auto(PostfixWays) ways = {0};
    g_autoptr(GPtrArray) findings = postfix_findings_new();
    guint conflicts = 0;

    if (!sql || !postfix_ways_read(sql, &ways, error) ||
        !postfix_ways_keep_served(cli->config, &ways, error))
        return FALSE;
    g_autoptr(PostfixRunning) running =
        postfix_running_read(config_string(cli->config, CONFIG_POSTFIX_CONFIG_DIR), error);
    if (!running)
        return FALSE;
    g_autoptr(PostfixLines) lines = postfix_lines_make(cli->config, NULL, &ways);
    postfix_check_lines(lines, running, findings);
    postfix_check_ports(lines, running, findings);
    postfix_check_agreement(cli->config, running, findings);
    postfix_check_conflicts(lines, running, findings);
    postfix_table_ours(cli->config, findings);
    postfix_table_checks(running, findings);
    postfix_table_transport(cli->config, running, findings);
    if (!check_incoming(cli, running, findings, error))
        return FALSE;
    for (guint i = 0; i < findings->len; i++)
        conflicts += ((const PostfixFinding *)findings->pdata[i])->conflict ? 1 : 0;
    cli->status = conflicts ? ATTENTION : 0;
    g_autoptr(Record) record = findings_record(findings);
    if (!output_json(cli, record))
        print_findings(findings, conflicts);
    return TRUE;
}
