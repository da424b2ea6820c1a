/* SPDX-License-Identifier: MIT */
/* Transactions, and the one counter that orders directory changes. */
#include "lib/base/error.h"
#include "lib/sql/connection.h"

#define ATTEMPTS 10

/* Rolls back, unless the link went, which did it already. */
static void roll_back(Sql *sql)
{
    if (sql->mysql)
        sql_run_text(sql, sql_control_text(SQL_CONTROL_ROLLBACK), NULL);
    sql->in_transaction = FALSE;
}

static gboolean attempt(Sql *sql, SqlTransactionFunc func, gpointer data, GError **error)
{
    g_autoptr(GError) why = NULL;

    if (!sql_ensure_link(sql, error) ||
        !sql_run_text(sql, sql_control_text(SQL_CONTROL_BEGIN), &why)) {
        if (why)
            g_set_error_literal(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, why->message);
        return FALSE;
    }
    sql->in_transaction = TRUE;
    if (!func(sql, data, error)) {
        roll_back(sql);
        return FALSE;
    }
    /* A link that was lost inside means that nothing was done; sql_run_text says so. From here on a
     * lost link leaves the result unknown. */
    if (!sql_run_text(sql, sql_control_text(SQL_CONTROL_COMMIT), error)) {
        roll_back(sql);
        return FALSE;
    }
    sql->in_transaction = FALSE;
    return TRUE;
}

gboolean sql_transaction(Sql *sql, SqlTransactionFunc func, gpointer data, GError **error)
{
    g_return_val_if_fail(!sql->in_transaction, FALSE);

    for (guint i = 1;; i++) {
        g_autoptr(GError) why = NULL;
        if (attempt(sql, func, data, &why))
            return TRUE;
        if (i == ATTEMPTS || !g_error_matches(why, OUTRIDER_ERROR, OUTRIDER_ERROR_CONFLICT)) {
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
        /* The one that won needs a moment to finish; the others should not come back together. */
        g_usleep((gulong)g_random_int_range(1000, 10000) * i);
    }
}

/* Before COMMIT a lost link means that nothing was done. */
static gboolean run_inside(Sql *sql, SqlControl control, GError **error)
{
    g_autoptr(GError) why = NULL;

    g_return_val_if_fail(sql->in_transaction, FALSE);
    if (sql_run_text(sql, sql_control_text(control), &why))
        return TRUE;
    if (g_error_matches(why, OUTRIDER_ERROR, OUTRIDER_ERROR_UNKNOWN_RESULT))
        why->code = OUTRIDER_ERROR_UNAVAILABLE;
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

gboolean sql_savepoint(Sql *sql, GError **error)
{
    return run_inside(sql, SQL_CONTROL_SAVEPOINT, error);
}

gboolean sql_savepoint_back(Sql *sql, GError **error)
{
    return run_inside(sql, SQL_CONTROL_SAVEPOINT_BACK, error);
}

gboolean sql_next_revision(Sql *sql, guint64 *revision, GError **error)
{
    guint64 next = 0;

    if (!sql_execute(sql, SQL_REVISION_NEXT, NULL, 0, NULL, &next, error))
        return FALSE;
    *revision = next;
    return !sql->guard || sql->guard(sql, sql->guard_data, error);
}

void sql_guard(Sql *sql, SqlTransactionFunc may, gpointer data)
{
    sql->guard = may;
    sql->guard_data = data;
}
