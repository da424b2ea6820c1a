/* SPDX-License-Identifier: MIT */
/*
 * DKIM keys. `installation' names the installation's own; else an owner and one of its domains. A selector comes last where
 * one is needed.
 */
#include "lib/directory/key.h"

#include <stdio.h>

#include "cli/output.h"
#include "cli/session.h"
#include "lib/base/error.h"
#include "lib/directory/publish.h"

#define COLUMNS                                                                                    \
    "selector algorithm bits state created_at active_at vanished_at retired_at removable_at "      \
    "waits_for"

/* Whose keys a command is about. */
typedef struct {
    guint64 domain;
    char *name;           /* the domain that signs */
    const char *selector; /* what was given behind it; NULL: nothing */
    Record *before;       /* the keys as they were */
} Keys;

static void keys_clear(Keys *keys)
{
    g_free(keys->name);
    g_clear_pointer(&keys->before, record_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Keys, keys_clear)

static gint64 keep_seconds(const Cli *cli)
{
    return key_state_keep(config_int(cli->config, CONFIG_QUEUE_LIFETIME),
                          config_int(cli->config, CONFIG_HOLD_DAYS));
}

static gboolean find_domain(Cli *cli, Sql *sql, Keys *keys, GError **error)
{
    if (!cli->arguments[1]) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                    "key: name a domain behind its owner, or `installation' alone");
        return FALSE;
    }
    g_autoptr(Record) record = directory_show(sql, DIRECTORY_DOMAIN, cli->arguments, error);
    if (!record)
        return FALSE;
    keys->domain = (guint64)record_int(record, "id");
    keys->name = g_strdup(record_text(record, "name"));
    keys->selector = cli->arguments[2];
    return TRUE;
}

/* Reads the arguments; with_selector: one has to come last. */
static Sql *find(Cli *cli, gboolean with_selector, Keys *keys, GError **error)
{
    Sql *sql = cli_sql(cli, error);
    gboolean installation = g_str_equal(cli->arguments[0], "installation");

    if (!sql || (!installation && !find_domain(cli, sql, keys, error)))
        return NULL;
    if (installation) {
        keys->name = g_strdup(config_string(cli->config, CONFIG_RETURN_PATH_DOMAIN));
        keys->selector = cli->arguments[1];
    }
    gboolean missing = with_selector && !keys->selector;
    if (missing || (!with_selector && keys->selector) || (installation && cli->arguments[2])) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "key: %s",
                    missing ? "a selector has to come last" : "there is an argument too much");
        return NULL;
    }
    keys->before = directory_key_list(sql, keys->domain, error);
    return keys->before ? sql : NULL;
}

static gboolean was_there(const Keys *keys, const Record *key)
{
    for (gsize i = 0; i < json_object_array_length(keys->before); i++)
        if (record_int(json_object_array_get_idx(keys->before, i), "id") == record_int(key, "id"))
            return TRUE;
    return FALSE;
}

/* The records of the keys that were not there before. */
static Record *records_of_new(const Keys *keys, Record *list)
{
    Record *dns = json_object_new_array();

    for (gsize i = 0; i < json_object_array_length(list); i++) {
        const Record *key = json_object_array_get_idx(list, i);
        if (!was_there(keys, key))
            publish_key(dns, key, keys->name);
    }
    return dns;
}

/* --json: {"domain", "keys", "dns"}. */
static gboolean print(const Cli *cli, const Keys *keys, Record *list)
{
    g_autoptr(Record) record = json_object_new_object();
    Record *dns = records_of_new(keys, list);

    json_object_object_add(record, "domain", json_object_new_string(keys->name));
    json_object_object_add(record, "keys", json_object_get(list));
    json_object_object_add(record, "dns", dns);
    if (output_json(cli, record))
        return TRUE;
    output_table(list, COLUMNS);
    if (json_object_array_length(dns) > 0) {
        puts("\nPublish this; the key signs once every server of the zone shows it:");
        output_dns(dns);
    }
    return TRUE;
}

gboolean key_list(Cli *cli, GError **error)
{
    g_auto(Keys) keys = {0};

    return find(cli, FALSE, &keys, error) && print(cli, &keys, keys.before);
}

static gboolean read_kind(const Cli *cli, const char **algorithm, guint *bits, GError **error)
{
    const char *text = command_option(cli, "bits");
    guint64 number = DKIM_KEY_BITS;

    *algorithm = command_option(cli, "algorithm");
    if (!*algorithm)
        *algorithm = "rsa";
    gboolean ed25519 = g_str_equal(*algorithm, "ed25519");
    if (text && !command_number("bits", text, 4096, &number, error))
        return FALSE;
    *bits = ed25519 && !text ? 0 : (guint)number;
    return TRUE;
}

gboolean key_add(Cli *cli, GError **error)
{
    g_auto(Keys) keys = {0};
    const char *algorithm;
    guint bits;

    if (!read_kind(cli, &algorithm, &bits, error))
        return FALSE;
    Sql *sql = find(cli, FALSE, &keys, error);
    g_autoptr(Record) list =
        sql ? directory_key_add(sql, keys.domain, algorithm, bits, error) : NULL;
    return list && print(cli, &keys, list);
}

gboolean key_rotate(Cli *cli, GError **error)
{
    g_auto(Keys) keys = {0};
    Sql *sql = find(cli, FALSE, &keys, error);
    g_autoptr(Record) list =
        sql ? directory_key_rotate(sql, keys.domain, command_option(cli, "selector"), error) : NULL;

    return list && print(cli, &keys, list);
}

gboolean key_retire(Cli *cli, GError **error)
{
    g_auto(Keys) keys = {0};
    Sql *sql = find(cli, TRUE, &keys, error);

    if (!sql)
        return FALSE;
    g_autoptr(Record) list =
        directory_key_retire(sql, keys.domain, keys.selector, keep_seconds(cli), error);
    return list && print(cli, &keys, list);
}

/* What DNS cannot be asked for, as its servers are out of reach from here. */
gboolean key_activate(Cli *cli, GError **error)
{
    g_auto(Keys) keys = {0};
    Sql *sql = find(cli, TRUE, &keys, error);
    gboolean changed = FALSE;

    if (!sql)
        return FALSE;
    for (gsize i = 0; i < json_object_array_length(keys.before); i++) {
        const Record *key = json_object_array_get_idx(keys.before, i);
        if (g_str_equal(record_text(key, "selector"), keys.selector) &&
            !directory_key_activate(sql, keys.domain, (guint64)record_int(key, "id"),
                                    keep_seconds(cli), &changed, error))
            return FALSE;
    }
    if (!changed) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED,
                    "there is no key in state new or lost with that selector");
        return FALSE;
    }
    g_autoptr(Record) list = directory_key_list(sql, keys.domain, error);
    return list && print(cli, &keys, list);
}
