/* SPDX-License-Identifier: MIT */
/*
 * A change is copied from behind the last revision, page by page; what was removed follows. An id is never used twice,
 * so it does not matter which of the two comes first, nor that a page is read a moment after the one before it: whatever
 * changed since has a later revision, and comes with the next round. The replica's own revision moves when all is there;
 * a worker that is stopped in between copies that again.
 *
 * Rebuilding goes by id instead, and puts each stretch in the place of what is there.
 */
#include "worker/suppression_writer.h"

#include "lib/base/error.h"
#include "lib/log/log.h"
#include "worker/database.h"
#include "worker/replica.h"
#include "worker/rounds.h"

#define BACK_OFF_MIN_MS 1000
#define BACK_OFF_MAX_MS 5000

struct SuppressionWriter {
    const Config *config;
    Sql *sql;
    sqlite3 *db;
    Rounds *rounds; /* NULL: without a thread */
    gboolean complained;
};

/* One piece of work between BEGIN and COMMIT. */
typedef gboolean (*PageFunc)(SuppressionWriter *writer, gpointer data, GError **error);

static gboolean in_transaction(SuppressionWriter *writer, PageFunc func, gpointer data,
                               GError **error)
{
    if (!edge_schema_exec(writer->db, "BEGIN IMMEDIATE", error))
        return FALSE;
    if (func(writer, data, error) && edge_schema_exec(writer->db, "COMMIT", error))
        return TRUE;
    sqlite3_exec(writer->db, "ROLLBACK", NULL, NULL, NULL);
    return FALSE;
}

static gboolean is_stopping(const SuppressionWriter *writer, GError **error)
{
    if (!writer->rounds || !*rounds_stopping(writer->rounds))
        return FALSE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "worker is stopping");
    return TRUE;
}

/* From behind (revision, id) up to a revision; page is what came of the last one. */
typedef struct {
    guint64 revision, id;
    guint64 last;
    ReplicaPage page;
} Changes;

#define RANGE(changes)                                                                             \
    {                                                                                              \
        SQL_UNSIGNED((changes)->revision), SQL_UNSIGNED((changes)->last),                          \
            SQL_UNSIGNED((changes)->revision), SQL_UNSIGNED((changes)->id),                        \
            SQL_UNSIGNED(SUPPRESSION_WRITER_PAGE)                                                  \
    }

static gboolean copy_changed(SuppressionWriter *writer, gpointer data, GError **error)
{
    Changes *changes = data;
    const SqlParameter range[] = RANGE(changes);

    return replica_copy_page(writer->db, writer->sql, edge_schema_table("suppression"),
                             SQL_EDGE_ROWS_suppression, range, G_N_ELEMENTS(range), &changes->page,
                             error);
}

static gboolean delete_id(SuppressionWriter *writer, const char *condition, guint64 id,
                          GError **error)
{
    g_autofree char *text =
        g_strdup_printf("DELETE FROM suppression WHERE id %s %" G_GUINT64_FORMAT, condition, id);

    return edge_schema_exec(writer->db, text, error);
}

typedef struct {
    SuppressionWriter *writer;
    ReplicaPage *page;
} Removal;

static gboolean remove_row(const SqlRow *row, gpointer data, GError **error)
{
    const Removal *removal = data;

    *removal->page = (ReplicaPage){.rows = removal->page->rows + 1,
                                   .id = sql_row_unsigned(row, 0),
                                   .revision = sql_row_unsigned(row, 1)};
    return delete_id(removal->writer, "=", removal->page->id, error);
}

static gboolean remove_gone(SuppressionWriter *writer, gpointer data, GError **error)
{
    Changes *changes = data;
    const SqlParameter range[] = RANGE(changes);
    Removal removal = {writer, &changes->page};

    changes->page = (ReplicaPage){0};
    return sql_query(writer->sql, SQL_SUPPRESSION_REMOVED, range, G_N_ELEMENTS(range), remove_row,
                     &removal, error);
}

static gboolean page_by_page(SuppressionWriter *writer, PageFunc func, gint64 after, gint64 last,
                             GError **error)
{
    Changes changes = {.revision = (guint64)after + 1, .last = (guint64)last};

    do {
        if (is_stopping(writer, error) || !in_transaction(writer, func, &changes, error))
            return FALSE;
        changes.revision = changes.page.revision;
        changes.id = changes.page.id;
    } while (changes.page.rows == SUPPRESSION_WRITER_PAGE);
    return TRUE;
}

/* (after, end]; end 0: whatever is left, and nothing comes in its place. */
typedef struct {
    guint64 after, end;
} Stretch;

static gboolean replace_stretch(SuppressionWriter *writer, gpointer data, GError **error)
{
    const Stretch *stretch = data;
    const SqlParameter range[] = {SQL_UNSIGNED(stretch->after), SQL_UNSIGNED(stretch->end)};
    ReplicaPage page;

    if (stretch->end == 0)
        return delete_id(writer, ">", stretch->after, error);
    g_autofree char *condition =
        g_strdup_printf("> %" G_GUINT64_FORMAT " AND id <=", stretch->after);
    return delete_id(writer, condition, stretch->end, error) &&
           replica_copy_page(writer->db, writer->sql, edge_schema_table("suppression"),
                             SQL_SUPPRESSION_ROWS_BY_ID, range, G_N_ELEMENTS(range), &page, error);
}

static gboolean take_end(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    *(guint64 *)data = sql_row_unsigned(row, 0);
    return TRUE;
}

static gboolean rebuild(SuppressionWriter *writer, GError **error)
{
    Stretch stretch = {0};

    do {
        const SqlParameter page[] = {SQL_UNSIGNED(stretch.after),
                                     SQL_UNSIGNED(SUPPRESSION_WRITER_PAGE)};
        stretch.end = 0;
        if (is_stopping(writer, error) ||
            !sql_query(writer->sql, SQL_SUPPRESSION_PAGE_END, page, G_N_ELEMENTS(page), take_end,
                       &stretch.end, error) ||
            !in_transaction(writer, replace_stretch, &stretch, error))
            return FALSE;
        stretch.after = stretch.end;
    } while (stretch.end != 0);
    return TRUE;
}

static gboolean bring_up(SuppressionWriter *writer, gboolean *changed, GError **error)
{
    g_autoptr(GError) why = NULL;
    DirectoryState state;
    gint64 epoch = 0, revision = 0;
    gboolean complete = edge_schema_state(writer->db, &epoch, &revision, &why);

    if (why) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    if (!replica_directory_state(writer->sql, SQL_SUPPRESSION_STATE, &state, error))
        return FALSE;
    ReplicaNeed need = replica_need(complete, epoch, revision, &state);
    *changed = need != REPLICA_CURRENT;
    if (need == REPLICA_CURRENT)
        return TRUE;
    gboolean done = need == REPLICA_REBUILD
                        ? rebuild(writer, error)
                        : page_by_page(writer, copy_changed, revision, state.revision, error) &&
                              page_by_page(writer, remove_gone, revision, state.revision, error);
    return done && edge_schema_set_state(writer->db, state.epoch, state.revision, error) &&
           edge_schema_trim(writer->db, error);
}

/* The index is written all over: it should stay in memory. */
static gboolean open_replica(SuppressionWriter *writer, GError **error)
{
    if (writer->db)
        return TRUE;
    writer->db =
        replica_open(config_string(writer->config, CONFIG_EDGE_DIR), EDGE_FILE_SUPPRESSION, error);
    return writer->db && edge_schema_exec(writer->db, "PRAGMA cache_size = -65536", error);
}

gboolean suppression_writer_round(SuppressionWriter *writer, gboolean *changed, GError **error)
{
    if (!writer->sql && !(writer->sql = database_open(writer->config, error)))
        return FALSE;
    return open_replica(writer, error) && bring_up(writer, changed, error);
}

static gboolean run(gpointer data)
{
    SuppressionWriter *writer = data;
    g_autoptr(GError) error = NULL;
    gboolean changed = FALSE;

    gboolean done = suppression_writer_round(writer, &changed, &error);
    if (!done && !writer->complained && !*rounds_stopping(writer->rounds))
        log_warning(NULL, "suppressions stay as they are", LOG_GERROR(error));
    if (done && writer->complained)
        log_info(NULL, "suppressions follow the directory again");
    writer->complained = !done;
    return done;
}

SuppressionWriter *suppression_writer_new(const Config *config)
{
    SuppressionWriter *writer = g_new0(SuppressionWriter, 1);

    writer->config = config;
    return writer;
}

SuppressionWriter *suppression_writer_start(const Config *config)
{
    SuppressionWriter *writer = suppression_writer_new(config);
    const RoundsKind kind = {.name = "suppressions",
                             .interval_ms = config_int(config, CONFIG_EDGE_INTERVAL),
                             .retry_ms = BACK_OFF_MIN_MS,
                             .retry_max_ms = BACK_OFF_MAX_MS,
                             .run = run};

    writer->rounds = rounds_new(&kind, writer);
    rounds_start(writer->rounds);
    return writer;
}

void suppression_writer_stop(SuppressionWriter *writer)
{
    if (!writer)
        return;
    rounds_stop(writer->rounds);
    sqlite3_close(writer->db);
    sql_close(writer->sql);
    g_free(writer);
}
