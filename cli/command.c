/* SPDX-License-Identifier: MIT */
/*
 * outrider [GLOBAL OPTION...] OBJECT [VERB] [ARGUMENT...] [OPTION...]
 *
 * Options may stand anywhere after the verb, `--' ends them. An object whose verb is "" in the table
 * takes none.
 */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "cli/metric.h"
#include "lib/base/error.h"

enum {
    DIRECTORY_NONE = -1,
    ADD = DIRECTORY_FIELD_ADD,
    CHANGE = DIRECTORY_FIELD_CHANGE,
};

static const Command commands[] = {
#define X(object, verb, function, least, most, arguments, DIRECTORY, fields, text)                 \
    {object, verb, function, least, most, arguments, DIRECTORY_##DIRECTORY, fields, text},
#include "cli/command.def"
#undef X
};

static const struct {
    const char *object;
    const char *verb;
    const char *option;
    const char *argument;
    const char *text;
} options[] = {
#define X(object, verb, option, argument, text) {object, verb, option, argument, text},
#include "cli/option.def"
#undef X
};

static const char globals[] = "  -c, --config FILE  configuration file (" OUTRIDER_CONFIG_FILE ")\n"
                              "      --json         print JSON\n"
                              "      --help         help on what is named so far\n"
                              "      --version      print the version\n";

/* Calls func for each option of a command; stops and returns TRUE when func does. */
typedef gboolean (*OptionFunc)(const char *option, const char *argument, const char *text,
                               gpointer data);

static gboolean each_option(const Command *command, OptionFunc func, gpointer data)
{
    guint n = 0;
    const DirectoryField *fields = NULL;

    if (command->directory >= 0)
        fields = directory_fields((DirectoryObject)command->directory, &n);
    for (guint i = 0; i < n; i++)
        if (fields[i].option && (fields[i].flags & command->fields) &&
            func(fields[i].option, fields[i].argument, fields[i].text, data))
            return TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(options); i++)
        if (g_str_equal(options[i].object, command->object) &&
            g_str_equal(options[i].verb, command->verb) &&
            func(options[i].option, options[i].argument, options[i].text, data))
            return TRUE;
    return FALSE;
}

static char *option_words(const char *option, const char *argument)
{
    return g_strdup_printf("--%s%s%s", option, argument ? " " : "", argument ? argument : "");
}

static gboolean print_option(const char *option, const char *argument, const char *text,
                             G_GNUC_UNUSED gpointer data)
{
    g_autofree char *words = option_words(option, argument);

    printf("  %-26s %s\n", words, text);
    return FALSE;
}

static gboolean is_any(G_GNUC_UNUSED const char *option, G_GNUC_UNUSED const char *argument,
                       G_GNUC_UNUSED const char *text, G_GNUC_UNUSED gpointer data)
{
    return TRUE;
}

static void print_usage(const Command *command)
{
    printf("outrider %s%s%s%s%s%s\n", command->object, *command->verb ? " " : "", command->verb,
           *command->arguments ? " " : "", command->arguments,
           each_option(command, is_any, NULL) ? " [OPTION...]" : "");
}

static void help_command(const Command *command)
{
    printf("usage: ");
    print_usage(command);
    printf("\n%s\n", command->text);
    if (each_option(command, is_any, NULL))
        printf("\nOptions:\n");
    each_option(command, print_option, NULL);
    printf("\nOptions of every command:\n%s", globals);
}

static void help_object(const char *object)
{
    printf("usage: outrider %s VERB ...\n\n", object);
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++)
        if (g_str_equal(commands[i].object, object))
            printf("  %-10s %s\n", commands[i].verb, commands[i].text);
    printf("\n`outrider %s VERB --help' shows the arguments and options of one.\n", object);
}

/* What follows the object: a verb, or what a command without one takes. */
static const char *next_word(const Command *command)
{
    if (*command->verb)
        return command->verb;
    return *command->arguments ? command->arguments : "[OPTION...]";
}

static void help_all(void)
{
    printf("usage: outrider [-c FILE] [--json] OBJECT VERB [ARGUMENT...] [OPTION...]\n\n");
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
        gboolean first = i == 0 || !g_str_equal(commands[i].object, commands[i - 1].object);
        gboolean last = i + 1 == G_N_ELEMENTS(commands) ||
                        !g_str_equal(commands[i].object, commands[i + 1].object);
        if (first)
            printf("  %-14s", commands[i].object);
        printf("%s%s%s", first ? "" : "|", next_word(&commands[i]), last ? "\n" : "");
    }
    printf("\n%s\n`outrider OBJECT --help' says more.\n", globals);
}

static gboolean manual_option(const char *option, const char *argument, const char *text,
                              G_GNUC_UNUSED gpointer data)
{
    printf(".It Fl -%s%s%s\n%s\n", option, argument ? " Ar " : "", argument ? argument : "", text);
    return FALSE;
}

void command_manual(void)
{
    printf(".Bl -tag -width Ds\n");
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
        const Command *command = &commands[i];
        gboolean any = each_option(command, is_any, NULL);
        printf(".It Ic %s%s%s%s%s%s\n%s\n", command->object, *command->verb ? " " : "",
               command->verb, *command->arguments ? " Ar " : "", command->arguments,
               any ? " Op Ar option ..." : "", command->text);
        if (any)
            printf(".Bl -tag -width Ds -compact\n");
        each_option(command, manual_option, NULL);
        if (any)
            printf(".El\n");
    }
    printf(".El\n.Sh METRICS\n");
    metrics_manual();
}

static gboolean usage_error(GError **error, const char *what, const char *text, const char *help)
{
    g_autofree char *quoted = value_quote(text);

    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "%s %s; see `outrider %s--help'",
                what, quoted, help);
    return FALSE;
}

static gboolean has_object(const char *object)
{
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++)
        if (g_str_equal(commands[i].object, object))
            return TRUE;
    return FALSE;
}

static const Command *find_command(const char *object, const char *verb)
{
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++)
        if (g_str_equal(commands[i].object, object) && g_str_equal(commands[i].verb, verb))
            return &commands[i];
    return NULL;
}

typedef struct {
    Cli *cli;
    int argc;
    char **argv;
    int at;
    gboolean help, version, manual;
    const char *object;
    gboolean options_ended;
} Parser;

static char *help_words(const Parser *parser)
{
    const Command *command = parser->cli->command;

    if (!parser->object)
        return g_strdup("");
    return g_strdup_printf("%s %s%s", parser->object, command ? command->verb : "",
                           command && *command->verb ? " " : "");
}

/* The value after an option: "--name=VALUE" or the next word. */
static const char *option_value(Parser *parser, const char *inline_value)
{
    if (inline_value)
        return inline_value;
    return parser->at + 1 < parser->argc ? parser->argv[++parser->at] : NULL;
}

/* 1: was a global option, 0: is none, -1: an error. */
static int parse_global(Parser *parser, const char *word, const char *inline_value, GError **error)
{
    gboolean is_config = g_str_equal(word, "-c") || g_str_equal(word, "--config");

    if (is_config) {
        const char *file = option_value(parser, inline_value);
        if (!file) {
            usage_error(error, "a file is missing after", word, "");
            return -1;
        }
        parser->cli->config_file = file;
    } else if (inline_value)
        return 0;
    else if (g_str_equal(word, "--json"))
        parser->cli->json = TRUE;
    else if (g_str_equal(word, "--help") || g_str_equal(word, "-h"))
        parser->help = TRUE;
    else if (g_str_equal(word, "--version"))
        parser->version = TRUE;
    else if (g_str_equal(word, "--manual"))
        parser->manual = TRUE;
    else
        return 0;
    return 1;
}

typedef struct {
    const char *wanted;
    const char *option;
    const char *argument;
} Search;

static gboolean matches(const char *option, const char *argument, G_GNUC_UNUSED const char *text,
                        gpointer data)
{
    Search *search = data;

    if (!g_str_equal(search->wanted, option))
        return FALSE;
    search->option = option;
    search->argument = argument;
    return TRUE;
}

/* Its argument says so. */
static gboolean is_repeatable(const char *argument)
{
    return argument && g_str_has_suffix(argument, "...");
}

static gboolean add_option(Parser *parser, const Search *found, const char *inline_value,
                           const char *help, GError **error)
{
    Cli *cli = parser->cli;
    const char *text = found->argument ? option_value(parser, inline_value) : NULL;

    if (found->argument && !text)
        return usage_error(error, "a value is missing after option", found->option, help);
    if (!found->argument && inline_value)
        return usage_error(error, "no value is allowed for option", found->option, help);
    if (command_option(cli, found->option) && !is_repeatable(found->argument))
        return usage_error(error, "given twice: option", found->option, help);
    if (cli->n_options == COMMAND_OPTIONS_MAX)
        return usage_error(error, "too many options at", found->option, help);
    cli->options[cli->n_options++] = (DirectoryOption){.option = found->option, .text = text};
    return TRUE;
}

static gboolean parse_option(Parser *parser, const char *word, GError **error)
{
    const char *equals = strchr(word, '=');
    g_autofree char *name = equals ? g_strndup(word, (gsize)(equals - word)) : g_strdup(word);
    const char *inline_value = equals ? equals + 1 : NULL;
    int global = parse_global(parser, name, inline_value, error);

    if (global != 0)
        return global > 0;
    g_autofree char *help = help_words(parser);
    Search search = {.wanted = g_str_has_prefix(name, "--") ? name + 2 : ""};
    if (!parser->cli->command || !each_option(parser->cli->command, matches, &search))
        return usage_error(error, "unknown option", name, help);
    return add_option(parser, &search, inline_value, help, error);
}

static gboolean parse_word(Parser *parser, const char *word, GError **error)
{
    Cli *cli = parser->cli;
    guint n = 0;

    if (!parser->object) {
        if (!has_object(word))
            return usage_error(error, "unknown object", word, "");
        parser->object = word;
        cli->command = find_command(word, "");
        return TRUE;
    }
    g_autofree char *help = help_words(parser);
    if (!cli->command) {
        cli->command = find_command(parser->object, word);
        return cli->command ? TRUE : usage_error(error, "unknown verb", word, help);
    }
    while (cli->arguments[n])
        n++;
    if (n == cli->command->most || n == COMMAND_ARGUMENTS_MAX)
        return usage_error(error, "too many arguments at", word, help);
    cli->arguments[n] = word;
    return TRUE;
}

static CommandParse show(const Parser *parser)
{
    if (parser->version)
        printf("outrider %s\n", PACKAGE_VERSION);
    else if (parser->manual)
        command_manual();
    else if (parser->cli->command)
        help_command(parser->cli->command);
    else if (parser->object)
        help_object(parser->object);
    else
        help_all();
    return COMMAND_SHOWN;
}

static gboolean parse_all(Parser *parser, GError **error)
{
    for (parser->at = 1; parser->at < parser->argc; parser->at++) {
        const char *word = parser->argv[parser->at];
        if (strlen(word) > COMMAND_TEXT_MAX) {
            g_autofree char *quoted = value_quote(word);
            g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_TOO_LARGE,
                        "%s: longer than %d octets", quoted, COMMAND_TEXT_MAX);
            return FALSE;
        }
        gboolean is_option = !parser->options_ended && word[0] == '-' && word[1];
        if (is_option && g_str_equal(word, "--"))
            parser->options_ended = TRUE;
        else if (is_option ? !parse_option(parser, word, error) : !parse_word(parser, word, error))
            return FALSE;
    }
    return TRUE;
}

CommandParse command_parse(Cli *cli, int argc, char **argv, GError **error)
{
    Parser parser = {.cli = cli, .argc = argc, .argv = argv};
    guint n = 0;

    if (!parse_all(&parser, error))
        return COMMAND_WRONG;
    if (parser.help || parser.version || parser.manual)
        return show(&parser);
    g_autofree char *help = help_words(&parser);
    if (!parser.object || !cli->command) {
        usage_error(error, parser.object ? "a verb is missing after" : "no command after",
                    parser.object ? parser.object : "outrider", help);
        return COMMAND_WRONG;
    }
    while (cli->arguments[n])
        n++;
    if (n >= cli->command->least)
        return COMMAND_RUN;
    usage_error(error, "arguments are missing: wanted are", cli->command->arguments, help);
    return COMMAND_WRONG;
}

const char *command_option_nth(const Cli *cli, const char *option, guint nth)
{
    for (guint i = 0; i < cli->n_options; i++)
        if (g_str_equal(cli->options[i].option, option) && nth-- == 0)
            return cli->options[i].text ? cli->options[i].text : "";
    return NULL;
}

const char *command_option(const Cli *cli, const char *option)
{
    return command_option_nth(cli, option, 0);
}

gboolean command_number(const char *field, const char *text, guint64 max, guint64 *number,
                        GError **error)
{
    if (g_ascii_string_to_unsigned(text, 10, 1, max, number, NULL))
        return TRUE;
    g_autofree char *quoted = value_quote(text);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                "%s: %s: allowed are 1 to %" G_GUINT64_FORMAT, field, quoted, max);
    return FALSE;
}
