/* SPDX-License-Identifier: MIT */
/* Deleting: what stands in the way, what goes with an object, and the tombstone. */
#include "lib/base/error.h"
#include "lib/directory/credential_scope.h"
#include "lib/directory/credential_secret.h"
#include "lib/directory/endpoint.h"
#include "lib/directory/limit.h"
#include "lib/directory/route.h"
#include "lib/directory/work.h"

static gboolean append_user(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    GString *users = data;

    g_string_append_printf(users, "%s%s", users->len ? ", " : "", sql_row_text(row, 0));
    return TRUE;
}

static gboolean check_unused(Sql *sql, const Work *work, GError **error)
{
    static const struct {
        DirectoryObject object;
        SqlStatement statement;
        guint n;
    } checks[] = {{DIRECTORY_ORGANIZATION, SQL_ORGANIZATION_USERS, 5},
                  {DIRECTORY_SERVER, SQL_SERVER_USERS, 6},
                  {DIRECTORY_DOMAIN, SQL_DOMAIN_USERS, 1},
                  {DIRECTORY_POOL, SQL_POOL_USERS, 4},
                  {DIRECTORY_SMARTHOST, SQL_SMARTHOST_USERS, 4},
                  {DIRECTORY_ENDPOINT, SQL_ENDPOINT_USERS, 1}};
    const SqlParameter id = SQL_UNSIGNED(work->id);
    const SqlParameter parameters[] = {id, id, id, id, id, id};
    g_autoptr(GString) users = g_string_new(NULL);

    if (work->force)
        return TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(checks); i++)
        if (checks[i].object == work->object && !sql_query(sql, checks[i].statement, parameters,
                                                           checks[i].n, append_user, users, error))
            return FALSE;
    if (users->len == 0)
        return TRUE;
    g_autofree char *text = path_text(work->object, &work->path);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED,
                "%s %s is in use by: %s; delete or change these first",
                directory_word(work->object), text, users->str);
    return FALSE;
}

static gboolean tombstone(Sql *sql, const Work *work, GError **error)
{
    const SqlParameter parameters[] = {SQL_UNSIGNED(work->revision),
                                       SQL_TEXT(directory_statements[work->object].table),
                                       SQL_UNSIGNED(work->id)};

    return sql_execute(sql, SQL_TOMBSTONE_ADD, parameters, 3, NULL, NULL, error);
}

static gboolean delete_beside(Sql *sql, const Work *work, GError **error)
{
    const SqlParameter id[] = {SQL_UNSIGNED(work->id)};
    const SqlParameter lane[] = {SQL_INT(work->now), SQL_UNSIGNED(work->revision),
                                 SQL_UNSIGNED(record_int(work->record, "lane"))};
    LimitSubject subject;

    if (work->object == DIRECTORY_ADDRESS || work->object == DIRECTORY_SMARTHOST)
        return sql_execute(sql, SQL_LANE_REMOVE, lane, 3, NULL, NULL, error);
    if (work->object == DIRECTORY_POOL)
        return sql_execute(sql, SQL_POOL_FORGET, id, 1, NULL, NULL, error);
    if (work->object == DIRECTORY_ORGANIZATION &&
        !sql_execute(sql, SQL_ORGANIZATION_FORGET, id, 1, NULL, NULL, error))
        return FALSE;
    /* Not a subject: limits know recipients' domains, this is a sender's. */
    if (work->object == DIRECTORY_DOMAIN)
        return routes_forget(sql, (RouteOwner){.domain = work->id}, work->revision, error) &&
               domain_assets_forget(sql, work->id, work->revision, error);
    if (work->object == DIRECTORY_ROUTE)
        return route_endpoints_forget(sql, (RouteOwner){.route = work->id}, work->revision, error);
    if (work->object == DIRECTORY_ENDPOINT)
        return endpoint_release(sql, work->id, work->revision, error);
    if (work->object == DIRECTORY_SERVER &&
        (!routes_forget(sql, (RouteOwner){.server = work->id}, work->revision, error) ||
         !endpoints_forget(sql, work->id, work->revision, error)))
        return FALSE;
    if (work->object == DIRECTORY_CREDENTIAL &&
        (!credential_scope_forget(sql, work->id, work->revision, error) ||
         !credential_secret_forget(sql, work->id, work->revision, error)))
        return FALSE;
    return !limit_subject_read(directory_word(work->object), &subject) ||
           directory_limit_forget(sql, subject, work->id, work->revision, error);
}

static gboolean do_delete(Sql *sql, gpointer data, GError **error)
{
    Work *work = data;

    if (!sql_next_revision(sql, &work->revision, error) || !work_reload(sql, work, error))
        return FALSE;
    work->id = (guint64)record_int(work->record, "id");
    const SqlParameter id[] = {SQL_UNSIGNED(work->id)};
    return check_unused(sql, work, error) && tombstone(sql, work, error) &&
           delete_beside(sql, work, error) &&
           sql_execute(sql, directory_statements[work->object].delete, id, 1, NULL, NULL, error);
}

gboolean directory_delete(Sql *sql, DirectoryObject object, const char *const *names,
                          GError **error)
{
    g_auto(Work)
        work = {.object = object, .names = names, .now = g_get_real_time() / G_USEC_PER_SEC};

    return path_read(object, names, &work.path, error) &&
           sql_transaction(sql, do_delete, &work, error);
}

gboolean directory_delete_endpoint(Sql *sql, const char *const *names, gboolean force,
                                   GError **error)
{
    g_auto(Work) work = {.object = DIRECTORY_ENDPOINT,
                         .names = names,
                         .now = g_get_real_time() / G_USEC_PER_SEC,
                         .force = force};

    return path_read(DIRECTORY_ENDPOINT, names, &work.path, error) &&
           sql_transaction(sql, do_delete, &work, error);
}
