/* SPDX-License-Identifier: MIT */
#include "lib/directory/path.h"

#include <string.h>

#include "lib/base/error.h"

static const OwnerKind owners[] = {
#define X(OBJECT, word, table, OWNER, arguments) [DIRECTORY_##OBJECT] = OWNER_##OWNER,
#include "lib/directory/object.def"
#undef X
};

OwnerKind path_owner_kind(DirectoryObject object)
{
    return owners[object];
}

void path_clear(Path *path)
{
    for (guint i = 0; i < PATH_KEYS_MAX; i++)
        value_clear(&path->keys[i]);
    path->n = 0;
}

static gboolean add_key(Path *path, ValueKind kind, const char *field, const char *text,
                        GError **error)
{
    return value_read(kind, field, text, 0, &path->keys[path->n++], error);
}

static void add_empty(Path *path)
{
    Value *value = &path->keys[path->n++];

    value_clear(value);
    value->is = VALUE_IS_TEXT;
    value->text = g_strdup("");
}

/* "acme/main"; need_server: FALSE when "acme" will do. */
static gboolean read_server(Path *path, const char *text, gboolean need_server, GError **error)
{
    const char *slash = strchr(text, '/');

    if (!slash && !need_server) {
        if (!add_key(path, VALUE_ORGANIZATION_PERMALINK, "organization", text, error))
            return FALSE;
        add_empty(path);
        return TRUE;
    }
    if (!slash) {
        g_autofree char *quoted = value_quote(text);
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                    "server: %s: allowed is ORGANIZATION/SERVER", quoted);
        return FALSE;
    }
    g_autofree char *organization = g_strndup(text, (gsize)(slash - text));
    return add_key(path, VALUE_ORGANIZATION_PERMALINK, "organization", organization, error) &&
           add_key(path, VALUE_SERVER_PERMALINK, "server", slash + 1, error);
}

/* What was read replaces what path held; found is empty afterwards. */
static void hand_over(Path *found, Path *path)
{
    path_clear(path);
    *path = *found;
    memset(found, 0, sizeof(*found));
}

gboolean path_read_owner(OwnerKind kind, const char *text, Path *path, GError **error)
{
    g_auto(Path) found = {0};
    gboolean good = TRUE;

    switch (kind) {
    case OWNER_ORGANIZATION:
        good = add_key(&found, VALUE_ORGANIZATION_PERMALINK, "organization", text, error);
        break;
    case OWNER_SERVER:
    case OWNER_EITHER:
        good = read_server(&found, text, kind == OWNER_SERVER, error);
        break;
    case OWNER_POOL:
        good = add_key(&found, VALUE_POOL_NAME, "pool", text, error);
        break;
    case OWNER_NONE:
        break;
    }
    if (good)
        hand_over(&found, path);
    return good;
}

static gboolean read_address(Path *path, const char *text, GError **error)
{
    ValueKind kind = strchr(text, ':') ? VALUE_IPV6 : VALUE_IPV4;

    /* NOLINTNEXTLINE(misc-redundant-expression): the statement compares two columns with it */
    return add_key(path, kind, "address", text, error) &&
           add_key(path, kind, "address", text, error);
}

/* An id, kept as its digits. */
static gboolean read_number(Path *path, const char *field, const char *text, GError **error)
{
    guint64 number;

    if (g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT32, &number, NULL)) {
        Value *value = &path->keys[path->n++];
        value->is = VALUE_IS_TEXT;
        value->text = g_strdup_printf("%" G_GUINT64_FORMAT, number);
        return TRUE;
    }
    g_autofree char *quoted = value_quote(text);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "%s: %s: allowed is a number", field,
                quoted);
    return FALSE;
}

gboolean path_read(DirectoryObject object, const char *const *names, Path *path, GError **error)
{
    g_auto(Path) found = {0};
    gboolean good = FALSE;

    switch (object) {
    case DIRECTORY_ORGANIZATION:
        good = add_key(&found, VALUE_ORGANIZATION_PERMALINK, "organization", names[0], error);
        break;
    case DIRECTORY_SERVER:
        good = read_server(&found, names[0], TRUE, error);
        break;
    case DIRECTORY_DOMAIN:
        good = read_server(&found, names[0], FALSE, error) &&
               add_key(&found, VALUE_DOMAIN, "domain", names[1], error);
        break;
    case DIRECTORY_CREDENTIAL:
        good = read_server(&found, names[0], TRUE, error) &&
               add_key(&found, VALUE_TITLE, "credential", names[1], error);
        break;
    case DIRECTORY_POOL:
        good = add_key(&found, VALUE_POOL_NAME, "pool", names[0], error);
        break;
    case DIRECTORY_ADDRESS:
        good = read_address(&found, names[0], error);
        break;
    case DIRECTORY_SMARTHOST:
        good = add_key(&found, VALUE_SMARTHOST_NAME, "smarthost", names[0], error);
        break;
    case DIRECTORY_RULE:
        good = read_number(&found, "rule", names[0], error);
        break;
    case DIRECTORY_TRACK_DOMAIN:
        good = read_server(&found, names[0], TRUE, error) &&
               add_key(&found, VALUE_DOMAIN, "track-domain", names[1], error);
        break;
    case DIRECTORY_ENDPOINT:
        good = read_server(&found, names[0], TRUE, error) &&
               add_key(&found, VALUE_ENDPOINT_NAME, "endpoint", names[1], error);
        break;
    case DIRECTORY_ROUTE:
        good = read_server(&found, names[0], TRUE, error) &&
               add_key(&found, VALUE_ROUTE_ADDRESS, "route", names[1], error);
        break;
    case DIRECTORY_TOKEN:
        good = add_key(&found, VALUE_TITLE, "token", names[0], error);
        break;
    case DIRECTORY_OBJECT_COUNT:
        break;
    }
    if (good)
        hand_over(&found, path);
    return good;
}

void path_parameters(const Path *path, SqlParameter parameters[PATH_KEYS_MAX])
{
    for (guint i = 0; i < PATH_KEYS_MAX; i++)
        parameters[i] = SQL_TEXT(path->keys[i].text);
}

char *path_text(DirectoryObject object, const Path *path)
{
    const Value *keys = path->keys;
    gboolean server = path->n > 1 && keys[1].text && *keys[1].text;

    switch (object) {
    case DIRECTORY_SERVER:
        return g_strdup_printf("%s/%s", keys[0].text, keys[1].text);
    case DIRECTORY_DOMAIN:
    case DIRECTORY_CREDENTIAL:
    case DIRECTORY_TRACK_DOMAIN:
    case DIRECTORY_ENDPOINT:
    case DIRECTORY_ROUTE:
        return g_strdup_printf("%s%s%s %s", keys[0].text, server ? "/" : "",
                               server ? keys[1].text : "", keys[2].text);
    default:
        return g_strdup(keys[0].text);
    }
}
