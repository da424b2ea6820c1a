/* SPDX-License-Identifier: MIT */
#include "lib/service/queue_link.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/service/ask.h"

#define SOCKET "queue"

struct QueueLink {
    const Config *config;
    AskLink *ask; /* NULL: not open */
};

QueueLink *queue_link_new(const Config *config)
{
    QueueLink *link = g_new0(QueueLink, 1);

    link->config = config;
    return link;
}

void queue_link_free(QueueLink *link)
{
    if (!link)
        return;
    ask_close(link->ask);
    g_free(link);
}

/* One line, which must be about id; "": the last one. */
static gboolean read_answer(QueueLink *link, const char *id, QueueAnswer *answer, GError **error)
{
    g_autofree char *text = ask_line(link->ask, error);

    if (!text)
        return FALSE;
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    if (queue_answer_parse(line, strlen(line), answer, NULL) > 0 && answer->last == !*id &&
        g_str_equal(answer->id, id))
        return TRUE;
    g_set_error_literal(error, OUTRIDER_ERROR, OUTRIDER_ERROR_CORRUPT,
                        "outrider-queue: the answer is not as agreed");
    return FALSE;
}

static gboolean exchange(QueueLink *link, const GString *request, const char *const *ids,
                         QueueAnswer *answers, GError **error)
{
    QueueAnswer end = {0};

    if (!link->ask && !(link->ask = ask_open(link->config, SOCKET, error)))
        return FALSE;
    ask_patience(link->ask, QUEUE_LINK_SECONDS);
    gboolean good = ask_send(link->ask, request, error);
    for (guint i = 0; ids[i] && good; i++)
        good = read_answer(link, ids[i], &answers[i], error);
    good = good && read_answer(link, "", &end, error);
    if (!good)
        g_clear_pointer(&link->ask, ask_close);
    return good;
}

gboolean queue_link_ask(QueueLink *link, QueueVerb verb, const char *const *ids,
                        QueueAnswer *answers, GError **error)
{
    g_autoptr(GString) request = g_string_new(NULL);
    g_autoptr(GError) why = NULL;
    gboolean used = link->ask != NULL;

    queue_request_write(request, verb, ids);
    if (exchange(link, request, ids, answers, &why))
        return TRUE;
    if (used && g_error_matches(why, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE))
        return exchange(link, request, ids, answers, error);
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}
