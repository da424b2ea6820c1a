/* SPDX-License-Identifier: MIT */
/* A domain: shown with the DNS records to publish, proved, and compared with what the DNS shows. */
#include <stdio.h>

#include "cli/output.h"
#include "cli/session.h"
#include "cli/verify_mail.h"
#include "lib/base/error.h"
#include "lib/directory/domain_check.h"
#include "lib/directory/key.h"
#include "lib/directory/publish.h"
#include "lib/directory/verify.h"

static gboolean print(Cli *cli, Record *record, GError **error)
{
    Record *dns = publish_domain(cli->sql, cli->config, record, error);

    if (!dns)
        return FALSE;
    json_object_object_add(record, "dns", dns);
    if (output_json(cli, record))
        return TRUE;
    output_record(record);
    printf("\nDNS records to publish (DMARC is advice: keep a policy that exists):\n");
    output_dns(dns);
    return TRUE;
}

gboolean domain_add(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql)
        return FALSE;
    g_autoptr(Record) record =
        directory_add(sql, DIRECTORY_DOMAIN, cli->arguments, cli->options, cli->n_options, error);
    return record && print(cli, record, error);
}

gboolean domain_show(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql)
        return FALSE;
    g_autoptr(Record) record = directory_show(sql, DIRECTORY_DOMAIN, cli->arguments, error);
    return record && print(cli, record, error);
}

static void print_lost(const Record *keys)
{
    for (gsize i = 0; i < json_object_array_length(keys); i++) {
        const Record *key = json_object_array_get_idx(keys, i);
        if (key_state_read(record_text(key, "state")) == KEY_STATE_LOST)
            printf("\nKey %s is lost: another one signs in its place, or the installation's, until "
                   "every server shows its record again.\n",
                   record_text(key, "selector"));
    }
}

/* Exit status 1: something that is needed is not right. */
static gboolean check(Cli *cli, guint64 domain, const char *name, GError **error)
{
    g_auto(DomainReport) report = {0};

    if (!domain_check_now(cli->sql, cli->config, domain, name, &report, error))
        return FALSE;
    g_autoptr(Record) keys = directory_key_list(cli->sql, domain, error);
    if (!keys)
        return FALSE;
    g_autoptr(Record) record = json_object_new_object();
    json_object_object_add(record, "domain", json_object_new_string(name));
    json_object_object_add(record, "status", json_object_new_string(report.status));
    json_object_object_add(record, "activated", json_object_new_int((int)report.activated));
    json_object_object_add(record, "findings", json_object_get(report.findings));
    json_object_object_add(record, "keys", json_object_get(keys));
    cli->status = !g_str_equal(report.status, "ok");
    if (output_json(cli, record))
        return TRUE;
    output_table(report.findings, "item status name found wrong");
    if (report.activated)
        printf("\nEvery server shows %u more key%s, which sign%s from now on.\n", report.activated,
               report.activated > 1 ? "s" : "", report.activated > 1 ? "" : "s");
    print_lost(keys);
    return TRUE;
}

gboolean domain_check_dns(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);
    g_autoptr(Record) record =
        sql ? directory_show(sql, DIRECTORY_DOMAIN, cli->arguments, error) : NULL;

    return record &&
           check(cli, (guint64)record_int(record, "id"), record_text(record, "name"), error);
}

gboolean installation_check(Cli *cli, GError **error)
{
    return cli_sql(cli, error) &&
           check(cli, 0, config_string(cli->config, CONFIG_RETURN_PATH_DOMAIN), error);
}

static gboolean send_code(Cli *cli, const Record *domain, const char *address, GError **error)
{
    const char *name = record_text(domain, "name");

    if (!verify_address(address, name, error))
        return FALSE;
    g_autofree char *code =
        directory_verify_code_new(cli->sql, (guint64)record_int(domain, "id"), address, error);
    if (!code || !verify_mail_send(cli->config, cli->sql, address, name, code, error))
        return FALSE;
    if (cli->json)
        puts("{\"sent\": true}");
    else
        printf("A code was sent to %s; it is good for an hour: give it with --code.\n", address);
    return TRUE;
}

static gboolean prove(Cli *cli, const Record *domain, GError **error)
{
    const char *code = command_option(cli, "code");

    if (code)
        return directory_verify_code(cli->sql, (guint64)record_int(domain, "id"), code, error);
    g_autoptr(Dns) dns = dns_open(DNS_RESOLV_CONF, error);
    return dns && directory_verify_dns(cli->sql, dns, domain, error);
}

gboolean domain_verify(Cli *cli, GError **error)
{
    const char *address = command_option(cli, "mail");
    Sql *sql = cli_sql(cli, error);
    g_autoptr(Record) domain = sql ? directory_verify_token(sql, cli->arguments, error) : NULL;

    if (!domain)
        return FALSE;
    if (address && command_option(cli, "code")) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                    "domain: --mail and --code do not go together");
        return FALSE;
    }
    if (!record_is_null(domain, "verified_at")) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_EXISTS, "%s is verified already",
                    record_text(domain, "name"));
        return FALSE;
    }
    if (address)
        return send_code(cli, domain, address, error);
    return prove(cli, domain, error) && domain_show(cli, error);
}
