/* SPDX-License-Identifier: MIT */
/* Messages of the history. */
#include <errno.h>
#include <stdio.h>

#include "cli/history.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/visits.h"
#include "lib/base/error.h"
#include "lib/base/id.h"
#include "lib/store/store.h"

/* What the milter may add to a message of the largest size. */
#define RAW_SLACK (1024 * 1024)

static const char *const statuses[] = {
#define X(status, meaning) status,
#include "lib/journal/status.def"
#undef X
    NULL,
};

static gboolean read_server(Sql *sql, const char *name, guint32 *server, GError **error)
{
    if (!name)
        return TRUE;
    g_autoptr(Record) record =
        directory_show(sql, DIRECTORY_SERVER, (const char *const[]){name, NULL}, error);
    if (!record)
        return FALSE;
    *server = (guint32)record_int(record, "id");
    return TRUE;
}

static gboolean read_filter(Cli *cli, HistoryFilter *filter, GError **error)
{
    const char *status = command_option(cli, "status");
    const char *to = command_option(cli, "to");
    const char *before = command_option(cli, "before");
    const char *limit = command_option(cli, "limit");
    guint64 number = 0;

    if (status && !g_strv_contains(statuses, status)) {
        g_autofree char *quoted = value_quote(status);
        g_autofree char *allowed = g_strjoinv(", ", (char **)(guintptr)statuses);
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "status: %s: allowed are %s",
                    quoted, allowed);
        return FALSE;
    }
    if ((to && !history_check_recipient(to, error)) ||
        !command_number("limit", limit ? limit : HISTORY_LIMIT_USUAL, HISTORY_LIMIT_MAX, &number,
                        error) ||
        (before && !command_number("before", before, ID_MAX, &filter->before, error)))
        return FALSE;
    filter->limit = (guint)number;
    filter->status = status ? status : "";
    filter->recipient = to ? to : "";
    return TRUE;
}

gboolean message_list(Cli *cli, GError **error)
{
    HistoryFilter filter = {0};

    if (!read_filter(cli, &filter, error))
        return FALSE;
    Sql *sql = cli_sql(cli, error);
    if (!sql || !read_server(sql, cli->arguments[0], &filter.server, error))
        return FALSE;
    filter.days = (guint)config_int(cli->config, CONFIG_HISTORY_DAYS) + 1;
    g_autoptr(Record) list = history_list(sql, &filter, error);
    if (!list)
        return FALSE;
    if (!output_json(cli, list))
        output_table(
            list, "id accepted_at organization server status duplicate queue_id rcpt_to subject");
    return TRUE;
}

gboolean message_show(Cli *cli, GError **error)
{
    guint64 id;

    if (!command_number("id", cli->arguments[0], ID_MAX, &id, error))
        return FALSE;
    Sql *sql = cli_sql(cli, error);
    if (!sql)
        return FALSE;
    g_autoptr(GError) why = NULL;
    g_autoptr(Record) message = history_find(sql, id, &why);
    if (why) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    if (!message) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND,
                    "message %s is not in the history; `outrider explain %s' says more",
                    cli->arguments[0], cli->arguments[0]);
        return FALSE;
    }
    if (!visits_complete(cli, message, error))
        return FALSE;
    if (output_json(cli, message))
        return TRUE;
    output_record(message);
    Record *copies = json_object_object_get(message, "copies");
    if (json_object_array_length(copies) > 0) {
        putchar('\n');
        output_table(copies, "at queue_id parent");
    }
    putchar('\n');
    output_table(json_object_object_get(message, "deliveries"),
                 "at status queue_id dsn code relay source_ip tls text");
    visits_print_tables(message);
    return TRUE;
}

/* From this host's store only, and without the database: the bytes as they left the milter. */
gboolean message_raw(Cli *cli, GError **error)
{
    guint64 id;
    gsize length;
    const Config *config = cli_config(cli, error);

    if (!config || !command_number("id", cli->arguments[0], ID_MAX, &id, error))
        return FALSE;
    g_autoptr(GBytes) bytes =
        store_read(config_string(config, CONFIG_SPOOL_DIR), id,
                   (gsize)config_int(config, CONFIG_MESSAGE_SIZE_MAX) + RAW_SLACK, NULL, error);
    if (!bytes && g_error_matches(*error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND)) {
        g_clear_error(error);
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND,
                    "message %" G_GUINT64_FORMAT
                    " is not stored on this host: accepted elsewhere, never, or "
                    "more than %" G_GINT64_FORMAT " days ago",
                    id, config_int(config, CONFIG_STORE_DAYS));
    }
    if (!bytes)
        return FALSE;
    const void *data = g_bytes_get_data(bytes, &length);
    if (fwrite(data, 1, length, stdout) == length)
        return TRUE;
    return error_set_errno(error, errno, "write", "stdout");
}
