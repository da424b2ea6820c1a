/* SPDX-License-Identifier: MIT */
/* The journals of this host, as they are: one JSON object a line, with seq, time and type before it. */
#include <stdio.h>

#include "cli/output.h"
#include "cli/session.h"
#include "lib/base/error.h"
#include "lib/journal/journal.h"
#include "lib/journal/reader.h"

#define FOLLOW_PAUSE_US 200000

static void print(const Cli *cli, const char *program, const JournalRecord *record)
{
    const char *name = event_name(record->type);
    g_autofree char *unknown = name ? NULL : g_strdup_printf("type-%u", record->type);
    g_autofree char *time = output_time_us(record->at_us);

    if (cli->json)
        printf("{\"program\":\"%s\",\"seq\":%" G_GUINT64_FORMAT ",\"at\":%" G_GINT64_FORMAT
               ",\"type\":\"%s\",\"event\":%s}\n",
               program, record->seq, record->at_us, name ? name : unknown, record->json);
    else
        printf("%s %" G_GUINT64_FORMAT " %s %s %s\n", program, record->seq, time,
               name ? name : unknown, record->json);
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
