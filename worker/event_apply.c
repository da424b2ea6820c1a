/* SPDX-License-Identifier: MIT */
/*
 * Events become rows in event_row. Their statements are run for many rows at once; when the server
 * refuses one of them for good, the events are written again one by one, each behind a savepoint, so
 * that what is refused is set aside whole and the others go on. A lost link or a deadlock ends the
 * batch.
 */
#include "worker/event_apply.h"

#include "lib/base/error.h"
#include "worker/event_field.h"
#include "worker/event_row.h"
#include "worker/suppressor.h"

#define REASON_MAX 255
#define CHUNK_ROWS 4000

typedef struct {
    const EventSource *source;
    const Event *events;
    guint n;
    gboolean *set_aside; /* by event */
    guint rejected;
    gboolean refused; /* for good, because of the address, or given up */
    gboolean taken;   /* mail was taken */
} Batch;

/* Sets an event aside unless the error is one that passes: that one ends the batch. */
static gboolean reject(Sql *sql, Batch *batch, guint index, GError *why, GError **error)
{
    const Event *event = &batch->events[index];

    if (error_class(why) == ERROR_CLASS_TEMPORARY) {
        g_propagate_error(error, g_error_copy(why));
        return FALSE;
    }
    g_autofree char *reason = event_field_cut(why->message, REASON_MAX);
    const SqlParameter parameters[] = {
        SQL_UNSIGNED(batch->source->node),
        SQL_TEXT(batch->source->program),
        SQL_TEXT(batch->source->epoch),
        SQL_UNSIGNED(event->seq),
        SQL_UNSIGNED(event->type),
        SQL_INT(event->at_us),
        SQL_OCTETS(event->json, event->length),
        SQL_TEXT(reason),
    };
    batch->set_aside[index] = TRUE;
    batch->rejected++;
    return sql_execute(sql, SQL_EVENT_REJECT, parameters, G_N_ELEMENTS(parameters), NULL, NULL,
                       error);
}

static gboolean write_rows(Sql *sql, const EventRows *rows, GError **error)
{
    for (guint statement = 0; statement < SQL_STATEMENT_COUNT; statement++) {
        guint n, count;
        const SqlParameter *parameters = event_rows_of(rows, statement, &n, &count);
        if (parameters && !sql_execute_rows(sql, statement, parameters, n, count, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean has_rows(const EventRows *rows, SqlStatement statement)
{
    guint n, count;

    return event_rows_of(rows, statement, &n, &count) != NULL;
}

/* Writes what was collected; when the server refuses something of it nothing is written, and refused
 * says so. */
static gboolean write_or_undo(Sql *sql, const EventRows *rows, GError **refused, GError **error)
{
    g_autoptr(GError) why = NULL;

    if (!sql_savepoint(sql, error))
        return FALSE;
    if (write_rows(sql, rows, &why))
        return TRUE;
    if (error_class(why) == ERROR_CLASS_TEMPORARY) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    g_propagate_error(refused, g_steal_pointer(&why));
    return sql_savepoint_back(sql, error);
}

/* The careful way: the events from first up to before end, each alone. */
static gboolean write_one_by_one(Sql *sql, Batch *batch, EventRows *rows, guint first, guint end,
                                 GError **error)
{
    for (guint i = first; i < end; i++) {
        const Event *event = &batch->events[i];
        g_autoptr(GError) why = NULL;
        if (batch->set_aside[i])
            continue;
        event_rows_clear(rows);
        if (event_rows_add(rows, event->type, event->json, event->length, &why) &&
            !write_or_undo(sql, rows, &why, error))
            return FALSE;
        if (why && !reject(sql, batch, i, why, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean write_chunk(Sql *sql, Batch *batch, EventRows *rows, guint first, guint end,
                            GError **error)
{
    g_autoptr(GError) why = NULL;

    batch->refused |=
        has_rows(rows, SQL_SUPPRESSION_EVIDENCE) || has_rows(rows, SQL_SUPPRESSION_GIVE_UP);
    batch->taken |= has_rows(rows, SQL_SUPPRESSION_TAKEN);
    if (!write_or_undo(sql, rows, &why, error) ||
        (why && !write_one_by_one(sql, batch, rows, first, end, error)))
        return FALSE;
    event_rows_clear(rows);
    return TRUE;
}

static gboolean apply_events(Sql *sql, Batch *batch, GError **error)
{
    g_autoptr(EventRows) rows = event_rows_new();
    guint first = 0;

    for (guint i = 0; i < batch->n; i++) {
        const Event *event = &batch->events[i];
        g_autoptr(GError) why = NULL;
        if (!event_rows_add(rows, event->type, event->json, event->length, &why) &&
            !reject(sql, batch, i, why, error))
            return FALSE;
        if (event_rows_count(rows) < CHUNK_ROWS)
            continue;
        if (!write_chunk(sql, batch, rows, first, i + 1, error))
            return FALSE;
        first = i + 1;
    }
    return event_rows_count(rows) == 0 || write_chunk(sql, batch, rows, first, batch->n, error);
}

/* Once all is written: what comes of it for the recipients. */
static gboolean suppress(Sql *sql, const Batch *batch, GError **error)
{
    return (!batch->taken || suppressor_lift(sql, error)) &&
           (!batch->refused || batch->source->suppression_days == 0 ||
            suppressor_judge(sql, batch->source->suppression_days, error));
}

static gboolean apply_batch(Sql *sql, gpointer data, GError **error)
{
    Batch *batch = data;
    const EventSource *source = batch->source;
    g_autofree gboolean *set_aside = g_new0(gboolean, batch->n);

    batch->rejected = 0;
    batch->refused = batch->taken = FALSE;
    batch->set_aside = set_aside;
    if (!apply_events(sql, batch, error) || !suppress(sql, batch, error))
        return FALSE;
    const SqlParameter position[] = {SQL_UNSIGNED(source->node), SQL_TEXT(source->program),
                                     SQL_TEXT(source->epoch),
                                     SQL_UNSIGNED(batch->events[batch->n - 1].seq)};
    return sql_execute(sql, SQL_JOURNAL_POSITION_SET, position, G_N_ELEMENTS(position), NULL, NULL,
                       error);
}

gboolean event_apply_batch(Sql *sql, const EventSource *source, const Event *events, guint n,
                           guint *rejected, GError **error)
{
    Batch batch = {.source = source, .events = events, .n = n};

    g_return_val_if_fail(n >= 1, FALSE);
    if (!sql_transaction(sql, apply_batch, &batch, error))
        return FALSE;
    *rejected = batch.rejected;
    return TRUE;
}

static gboolean read_seq(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    *(guint64 *)data = sql_row_unsigned(row, 0);
    return TRUE;
}

gboolean event_position(Sql *sql, const EventSource *source, guint64 *seq, GError **error)
{
    const SqlParameter parameters[] = {SQL_UNSIGNED(source->node), SQL_TEXT(source->program),
                                       SQL_TEXT(source->epoch)};
    guint64 found = 0;

    if (!sql_query(sql, SQL_JOURNAL_POSITION_GET, parameters, G_N_ELEMENTS(parameters), read_seq,
                   &found, error))
        return FALSE;
    *seq = found;
    return TRUE;
}
