/* SPDX-License-Identifier: MIT */
/* An endpoint: its host is looked up when it is added, changed or checked. */
#include <stdio.h>

#include "cli/endpoint_ask.h"
#include "cli/output.h"
#include "cli/session.h"
#include "lib/directory/endpoint_check.h"

static gboolean print(Cli *cli, Record *record)
{
    if (!output_json(cli, record))
        output_record(record);
    return TRUE;
}

static gboolean has_host(const Record *endpoint)
{
    const char *host = record_text(endpoint, "host");

    return host && host[0] != '/';
}

/* Looks the host up and puts what came of it into the record. *wrong (g_free): why it is nowhere that mail may go. */
static gboolean look_up(Cli *cli, Record *endpoint, char **wrong, GError **error)
{
    g_autoptr(Dns) dns = dns_open(DNS_RESOLV_CONF, error);
    g_autofree char *address = NULL;

    if (!dns || !endpoint_check(cli->sql, cli->config, dns, endpoint, &address, wrong, error))
        return FALSE;
    json_object_object_add(endpoint, "resolved", address ? json_object_new_string(address) : NULL);
    return TRUE;
}

/* The endpoint is there whatever comes of it: the worker looks again. */
static gboolean settle(Cli *cli, Record *endpoint)
{
    g_autofree char *wrong = NULL;
    g_autoptr(GError) error = NULL;

    if (has_host(endpoint) && record_is_null(endpoint, "resolved")) {
        look_up(cli, endpoint, &wrong, &error);
        const char *why = error ? error->message : wrong;
        g_autofree char *text = why ? output_text(why) : NULL;
        if (text)
            fprintf(stderr, "outrider: warning: %s: %s; mail for it waits\n",
                    record_text(endpoint, "host"), text);
    }
    return print(cli, endpoint);
}

gboolean endpoint_add(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql)
        return FALSE;
    g_autoptr(Record) record =
        directory_add(sql, DIRECTORY_ENDPOINT, cli->arguments, cli->options, cli->n_options, error);
    return record && settle(cli, record);
}

gboolean endpoint_change(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql)
        return FALSE;
    g_autoptr(Record) record = directory_change(sql, DIRECTORY_ENDPOINT, cli->arguments,
                                                cli->options, cli->n_options, error);
    return record && settle(cli, record);
}

gboolean endpoint_delete(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);
    gboolean force = command_option(cli, "force") != NULL;

    if (!sql || !directory_delete_endpoint(sql, cli->arguments, force, error))
        return FALSE;
    puts(cli->json ? "{\"deleted\": true}" : "deleted");
    return TRUE;
}

/* Where a URL leads; *wrong: nowhere that this host can tell. */
static gboolean look_up_url(Record *endpoint, char **wrong, GError **error)
{
    g_autoptr(GUri) uri = g_uri_parse(record_text(endpoint, "url"), G_URI_FLAGS_ENCODED, error);
    g_autoptr(Dns) dns = uri ? dns_open(DNS_RESOLV_CONF, error) : NULL;
    g_autoptr(GPtrArray) all = dns ? endpoint_addresses(dns, g_uri_get_host(uri), wrong) : NULL;
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; all && i < all->len; i++)
        g_string_append_printf(text, "%s%s", i ? " " : "", (const char *)all->pdata[i]);
    json_object_object_add(endpoint, "resolved", all ? json_object_new_string(text->str) : NULL);
    return dns != NULL;
}

static gboolean ask_host(Cli *cli, Record *endpoint, char **wrong, GError **error)
{
    const char *host = record_text(endpoint, "host");
    gboolean lmtp = g_str_equal(record_text(endpoint, "kind"), "lmtp");
    g_autoptr(GError) why = NULL;

    if (has_host(endpoint) && !look_up(cli, endpoint, wrong, error))
        return FALSE;
    const char *place = has_host(endpoint) ? record_text(endpoint, "resolved") : host;
    if (!place)
        return TRUE;
    g_autofree char *greeting = endpoint_ask(place, (guint16)record_int(endpoint, "port"), lmtp,
                                             config_string(cli->config, CONFIG_HOSTNAME), &why);
    json_object_object_add(endpoint, "greeting",
                           greeting ? json_object_new_string(greeting) : NULL);
    if (!*wrong && why)
        *wrong = g_strdup(why->message);
    return TRUE;
}

/* Exit status 1: mail would not get there now. */
gboolean endpoint_check_host(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);
    g_autoptr(Record) endpoint =
        sql ? directory_show(sql, DIRECTORY_ENDPOINT, cli->arguments, error) : NULL;
    g_autofree char *wrong = NULL;
    gboolean good = TRUE;

    if (!endpoint)
        return FALSE;
    if (!record_is_null(endpoint, "url"))
        good = look_up_url(endpoint, &wrong, error);
    else if (!record_is_null(endpoint, "host"))
        good = ask_host(cli, endpoint, &wrong, error);
    if (!good)
        return FALSE;
    json_object_object_add(endpoint, "wrong", wrong ? json_object_new_string(wrong) : NULL);
    cli->status = wrong != NULL;
    return print(cli, endpoint);
}
