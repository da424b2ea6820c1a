/* SPDX-License-Identifier: MIT */
/*
 * The journals of this host, as they are: one JSON object a line, with seq, time and type before it; and
 * what of all journals the database did not take.
 */
#include <stdio.h>

#include "cli/history.h"
#include "cli/output.h"
#include "cli/session.h"
#include "lib/base/error.h"
#include "lib/base/id.h"
#include "lib/journal/journal.h"
#include "lib/journal/reader.h"

#define FOLLOW_PAUSE_US 200000

/* g_free. */
static char *type_name(guint16 type)
{
    const char *name = event_name(type);

    return name ? g_strdup(name) : g_strdup_printf("type-%u", type);
}

static void print(const Cli *cli, const char *program, const JournalRecord *record)
{
    g_autofree char *name = type_name(record->type);
    g_autofree char *time = output_time_us(record->at_us);

    if (cli->json)
        printf("{\"program\":\"%s\",\"seq\":%" G_GUINT64_FORMAT ",\"at\":%" G_GINT64_FORMAT
               ",\"type\":\"%s\",\"event\":%s}\n",
               program, record->seq, record->at_us, name, record->json);
    else
        printf("%s %" G_GUINT64_FORMAT " %s %s %s\n", program, record->seq, time, name,
               record->json);
}

/* Prints what there is; a damaged stretch is said and passed over. */
static gboolean drain(const Cli *cli, const char *program, JournalReader *reader, GError **error)
{
    for (;;) {
        JournalRecord record;
        g_autoptr(GError) why = NULL;
        switch (journal_reader_next(reader, &record, &why)) {
        case JOURNAL_READ_RECORD:
            print(cli, program, &record);
            continue;
        case JOURNAL_READ_END:
            return TRUE;
        case JOURNAL_READ_FAILED:
            break;
        }
        if (!g_error_matches(why, OUTRIDER_ERROR, OUTRIDER_ERROR_CORRUPT)) {
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
        fprintf(stderr, "outrider: %s: %s: %" G_GUINT64_FORMAT " octets passed over\n", program,
                why->message, journal_reader_skip(reader));
    }
}

static void close_reader(gpointer reader)
{
    journal_reader_close(reader);
}

static gboolean cat(Cli *cli, char **programs, gboolean follow, GError **error)
{
    const char *spool = config_string(cli->config, CONFIG_SPOOL_DIR);
    g_autoptr(GPtrArray) readers = g_ptr_array_new_with_free_func(close_reader);

    for (char **program = programs; *program; program++) {
        JournalReader *reader = journal_reader_open(spool, *program, 0, error);
        if (!reader)
            return FALSE;
        g_ptr_array_add(readers, reader);
    }
    do {
        for (guint i = 0; programs[i]; i++)
            if (!drain(cli, programs[i], readers->pdata[i], error))
                return FALSE;
        if (fflush(stdout) != 0)
            return TRUE; /* nobody reads any more */
        if (follow)
            g_usleep(FOLLOW_PAUSE_US);
    } while (follow);
    return TRUE;
}

gboolean journal_cat(Cli *cli, GError **error)
{
    const Config *config = cli_config(cli, error);

    if (!config)
        return FALSE;
    g_auto(GStrv) programs = journal_programs(config_string(config, CONFIG_SPOOL_DIR), error);
    if (!programs)
        return FALSE;
    char *named = (char *)(guintptr)cli->arguments[0];
    if (!named)
        return cat(cli, programs, command_option(cli, "follow") != NULL, error);
    if (!g_strv_contains((const char *const *)programs, named)) {
        g_autofree char *quoted = value_quote(named);
        g_autofree char *known = g_strjoinv(", ", programs);
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND,
                    "program %s has no journal; there are: %s", quoted, known);
        return FALSE;
    }
    return cat(cli, (char *[]){named, NULL}, command_option(cli, "follow") != NULL, error);
}

/* NODE/PROGRAM/SEQ */
static gboolean read_rejected_id(const char *text, SqlParameter *parameters, char ***parts,
                                 GError **error)
{
    guint64 node, seq;

    *parts = g_strsplit(text, "/", 3);
    if (g_strv_length(*parts) == 3 && g_utf8_validate(text, -1, NULL) &&
        g_ascii_string_to_unsigned((*parts)[0], 10, 1, ID_NODE_MAX, &node, NULL) &&
        g_ascii_string_to_unsigned((*parts)[2], 10, 1, G_MAXINT64, &seq, NULL)) {
        parameters[0] = SQL_UNSIGNED(node);
        parameters[1] = SQL_TEXT((*parts)[1]);
        parameters[2] = SQL_UNSIGNED(seq);
        return TRUE;
    }
    g_autofree char *quoted = value_quote(text);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                "show: %s: allowed is NODE/PROGRAM/SEQ, as in the list", quoted);
    return FALSE;
}

static Record *find_rejected(Sql *sql, const char *id, GError **error)
{
    g_auto(GStrv) parts = NULL;
    SqlParameter parameters[3];

    if (!read_rejected_id(id, parameters, &parts, error))
        return NULL;
    g_autoptr(Record) found = record_list(sql, SQL_REJECTED_SHOW, parameters, 3, error);
    if (!found || json_object_array_length(found) > 0)
        return g_steal_pointer(&found);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND, "event %s is not set aside", id);
    return NULL;
}

static Record *list_rejected(Sql *sql, const char *limit, GError **error)
{
    guint64 number;

    if (!command_number("limit", limit, HISTORY_LIMIT_MAX, &number, error))
        return NULL;
    const SqlParameter parameters[] = {SQL_UNSIGNED(number)};
    return record_list(sql, SQL_REJECTED_LIST, parameters, 1, error);
}

gboolean journal_rejected(Cli *cli, GError **error)
{
    const char *show = command_option(cli, "show");
    const char *limit = command_option(cli, "limit");
    Sql *sql = cli_sql(cli, error);

    if (!sql)
        return FALSE;
    g_autoptr(Record) list = show ? find_rejected(sql, show, error)
                                  : list_rejected(sql, limit ? limit : HISTORY_LIMIT_USUAL, error);
    if (!list)
        return FALSE;
    for (gsize i = 0; i < json_object_array_length(list); i++) {
        Record *record = json_object_array_get_idx(list, i);
        g_autofree char *name = type_name((guint16)record_int(record, "type"));
        json_object_object_add(record, "event", json_object_new_string(name));
    }
    if (output_json(cli, list))
        return TRUE;
    if (!show)
        output_table(list, "id event at octets reason bytes");
    for (gsize i = 0; show && i < json_object_array_length(list); i++) {
        const Record *record = json_object_array_get_idx(list, i);
        g_autofree char *bytes = output_value("bytes", json_object_object_get(record, "bytes"));
        puts(bytes);
    }
    return TRUE;
}
