/* SPDX-License-Identifier: MIT */
/*
 * This host at one look. Nothing here takes longer when the spool is fuller: space is asked of the file
 * system, journals by the names and sizes of their segments, the store by its days. What needs
 * MariaDB is left open when it is not reachable.
 */
#include <errno.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "cli/metric.h"
#include "cli/output.h"
#include "cli/session.h"
#include "lib/base/error.h"
#include "lib/base/id.h"
#include "lib/edge/edge.h"
#include "lib/journal/reader.h"
#include "lib/journal/survey.h"
#include "lib/service/counters.h"
#include "lib/service/service.h"
#include "lib/store/store.h"

#define ATTENTION   1 /* exit status */
#define RECENT      (7 * 24 * 60 * 60)
#define BEHIND_WAIT (2 * G_USEC_PER_SEC)

static gint64 age_of_us(gint64 at_us)
{
    return at_us ? MAX(0, g_get_real_time() - at_us) / G_USEC_PER_SEC : 0;
}

static void look_at_spool(Metrics *metrics, const Config *config)
{
    const char *spool = config_string(config, CONFIG_SPOOL_DIR);
    gint64 least = config_int(config, CONFIG_SPOOL_MIN_FREE);
    g_autoptr(GError) error = NULL;
    struct statvfs fs;

    metrics_set(metrics, METRIC_SPOOL_MIN_FREE, NULL, least);
    if (statvfs(spool, &fs) < 0) {
        error_set_errno(&error, errno, "look at", spool);
        metrics_fail(metrics, METRIC_SPOOL_FREE, NULL, error);
        return;
    }
    gint64 available = (gint64)(fs.f_bavail * fs.f_frsize);
    metrics_set(metrics, METRIC_SPOOL_FREE, NULL, available);
    metrics_set(metrics, METRIC_SPOOL_SIZE, NULL, (gint64)(fs.f_blocks * fs.f_frsize));
    metrics_set(metrics, METRIC_SPOOL_REFUSING, NULL, available < least);
    /* Some file systems make files without a limit and say 0 of 0. */
    if (fs.f_files > 0)
        metrics_set(metrics, METRIC_SPOOL_FREE_FILES, NULL, (gint64)fs.f_favail);
}

static void look_at_sockets(Metrics *metrics, const Config *config)
{
    static const char *const names[] = {"auth", "policy", "map", "milter", "queue"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = config_path(config, CONFIG_SOCKET_DIR, names[i]);
        metrics_set(metrics, METRIC_SOCKET_ACCEPTING, names[i], service_answers(path));
    }
}

/* 0 for a file that is not there; mtime_us (may be NULL) keeps the youngest seen. */
static gint64 size_of(const char *path, const char *suffix, gint64 *mtime_us)
{
    g_autofree char *name = g_strconcat(path, suffix, NULL);
    struct stat st;

    if (stat(name, &st) < 0)
        return 0;
    if (mtime_us)
        *mtime_us = MAX(*mtime_us, (gint64)st.st_mtime * G_USEC_PER_SEC);
    return st.st_size;
}

static void look_at_worker(Metrics *metrics, const Config *config)
{
    g_autofree char *lock = config_path(config, CONFIG_SPOOL_DIR, "worker/lock");
    g_autofree char *db = config_path(config, CONFIG_SPOOL_DIR, "worker/worker.db");
    g_autoptr(GError) error = NULL;
    gboolean running = service_lock_is_held(lock, &error);

    if (error) {
        metrics_fail(metrics, METRIC_WORKER_RUNNING, NULL, error);
        return;
    }
    metrics_set(metrics, METRIC_WORKER_RUNNING, NULL, running);
    metrics_set(metrics, METRIC_WORKER_DB, NULL, size_of(db, "", NULL));
    metrics_set(metrics, METRIC_WORKER_DB_WAL, NULL, size_of(db, "-wal", NULL));
}

/* Nothing of a host that it never ran on. */
static void look_at_trackd(Metrics *metrics, const Config *config)
{
    g_autofree char *file = config_path(config, CONFIG_SPOOL_DIR, TRACK_COUNTER_FILE);
    g_autofree char *lock = config_path(config, CONFIG_SPOOL_DIR, "journal/trackd/lock");
    g_autoptr(GError) error = NULL;
    guint64 values[TRACK_COUNTER_COUNT];

    if (!counters_read(file, values, TRACK_COUNTER_COUNT, &error)) {
        if (!g_error_matches(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND))
            metrics_fail(metrics, METRIC_TRACKD_RUNNING, NULL, error);
        return;
    }
    metrics_set(metrics, METRIC_TRACKD_RUNNING, NULL, service_lock_is_held(lock, NULL));
#define X(NAME, text)                                                                              \
    metrics_set(metrics, METRIC_TRACKD_##NAME, NULL, (gint64)values[TRACK_COUNTER_##NAME]);
#include "lib/service/track_counter.def"
#undef X
}

/* The same. */
static void look_at_apid(Metrics *metrics, const Config *config)
{
    g_autofree char *file = config_path(config, CONFIG_SPOOL_DIR, "apid/remembered.db");
    g_autofree char *lock = config_path(config, CONFIG_SPOOL_DIR, "journal/apid/lock");

    if (g_file_test(file, G_FILE_TEST_EXISTS))
        metrics_set(metrics, METRIC_APID_RUNNING, NULL, service_lock_is_held(lock, NULL));
}

static void look_at_journal(Metrics *metrics, const char *spool, const char *program)
{
    g_autoptr(GError) error = NULL;
    JournalSurvey survey;

    if (!journal_survey(spool, program, &survey, &error)) {
        metrics_fail(metrics, METRIC_JOURNAL_SEGMENTS, program, error);
        return;
    }
    metrics_set(metrics, METRIC_JOURNAL_SEGMENTS, program, survey.segments);
    metrics_set(metrics, METRIC_JOURNAL_DISK, program, (gint64)survey.disk);
    metrics_set(metrics, METRIC_JOURNAL_KEPT, program,
                (gint64)(survey.committed + 1 - survey.first));
    metrics_set(metrics, METRIC_JOURNAL_KEPT_AGE, program, age_of_us(survey.first_at_us));
    metrics_set(metrics, METRIC_JOURNAL_COMMITTED, program, (gint64)survey.committed);
}

static void look_at_store(Metrics *metrics, const Config *config)
{
    const char *spool = config_string(config, CONFIG_SPOOL_DIR);
    g_autoptr(GError) error = NULL;
    guint days = 0, overdue = 0;

    if (!store_count_days(spool, g_get_real_time() / G_USEC_PER_SEC,
                          (guint)config_int(config, CONFIG_STORE_DAYS), &days, &overdue, &error)) {
        metrics_fail(metrics, METRIC_STORE_DAYS, NULL, error);
        return;
    }
    metrics_set(metrics, METRIC_STORE_DAYS, NULL, days);
    metrics_set(metrics, METRIC_STORE_OVERDUE, NULL, overdue);
}

/* How far a journal's position in the database is behind what is durable. */
static gboolean look_at_backlog(Metrics *metrics, Cli *cli, const char *program, gint64 *lag,
                                GError **error)
{
    const char *spool = config_string(cli->config, CONFIG_SPOOL_DIR);
    g_autoptr(GError) why = NULL;
    g_autofree char *epoch = journal_epoch(spool, program, &why);
    JournalBacklog backlog;

    if (!epoch) {
        metrics_fail(metrics, METRIC_JOURNAL_APPLIED, program, why);
        return TRUE;
    }
    const SqlParameter journal[] = {SQL_UNSIGNED(config_int(cli->config, CONFIG_NODE_ID)),
                                    SQL_TEXT(program), SQL_TEXT(epoch)};
    g_autoptr(Record) row =
        record_first(cli->sql, SQL_JOURNAL_POSITION_GET, journal, G_N_ELEMENTS(journal), &why);
    if (why) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    gint64 applied = row ? record_int(row, "seq") : 0;
    metrics_set(metrics, METRIC_JOURNAL_APPLIED, program, applied);
    if (!journal_backlog(spool, program, (guint64)applied, &backlog, &why)) {
        metrics_fail(metrics, METRIC_JOURNAL_BACKLOG, program, why);
        return TRUE;
    }
    gint64 age = age_of_us(backlog.oldest_at_us);
    metrics_set(metrics, METRIC_JOURNAL_BACKLOG, program, (gint64)backlog.records);
    metrics_set(metrics, METRIC_JOURNAL_BACKLOG_OCTETS, program, (gint64)backlog.octets);
    metrics_set(metrics, METRIC_JOURNAL_BACKLOG_AGE, program, age);
    *lag = MAX(*lag, age);
    return TRUE;
}

static gboolean count(Metrics *metrics, Metric metric, Cli *cli, SqlStatement statement,
                      const SqlParameter *parameters, guint n, GError **error)
{
    g_autoptr(Record) row = record_first(cli->sql, statement, parameters, n, error);

    if (!row)
        return FALSE;
    metrics_set(metrics, metric, NULL, record_int(row, "count"));
    return TRUE;
}

static gboolean look_at_history(Metrics *metrics, Cli *cli, char **programs, GError **error)
{
    gint64 since = g_get_real_time() / G_USEC_PER_SEC - RECENT;
    const SqlParameter unknown[] = {SQL_UNSIGNED(id_floor(since))};
    const SqlParameter rejected[] = {SQL_UNSIGNED(config_int(cli->config, CONFIG_NODE_ID)),
                                     SQL_INT(since * G_USEC_PER_SEC)};
    gint64 lag = 0;

    for (guint i = 0; programs && programs[i]; i++)
        if (!look_at_backlog(metrics, cli, programs[i], &lag, error))
            return FALSE;
    metrics_set(metrics, METRIC_HISTORY_LAG, NULL, lag);
    return count(metrics, METRIC_HISTORY_REJECTED, cli, SQL_REJECTED_COUNT, rejected, 2, error) &&
           count(metrics, METRIC_HISTORY_UNKNOWN, cli, SQL_UNKNOWN_COUNT, unknown, 1, error);
}

static gboolean look_at_keys(Metrics *metrics, Cli *cli, GError **error)
{
    g_autoptr(Record) row = record_first(cli->sql, SQL_DKIM_KEYS_LOST, NULL, 0, error);

    if (!row)
        return FALSE;
    metrics_set(metrics, METRIC_DKIM_LOST, NULL, record_int(row, "lost"));
    metrics_set(metrics, METRIC_DKIM_VANISHED, NULL, record_int(row, "vanished"));
    return TRUE;
}

static gboolean directory_state(Cli *cli, gint64 *epoch, gint64 *revision, GError **error)
{
    g_autoptr(Record) row = record_first(cli->sql, SQL_EDGE_STATE, NULL, 0, error);

    if (!row)
        return FALSE;
    *epoch = record_int(row, "epoch");
    *revision = record_int(row, "revision");
    return TRUE;
}

/* One replica beside where the directory stood before; revision below 0: that is not known. FALSE: it is
 * behind. */
static gboolean look_at_replica(Metrics *metrics, const Config *config, Edge *edge, EdgeFile file,
                                gint64 epoch, gint64 revision)
{
    const char *name = edge_file_name(file);
    g_autofree char *path = config_path(config, CONFIG_EDGE_DIR, name);
    g_autoptr(GError) error = NULL;
    gint64 its_epoch, its_revision, written_us = 0;
    gboolean readable = edge_state(edge, file, &its_epoch, &its_revision, &error);

    metrics_set(metrics, METRIC_EDGE_READABLE, name, readable);
    metrics_set(metrics, METRIC_EDGE_FILE, name, size_of(path, "", &written_us));
    metrics_set(metrics, METRIC_EDGE_WAL, name, size_of(path, "-wal", &written_us));
    if (!readable) {
        metrics_fail(metrics, METRIC_EDGE_READABLE, name, error);
        return TRUE;
    }
    metrics_set(metrics, METRIC_EDGE_AGE, name, age_of_us(written_us));
    metrics_set(metrics, METRIC_EDGE_REVISION, name, its_revision);
    if (revision < 0)
        return TRUE;
    gint64 behind = its_epoch == epoch ? MAX(0, revision - its_revision) : revision;
    metrics_set(metrics, METRIC_EDGE_BEHIND, name, behind);
    return behind == 0;
}

/* A replica that is behind is looked at again after a moment: the worker takes that long. */
static void look_at_edge(Metrics *metrics, Cli *cli, gboolean reachable)
{
    g_autoptr(Edge) edge = edge_open(config_string(cli->config, CONFIG_EDGE_DIR));
    gint64 epoch = 0, revision = -1;

    if (reachable && !directory_state(cli, &epoch, &revision, NULL))
        revision = -1;
    for (guint file = 0; file < EDGE_FILE_COUNT; file++) {
        if (look_at_replica(metrics, cli->config, edge, (EdgeFile)file, epoch, revision))
            continue;
        g_usleep(BEHIND_WAIT);
        look_at_replica(metrics, cli->config, edge, (EdgeFile)file, epoch, revision);
    }
}

static void look_at_all(Metrics *metrics, Cli *cli)
{
    const char *spool = config_string(cli->config, CONFIG_SPOOL_DIR);
    g_auto(GStrv) programs = journal_programs(spool, NULL);
    g_autoptr(GError) error = NULL;

    look_at_spool(metrics, cli->config);
    look_at_sockets(metrics, cli->config);
    look_at_worker(metrics, cli->config);
    look_at_trackd(metrics, cli->config);
    look_at_apid(metrics, cli->config);
    for (guint i = 0; programs && programs[i]; i++)
        look_at_journal(metrics, spool, programs[i]);
    look_at_store(metrics, cli->config);
    gboolean reachable = cli_sql(cli, &error) && look_at_history(metrics, cli, programs, &error) &&
                         look_at_keys(metrics, cli, &error);
    metrics_set(metrics, METRIC_DATABASE_REACHABLE, NULL, reachable);
    if (!reachable)
        metrics_fail(metrics, METRIC_DATABASE_REACHABLE, NULL, error);
    look_at_edge(metrics, cli, reachable);
}

gboolean status_show(Cli *cli, GError **error)
{
    g_autoptr(Metrics) metrics = metrics_new();

    if (!cli_config(cli, error))
        return FALSE;
    look_at_all(metrics, cli);
    g_auto(GStrv) attention = metrics_attention(metrics);
    g_autoptr(Record) record = metrics_json(metrics);
    cli->status = attention[0] ? ATTENTION : 0;
    if (command_option(cli, "metrics"))
        metrics_print_prometheus(metrics);
    else if (!output_json(cli, record))
        metrics_print_text(metrics);
    return TRUE;
}
