/* SPDX-License-Identifier: MIT */
/*
 * Day partitions of the history tables. A partition pYYYYMMDD holds the ids of that UTC day and ends
 * where the next day's ids begin; p_future holds the rest and is empty as long as this runs daily.
 *
 *     ... | p20261120 | p20261121 (today) | ... | p20261205 | p_future
 */
#include <string.h>

#include "lib/base/error.h"
#include "lib/base/id.h"
#include "lib/sql/connection.h"

#define DAY        86400
#define DAYS_AHEAD 14
#define TABLES_MAX 64

typedef struct {
    char *table;
    guint days;
} Retention;

typedef struct {
    char *name;
    guint64 limit; /* G_MAXUINT64: no limit */
} Partition;

static void retention_clear(gpointer data)
{
    g_free(((Retention *)data)->table);
}

static void partition_clear(gpointer data)
{
    g_free(((Partition *)data)->name);
}

static gboolean read_retention(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    Retention retention = {.table = g_strdup(sql_row_text(row, 0)),
                           .days = (guint)sql_row_unsigned(row, 1)};

    g_array_append_val((GArray *)data, retention);
    return ((GArray *)data)->len < TABLES_MAX;
}

static gboolean read_partition(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    const char *limit = sql_row_text(row, 1);
    Partition partition = {.name = g_strdup(sql_row_text(row, 0)), .limit = G_MAXUINT64};

    if (limit)
        g_ascii_string_to_unsigned(limit, 10, 0, G_MAXUINT64, &partition.limit, NULL);
    g_array_append_val((GArray *)data, partition);
    return TRUE;
}

/* Names from the catalogue go into backquotes; ours are plain words. */
static gboolean is_plain_word(const char *name)
{
    return *name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

static char *replace(const char *text, const char *mark, const char *with)
{
    g_auto(GStrv) parts = g_strsplit(text, mark, -1);

    return g_strjoinv(with, parts);
}

static gboolean run_ddl(Sql *sql, SqlControl control, const char *table, const char *partition,
                        guint64 limit, GError **error)
{
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, limit);
    g_autofree char *with_table = replace(sql_control_text(control), "{table}", table);
    g_autofree char *with_name = replace(with_table, "{partition}", partition);
    g_autofree char *text = replace(with_name, "{limit}", number);

    if (is_plain_word(table) && is_plain_word(partition))
        return sql_run_text(sql, text, error);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INTERNAL,
                "database: partition %s of %s: not one of ours", partition, table);
    return FALSE;
}

static GArray *list_partitions(Sql *sql, const char *table, GError **error)
{
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Partition));
    const SqlParameter parameters[] = {SQL_TEXT(table)};

    g_array_set_clear_func(found, partition_clear);
    if (!sql_query(sql, SQL_PARTITION_LIST, parameters, 1, read_partition, found, error))
        return NULL;
    return g_steal_pointer(&found);
}

/* Makes the days from the last that exists (else from today) to DAYS_AHEAD. */
static gboolean add_days(Sql *sql, const char *table, const GArray *partitions, gint64 today,
                         GError **error)
{
    guint64 last = 0;

    for (guint i = 0; i < partitions->len; i++) {
        guint64 limit = g_array_index(partitions, Partition, i).limit;
        if (limit != G_MAXUINT64 && limit > last)
            last = limit;
    }
    for (gint64 day = today; day <= today + DAYS_AHEAD * DAY; day += DAY) {
        guint64 limit = id_floor(day + DAY);
        if (limit <= last)
            continue;
        g_autoptr(GDateTime) when = g_date_time_new_from_unix_utc(day);
        g_autofree char *name = g_date_time_format(when, "p%Y%m%d");
        if (!run_ddl(sql, SQL_CONTROL_PARTITION_ADD, table, name, limit, error))
            return FALSE;
    }
    return TRUE;
}

/* Drops the days whose newest id is older than the retention; p_future never. */
static gboolean drop_days(Sql *sql, const char *table, const GArray *partitions, guint64 keep_from,
                          GError **error)
{
    for (guint i = 0; i < partitions->len; i++) {
        const Partition *partition = &g_array_index(partitions, Partition, i);
        if (partition->limit == G_MAXUINT64 || partition->limit > keep_from)
            continue;
        if (!run_ddl(sql, SQL_CONTROL_PARTITION_DROP, table, partition->name, 0, error))
            return FALSE;
    }
    return TRUE;
}

gboolean sql_partitions_maintain(Sql *sql, gint64 now, GError **error)
{
    g_autoptr(GArray) rules = g_array_new(FALSE, FALSE, sizeof(Retention));
    gint64 today = now - now % DAY;

    g_array_set_clear_func(rules, retention_clear);
    if (!sql_query(sql, SQL_RETENTION_LIST, NULL, 0, read_retention, rules, error))
        return FALSE;
    for (guint i = 0; i < rules->len; i++) {
        const Retention *rule = &g_array_index(rules, Retention, i);
        g_autoptr(GArray) partitions = list_partitions(sql, rule->table, error);
        if (!partitions || !add_days(sql, rule->table, partitions, today, error) ||
            !drop_days(sql, rule->table, partitions, id_floor(today - (gint64)rule->days * DAY),
                       error))
            return FALSE;
    }
    return TRUE;
}
