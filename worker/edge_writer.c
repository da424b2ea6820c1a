/* SPDX-License-Identifier: MIT */
#include "worker/edge_writer.h"

#include "lib/edge/edge_lane.h"
#include "lib/edge/edge_route.h"
#include "lib/edge/edge_schema.h"
#include "lib/edge/lane_served.h"
#include "lib/log/log.h"
#include "worker/database.h"
#include "worker/incoming.h"
#include "worker/lanes.h"
#include "worker/replica.h"
#include "worker/rounds.h"

#define BACK_OFF_MIN_MS 1000
#define BACK_OFF_MAX_MS 5000
#define FILES           EDGE_FILE_SUPPRESSION /* that one has a writer of its own */

struct EdgeWriter {
    const Config *config;
    Sql *sql;
    sqlite3 *replicas[FILES];
    LaneServed *served;
    GArray *lanes_served;  /* what lanes.regexp was rendered for */
    gboolean lanes_known;  /* it was compared since start */
    Edge *edge;            /* what replicas then say */
    gboolean incoming_due; /* its tables are to be looked at, whatever the directory */
    gboolean elders_gone;  /* replicas of elder schemas were removed since start */
    Rounds *rounds;        /* NULL: without a thread */
    gboolean complained;
};

EdgeWriter *edge_writer_new(const Config *config)
{
    EdgeWriter *writer = g_new0(EdgeWriter, 1);

    writer->config = config;
    writer->served = lane_served_open(config);
    writer->edge = edge_open(config_string(config, CONFIG_EDGE_DIR));
    writer->incoming_due = TRUE;
    return writer;
}

static gboolean open_replicas(EdgeWriter *writer, GError **error)
{
    const char *directory = config_string(writer->config, CONFIG_EDGE_DIR);

    for (guint file = 0; file < FILES; file++) {
        if (writer->replicas[file])
            continue;
        writer->replicas[file] = replica_open(directory, (EdgeFile)file, error);
        if (!writer->replicas[file])
            return FALSE;
    }
    return TRUE;
}

static gboolean update_lanes(EdgeWriter *writer, const GArray *served, GError **error)
{
    const char *directory = config_string(writer->config, CONFIG_POSTFIX_CONFIG_DIR);
    g_autofree char *path = g_build_filename(directory, "outrider", "lanes.regexp", NULL);
    gint64 gone_after = g_get_real_time() / G_USEC_PER_SEC - EDGE_LANE_KEEP_SECONDS;
    g_autoptr(GArray) lanes = edge_lane_states(writer->edge, served, gone_after, error);
    g_autoptr(GError) why = NULL;
    gboolean changed = FALSE;

    if (!lanes)
        return FALSE;
    g_autofree char *text =
        lanes_render(lanes, config_string(writer->config, CONFIG_RETURN_PATH_DOMAIN),
                     config_string(writer->config, CONFIG_RETURN_PATH_LABEL),
                     (guint)config_int(writer->config, CONFIG_HOP_PORT));
    if (!lanes_write(path, text, &changed, error))
        return FALSE;
    if (!changed)
        return TRUE;
    log_info(NULL, "lanes changed", LOG_TEXT("file", path), LOG_INT("lanes", lanes->len));
    if (config_bool(writer->config, CONFIG_LANE_RELOAD) && !lanes_reload(directory, &why))
        log_warning(NULL, "postfix not reloaded", LOG_GERROR(why));
    return TRUE;
}

/* When the directory, or what this node serves, has changed since they were rendered. */
static gboolean follow_lanes(EdgeWriter *writer, gboolean changed, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(GArray) served = lane_served_now(writer->served, &why);

    if (why) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    if (!changed && writer->lanes_known && served == writer->lanes_served)
        return TRUE;
    writer->lanes_known = update_lanes(writer, served, error);
    g_clear_pointer(&writer->lanes_served, g_array_unref);
    writer->lanes_served = g_steal_pointer(&served);
    return writer->lanes_known;
}

static gboolean update_incoming(EdgeWriter *writer, GError **error)
{
    const char *postfix = config_string(writer->config, CONFIG_POSTFIX_CONFIG_DIR);
    const char *label = config_string(writer->config, CONFIG_RETURN_PATH_LABEL);
    g_autofree char *directory = g_build_filename(postfix, "outrider", NULL);
    g_autoptr(GPtrArray) domains = edge_route_domains(writer->edge, INCOMING_DOMAINS_MAX, error);
    g_autoptr(GPtrArray) returns =
        domains ? edge_return_domains(writer->edge, label, INCOMING_DOMAINS_MAX, error) : NULL;
    IncomingWritten written = {0};
    g_autoptr(GError) why = NULL;

    writer->incoming_due = TRUE;
    if (!returns)
        return FALSE;
    const IncomingNames names = {.domains = domains,
                                 .return_domains = returns,
                                 .return_path_domain =
                                     config_string(writer->config, CONFIG_RETURN_PATH_DOMAIN),
                                 .return_path_label = label,
                                 .route_domain = config_string(writer->config, CONFIG_ROUTE_DOMAIN),
                                 .hop_port = (guint)config_int(writer->config, CONFIG_HOP_PORT)};
    if (!incoming_write(directory, &names, g_get_real_time() / G_USEC_PER_SEC, &written, error) ||
        (!written.pending && !edge_schema_open_returns(writer->replicas[EDGE_FILE_DIRECTORY], label,
                                                       INCOMING_DOMAINS_MAX, error)))
        return FALSE;
    writer->incoming_due = written.pending;
    if (!written.changed)
        return TRUE;
    log_info(NULL, "incoming domains changed", LOG_INT("domains", domains->len));
    if (domains->len == INCOMING_DOMAINS_MAX || returns->len == INCOMING_DOMAINS_MAX)
        log_warning(NULL, "more domains than Postfix is told of",
                    LOG_INT("max", INCOMING_DOMAINS_MAX));
    if (config_bool(writer->config, CONFIG_LANE_RELOAD) && !lanes_reload(postfix, &why))
        log_warning(NULL, "postfix not reloaded", LOG_GERROR(why));
    return TRUE;
}

static gboolean trim_replicas(EdgeWriter *writer, GError **error)
{
    for (guint file = 0; file < FILES; file++)
        if (!edge_schema_trim(writer->replicas[file], error))
            return FALSE;
    return TRUE;
}

gboolean edge_writer_round(EdgeWriter *writer, gboolean *changed, GError **error)
{
    DirectoryState state;
    gboolean any = FALSE;

    if (!writer->sql && !(writer->sql = database_open(writer->config, error)))
        return FALSE;
    if (!open_replicas(writer, error) ||
        !replica_directory_state(writer->sql, SQL_EDGE_STATE, &state, error))
        return FALSE;
    /* In this order: a credential is in the directory before its key can be looked up. */
    for (guint file = 0; file < FILES; file++) {
        gboolean written = FALSE;
        if (!replica_update(writer->replicas[file], (EdgeFile)file, writer->sql, &state, &written,
                            error))
            return FALSE;
        any |= written;
    }
    if (!follow_lanes(writer, any, error) ||
        ((any || writer->incoming_due) && !update_incoming(writer, error)))
        return FALSE;
    /* Whoever still reads them has had time until here, where the new ones are filled. */
    if (!writer->elders_gone)
        edge_schema_remove_elder(config_string(writer->config, CONFIG_EDGE_DIR));
    writer->elders_gone = TRUE;
    *changed = any;
    return trim_replicas(writer, error);
}

/* One complaint until it is well again. */
static gboolean run(gpointer data)
{
    EdgeWriter *writer = data;
    g_autoptr(GError) error = NULL;
    gboolean changed = FALSE;
    gboolean done = edge_writer_round(writer, &changed, &error);

    if (done && writer->complained)
        log_info(NULL, "edge follows the directory again");
    if (!done && !writer->complained)
        log_warning(NULL, "edge stays as it is", LOG_GERROR(error));
    writer->complained = !done;
    if (changed)
        log_debug(NULL, "edge updated");
    return done;
}

EdgeWriter *edge_writer_start(const Config *config)
{
    EdgeWriter *writer = edge_writer_new(config);
    const RoundsKind kind = {.name = "edge-writer",
                             .interval_ms = config_int(config, CONFIG_EDGE_INTERVAL),
                             .retry_ms = BACK_OFF_MIN_MS,
                             .retry_max_ms = BACK_OFF_MAX_MS,
                             .run = run};

    writer->rounds = rounds_new(&kind, writer);
    rounds_start(writer->rounds);
    return writer;
}

void edge_writer_stop(EdgeWriter *writer)
{
    if (!writer)
        return;
    rounds_stop(writer->rounds);
    for (guint file = 0; file < FILES; file++)
        sqlite3_close(writer->replicas[file]);
    sql_close(writer->sql);
    g_clear_pointer(&writer->lanes_served, g_array_unref);
    edge_close(writer->edge);
    lane_served_close(writer->served);
    g_free(writer);
}
