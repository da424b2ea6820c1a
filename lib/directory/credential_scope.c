/* SPDX-License-Identifier: MIT */
#include "lib/directory/credential_scope.h"

#include "lib/base/error.h"
#include "lib/base/network.h"

/* One list of a credential. */
typedef struct {
    const char *option;
    SqlStatement tombstones, delete;
    gboolean (*add)(Sql *sql, guint64 credential, gboolean source, const char *item,
                    guint64 revision, GError **error);
} List;

static gboolean add_network(Sql *sql, guint64 credential, gboolean source, const char *item,
                            guint64 revision, GError **error);
static gboolean add_sender(Sql *sql, guint64 credential, gboolean source, const char *item,
                           guint64 revision, GError **error);

static const List lists[] = {
    {"network", SQL_CREDENTIAL_NETWORK_TOMBSTONES, SQL_CREDENTIAL_NETWORK_DELETE, add_network},
    {"sender", SQL_CREDENTIAL_SENDER_TOMBSTONES, SQL_CREDENTIAL_SENDER_DELETE, add_sender},
};

static gboolean is_of_type(Fields *fields, const char *type)
{
    return g_strcmp0(fields_column(fields, "type")->text, type) == 0;
}

gboolean credential_is_source(Fields *fields)
{
    return is_of_type(fields, "smtp-ip");
}

static gboolean refuse(const char *why, GError **error)
{
    g_set_error_literal(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, why);
    return FALSE;
}

gboolean credential_scope_check(Fields *fields, gboolean is_new, GError **error)
{
    const Value *networks = fields_given(fields, "network");

    if (fields_switched(fields, "cram-md5") && !is_of_type(fields, "smtp"))
        return refuse("cram-md5: only a credential of type smtp can have it", error);
    if (!credential_is_source(fields))
        return TRUE;
    if (is_new ? !networks || networks->is == VALUE_IS_NULL
               : networks && networks->is == VALUE_IS_NULL)
        return refuse("network: a credential of type smtp-ip needs one", error);
    return TRUE;
}

/* UNIQUE would say so as well, without a name. */
static gboolean check_free(Sql *sql, const Network *network, const char *item, GError **error)
{
    const SqlParameter parameters[] = {SQL_OCTETS(network->first, NETWORK_OCTETS),
                                       SQL_UNSIGNED(network->length)};
    g_autoptr(GError) why = NULL;
    g_autoptr(Record) holder =
        record_first(sql, SQL_CREDENTIAL_NETWORK_HOLDER, parameters, 2, &why);

    if (why) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    if (holder)
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_EXISTS,
                    "network: %s belongs to credential %s already", item,
                    record_text(holder, "holder"));
    return holder == NULL;
}

static gboolean add_network(Sql *sql, guint64 credential, gboolean source, const char *item,
                            guint64 revision, GError **error)
{
    Network network;
    const char *wrong;
    g_autofree char *text = network_read(item, &network, &wrong);

    g_assert(text); /* it was read before */
    const SqlParameter parameters[] = {SQL_UNSIGNED(credential),
                                       SQL_UNSIGNED(source),
                                       SQL_OCTETS(network.first, NETWORK_OCTETS),
                                       SQL_OCTETS(network.last, NETWORK_OCTETS),
                                       SQL_UNSIGNED(network.length),
                                       SQL_TEXT(text),
                                       SQL_UNSIGNED(revision)};
    return (!source || check_free(sql, &network, text, error)) &&
           sql_execute(sql, SQL_CREDENTIAL_NETWORK_ADD, parameters, G_N_ELEMENTS(parameters), NULL,
                       NULL, error);
}

static gboolean add_sender(Sql *sql, guint64 credential, gboolean source, const char *item,
                           guint64 revision, GError **error)
{
    const SqlParameter parameters[] = {SQL_UNSIGNED(credential), SQL_TEXT(item),
                                       SQL_UNSIGNED(revision)};

    (void)source;
    return sql_execute(sql, SQL_CREDENTIAL_SENDER_ADD, parameters, G_N_ELEMENTS(parameters), NULL,
                       NULL, error);
}

static gboolean forget(Sql *sql, const List *list, guint64 credential, guint64 revision,
                       GError **error)
{
    const SqlParameter stones[] = {SQL_UNSIGNED(revision), SQL_UNSIGNED(credential)};

    return sql_execute(sql, list->tombstones, stones, 2, NULL, NULL, error) &&
           sql_execute(sql, list->delete, stones + 1, 1, NULL, NULL, error);
}

gboolean credential_scope_write(Sql *sql, guint64 credential, Fields *fields, guint64 revision,
                                GError **error)
{
    gboolean source = credential_is_source(fields);

    for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
        const Value *value = fields_given(fields, lists[i].option);
        if (!value)
            continue;
        if (!forget(sql, &lists[i], credential, revision, error))
            return FALSE;
        g_auto(GStrv) items = g_strsplit(value->text ? value->text : "", ",", -1);
        for (char **item = items; *item; item++)
            if (!lists[i].add(sql, credential, source, *item, revision, error))
                return FALSE;
    }
    return TRUE;
}

gboolean credential_scope_forget(Sql *sql, guint64 credential, guint64 revision, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(lists); i++)
        if (!forget(sql, &lists[i], credential, revision, error))
            return FALSE;
    return TRUE;
}
