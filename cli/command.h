/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the table of commands and what was parsed by it.
 * Used by: the files of cli/.
 * May touch: stdout, for help.
 * Threads: one.
 * Limits: an argument of at most COMMAND_TEXT_MAX octets, COMMAND_OPTIONS_MAX options.
 */
#pragma once

#include "lib/config/config.h"
#include "lib/directory/directory.h"
#include "lib/sql/sql.h"

#define COMMAND_TEXT_MAX      4096
#define COMMAND_OPTIONS_MAX   256
#define COMMAND_ARGUMENTS_MAX 1000

typedef struct Command Command;

/* One run of the program. */
typedef struct {
    const char *config_file;
    gboolean json;
    const Command *command;
    const char *arguments[COMMAND_ARGUMENTS_MAX + 1]; /* NULL-terminated */
    DirectoryOption options[COMMAND_OPTIONS_MAX];
    guint n_options;
    Config *config; /* loaded by cli_config */
    gboolean config_wrong;
    int status; /* exit status of a run without error */
    Sql *sql;   /* opened by cli_sql */
} Cli;

typedef gboolean (*CommandRun)(Cli *cli, GError **error);

struct Command {
    const char *object;
    const char *verb;
    CommandRun run;
    guint least, most;
    const char *arguments;
    int directory; /* DirectoryObject, or -1 */
    unsigned fields;
    const char *text;
};

typedef enum {
    COMMAND_RUN,   /* run cli->command */
    COMMAND_SHOWN, /* help or version was printed: exit 0 */
    COMMAND_WRONG, /* a usage error; the error is set */
} CommandParse;

/* Reads the command line into cli. */
CommandParse command_parse(Cli *cli, int argc, char **argv, GError **error);

/* The text of an option that was given; "" for one without argument; NULL: not given. */
const char *command_option(const Cli *cli, const char *option);

/* The same of the nth (from 0) of an option that may be given again. */
const char *command_option_nth(const Cli *cli, const char *option, guint nth);

/* A number from 1 to max; INVALID names the field. */
gboolean command_number(const char *field, const char *text, guint64 max, guint64 *number,
                        GError **error);

/* Each command and option, and each metric, as the lists of outrider(1), mdoc. */
void command_manual(void);

/* The functions of command.def. */
#define X(object, verb, function, least, most, arguments, DIRECTORY, fields, text)                 \
    gboolean function(Cli *cli, GError **error);
#include "cli/command.def"
#undef X
