/* SPDX-License-Identifier: MIT */
/* Journals to MariaDB: read a batch, apply it in one transaction, drop whole segments. */
#include "worker/journal_applier.h"

#include <stdatomic.h>

#include "lib/base/error.h"
#include "lib/journal/journal.h"
#include "lib/journal/reader.h"
#include "lib/log/log.h"
#include "worker/database.h"
#include "worker/event_apply.h"

#define BATCH_EVENTS  500
#define BATCH_OCTETS  (4 * 1024 * 1024)
#define BATCH_US      (200 * 1000)
#define IDLE_US       (200 * 1000)
#define BACKOFF_FIRST (250 * 1000)
#define BACKOFF_MAX   (2 * 1000 * 1000)
#define REPORT_US     (60 * G_USEC_PER_SEC)
#define TELL_US       (JOURNAL_TOLD_SECONDS * G_USEC_PER_SEC)

typedef struct {
    char *program;
    char *epoch;
    JournalReader *reader;
    guint64 applied;  /* the newest record that is in the database */
    gint64 lag_said;  /* monotonic, as rejected_said */
    guint64 rejected; /* not yet said */
    gint64 rejected_said;
} Source;

struct JournalApplier {
    char *spool_dir;
    guint node;
    JournalKeepFunc keep;
    gpointer keep_data;
    GHashTable *sources; /* program -> Source */
    const Config *config;
    GThread *thread;
    GMutex lock;
    GCond wake;
    gboolean stop;
    _Atomic gint64 caught_up_us;
    gint64 told_us; /* monotonic: when the database was told of it */
};

typedef struct {
    GArray *events;
    GPtrArray *texts;
} Batch;

static void source_free(gpointer data)
{
    Source *source = data;

    journal_reader_close(source->reader);
    g_free(source->program);
    g_free(source->epoch);
    g_free(source);
}

JournalApplier *journal_applier_new(const char *spool_dir, guint node, JournalKeepFunc keep,
                                    gpointer data)
{
    JournalApplier *applier = g_new0(JournalApplier, 1);

    applier->spool_dir = g_strdup(spool_dir);
    applier->node = node;
    applier->keep = keep;
    applier->keep_data = data;
    applier->sources = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, source_free);
    g_mutex_init(&applier->lock);
    g_cond_init(&applier->wake);
    return applier;
}

/* The source of a program, opened behind what the database already has. A journal whose epoch is
 * another one was wiped and begins again. */
static Source *open_source(JournalApplier *applier, Sql *sql, const char *program, GError **error)
{
    g_autofree char *epoch = journal_epoch(applier->spool_dir, program, error);
    guint64 after;

    if (!epoch)
        return NULL;
    Source *known = g_hash_table_lookup(applier->sources, program);
    if (known && g_str_equal(known->epoch, epoch))
        return known;
    const EventSource where = {.node = applier->node, .program = program, .epoch = epoch};
    if (!event_position(sql, &where, &after, error))
        return NULL;
    JournalReader *reader = journal_reader_open(applier->spool_dir, program, after, error);
    if (!reader)
        return NULL;
    Source *source = g_new0(Source, 1);
    source->program = g_strdup(program);
    source->epoch = g_steal_pointer(&epoch);
    source->reader = reader;
    source->applied = after;
    g_hash_table_replace(applier->sources, source->program, source);
    return source;
}

/* Reads up to a batch. A damaged segment is passed over, loudly, so that it does not stop the rest. */
static gboolean read_batch(Source *source, Batch *batch, GError **error)
{
    gint64 end = g_get_monotonic_time() + BATCH_US;
    gsize octets = 0;
    JournalRecord record;

    while (batch->events->len < BATCH_EVENTS && octets < BATCH_OCTETS &&
           g_get_monotonic_time() < end) {
        g_autoptr(GError) why = NULL;
        JournalRead found = journal_reader_next(source->reader, &record, &why);
        if (found == JOURNAL_READ_END)
            return TRUE;
        if (found == JOURNAL_READ_FAILED) {
            if (!g_error_matches(why, OUTRIDER_ERROR, OUTRIDER_ERROR_CORRUPT)) {
                g_propagate_error(error, g_steal_pointer(&why));
                return FALSE;
            }
            guint64 skipped = journal_reader_skip(source->reader);
            log_error(NULL, "journal damaged, the rest of the segment is skipped",
                      LOG_TEXT("program", source->program), LOG_INT("octets", skipped),
                      LOG_GERROR(why));
            if (skipped == 0)
                return TRUE;
            continue;
        }
        octets += record.length;
        char *text = g_strndup(record.json, record.length);
        Event event = {.seq = record.seq,
                       .at_us = record.at_us,
                       .type = record.type,
                       .json = text,
                       .length = record.length};
        g_ptr_array_add(batch->texts, text);
        g_array_append_val(batch->events, event);
    }
    return TRUE;
}

static gboolean said_lately(gint64 said)
{
    return said && g_get_monotonic_time() - said < REPORT_US;
}

/* At most one line a minute, however many there are. */
static void report_rejected(Source *source)
{
    if (source->rejected == 0 || said_lately(source->rejected_said))
        return;
    log_error(NULL,
              "events could not be applied and are set aside, see `outrider journal rejected'",
              LOG_TEXT("program", source->program), LOG_INT("count", source->rejected));
    source->rejected = 0;
    source->rejected_said = g_get_monotonic_time();
}

static void report_lag(Source *source, const Event *last)
{
    gint64 lag = g_get_real_time() - last->at_us;

    if (lag < REPORT_US || said_lately(source->lag_said))
        return;
    source->lag_said = g_get_monotonic_time();
    log_warning(NULL, "history is behind the journal", LOG_TEXT("program", source->program),
                LOG_INT("seconds", lag / G_USEC_PER_SEC));
}

/* Also when nothing is new: a segment may have been closed since, and another reader have come on. */
static void drop_applied(JournalApplier *applier, Source *source)
{
    guint64 keep = applier->keep ? applier->keep(source->program, applier->keep_data) : G_MAXUINT64;

    journal_reader_drop(source->reader, MIN(source->applied, keep));
}

/* One batch; more receives whether there may be another. */
static gboolean apply_some(JournalApplier *applier, Sql *sql, Source *source, guint64 *applied,
                           gboolean *more, GError **error)
{
    g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(Event));
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    Batch batch = {.events = events, .texts = texts};
    const EventSource where = {
        .node = applier->node,
        .program = source->program,
        .epoch = source->epoch,
        .suppression_days =
            applier->config ? (guint)config_int(applier->config, CONFIG_SUPPRESSION_DAYS) : 0};
    guint rejected;

    *more = FALSE;
    report_rejected(source);
    if (!read_batch(source, &batch, error))
        return FALSE;
    if (events->len == 0) {
        drop_applied(applier, source);
        return TRUE;
    }
    if (!event_apply_batch(sql, &where, (const Event *)(gpointer)events->data, events->len,
                           &rejected, error))
        return FALSE;
    const Event *last = &g_array_index(events, Event, events->len - 1);
    source->applied = last->seq;
    drop_applied(applier, source);
    source->rejected += rejected;
    report_rejected(source);
    report_lag(source, last);
    *applied += events->len;
    *more = TRUE;
    return TRUE;
}

static gboolean stopping(JournalApplier *applier)
{
    g_mutex_lock(&applier->lock);
    gboolean stop = applier->stop;
    g_mutex_unlock(&applier->lock);
    return stop;
}

/* Every journal is applied up to now (Unix microseconds); that is written down now and then. */
static gboolean tell(JournalApplier *applier, Sql *sql, gint64 now, GError **error)
{
    const SqlParameter parameters[] = {SQL_UNSIGNED(applier->node), SQL_INT(now)};
    gint64 at = g_get_monotonic_time();

    if (applier->told_us && at - applier->told_us < TELL_US)
        return TRUE;
    applier->told_us = at;
    return sql_execute(sql, SQL_NODE_HISTORY_SET, parameters, G_N_ELEMENTS(parameters), NULL, NULL,
                       error);
}

gboolean journal_applier_round(JournalApplier *applier, Sql *sql, guint64 *applied, GError **error)
{
    g_auto(GStrv) programs = journal_programs(applier->spool_dir, error);
    gint64 begun = g_get_monotonic_time(), now = g_get_real_time();
    guint64 count = 0;

    if (!programs)
        return FALSE;
    for (guint i = 0; programs[i]; i++) {
        Source *source = open_source(applier, sql, programs[i], error);
        gboolean more = source != NULL;
        while (more && !stopping(applier))
            if (!apply_some(applier, sql, source, &count, &more, error)) {
                /* What was read is not applied: read it again from the database's position. */
                g_hash_table_remove(applier->sources, programs[i]);
                return FALSE;
            }
        if (!source)
            return FALSE;
    }
    *applied = count;
    if (stopping(applier))
        return TRUE;
    atomic_store(&applier->caught_up_us, begun);
    return tell(applier, sql, now, error);
}

gint64 journal_applier_caught_up(const JournalApplier *applier)
{
    return atomic_load(&applier->caught_up_us);
}

/* Sleeps until the time is over or the applier is stopped. */
static void pause_for(JournalApplier *applier, gint64 us)
{
    gint64 end = g_get_monotonic_time() + us;

    g_mutex_lock(&applier->lock);
    while (!applier->stop && g_cond_wait_until(&applier->wake, &applier->lock, end))
        continue;
    g_mutex_unlock(&applier->lock);
}

/* A connection to a database that has the tables. */
static Sql *open_current(const Config *config, GError **error)
{
    g_autoptr(Sql) sql = database_open(config, error);

    return sql && sql_schema_check(sql, error) ? g_steal_pointer(&sql) : NULL;
}

static gpointer run(gpointer data)
{
    JournalApplier *applier = data;
    g_autoptr(Sql) sql = NULL;
    gint64 backoff = BACKOFF_FIRST;

    while (!stopping(applier)) {
        g_autoptr(GError) error = NULL;
        guint64 applied = 0;
        if (!sql)
            sql = open_current(applier->config, &error);
        if (sql && journal_applier_round(applier, sql, &applied, &error)) {
            backoff = BACKOFF_FIRST;
            pause_for(applier, IDLE_US);
            continue;
        }
        log_warning(NULL, "journal not applied, will try again", LOG_INT("ms", backoff / 1000),
                    LOG_GERROR(error));
        pause_for(applier, backoff);
        backoff = MIN(2 * backoff, BACKOFF_MAX);
    }
    return NULL;
}

void journal_applier_start(JournalApplier *applier, const Config *config)
{
    applier->config = config;
    applier->thread = g_thread_new("journal", run, applier);
}

void journal_applier_stop(JournalApplier *applier)
{
    if (!applier)
        return;
    g_mutex_lock(&applier->lock);
    applier->stop = TRUE;
    g_cond_broadcast(&applier->wake);
    g_mutex_unlock(&applier->lock);
    if (applier->thread)
        g_thread_join(applier->thread);
    g_hash_table_unref(applier->sources);
    g_mutex_clear(&applier->lock);
    g_cond_clear(&applier->wake);
    g_free(applier->spool_dir);
    g_free(applier);
}
