/* SPDX-License-Identifier: MIT */
#include "lib/service/queue_link.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/service/ask.h"

static gboolean strange(GError **error)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_CORRUPT,
                "outrider-queue: not the answer that belongs to the request");
    return FALSE;
}

/* One line; id NULL: the last one. */
static gboolean read_answer(AskLink *link, const char *id, QueueAnswer *answer, GError **error)
{
    g_autofree char *text = ask_line(link, error);
    g_autofree char *line = text ? g_strconcat(text, "\n", NULL) : NULL;

    if (!line)
        return FALSE;
    if (queue_answer_parse(line, strlen(line), answer, error) <= 0)
        return FALSE;
    return id ? (!answer->last && strcmp(answer->id, id) == 0) || strange(error)
              : answer->last || strange(error);
}

static gboolean try_once(const Config *config, const GString *request, const char *const *ids,
                         QueueAnswer *answers, GError **error)
{
    g_autoptr(AskLink) link = ask_open(config, QUEUE_LINK_SOCKET, error);
    QueueAnswer end;

    if (!link || !ask_send(link, request, error))
        return FALSE;
    for (guint i = 0; ids[i]; i++)
        if (!read_answer(link, ids[i], &answers[i], error))
            return FALSE;
    return read_answer(link, NULL, &end, error);
}

gboolean queue_link_ask(const Config *config, QueueVerb verb, const char *const *ids,
                        QueueAnswer *answers, GError **error)
{
    g_autoptr(GString) request = g_string_new(NULL);

    queue_request_write(request, verb, ids);
    return try_once(config, request, ids, answers, NULL) ||
           try_once(config, request, ids, answers, error);
}
