/* SPDX-License-Identifier: MIT */
#include "worker/database.h"

Sql *database_open(const Config *config, GError **error)
{
    static GMutex lock;

    g_mutex_lock(&lock);
    Sql *sql = sql_open(config, error);
    g_mutex_unlock(&lock);
    return sql;
}
