/* SPDX-License-Identifier: MIT */
#include "transport/pipe_command.h"

#include "lib/config/config.h"

gboolean pipe_command_read(char *const *argv, PipeCommand *command, GError **error)
{
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &command->config,
         "Configuration file (default " OUTRIDER_CONFIG_FILE ")", "FILE"},
        {"endpoint", 0, 0, G_OPTION_ARG_STRING, &command->endpoint,
         "Which one: endpoint/ID, or endpoint/ID/bounce", "ENDPOINT"},
        {"sender", 0, 0, G_OPTION_ARG_FILENAME, &command->sender,
         "Envelope sender; empty: the null sender", "ADDRESS"},
        {"recipient", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &command->recipients,
         "Envelope recipient, one", "ADDRESS"},
        {"queue-id", 0, 0, G_OPTION_ARG_FILENAME, &command->queue_id, "Postfix's queue id", "ID"},
        {"version", 0, 0, G_OPTION_ARG_NONE, &command->version, "Print the version and exit", NULL},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("http");

    command->words = g_strdupv((char **)(guintptr)argv);
    g_option_context_set_summary(context, "outrider-pipe: hands a message to an HTTP endpoint.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse_strv(context, &command->words, error))
        return FALSE;
    if (!command->config)
        command->config = g_strdup(OUTRIDER_CONFIG_FILE);
    return TRUE;
}

void pipe_command_clear(PipeCommand *command)
{
    g_strfreev(command->words);
    g_free(command->config);
    g_free(command->endpoint);
    g_free(command->sender);
    g_free(command->queue_id);
    g_strfreev(command->recipients);
}
