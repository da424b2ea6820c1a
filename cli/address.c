/* SPDX-License-Identifier: MIT */
/* Addresses of pools: checked before they take mail, and whenever somebody asks. */
#include <string.h>

#include "cli/address_ask.h"
#include "cli/host_address.h"
#include "cli/output.h"
#include "cli/session.h"
#include "lib/base/error.h"

#define ATTENTION 1 /* exit status */

/* What addresses are judged by. */
typedef struct {
    Record *all;
    GHashTable *here;
    AddressAnswers *answers;
} Facts;

static void facts_clear(Facts *facts)
{
    g_clear_pointer(&facts->here, g_hash_table_unref);
    g_clear_pointer(&facts->answers, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Facts, facts_clear)

/* For the addresses of a list. all: those of the directory. */
static gboolean find_facts(const Cli *cli, Record *list, Record *all, Facts *facts, GError **error)
{
    facts->all = all;
    facts->here = host_addresses(error);
    facts->answers = facts->here ? address_ask(list, !cli->json, error) : NULL;
    return facts->answers != NULL;
}

static GPtrArray *check(const Record *address, const Facts *facts)
{
    return address_check(address, facts->all, facts->here, address_answer, facts->answers);
}

static GPtrArray *check_one(const Cli *cli, Record *address, Record *all, GError **error)
{
    g_autoptr(Record) list = json_object_new_array();
    g_auto(Facts) facts = {0};

    json_object_array_add(list, json_object_get(address));
    return find_facts(cli, list, all, &facts, error) ? check(address, &facts) : NULL;
}

/* An option's value as it will be kept, in the place of what there was; FALSE: it cannot be. */
static gboolean overlay(const Cli *cli, const char *option, ValueKind kind, Record *address)
{
    const char *text = command_option(cli, option);
    Value value = {0};

    if (!text)
        return TRUE;
    if (!value_read(kind, option, text, 0, &value, NULL))
        return FALSE;
    json_object_object_add(address, option,
                           value.is == VALUE_IS_UNSIGNED ? json_object_new_int64(value.number)
                           : value.is == VALUE_IS_TEXT   ? json_object_new_string(value.text)
                                                         : NULL);
    value_clear(&value);
    return TRUE;
}

/* FALSE: some value is wrong, which the directory will say. */
static gboolean overlay_all(const Cli *cli, Record *address)
{
    return overlay(cli, "ipv4", VALUE_IPV4, address) && overlay(cli, "ipv6", VALUE_IPV6, address) &&
           overlay(cli, "helo", VALUE_HELO, address) &&
           overlay(cli, "weight", VALUE_WEIGHT, address) && record_text(address, "ipv4") &&
           record_text(address, "helo");
}

/* It will take mail, and has not so far under this name and these addresses. */
static gboolean needs_check(const Record *was, const Record *now)
{
    static const char *const names[] = {"ipv4", "ipv6", "helo"};
    gboolean other = !was || record_int(was, "weight") == 0;

    for (guint i = 0; was && i < G_N_ELEMENTS(names); i++)
        other |= g_strcmp0(record_text(was, names[i]), record_text(now, names[i])) != 0;
    return other && record_int(now, "weight") > 0;
}

static gboolean refuse(const AddressFinding *failed, GError **error)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED,
                "address %s fails its check: %s: %s: %s; --weight 0 keeps it idle, --force lets it "
                "take mail all the same",
                failed->address, failed->check, address_result_word(failed->result), failed->text);
    return FALSE;
}

/* was: NULL for a new one. */
static gboolean may_take_mail(Cli *cli, Sql *sql, const Record *was, GError **error)
{
    g_autoptr(Record) now = json_object_new_object();
    static const char *const copied[] = {"id", "ipv4", "ipv6", "helo", "weight"};

    json_object_object_add(now, "weight", json_object_new_int64(VALUE_WEIGHT_MAX));
    for (guint i = 0; was && i < G_N_ELEMENTS(copied); i++)
        json_object_object_add(now, copied[i],
                               json_object_get(json_object_object_get(was, copied[i])));
    if (command_option(cli, "force") || !overlay_all(cli, now) || !needs_check(was, now))
        return TRUE;
    g_autoptr(Record) all = directory_list(sql, DIRECTORY_ADDRESS, NULL, error);
    g_autoptr(GPtrArray) findings = all ? check_one(cli, now, all, error) : NULL;
    if (!findings)
        return FALSE;
    const AddressFinding *failed = address_check_failed(findings);
    if (failed)
        return refuse(failed, error);
    if (was && cli->n_options < COMMAND_OPTIONS_MAX)
        cli->options[cli->n_options++] = (DirectoryOption){"no-force", NULL};
    return TRUE;
}

gboolean address_add(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    return sql && may_take_mail(cli, sql, NULL, error) && object_add(cli, error);
}

gboolean address_change(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);
    g_autoptr(Record) was =
        sql ? directory_show(sql, DIRECTORY_ADDRESS, cli->arguments, error) : NULL;

    return was && may_take_mail(cli, sql, was, error) && object_change(cli, error);
}

static gboolean add_findings(const Record *address, const Facts *facts, Record *list)
{
    g_autoptr(GPtrArray) findings = check(address, facts);

    for (guint i = 0; i < findings->len; i++) {
        const AddressFinding *finding = findings->pdata[i];
        Record *row = json_object_new_object();
        json_object_object_add(row, "pool", json_object_new_string(record_text(address, "pool")));
        json_object_object_add(row, "address", json_object_new_string(finding->address));
        json_object_object_add(row, "check", json_object_new_string(finding->check));
        json_object_object_add(row, "result",
                               json_object_new_string(address_result_word(finding->result)));
        json_object_object_add(row, "text", json_object_new_string(finding->text));
        json_object_array_add(list, row);
    }
    return address_check_failed(findings) == NULL;
}

/* What is to be checked: of a pool, one address, or all. */
static Record *chosen(Cli *cli, Sql *sql, GError **error)
{
    const char *what = cli->arguments[0];

    if (!what || (!strchr(what, '.') && !strchr(what, ':'))) {
        g_autoptr(Record) pool =
            what ? directory_show(sql, DIRECTORY_POOL, cli->arguments, error) : NULL;
        return what && !pool ? NULL : directory_list(sql, DIRECTORY_ADDRESS, what, error);
    }
    Record *address = directory_show(sql, DIRECTORY_ADDRESS, cli->arguments, error);
    Record *list = address ? json_object_new_array() : NULL;
    if (list)
        json_object_array_add(list, address);
    return list;
}

gboolean pool_check(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);
    g_autoptr(Record) wanted = sql ? chosen(cli, sql, error) : NULL;
    g_autoptr(Record) all = wanted ? directory_list(sql, DIRECTORY_ADDRESS, NULL, error) : NULL;
    g_autoptr(Record) list = json_object_new_array();
    g_auto(Facts) facts = {0};
    gboolean good = TRUE;

    if (!all || !find_facts(cli, wanted, all, &facts, error))
        return FALSE;
    for (gsize i = 0; i < json_object_array_length(wanted); i++)
        good &= add_findings(json_object_array_get_idx(wanted, i), &facts, list);
    cli->status = good ? 0 : ATTENTION;
    if (!output_json(cli, list))
        output_table(list, "pool address check result text");
    return TRUE;
}
