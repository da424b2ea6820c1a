/* SPDX-License-Identifier: MIT */
#include "transport/pipe_once.h"

#include <sys/stat.h>
#include <unistd.h>

#include "lib/log/log.h"
#include "transport/pipe_command.h"
#include "transport/pipe_end.h"
#include "transport/post.h"

/* Postfix takes addresses with any octets. */
static void make_valid(char **text)
{
    char *valid = g_utf8_make_valid(*text, -1);

    g_free(*text);
    *text = valid;
}

/* NULL: all that is needed is there. */
static const char *what_is_wrong(PipeCommand *command, PostOrder *order)
{
    if (g_strv_length(command->words) != 2 || !g_str_equal(command->words[1], "http"))
        return "outrider-pipe: allowed is `http' with options; see --help";
    if (!command->endpoint || !post_read_target(command->endpoint, order))
        return "outrider-pipe: --endpoint: allowed is endpoint/ID and endpoint/ID/bounce";
    if (!command->sender)
        return "outrider-pipe: --sender is missing";
    /* Else who is not asked for would count as delivered to. */
    if (!command->recipients || g_strv_length(command->recipients) != 1 || !*command->recipients[0])
        return "outrider-pipe: --recipient: allowed is one; see "
               "outrider-http_destination_recipient_limit";
    if (!command->queue_id || !*command->queue_id)
        return "outrider-pipe: --queue-id is missing";
    make_valid(&command->sender);
    make_valid(&command->recipients[0]);
    order->sender = command->sender;
    order->recipient = command->recipients[0];
    order->queue_id = command->queue_id;
    return NULL;
}

/* NULL: the verdict says why. */
static Config *load(const PipeCommand *command, const PostOrder *order, Verdict *verdict)
{
    g_autoptr(GError) error = NULL;
    Config *config = config_load(command->config, &error);

    if (config)
        return config;
    log_error(order->queue_id, "cannot start", LOG_GERROR(error));
    verdict_later(verdict, "4.3.5", "outrider-pipe: the configuration cannot be read");
    return NULL;
}

static void attempt(const Config *config, PipeCommand *command, Verdict *verdict)
{
    PostOrder order = {0};
    const char *wrong = what_is_wrong(command, &order);

    if (wrong) {
        verdict_later(verdict, "4.3.5", wrong);
        return;
    }
    g_autoptr(Config) own = config ? NULL : load(command, &order, verdict);
    const Config *used = config ? config : own;
    if (!used)
        return;
    log_open("outrider-pipe", "syslog", config_string(used, CONFIG_LOG_LEVEL));
    post_message(used, &order, STDIN_FILENO, verdict);
}

/* Postfix would make a blank of a line end. */
static G_NORETURN void end(const Verdict *verdict)
{
    g_autofree char *line = g_strdup_printf("%.*s%s", VERDICT_LINE_MAX, verdict->line,
                                            isatty(STDOUT_FILENO) ? "\n" : "");

    pipe_end(verdict->status, line);
}

void pipe_once(const Config *config, char *const *argv)
{
    g_auto(PipeCommand) command = {0};
    g_auto(Verdict) verdict = {0};
    g_autoptr(GError) error = NULL;

    umask(0077);
    /* What pipe(8) hears is for the notice to a sender; our log is Postfix's. */
    log_open("outrider-pipe", "syslog", "info");
    if (!pipe_command_read(argv, &command, &error)) {
        g_autofree char *text = g_strconcat("outrider-pipe: ", error->message, NULL);
        verdict_later(&verdict, "4.3.5", text);
        end(&verdict);
    }
    if (command.version)
        pipe_end(0, "outrider-pipe " PACKAGE_VERSION "\n");
    attempt(config, &command, &verdict);
    end(&verdict);
}
