/* SPDX-License-Identifier: MIT */
/*
 * Each verb is one transaction that begins by taking the revision: that locks the counter, so writers
 * of the directory follow one another and what is read after it stays true until the commit.
 */
#include "lib/directory/directory.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/directory/credential_scope.h"
#include "lib/directory/credential_secret.h"
#include "lib/directory/endpoint.h"
#include "lib/directory/route.h"
#include "lib/directory/work.h"

/* At most one pool and one smart host is the default. A pool that was open to all as the default stays
 * open to those who use it. */
static gboolean clear_default(Sql *sql, Work *work, GError **error)
{
    const SqlParameter parameters[] = {SQL_UNSIGNED(work->revision), SQL_UNSIGNED(work->id)};
    const SqlParameter now = SQL_INT(work->now);
    gboolean pool = work->object == DIRECTORY_POOL;

    if (pool && !sql_execute(sql, SQL_POOL_ALLOW_USERS, &now, 1, NULL, NULL, error))
        return FALSE;
    if (fields_column(&work->fields, "is_default")->number == 0)
        return TRUE;
    return sql_execute(sql, pool ? SQL_POOL_CLEAR_DEFAULT : SQL_SMARTHOST_CLEAR_DEFAULT, parameters,
                       2, NULL, NULL, error);
}

/* What belongs to an object besides its row. */
static gboolean write_beside(Sql *sql, Work *work, gboolean is_new, GError **error)
{
    if (work->object == DIRECTORY_DOMAIN && is_new)
        return domain_assets_write(sql, &work->assets, work->id, work->now, work->revision, error);
    if (work->object == DIRECTORY_CREDENTIAL)
        return (!work->key || credential_secret_write(sql, work->id, work->key,
                                                      fields_switched(&work->fields, "cram-md5"),
                                                      work->revision, error)) &&
               credential_scope_write(sql, work->id, &work->fields, work->revision, error);
    if (work->object == DIRECTORY_POOL || work->object == DIRECTORY_SMARTHOST)
        return clear_default(sql, work, error);
    if (work->object == DIRECTORY_ENDPOINT)
        return endpoint_check_address(sql, work->of.server, work->id, &work->fields, error);
    if (work->object == DIRECTORY_ROUTE)
        return route_endpoints_write(sql, work->of.server, work->id, &work->fields, work->revision,
                                     error);
    return TRUE;
}

/* A lane of its own; pool 0: of none. */
static gboolean add_lane(Sql *sql, const Work *work, gint64 pool, guint64 *lane, GError **error)
{
    const SqlParameter parameters[] = {SQL_TEXT(pool ? "address" : "smarthost"),
                                       pool ? SQL_UNSIGNED(pool) : SQL_NULL,
                                       SQL_UNSIGNED(work->revision)};

    return sql_execute(sql, SQL_LANE_ADD, parameters, G_N_ELEMENTS(parameters), NULL, lane, error);
}

/* The parameters that stand before the fields: ids of the owners, and a lane. */
static gboolean owner_parameters(Sql *sql, Work *work, SqlParameter *parameters, guint *used,
                                 GError **error)
{
    static const DirectoryObject owner_objects[] = {[OWNER_ORGANIZATION] = DIRECTORY_ORGANIZATION,
                                                    [OWNER_SERVER] = DIRECTORY_SERVER,
                                                    [OWNER_EITHER] = DIRECTORY_SERVER,
                                                    [OWNER_POOL] = DIRECTORY_POOL};
    OwnerKind kind = path_owner_kind(work->object);
    guint64 lane = 0;

    if (work->object == DIRECTORY_SMARTHOST) {
        if (!add_lane(sql, work, 0, &lane, error))
            return FALSE;
        parameters[(*used)++] = SQL_UNSIGNED(lane);
    }
    if (work->object == DIRECTORY_TOKEN)
        parameters[(*used)++] = SQL_OCTETS(work->key_hash, sizeof work->key_hash);
    if (kind == OWNER_NONE)
        return TRUE;
    gboolean whole = kind == OWNER_EITHER && !*work->owner.keys[1].text;
    DirectoryObject object = whole ? DIRECTORY_ORGANIZATION : owner_objects[kind];
    Path path = work->owner; /* borrowed */
    if (whole)
        path.n = 1;
    g_autoptr(Record) owner = work_find(sql, object, &path, error);
    if (!owner)
        return FALSE;
    if (kind == OWNER_POOL) {
        if (!add_lane(sql, work, record_int(owner, "id"), &lane, error))
            return FALSE;
        parameters[(*used)++] = SQL_UNSIGNED(lane);
    }
    work->of.organization =
        (guint64)record_int(owner, object == DIRECTORY_SERVER ? "organization_id" : "id");
    work->of.server = object == DIRECTORY_SERVER ? (guint64)record_int(owner, "id") : 0;
    if (kind == OWNER_EITHER && !whole)
        parameters[(*used)++] = SQL_UNSIGNED(work->of.organization);
    parameters[(*used)++] = SQL_UNSIGNED(record_int(owner, "id"));
    if (whole)
        parameters[(*used)++] = SQL_NULL;
    return TRUE;
}

static gboolean exists(const Work *work, GError **error, GError *why)
{
    g_autofree char *text = path_text(work->object, &work->path);

    if (g_error_matches(why, OUTRIDER_ERROR, OUTRIDER_ERROR_EXISTS))
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_EXISTS, "%s %s exists already",
                    directory_word(work->object), text);
    else
        g_propagate_error(error, g_error_copy(why));
    return FALSE;
}

static gboolean name_rule(Work *work, GError **error)
{
    g_autofree char *id = g_strdup_printf("%" G_GUINT64_FORMAT, work->id);

    return path_read(DIRECTORY_RULE, (const char *const[]){id}, &work->path, error);
}

static gboolean do_add(Sql *sql, gpointer data, GError **error)
{
    Work *work = data;
    SqlParameter parameters[FIELDS_MAX + 4];
    guint used = 0;
    g_autoptr(GError) why = NULL;

    if (!sql_next_revision(sql, &work->revision, error) ||
        !owner_parameters(sql, work, parameters, &used, error) ||
        !reference_resolve(sql, work->of, TRUE, &work->fields, error))
        return FALSE;
    used += fields_parameters(&work->fields, parameters + used);
    parameters[used++] = SQL_INT(work->now);
    parameters[used++] = SQL_UNSIGNED(work->revision);
    if (!sql_execute(sql, directory_statements[work->object].add, parameters, used, NULL, &work->id,
                     &why))
        return exists(work, error, why);
    if (work->object == DIRECTORY_RULE && !name_rule(work, error))
        return FALSE;
    return write_beside(sql, work, TRUE, error) && work_reload(sql, work, error);
}

/* What takes time or randomness is made before the transaction. */
static gboolean make_secrets(Work *work, GError **error)
{
    if (work->object == DIRECTORY_TOKEN) {
        work->key = credential_key_generate(error);
        if (work->key)
            edge_key_hash(work->key, work->key_hash);
        return work->key != NULL;
    }
    if (work->object == DIRECTORY_CREDENTIAL)
        return credential_scope_check(&work->fields, TRUE, error) &&
               (credential_is_source(&work->fields) ||
                (work->key = credential_key_generate(error)) != NULL);
    return work->object != DIRECTORY_DOMAIN ||
           domain_assets_make(&work->assets, !fields_switched(&work->fields, "no-ed25519"), error);
}

/* An address is added below a pool and then called by its IPv4 address; a rule below its owner, and
 * called by its id. */
static gboolean read_names(Work *work, const char **name, GError **error)
{
    if (work->object == DIRECTORY_ADDRESS || work->object == DIRECTORY_RULE) {
        *name = NULL;
        return path_read_owner(path_owner_kind(work->object), work->names[0], &work->owner, error);
    }
    if (!path_read(work->object, work->names, &work->path, error))
        return FALSE;
    *name = work->path.keys[work->path.n - 1].text;
    OwnerKind kind = path_owner_kind(work->object);
    g_autofree char *owner = g_strdup(work->names[0]);
    char *slash = strchr(owner, '/');
    if (kind == OWNER_ORGANIZATION && slash)
        *slash = '\0';
    return path_read_owner(kind, owner, &work->owner, error);
}

Record *directory_add(Sql *sql, DirectoryObject object, const char *const *names,
                      const DirectoryOption *options, guint n, GError **error)
{
    g_auto(Work)
        work = {.object = object, .names = names, .now = g_get_real_time() / G_USEC_PER_SEC};
    const char *name = NULL;

    if (!read_names(&work, &name, error) ||
        !fields_for_add(object, name, options, n, work.now, &work.fields, error))
        return NULL;
    if (object == DIRECTORY_ADDRESS) {
        const char *address = fields_column(&work.fields, "ipv4")->text;
        if (!path_read(object, &address, &work.path, error))
            return NULL;
    }
    if (!make_secrets(&work, error) || !sql_transaction(sql, do_add, &work, error))
        return NULL;
    if (work.key)
        json_object_object_add(work.record, object == DIRECTORY_TOKEN ? "token" : "key",
                               json_object_new_string(work.key));
    return g_steal_pointer(&work.record);
}

Record *directory_show(Sql *sql, DirectoryObject object, const char *const *names, GError **error)
{
    g_auto(Path) path = {0};

    return path_read(object, names, &path, error) ? work_find(sql, object, &path, error) : NULL;
}

/* After a change the object may be called otherwise. */
static void rename_path(Work *work)
{
    const char *column = work->object == DIRECTORY_ADDRESS ? "ipv4" : "name";
    guint first = work->object == DIRECTORY_ADDRESS ? 0 : work->path.n - 1;
    const Value *name = fields_column(&work->fields, column);

    if (work->object != DIRECTORY_ADDRESS && work->object != DIRECTORY_CREDENTIAL &&
        work->object != DIRECTORY_ENDPOINT && work->object != DIRECTORY_TOKEN)
        return;
    for (guint i = first; i < work->path.n; i++) {
        g_free(work->path.keys[i].text);
        work->path.keys[i].text = g_strdup(name->text);
    }
}

static gboolean do_change(Sql *sql, gpointer data, GError **error)
{
    Work *work = data;
    SqlParameter parameters[FIELDS_MAX + 4];
    g_autoptr(GError) why = NULL;

    /* Each try reads afresh; an earlier one may have renamed the path. */
    path_clear(&work->path);
    fields_clear(&work->fields);
    if (!path_read(work->object, work->names, &work->path, error) ||
        !sql_next_revision(sql, &work->revision, error) || !work_reload(sql, work, error) ||
        !fields_for_change(work->object, work->record, work->options, work->n, work->now,
                           &work->fields, error))
        return FALSE;
    work->of = (ReferenceOwner){
        (guint64)record_int(work->record, "organization_id"),
        (guint64)record_int(work->record, work->object == DIRECTORY_SERVER ? "id" : "server_id")};
    if (!reference_resolve(sql, work->of, FALSE, &work->fields, error) ||
        (work->object == DIRECTORY_CREDENTIAL &&
         !credential_scope_check(&work->fields, FALSE, error)))
        return FALSE;
    work->id = (guint64)record_int(work->record, "id");
    guint used = fields_parameters(&work->fields, parameters);
    parameters[used++] = SQL_UNSIGNED(work->revision);
    parameters[used++] = SQL_UNSIGNED(work->id);
    rename_path(work);
    if (!sql_execute(sql, directory_statements[work->object].change, parameters, used, NULL, NULL,
                     &why))
        return exists(work, error, why);
    return write_beside(sql, work, FALSE, error) && work_reload(sql, work, error);
}

Record *directory_change(Sql *sql, DirectoryObject object, const char *const *names,
                         const DirectoryOption *options, guint n, GError **error)
{
    g_auto(Work) work = {.object = object,
                         .names = names,
                         .options = options,
                         .n = n,
                         .now = g_get_real_time() / G_USEC_PER_SEC};

    if (!path_read(object, names, &work.path, error) ||
        !sql_transaction(sql, do_change, &work, error))
        return NULL;
    return g_steal_pointer(&work.record);
}

/* What is not there has no empty list. */
static gboolean check_owner(Sql *sql, OwnerKind kind, const char *owner, GError **error)
{
    DirectoryObject of_others = strchr(owner, '/') ? DIRECTORY_SERVER : DIRECTORY_ORGANIZATION;
    const char *const names[] = {owner, NULL};
    g_autoptr(Record) found =
        directory_show(sql, kind == OWNER_POOL ? DIRECTORY_POOL : of_others, names, error);

    return found != NULL;
}

Record *directory_list(Sql *sql, DirectoryObject object, const char *owner, GError **error)
{
    OwnerKind kind = path_owner_kind(object);
    g_auto(Path) path = {0};
    guint n = 0;

    /* A credential's owner may be named by its organization alone, to list them all. */
    if (kind == OWNER_SERVER)
        kind = OWNER_EITHER;
    if (owner &&
        (!path_read_owner(kind, owner, &path, error) || !check_owner(sql, kind, owner, error)))
        return NULL;
    const char *first = owner ? path.keys[0].text : "";
    const char *second = owner && path.n > 1 ? path.keys[1].text : "";
    const SqlParameter parameters[] = {SQL_TEXT(first), SQL_TEXT(first), SQL_TEXT(second),
                                       SQL_TEXT(second)};
    if (kind == OWNER_EITHER)
        n = 4;
    else if (kind != OWNER_NONE)
        n = 2;
    Record *list = record_list(sql, directory_statements[object].list, parameters, n, error);
    for (gsize i = 0; list && i < json_object_array_length(list); i++)
        work_note_usage(object, json_object_array_get_idx(list, i));
    return list;
}
