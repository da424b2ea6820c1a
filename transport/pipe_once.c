/* SPDX-License-Identifier: MIT */
#include "transport/pipe_once.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log/log.h"
#include "transport/pipe_end.h"
#include "transport/post.h"

typedef struct {
    char *file, *target, *sender, *queue_id;
    char **recipients; /* Postfix says the option again for each */
    gboolean version;
} Choice;

static void choice_clear(Choice *choice)
{
    g_free(choice->file);
    g_free(choice->target);
    g_free(choice->sender);
    g_strfreev(choice->recipients);
    g_free(choice->queue_id);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Choice, choice_clear)

static gboolean parse_options(int *argc, char ***argv, Choice *choice, GError **error)
{
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &choice->file,
         "Configuration file (default " OUTRIDER_CONFIG_FILE ")", "FILE"},
        {"endpoint", 0, 0, G_OPTION_ARG_STRING, &choice->target,
         "Which one: endpoint/ID, or endpoint/ID/bounce", "ENDPOINT"},
        {"sender", 0, 0, G_OPTION_ARG_FILENAME, &choice->sender,
         "Envelope sender; empty: the null sender", "ADDRESS"},
        {"recipient", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &choice->recipients,
         "Envelope recipient, one", "ADDRESS"},
        {"queue-id", 0, 0, G_OPTION_ARG_FILENAME, &choice->queue_id, "Postfix's queue id", "ID"},
        {"version", 0, 0, G_OPTION_ARG_NONE, &choice->version, "Print the version and exit", NULL},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("http");

    g_option_context_set_summary(context, "outrider-pipe: hands a message to an HTTP endpoint.");
    g_option_context_add_main_entries(context, entries, NULL);
    return g_option_context_parse(context, argc, argv, error);
}

/* Postfix takes addresses with any octets. */
static void make_valid(char **text)
{
    char *valid = g_utf8_make_valid(*text, -1);

    g_free(*text);
    *text = valid;
}

/* NULL: all that is needed is there. */
static const char *what_is_wrong(int argc, char **argv, Choice *choice, PostOrder *order)
{
    if (argc != 2 || strcmp(argv[1], "http") != 0)
        return "outrider-pipe: allowed is `http' with options; see --help";
    if (!choice->target || !post_read_target(choice->target, order))
        return "outrider-pipe: --endpoint: allowed is endpoint/ID and endpoint/ID/bounce";
    if (!choice->sender)
        return "outrider-pipe: --sender is missing";
    /* Else who is not asked for would count as delivered to. */
    if (!choice->recipients || g_strv_length(choice->recipients) != 1 || !*choice->recipients[0])
        return "outrider-pipe: --recipient: allowed is one; see "
               "outrider-http_destination_recipient_limit";
    if (!choice->queue_id || !*choice->queue_id)
        return "outrider-pipe: --queue-id is missing";
    make_valid(&choice->sender);
    make_valid(&choice->recipients[0]);
    order->sender = choice->sender;
    order->recipient = choice->recipients[0];
    order->queue_id = choice->queue_id;
    return NULL;
}

/* NULL: the verdict says why. */
static Config *load(const Choice *choice, const PostOrder *order, Verdict *verdict)
{
    g_autoptr(GError) error = NULL;
    Config *config = config_load(choice->file ? choice->file : OUTRIDER_CONFIG_FILE, &error);

    if (config)
        return config;
    log_error(order->queue_id, "cannot start", LOG_GERROR(error));
    verdict_later(verdict, "4.3.5", "outrider-pipe: the configuration cannot be read");
    return NULL;
}

static void attempt(const Config *config, int argc, char **argv, Choice *choice, Verdict *verdict)
{
    PostOrder order = {0};
    const char *wrong = what_is_wrong(argc, argv, choice, &order);
    g_autoptr(Config) own = NULL;

    if (wrong) {
        verdict_later(verdict, "4.3.5", wrong);
        return;
    }
    if (!config)
        config = own = load(choice, &order, verdict);
    if (!config)
        return;
    log_open("outrider-pipe", "syslog", config_string(config, CONFIG_LOG_LEVEL));
    post_message(config, &order, STDIN_FILENO, verdict);
}

/* Postfix would make a blank of a line end. */
static G_NORETURN void end(const Verdict *verdict)
{
    g_autofree char *line = g_strdup_printf("%.*s%s", VERDICT_LINE_MAX, verdict->line,
                                            isatty(STDOUT_FILENO) ? "\n" : "");

    pipe_end(verdict->status, line);
}

void pipe_once(const Config *config, int argc, char **argv)
{
    g_auto(Choice) choice = {0};
    g_auto(Verdict) verdict = {0};
    g_autoptr(GError) error = NULL;

    umask(0077);
    /* What pipe(8) hears is for the notice to a sender; our log is Postfix's. */
    log_open("outrider-pipe", "syslog", "info");
    if (!parse_options(&argc, &argv, &choice, &error)) {
        g_autofree char *text = g_strconcat("outrider-pipe: ", error->message, NULL);
        verdict_later(&verdict, "4.3.5", text);
        end(&verdict);
    }
    if (choice.version)
        pipe_end(0, "outrider-pipe " PACKAGE_VERSION "\n");
    attempt(config, argc, argv, &choice, &verdict);
    end(&verdict);
}
