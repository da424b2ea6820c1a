/* SPDX-License-Identifier: MIT */
#include "api/history_desk.h"

#include "api/history_shown.h"
#include "lib/base/error.h"
#include "lib/base/room.h"
#include "lib/history/visits.h"
#include "lib/mime/read.h"
#include "lib/sql/pool.h"
#include "lib/store/store.h"

struct HistoryDesk {
    const Config *config;
    SqlPool *pool;
    GRWLock visitors_lock;
    VisitorList *visitors;
    GMutex large_mutex;
    GCond large_free;
    gboolean large; /* one is in memory */
    Room line;      /* who has it, and who waits for it */
};

HistoryDesk *history_desk_new(const Config *config)
{
    HistoryDesk *desk = g_new0(HistoryDesk, 1);

    desk->config = config;
    desk->pool = sql_pool_new(config, SQL_POOL_READS, HISTORY_DESK_LINKS);
    desk->visitors = visitor_list_new();
    g_rw_lock_init(&desk->visitors_lock);
    g_mutex_init(&desk->large_mutex);
    g_cond_init(&desk->large_free);
    room_begin(&desk->line, HISTORY_DESK_LINE);
    return desk;
}

void history_desk_free(HistoryDesk *desk)
{
    if (!desk)
        return;
    sql_pool_free(desk->pool);
    visitor_list_free(desk->visitors);
    g_rw_lock_clear(&desk->visitors_lock);
    g_mutex_clear(&desk->large_mutex);
    g_cond_clear(&desk->large_free);
    room_end(&desk->line);
    g_free(desk);
}

gboolean history_desk_load(HistoryDesk *desk, GError **error)
{
    g_autoptr(VisitorList) list = history_visitors(desk->config, error);

    if (!list)
        return FALSE;
    g_rw_lock_writer_lock(&desk->visitors_lock);
    VisitorList *elder = desk->visitors;
    desk->visitors = g_steal_pointer(&list);
    g_rw_lock_writer_unlock(&desk->visitors_lock);
    visitor_list_free(elder);
    return TRUE;
}

static gboolean stand_in_line(HistoryDesk *desk, guint32 server, HistoryAnswer *answer,
                              GError **error)
{
    if (!room_take(&desk->line, server, 1)) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                    "too many large messages are being read");
        return FALSE;
    }
    answer->in_line = server;
    return TRUE;
}

/* Takes the place of the large message; whoever has it gives it back with its answer. */
static gboolean take_large(HistoryDesk *desk, guint32 server, HistoryAnswer *answer, GError **error)
{
    gint64 end = g_get_monotonic_time() + HISTORY_DESK_WAIT_MS * 1000;

    if (!stand_in_line(desk, server, answer, error))
        return FALSE;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&desk->large_mutex);
    while (desk->large)
        if (!g_cond_wait_until(&desk->large_free, &desk->large_mutex, end)) {
            g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                        "another large message is being read");
            return FALSE;
        }
    answer->large = desk->large = TRUE;
    return TRUE;
}

void history_answer_clear(HistoryAnswer *answer)
{
    g_clear_pointer(&answer->data, json_object_put);
    if (answer->large) {
        g_mutex_lock(&answer->desk->large_mutex);
        answer->large = answer->desk->large = FALSE;
        g_cond_signal(&answer->desk->large_free);
        g_mutex_unlock(&answer->desk->large_mutex);
    }
    if (answer->in_line > 0)
        room_give(&answer->desk->line, answer->in_line, 1);
    answer->in_line = 0;
}

/* What is read of the database for one call. */
typedef struct {
    HistoryDesk *desk;
    guint32 server;
    guint64 id;
    gboolean deliveries, visits;
    Record *message; /* NULL: none */
} Reading;

static void reading_clear(Reading *reading)
{
    g_clear_pointer(&reading->message, record_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reading, reading_clear)

static gboolean add_deliveries(Sql *sql, Record *message, GError **error)
{
    const SqlParameter id[] = {SQL_UNSIGNED(record_int(message, "id"))};
    Record *list = record_list(sql, SQL_DELIVERY_LIST, id, 1, error);

    if (list)
        json_object_object_add(message, "deliveries", list);
    return list != NULL;
}

static gboolean add_visits(Sql *sql, Reading *reading, GError **error)
{
    g_autoptr(GRWLockReaderLocker) locker =
        g_rw_lock_reader_locker_new(&reading->desk->visitors_lock);

    return history_visits_add(sql, reading->desk->visitors, reading->message, error);
}

static gboolean read_rows(Sql *sql, gpointer data, GError **error)
{
    Reading *reading = data;
    const SqlParameter parameters[] = {SQL_UNSIGNED(reading->id), SQL_UNSIGNED(reading->server)};
    g_autoptr(GError) why = NULL;

    reading_clear(reading); /* of a first try */
    reading->message = record_first(sql, SQL_MESSAGE_READ, parameters, 2, &why);
    if (why) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    return !reading->message ||
           ((!reading->deliveries || add_deliveries(sql, reading->message, error)) &&
            (!reading->visits || add_visits(sql, reading, error)));
}

static gboolean run(Reading *reading, GError **error)
{
    return reading->id == 0 || sql_pool_run(reading->desk->pool, read_rows, reading, error);
}

/* *bytes stays NULL when they are gone, or on another node. */
static gboolean read_bytes(HistoryDesk *desk, const Reading *reading, HistoryAnswer *answer,
                           GBytes **bytes, GError **error)
{
    g_autoptr(GError) why = NULL;
    StoreHeader header;

    /* Of some it is not known yet. */
    if ((record_is_null(reading->message, "size") ||
         record_int(reading->message, "size") > HISTORY_DESK_LARGE) &&
        !take_large(desk, reading->server, answer, error))
        return FALSE;
    g_autoptr(GBytes) read = store_read(config_string(desk->config, CONFIG_SPOOL_DIR), reading->id,
                                        HISTORY_DESK_BYTES_MAX, &header, &why);
    if (!read && !g_error_matches(why, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    if (read && header.server == reading->server)
        *bytes = g_steal_pointer(&read);
    return TRUE;
}

/* What of the stored message has to be looked into. */
static guint wanted(guint expansions)
{
    guint want = 0;

    if (expansions & (V1_EXPANSION_PLAIN_BODY | V1_EXPANSION_HTML_BODY))
        want |= MIME_READ_TEXTS;
    if (expansions & V1_EXPANSION_ATTACHMENTS)
        want |= MIME_READ_FILES;
    if (expansions & V1_EXPANSION_HEADERS)
        want |= MIME_READ_FIELDS;
    return want;
}

gboolean history_desk_message(HistoryDesk *desk, guint32 server, const V1Lookup *lookup,
                              HistoryAnswer *answer, GError **error)
{
    gboolean visits = v1_expansions_need_visits(lookup->expansions);
    g_auto(Reading) reading = {
        .desk = desk, .server = server, .id = lookup->id, .deliveries = visits, .visits = visits};
    g_autoptr(GBytes) bytes = NULL;
    gsize length = 0;

    answer->desk = desk;
    if (!run(&reading, error))
        return FALSE;
    if (!reading.message)
        return TRUE;
    if (v1_expansions_need_bytes(lookup->expansions) &&
        !read_bytes(desk, &reading, answer, &bytes, error))
        return FALSE;
    const char *octets = bytes ? g_bytes_get_data(bytes, &length) : NULL;
    guint want = octets ? wanted(lookup->expansions) : 0;
    g_autoptr(MimeRead) read = want ? mime_read(octets, length, want) : NULL;
    answer->data = history_shown_message(reading.message, bytes, read, lookup->expansions);
    return TRUE;
}

gboolean history_desk_deliveries(HistoryDesk *desk, guint32 server, const V1Lookup *lookup,
                                 HistoryAnswer *answer, GError **error)
{
    g_auto(Reading)
        reading = {.desk = desk, .server = server, .id = lookup->id, .deliveries = TRUE};

    answer->desk = desk;
    if (!run(&reading, error))
        return FALSE;
    if (reading.message)
        answer->data = history_shown_deliveries(reading.message);
    return TRUE;
}

typedef struct {
    guint node;
    guint32 server;
    guint64 base;
    Record *row;
} FateReading;

static gboolean read_fate(Sql *sql, gpointer data, GError **error)
{
    FateReading *reading = data;
    const SqlParameter parameters[] = {SQL_UNSIGNED(reading->base), SQL_UNSIGNED(reading->server),
                                       SQL_UNSIGNED(reading->node)};

    reading->row = record_first(sql, SQL_SUBMISSION_FATE, parameters, 3, error);
    return reading->row != NULL;
}

gboolean history_desk_fate(HistoryDesk *desk, guint32 server, guint64 base, gint64 quiet,
                           Fate *fate, GError **error)
{
    FateReading reading = {
        .node = (guint)config_int(desk->config, CONFIG_NODE_ID), .server = server, .base = base};

    if (!sql_pool_run(desk->pool, read_fate, &reading, error))
        return FALSE;
    *fate = fate_of(record_text(reading.row, "status"), quiet,
                    g_get_real_time() - record_int(reading.row, "told_until"));
    record_free(reading.row);
    return TRUE;
}
