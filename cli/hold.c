/* SPDX-License-Identifier: MIT */
/*
 * Messages that Postfix holds: oldest first, as they are released and expire in that order, and a program
 * that works through them goes on behind the last id it was given.
 */
#include <string.h>

#include "cli/history.h"
#include "cli/output.h"
#include "cli/session.h"
#include "lib/base/error.h"
#include "lib/base/id.h"

static const char *const rules[] = {
#define X(NAME, rule, reason) rule,
#include "lib/journal/hold_rule.def"
#undef X
    NULL,
};

typedef struct {
    guint64 organization; /* 0: any */
    guint64 server;       /* 0: any */
    const char *rule;     /* "": any */
    const char *recipient;
    guint64 after; /* only younger ids */
    guint64 limit;
} HoldFilter;

static gboolean read_filter(const Cli *cli, HoldFilter *filter, GError **error)
{
    const char *rule = command_option(cli, "rule");
    const char *to = command_option(cli, "to");
    const char *after = command_option(cli, "after");
    const char *limit = command_option(cli, "limit");

    if (rule && !g_strv_contains(rules, rule)) {
        g_autofree char *quoted = value_quote(rule);
        g_autofree char *allowed = g_strjoinv(", ", (char **)(guintptr)rules);
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "rule: %s: allowed are %s",
                    quoted, allowed);
        return FALSE;
    }
    if ((to && !history_check_recipient(to, error)) ||
        !command_number("limit", limit ? limit : HISTORY_LIMIT_USUAL, HISTORY_LIMIT_MAX,
                        &filter->limit, error) ||
        (after && !command_number("after", after, ID_MAX, &filter->after, error)))
        return FALSE;
    filter->rule = rule ? rule : "";
    filter->recipient = to ? to : "";
    return TRUE;
}

/* ORG or ORG/SERVER. */
static gboolean read_owner(Sql *sql, const char *name, HoldFilter *filter, GError **error)
{
    if (!name)
        return TRUE;
    gboolean whole = !strchr(name, '/');
    g_autoptr(Record) record =
        directory_show(sql, whole ? DIRECTORY_ORGANIZATION : DIRECTORY_SERVER,
                       (const char *const[]){name, NULL}, error);
    if (!record)
        return FALSE;
    *(whole ? &filter->organization : &filter->server) = (guint64)record_int(record, "id");
    return TRUE;
}

static Record *find_held(Sql *sql, const HoldFilter *filter, GError **error)
{
    const SqlParameter parameters[] = {SQL_UNSIGNED(filter->after),
                                       SQL_TEXT(filter->rule),
                                       SQL_TEXT(filter->rule),
                                       SQL_TEXT(filter->recipient),
                                       SQL_TEXT(filter->recipient),
                                       SQL_UNSIGNED(filter->organization),
                                       SQL_UNSIGNED(filter->organization),
                                       SQL_UNSIGNED(filter->limit)};
    const SqlParameter of_server[] = {SQL_UNSIGNED(filter->after), SQL_TEXT(filter->rule),
                                      SQL_TEXT(filter->rule),      SQL_TEXT(filter->recipient),
                                      SQL_TEXT(filter->recipient), SQL_UNSIGNED(filter->server),
                                      SQL_UNSIGNED(filter->limit)};

    return filter->server
               ? record_list(sql, SQL_HOLD_LIST_SERVER, of_server, G_N_ELEMENTS(of_server), error)
               : record_list(sql, SQL_HOLD_LIST, parameters, G_N_ELEMENTS(parameters), error);
}

gboolean hold_list(Cli *cli, GError **error)
{
    HoldFilter filter = {0};

    if (!read_filter(cli, &filter, error))
        return FALSE;
    Sql *sql = cli_sql(cli, error);
    if (!sql || !read_owner(sql, cli->arguments[0], &filter, error))
        return FALSE;
    g_autoptr(Record) list = find_held(sql, &filter, error);
    if (!list)
        return FALSE;
    if (!output_json(cli, list))
        output_table(list, "id node organization server rcpt_to hold_rule hold_reason held_at "
                           "hold_expires queue_id");
    return TRUE;
}
