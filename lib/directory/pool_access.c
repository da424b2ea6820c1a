/* SPDX-License-Identifier: MIT */
/* As in directory.c a verb that writes begins by taking the revision: what is read stays true. */
#include "lib/directory/pool_access.h"

#include "lib/base/error.h"
#include "lib/directory/directory.h"

#define US 1000000

typedef struct {
    const char *pool, *organization;
    guint64 revision;
    SqlParameter ids[2]; /* of both */
} Work;

/* Both ids; *is_default receives whether the pool is open to all. */
static gboolean find(Sql *sql, Work *work, gboolean *is_default, GError **error)
{
    if (!sql_next_revision(sql, &work->revision, error))
        return FALSE;
    g_autoptr(Record) pool =
        directory_show(sql, DIRECTORY_POOL, (const char *const[]){work->pool}, error);
    g_autoptr(Record) organization =
        pool ? directory_show(sql, DIRECTORY_ORGANIZATION,
                              (const char *const[]){work->organization}, error)
             : NULL;
    if (!organization)
        return FALSE;
    work->ids[0] = SQL_UNSIGNED(record_int(pool, "id"));
    work->ids[1] = SQL_UNSIGNED(record_int(organization, "id"));
    *is_default = record_int(pool, "is_default") != 0;
    return TRUE;
}

static gboolean do_allow(Sql *sql, gpointer data, GError **error)
{
    Work *work = data;
    gboolean is_default;

    if (!find(sql, work, &is_default, error))
        return FALSE;
    const SqlParameter parameters[] = {work->ids[0], work->ids[1], SQL_INT(g_get_real_time() / US)};
    return sql_execute(sql, SQL_POOL_ALLOW, parameters, 3, NULL, NULL, error);
}

gboolean pool_access_allow(Sql *sql, const char *pool, const char *organization, GError **error)
{
    Work work = {.pool = pool, .organization = organization};

    return sql_transaction(sql, do_allow, &work, error);
}

static gboolean append_user(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    GString *users = data;

    g_string_append_printf(users, "%s%s", users->len ? ", " : "", sql_row_text(row, 0));
    return TRUE;
}

static gboolean refuse(GError **error, OutriderError code, const Work *work, const char *why,
                       const char *users)
{
    g_set_error(error, OUTRIDER_ERROR, (int)code, "pool %s and organization %s: %s%s", work->pool,
                work->organization, why, users);
    return FALSE;
}

static gboolean do_deny(Sql *sql, gpointer data, GError **error)
{
    Work *work = data;
    gboolean is_default;
    g_autoptr(GString) users = g_string_new(NULL);
    guint64 affected = 0;

    if (!find(sql, work, &is_default, error))
        return FALSE;
    if (is_default)
        return refuse(error, OUTRIDER_ERROR_REFUSED, work, "the default pool is open to all", "");
    const SqlParameter parameters[] = {work->ids[0], work->ids[1], work->ids[0], work->ids[1]};
    if (!sql_query(sql, SQL_POOL_USERS_OF, parameters, 4, append_user, users, error))
        return FALSE;
    if (users->len)
        return refuse(error, OUTRIDER_ERROR_REFUSED, work, "in use by: ", users->str);
    if (!sql_execute(sql, SQL_POOL_DENY, work->ids, 2, &affected, NULL, error))
        return FALSE;
    return affected || refuse(error, OUTRIDER_ERROR_NOT_FOUND, work, "was not allowed", "");
}

gboolean pool_access_deny(Sql *sql, const char *pool, const char *organization, GError **error)
{
    Work work = {.pool = pool, .organization = organization};

    return sql_transaction(sql, do_deny, &work, error);
}

Record *pool_access_list(Sql *sql, gint64 pool, GError **error)
{
    const SqlParameter id = SQL_UNSIGNED(pool);
    g_autoptr(Record) rows = record_list(sql, SQL_POOL_ORGANIZATIONS, &id, 1, error);
    Record *names = rows ? json_object_new_array() : NULL;

    for (gsize i = 0; rows && i < json_object_array_length(rows); i++)
        json_object_array_add(names, json_object_new_string(record_text(
                                         json_object_array_get_idx(rows, i), "organization")));
    return names;
}
