/* SPDX-License-Identifier: MIT */
#include "lib/directory/reference.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/directory/endpoint.h"
#include "lib/directory/route.h"

static void set_id(Value *value, gint64 id)
{
    value_clear(value);
    value->is = VALUE_IS_UNSIGNED;
    value->number = id;
}

static gboolean has(const Value *value)
{
    return value && value->is != VALUE_IS_NULL;
}

static gboolean read_number(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    *(gint64 *)data = sql_row_int(row, 0);
    return TRUE;
}

static gboolean check_pool(Sql *sql, ReferenceOwner owner, gint64 pool, const char *name,
                           GError **error)
{
    const SqlParameter parameters[] = {SQL_UNSIGNED(pool), SQL_UNSIGNED(pool),
                                       SQL_UNSIGNED(owner.organization)};
    gint64 allowed = 0;

    if (!sql_query(sql, SQL_POOL_ALLOWED, parameters, 3, read_number, &allowed, error))
        return FALSE;
    if (allowed)
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED,
                "pool %s is not open to this organization: `outrider pool allow' opens it", name);
    return FALSE;
}

static gboolean resolve_pool(Sql *sql, ReferenceOwner owner, Value *value, GError **error)
{
    if (!value || value->is != VALUE_IS_TEXT)
        return TRUE;
    g_autoptr(Record) pool =
        directory_show(sql, DIRECTORY_POOL, (const char *const[]){value->text}, error);
    if (!pool || !check_pool(sql, owner, record_int(pool, "id"), value->text, error))
        return FALSE;
    set_id(value, record_int(pool, "id"));
    return TRUE;
}

static gboolean resolve_smarthost(Sql *sql, ReferenceOwner owner, Value *value, GError **error)
{
    if (!value || value->is != VALUE_IS_TEXT)
        return TRUE;
    g_autoptr(Record) host =
        directory_show(sql, DIRECTORY_SMARTHOST, (const char *const[]){value->text}, error);
    if (!host)
        return FALSE;
    gboolean whole = record_is_null(host, "server_id");
    gboolean ours = record_is_null(host, "organization_id") ||
                    ((guint64)record_int(host, "organization_id") == owner.organization &&
                     (whole || (guint64)record_int(host, "server_id") == owner.server));
    if (!ours) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED,
                    "smarthost %s belongs to another owner", value->text);
        return FALSE;
    }
    set_id(value, record_int(host, "id"));
    return TRUE;
}

/* "acme" or "acme/main" to the two columns. */
static gboolean resolve_owner(Sql *sql, Fields *fields, GError **error)
{
    Value *organization = fields_column(fields, "organization_id");
    Value *server = fields_column(fields, "server_id");

    if (organization->is != VALUE_IS_TEXT)
        return TRUE;
    gboolean whole = !strchr(organization->text, '/');
    g_autoptr(Record) owner = directory_show(sql, whole ? DIRECTORY_ORGANIZATION : DIRECTORY_SERVER,
                                             (const char *const[]){organization->text}, error);
    if (!owner)
        return FALSE;
    set_id(organization, record_int(owner, whole ? "id" : "organization_id"));
    if (!whole)
        set_id(server, record_int(owner, "id"));
    return TRUE;
}

static gboolean invalid(GError **error, const char *text)
{
    g_set_error_literal(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, text);
    return FALSE;
}

static gboolean check_smarthost(Fields *fields, GError **error)
{
    gboolean user = has(fields_column(fields, "username"));

    if (fields_column(fields, "is_default")->number &&
        has(fields_column(fields, "organization_id")))
        return invalid(error, "--default: the default smart host is everybody's, it has no owner");
    if (user != has(fields_column(fields, "secret_file")))
        return invalid(error, "--user and --secret-file are needed together");
    if (user && g_str_equal(fields_column(fields, "tls")->text, "none"))
        return invalid(error, "--user: without TLS the password would be readable on the way");
    return TRUE;
}

static gboolean check_rule(Fields *fields, GError **error)
{
    if (has(fields_column(fields, "ip_pool_id")) == has(fields_column(fields, "smarthost_id")))
        return invalid(error, "a rule has one of --pool and --smarthost");
    if (!has(fields_column(fields, "from_conditions")) &&
        !has(fields_column(fields, "to_conditions")))
        return invalid(error, "a rule needs --from or --to");
    return TRUE;
}

/* Whether an owner may have one rule more. */
static gboolean has_room(Sql *sql, ReferenceOwner owner, GError **error)
{
    const SqlParameter parameters[] = {SQL_UNSIGNED(owner.organization), SQL_UNSIGNED(owner.server),
                                       SQL_UNSIGNED(owner.server)};
    gint64 n = 0;

    if (!sql_query(sql, SQL_RULE_COUNT, parameters, 3, read_number, &n, error))
        return FALSE;
    if (n < REFERENCE_RULES_MAX)
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED, "rule: the owner has %d already",
                REFERENCE_RULES_MAX);
    return FALSE;
}

/* A domain of the server or its organization. */
static gboolean resolve_domain(Sql *sql, ReferenceOwner owner, Value *value, GError **error)
{
    if (value->is != VALUE_IS_TEXT)
        return TRUE;
    const SqlParameter parameters[] = {SQL_TEXT(value->text), SQL_UNSIGNED(owner.server),
                                       SQL_UNSIGNED(owner.organization)};
    gint64 id = 0;

    if (!sql_query(sql, SQL_TRACK_DOMAIN_SENDER, parameters, 3, read_number, &id, error))
        return FALSE;
    if (id == 0) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND,
                    "domain: neither the server nor its organization has a domain %s", value->text);
        return FALSE;
    }
    set_id(value, id);
    return TRUE;
}

gboolean reference_resolve(Sql *sql, ReferenceOwner owner, gboolean is_new, Fields *fields,
                           GError **error)
{
    switch (fields->object) {
    case DIRECTORY_SMARTHOST:
        return check_smarthost(fields, error) && resolve_owner(sql, fields, error);
    case DIRECTORY_TOKEN:
        return resolve_owner(sql, fields, error);
    case DIRECTORY_RULE:
        return check_rule(fields, error) && (!is_new || has_room(sql, owner, error)) &&
               resolve_pool(sql, owner, fields_column(fields, "ip_pool_id"), error) &&
               resolve_smarthost(sql, owner, fields_column(fields, "smarthost_id"), error);
    case DIRECTORY_SERVER:
        return resolve_pool(sql, owner, fields_column(fields, "ip_pool_id"), error) &&
               resolve_smarthost(sql, owner, fields_column(fields, "smarthost_id"), error);
    case DIRECTORY_TRACK_DOMAIN:
        return resolve_domain(sql, owner, fields_column(fields, "domain_id"), error);
    case DIRECTORY_ENDPOINT:
        return endpoint_settle(is_new, fields, error);
    case DIRECTORY_ROUTE:
        return route_settle(sql, owner, is_new, fields, error);
    default:
        return TRUE;
    }
}
