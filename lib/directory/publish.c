/* SPDX-License-Identifier: MIT */
#include "lib/directory/publish.h"

#include <string.h>

#include "lib/directory/directory.h"
#include "lib/directory/key.h"
#include "lib/directory/verify.h"

#define TXT_STRING_MAX 255

static void add(Record *list, const char *name, const char *type, const char *value)
{
    Record *record = json_object_new_object();

    json_object_object_add(record, "name", json_object_new_string(name));
    json_object_object_add(record, "type", json_object_new_string(type));
    json_object_object_add(record, "value", json_object_new_string(value));
    json_object_array_add(list, record);
}

void publish_key(Record *list, const Record *key, const char *domain)
{
    g_autofree char *name =
        g_strdup_printf("%s._domainkey.%s", record_text(key, "selector"), domain);
    g_autofree char *value =
        dkim_key_record(record_text(key, "algorithm"), record_text(key, "public_key"));

    add(list, name, "TXT", value);
}

static gboolean add_keys(Sql *sql, Record *list, gint64 id, const char *domain, GError **error)
{
    g_autoptr(Record) keys = directory_key_list(sql, (guint64)id, error);

    if (!keys)
        return FALSE;
    for (gsize i = 0; i < json_object_array_length(keys); i++)
        publish_key(list, json_object_array_get_idx(keys, i), domain);
    return TRUE;
}

Record *publish_domain(Sql *sql, const Config *config, const Record *domain, GError **error)
{
    const char *name = record_text(domain, "name");
    const char *target = config_string(config, CONFIG_RETURN_PATH_DOMAIN);
    const char *label = config_string(config, CONFIG_RETURN_PATH_LABEL);
    g_autoptr(Record) list = json_object_new_array();
    g_autofree char *spf = g_strdup_printf("v=spf1 a mx include:%s ~all", target);
    g_autofree char *path = g_strdup_printf("%s.%s", label, name);
    g_autofree char *dmarc = g_strdup_printf("_dmarc.%s", name);
    g_autofree char *proof = verify_record(domain);

    if (proof && record_is_null(domain, "verified_at"))
        add(list, name, "TXT", proof);
    add(list, name, "TXT", spf);
    if (!add_keys(sql, list, record_int(domain, "id"), name, error))
        return NULL;
    add(list, path, "CNAME", target);
    add(list, dmarc, "TXT", "v=DMARC1; p=none");
    return g_steal_pointer(&list);
}

Record *publish_installation(Sql *sql, const char *return_path_domain, const char *hostname,
                             GError **error)
{
    g_autoptr(Record) list = json_object_new_array();
    g_autoptr(Record) addresses = directory_list(sql, DIRECTORY_ADDRESS, NULL, error);
    g_autoptr(GString) spf = g_string_new("v=spf1 mx");
    g_autofree char *mx = g_strdup_printf("10 %s", hostname);

    if (!addresses)
        return NULL;
    for (gsize i = 0; i < json_object_array_length(addresses); i++) {
        const Record *address = json_object_array_get_idx(addresses, i);
        g_string_append_printf(spf, " ip4:%s", record_text(address, "ipv4"));
        if (record_text(address, "ipv6"))
            g_string_append_printf(spf, " ip6:%s", record_text(address, "ipv6"));
    }
    /* Without a pool mail leaves by the default route, from an address that is not known here. */
    g_string_append(spf, json_object_array_length(addresses) ? " -all" : " ~all");
    add(list, return_path_domain, "MX", mx);
    add(list, return_path_domain, "TXT", spf->str);
    if (!add_keys(sql, list, 0, return_path_domain, error))
        return NULL;
    for (gsize i = 0; i < json_object_array_length(addresses); i++) {
        const Record *address = json_object_array_get_idx(addresses, i);
        add(list, record_text(address, "helo"), "A", record_text(address, "ipv4"));
        if (record_text(address, "ipv6"))
            add(list, record_text(address, "helo"), "AAAA", record_text(address, "ipv6"));
    }
    return g_steal_pointer(&list);
}

char *publish_txt(const char *value)
{
    g_autoptr(GString) out = g_string_new(NULL);
    gsize length = strlen(value);

    for (gsize at = 0; at < length; at += TXT_STRING_MAX)
        g_string_append_printf(out, "%s\"%.*s\"", at ? " " : "",
                               (int)MIN(length - at, TXT_STRING_MAX), value + at);
    return g_string_free(g_steal_pointer(&out), FALSE);
}
