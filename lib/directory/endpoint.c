/* SPDX-License-Identifier: MIT */
#include "lib/directory/endpoint.h"

#include "lib/base/error.h"
#include "lib/edge/edge_route.h"

#define SMTP_PORT  25
#define LMTP_PORT  24
#define SMTPS_PORT 465
#define TIMEOUT    5

static const char *const kinds[] = {
#define X(NAME, word, text) word,
#include "lib/edge/endpoint_kind.def"
#undef X
    NULL};

/* The option that says where an endpoint of a kind is, and those that go with it. */
static const struct {
    EdgeEndpointKind kind;
    const char *where;
    const char *details[6];
} options[] = {
    {EDGE_ENDPOINT_HTTP,
     "url",
     {"encoding", "format", "strip-replies", "attachments", "timeout", NULL}},
    {EDGE_ENDPOINT_SMTP, "smtp", {"tls", NULL}},
    {EDGE_ENDPOINT_LMTP, "lmtp", {NULL}},
    {EDGE_ENDPOINT_ADDRESS, "address", {NULL}},
};

static gboolean invalid(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static gboolean invalid(GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, text);
    return FALSE;
}

static void set_text(Fields *fields, const char *column, const char *text)
{
    Value *value = fields_column(fields, column);
    char *copy = g_strdup(text);

    value_clear(value);
    value->is = VALUE_IS_TEXT;
    value->text = copy;
}

static void set_number(Fields *fields, const char *column, gint64 number)
{
    Value *value = fields_column(fields, column);

    value_clear(value);
    value->is = VALUE_IS_UNSIGNED;
    value->number = number;
}

static gboolean is_null(Fields *fields, const char *column)
{
    return fields_column(fields, column)->is == VALUE_IS_NULL;
}

static gboolean find_kind(gboolean is_new, Fields *fields, guint *found, GError **error)
{
    const char *old = fields_column(fields, "kind")->text;
    guint given = 0;

    for (guint i = 0; i < G_N_ELEMENTS(options); i++) {
        if (!is_new && g_str_equal(kinds[options[i].kind], old))
            *found = i;
        if (!fields_given(fields, options[i].where))
            continue;
        if (!is_new && !g_str_equal(kinds[options[i].kind], old))
            return invalid(error, "--%s: the endpoint is of kind %s, which stays; add another one",
                           options[i].where, old);
        *found = i;
        given++;
    }
    if (given > 1 || (is_new && given == 0))
        return invalid(error, "an endpoint has one of --url, --smtp, --lmtp and --address");
    return TRUE;
}

static gboolean check_details(Fields *fields, guint kind, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(options); i++)
        for (guint d = 0; i != kind && options[i].details[d]; d++)
            if (fields_given(fields, options[i].details[d]))
                return invalid(error, "--%s goes with --%s, but the endpoint is of kind %s",
                               options[i].details[d], options[i].where, kinds[options[kind].kind]);
    return TRUE;
}

static void fill_http(Fields *fields)
{
    if (is_null(fields, "encoding"))
        set_text(fields, "encoding", "json");
    if (is_null(fields, "format"))
        set_text(fields, "format", "hash");
    if (is_null(fields, "strip_replies"))
        set_number(fields, "strip_replies", 0);
    if (is_null(fields, "attachments"))
        set_number(fields, "attachments", 1);
    if (is_null(fields, "timeout"))
        set_number(fields, "timeout", TIMEOUT);
}

/* What was looked up for an earlier host is not this one's. */
static void fill_place(Fields *fields, const Value *place, gint64 port)
{
    const char *old = fields_column(fields, "host")->text;
    gboolean socket = place->text[0] == '/';

    if (g_strcmp0(old, place->text) != 0) {
        value_clear(fields_column(fields, "resolved"));
        value_clear(fields_column(fields, "resolved_at"));
    }
    set_text(fields, "host", place->text);
    value_clear(fields_column(fields, "port"));
    if (!socket)
        set_number(fields, "port", place->number ? place->number : port);
}

static gboolean check_smtp(Fields *fields, GError **error)
{
    const char *host = fields_column(fields, "host")->text;
    gboolean literal = g_hostname_is_ip_address(host);

    if (is_null(fields, "tls"))
        set_text(fields, "tls", "may");
    if (fields_column(fields, "port")->number == SMTPS_PORT)
        return invalid(
            error, "smtp: TLS from the first octet on (port 465) is not spoken; name a port with "
                   "STARTTLS, such as 25 or 587");
    if (literal && g_str_equal(fields_column(fields, "tls")->text, "verify"))
        return invalid(error,
                       "tls: verify needs a host name, as the certificate is compared with it");
    return TRUE;
}

gboolean endpoint_settle(gboolean is_new, Fields *fields, GError **error)
{
    guint kind = 0;

    if (!find_kind(is_new, fields, &kind, error) || !check_details(fields, kind, error))
        return FALSE;
    const Value *place = fields_given(fields, options[kind].where);
    set_text(fields, "kind", kinds[options[kind].kind]);
    switch (options[kind].kind) {
    case EDGE_ENDPOINT_HTTP:
        fill_http(fields);
        return TRUE;
    case EDGE_ENDPOINT_SMTP:
        if (place)
            fill_place(fields, place, SMTP_PORT);
        return check_smtp(fields, error);
    case EDGE_ENDPOINT_LMTP:
        if (place)
            fill_place(fields, place, LMTP_PORT);
        return TRUE;
    case EDGE_ENDPOINT_ADDRESS:
        return TRUE;
    }
    return TRUE;
}

gboolean endpoint_check_address(Sql *sql, guint64 server, guint64 id, Fields *fields,
                                GError **error)
{
    const char *address = fields_column(fields, "address")->text;
    g_autoptr(GError) why = NULL;

    if (!address)
        return TRUE;
    const SqlParameter parameters[] = {SQL_UNSIGNED(server), SQL_TEXT(address), SQL_UNSIGNED(id)};
    g_autoptr(Record) other = record_first(sql, SQL_ENDPOINT_SAME_ADDRESS, parameters, 3, &why);
    if (why) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    if (other)
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_EXISTS,
                    "address: endpoint %s sends on to %s already", record_text(other, "name"),
                    address);
    return !other;
}

gboolean endpoint_release(Sql *sql, guint64 id, guint64 revision, GError **error)
{
    const SqlParameter parameters[] = {SQL_UNSIGNED(revision), SQL_UNSIGNED(id)};

    return sql_execute(sql, SQL_ENDPOINT_ROUTES_REJECT, parameters, 2, NULL, NULL, error) &&
           sql_execute(sql, SQL_ENDPOINT_ROUTES_TOMBSTONES, parameters, 2, NULL, NULL, error) &&
           sql_execute(sql, SQL_ENDPOINT_ROUTES_DELETE, parameters + 1, 1, NULL, NULL, error);
}

gboolean endpoints_forget(Sql *sql, guint64 server, guint64 revision, GError **error)
{
    const SqlParameter parameters[] = {SQL_UNSIGNED(revision), SQL_UNSIGNED(server)};

    return sql_execute(sql, SQL_ENDPOINTS_TOMBSTONES, parameters, 2, NULL, NULL, error) &&
           sql_execute(sql, SQL_ENDPOINTS_DELETE, parameters + 1, 1, NULL, NULL, error);
}
