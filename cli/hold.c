/* SPDX-License-Identifier: MIT */
/*
 * Messages that Postfix holds: oldest first, as they are released and expire in that order, and a program
 * that works through them goes on behind the last id it was given. What a release or a cancel did comes into
 * history from Postfix's log, not from here.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/history.h"
#include "cli/hold_walk.h"
#include "cli/output.h"
#include "cli/session.h"
#include "lib/base/error.h"
#include "lib/base/id.h"

#define YES_ABOVE 100 /* messages of a query */

static const char *const rules[] = {
#define X(NAME, rule, reason) rule,
#include "lib/journal/hold_rule.def"
#undef X
    NULL,
};

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

gboolean hold_list(Cli *cli, GError **error)
{
    HoldFilter filter = {0};

    if (!read_filter(cli, &filter, error))
        return FALSE;
    Sql *sql = cli_sql(cli, error);
    if (!sql || !read_owner(sql, cli->arguments[0], &filter, error))
        return FALSE;
    g_autoptr(Record) list = hold_find(sql, &filter, error);
    if (!list)
        return FALSE;
    if (!output_json(cli, list))
        output_table(list, "id node organization server rcpt_to hold_rule hold_reason held_at "
                           "hold_expires queue_id");
    return TRUE;
}

/* What a release or cancel is asked to work on: ids or a filter. */
typedef struct {
    guint64 ids[COMMAND_ARGUMENTS_MAX];
    guint count; /* 0: the filter */
    HoldFilter filter;
} HoldTarget;

static int compare_ids(const void *a, const void *b)
{
    const guint64 *one = a, *other = b;

    return (*one > *other) - (*one < *other);
}

/* Oldest first, each once. */
static gboolean read_ids(const Cli *cli, HoldTarget *target, GError **error)
{
    guint n = 0, kept = 0;

    for (; cli->arguments[n]; n++)
        if (!id_parse(cli->arguments[n], &target->ids[n])) {
            g_autofree char *quoted = value_quote(cli->arguments[n]);
            g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                        "id: %s: allowed is the id of a message", quoted);
            return FALSE;
        }
    qsort(target->ids, n, sizeof target->ids[0], compare_ids);
    for (guint i = 0; i < n; i++)
        if (kept == 0 || target->ids[i] != target->ids[kept - 1])
            target->ids[kept++] = target->ids[i];
    target->count = kept;
    return TRUE;
}

static gboolean read_target(const Cli *cli, HoldTarget *target, GError **error)
{
    gboolean ids = cli->arguments[0] != NULL;
    gboolean all = command_option(cli, "all") != NULL;
    gboolean query =
        command_option(cli, "server") || command_option(cli, "rule") || command_option(cli, "to");

    if (ids + all + query != 1) {
        g_set_error_literal(
            error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
            "which messages: wanted are ids, or --server, --rule and --to, or --all");
        return FALSE;
    }
    return read_ids(cli, target, error) && read_filter(cli, &target->filter, error);
}

static volatile sig_atomic_t interrupted;

static void interrupt(G_GNUC_UNUSED int number)
{
    interrupted = TRUE;
}

/* The first Ctrl-C ends after the request that is on its way, the second one at once. */
static void catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = interrupt,
                               .sa_flags = (int)(SA_RESTART | SA_RESETHAND)};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static const char *done_word(const HoldWalk *walk)
{
    return walk->verb == QUEUE_RELEASE ? "released" : "cancelled";
}

static gboolean progress_shown;

/* Before each request: how far it is, for people who wait. */
static gboolean go_on(const HoldWalk *walk)
{
    static gint64 since;
    gint64 now = g_get_monotonic_time();
    guint64 done = walk->results[QUEUE_DONE];

    if (since == 0)
        since = now;
    else if (isatty(STDERR_FILENO)) {
        progress_shown = TRUE;
        fprintf(stderr, "\r%s %" G_GUINT64_FORMAT ", %.0f a second ", done_word(walk), done,
                (double)done * G_USEC_PER_SEC / (double)MAX(now - since, 1));
    }
    return !interrupted;
}

static void end_progress(void)
{
    if (progress_shown)
        fputc('\n', stderr);
}

static void print_json(const Cli *cli, const HoldWalk *walk)
{
    g_autoptr(Record) object = json_object_new_object();

    json_object_object_add(object, done_word(walk),
                           json_object_new_int64((gint64)walk->results[QUEUE_DONE]));
    json_object_object_add(object, "absent",
                           json_object_new_int64((gint64)walk->results[QUEUE_ABSENT]));
    json_object_object_add(object, "refused",
                           json_object_new_int64((gint64)walk->results[QUEUE_REFUSED]));
    json_object_object_add(object, "not_asked", json_object_new_int64((gint64)walk->not_asked));
    json_object_object_add(object, "interrupted", json_object_new_boolean(walk->stopped));
    json_object_object_add(object, "not_done", json_object_get(walk->not_done));
    output_json(cli, object);
}

static void print_not_done(const HoldWalk *walk)
{
    for (gsize i = 0; i < json_object_array_length(walk->not_done); i++) {
        const Record *entry = json_object_array_get_idx(walk->not_done, i);
        const char *reason = record_text(entry, "reason");
        g_autofree char *queue_id =
            output_value("queue_id", json_object_object_get(entry, "queue_id"));
        if (json_object_object_get(entry, "messages"))
            fprintf(stderr, "outrider: %" G_GINT64_FORMAT " messages: %s\n",
                    record_int(entry, "messages"), reason);
        else
            fprintf(stderr, "outrider: %" G_GINT64_FORMAT " (%s): %s\n", record_int(entry, "id"),
                    queue_id, reason);
    }
    if (walk->results[QUEUE_REFUSED] > 0)
        fprintf(stderr,
                "outrider: what is refused root can %s by hand: "
                "postsuper %s QUEUE-ID hold\n",
                walk->verb == QUEUE_RELEASE ? "release" : "cancel",
                walk->verb == QUEUE_RELEASE ? "-H" : "-d");
}

static void print_result(Cli *cli, const HoldWalk *walk)
{
    if (walk->results[QUEUE_REFUSED] > 0 || walk->not_asked > 0 || walk->stopped)
        cli->status = EX_UNAVAILABLE;
    if (cli->json) {
        print_json(cli, walk);
        return;
    }
    print_not_done(walk);
    printf("%s %" G_GUINT64_FORMAT "%s, absent %" G_GUINT64_FORMAT ", refused %" G_GUINT64_FORMAT,
           done_word(walk), walk->results[QUEUE_DONE],
           walk->verb == QUEUE_RELEASE ? "" : " for good", walk->results[QUEUE_ABSENT],
           walk->results[QUEUE_REFUSED]);
    if (walk->not_asked > 0)
        printf(", not asked %" G_GUINT64_FORMAT, walk->not_asked);
    puts(walk->stopped ? "; interrupted" : "");
}

static gboolean is_allowed(const Cli *cli, const HoldWalk *walk, const HoldTarget *target,
                           GError **error)
{
    gboolean more = FALSE;

    if (target->count > 0 || command_option(cli, "yes"))
        return TRUE;
    if (!hold_walk_is_more(walk, &target->filter, YES_ABOVE, &more, error))
        return FALSE;
    if (more)
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED,
                    "more than %d messages would be %s: nothing is done without --yes", YES_ABOVE,
                    done_word(walk));
    return !more;
}

static gboolean work(Cli *cli, HoldWalk *walk, const HoldTarget *target, GError **error)
{
    if (!is_allowed(cli, walk, target, error))
        return FALSE;
    catch_interrupts();
    gboolean good = target->count > 0 ? hold_walk_ids(walk, target->ids, target->count, error)
                                      : hold_walk_filter(walk, &target->filter, error);
    end_progress();
    /* After an error: what was done before it. */
    if (good ||
        walk->results[QUEUE_DONE] + walk->results[QUEUE_ABSENT] + walk->results[QUEUE_REFUSED] > 0)
        print_result(cli, walk);
    return good;
}

static gboolean act(Cli *cli, QueueVerb verb, GError **error)
{
    g_autofree HoldTarget *target = g_new0(HoldTarget, 1);

    if (!read_target(cli, target, error))
        return FALSE;
    Sql *sql = cli_sql(cli, error);
    if (!sql || !read_owner(sql, command_option(cli, "server"), &target->filter, error))
        return FALSE;
    g_autoptr(HoldBatch) batch = hold_batch_new(cli->config, verb);
    g_autoptr(Record) not_done = json_object_new_array();
    HoldWalk walk = {.sql = sql,
                     .node = (guint)config_int(cli->config, CONFIG_NODE_ID),
                     .verb = verb,
                     .batch = batch,
                     .go_on = go_on,
                     .not_done = not_done};
    return work(cli, &walk, target, error);
}

gboolean hold_release(Cli *cli, GError **error)
{
    return act(cli, QUEUE_RELEASE, error);
}

gboolean hold_cancel(Cli *cli, GError **error)
{
    return act(cli, QUEUE_DELETE, error);
}
