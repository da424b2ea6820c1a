/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the command line of outrider-pipe, which Postfix writes for each message.
 * Used by: outrider-pipe, outrider-piped.
 * May touch: nothing; with --help standard output, and the process ends.
 * Threads: one.
 */
#pragma once

#include <glib.h>

typedef struct {
    char **words; /* that are no options; the program's name first */
    char *config; /* OUTRIDER_CONFIG_FILE unless it is said */
    char *endpoint, *sender, *queue_id;
    char **recipients; /* Postfix says the option again for each */
    gboolean version;
} PipeCommand;

/* argv ends with NULL and stays as it is. FALSE: an option that there is not, or one without its value. */
gboolean pipe_command_read(char *const *argv, PipeCommand *command, GError **error);

void pipe_command_clear(PipeCommand *command);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PipeCommand, pipe_command_clear)
