/* SPDX-License-Identifier: MIT */
/* A track domain: shown with the DNS record to publish, and compared with what the DNS shows. */
#include <stdio.h>

#include "cli/output.h"
#include "cli/session.h"
#include "lib/directory/track_check.h"

static gboolean print(Cli *cli, Record *record)
{
    Record *dns = track_publish(cli->config, record_text(record, "host"));

    json_object_object_add(record, "dns", dns);
    if (output_json(cli, record))
        return TRUE;
    output_record(record);
    if (json_object_array_length(dns) == 0) {
        printf("\ntrack_host is not set: nothing can be checked.\n");
        return TRUE;
    }
    printf("\nDNS record to publish (or address records that are the same as that host's):\n");
    output_dns(dns);
    if (!json_object_get_boolean(json_object_object_get(record, "active")) &&
        record_is_null(record, "disabled_at"))
        printf("\nNo links are made until it is there: `outrider track-domain check' looks now.\n");
    return TRUE;
}

gboolean track_domain_add(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql)
        return FALSE;
    g_autoptr(Record) record = directory_add(sql, DIRECTORY_TRACK_DOMAIN, cli->arguments,
                                             cli->options, cli->n_options, error);
    return record && print(cli, record);
}

gboolean track_domain_show(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql)
        return FALSE;
    g_autoptr(Record) record = directory_show(sql, DIRECTORY_TRACK_DOMAIN, cli->arguments, error);
    return record && print(cli, record);
}

/* Exit status 1: it does not lead to the tracking host. */
gboolean track_domain_check(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);
    g_autoptr(Record) domain =
        sql ? directory_show(sql, DIRECTORY_TRACK_DOMAIN, cli->arguments, error) : NULL;
    g_autoptr(Dns) dns = domain ? dns_open(DNS_RESOLV_CONF, error) : NULL;
    g_auto(TrackReport) report = {0};

    if (!dns)
        return FALSE;
    const TrackCheck check = {.id = (guint64)record_int(domain, "id"),
                              .host = record_text(domain, "host"),
                              .created_at = record_int(domain, "created_at")};
    if (!track_check(sql, cli->config, dns, &check, &report, error))
        return FALSE;
    cli->status = !g_str_equal(report.status, "ok");
    g_autoptr(Record) now = directory_show(sql, DIRECTORY_TRACK_DOMAIN, cli->arguments, error);
    if (!now)
        return FALSE;
    json_object_object_add(now, "findings", json_object_get(report.findings));
    if (output_json(cli, now))
        return TRUE;
    output_table(report.findings, "item status name wanted found wrong");
    if (report.began)
        printf("\nIt leads to the tracking host from now on.\n");
    if (report.ended)
        printf("\nIt has led elsewhere for long: no more links are made for it.\n");
    return TRUE;
}
