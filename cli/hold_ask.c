/* SPDX-License-Identifier: MIT */
#include "cli/hold_ask.h"

#include <string.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/id.h"
#include "lib/service/ask.h"

#define SOCKET   "queue"
#define OVERHEAD (strlen("release") + 1) /* of the longest verb, and the line's end */
#define WHO_MAY  "root, outrider-worker and outrider-apid"

struct HoldBatch {
    const Config *config;
    QueueVerb verb;
    AskLink *link; /* NULL: none */
    guint count;
    gsize octets;
    guint64 ids[QUEUE_IDS_MAX];
    char queue_ids[QUEUE_IDS_MAX][QUEUE_ID_MAX + 1];
    QueueAnswer answers[QUEUE_IDS_MAX];
};

HoldVerdict hold_decide(const HoldMessage *message, guint node)
{
    if (!message->status)
        return HOLD_UNKNOWN;
    if (!message->on_hold)
        return HOLD_NOT_HELD;
    if (id_node(message->id) != node)
        return HOLD_ELSEWHERE;
    if (!message->queue_id || !queue_id_is_good(message->queue_id, strlen(message->queue_id)))
        return HOLD_NO_QUEUE_ID;
    return HOLD_ASK;
}

char *hold_why_not(HoldVerdict verdict, const HoldMessage *message, QueueVerb verb)
{
    switch (verdict) {
    case HOLD_UNKNOWN:
        return g_strdup("no such message");
    case HOLD_NOT_HELD:
        return g_strdup_printf("not on hold: %s", message->status);
    case HOLD_ELSEWHERE:
        return g_strdup_printf("held by node %u: %s it there", id_node(message->id),
                               verb == QUEUE_RELEASE ? "release" : "cancel");
    case HOLD_NO_QUEUE_ID:
        return g_strdup("its queue id is not known");
    case HOLD_ASK:
        break;
    }
    return g_strdup("");
}

HoldBatch *hold_batch_new(const Config *config, QueueVerb verb)
{
    HoldBatch *batch = g_new0(HoldBatch, 1);

    batch->config = config;
    batch->verb = verb;
    batch->octets = OVERHEAD;
    return batch;
}

void hold_batch_free(HoldBatch *batch)
{
    if (!batch)
        return;
    ask_close(batch->link);
    g_free(batch);
}

guint hold_batch_count(const HoldBatch *batch)
{
    return batch->count;
}

gboolean hold_batch_add(HoldBatch *batch, guint64 id, const char *queue_id)
{
    gsize more = strlen(queue_id) + 1;

    if (batch->count == QUEUE_IDS_MAX || batch->octets + more > QUEUE_REQUEST_MAX)
        return FALSE;
    g_strlcpy(batch->queue_ids[batch->count], queue_id, sizeof batch->queue_ids[0]);
    batch->ids[batch->count++] = id;
    batch->octets += more;
    return TRUE;
}

static gboolean send_request(const HoldBatch *batch, GError **error)
{
    g_autofree const char **ids = g_new0(const char *, batch->count + 1);
    g_autoptr(GString) line = g_string_new(NULL);

    for (guint i = 0; i < batch->count; i++)
        ids[i] = batch->queue_ids[i];
    queue_request_write(line, batch->verb, ids);
    return ask_send(batch->link, line, error);
}

/* The answers must be those to the request, in its order; then the last line. */
static gboolean read_answers(HoldBatch *batch, GError **error)
{
    for (guint i = 0; i <= batch->count; i++) {
        QueueAnswer answer = {0};
        g_autofree char *text = ask_line(batch->link, error);
        if (!text)
            return FALSE;
        g_autofree char *line = g_strconcat(text, "\n", NULL);
        const char *wanted = i < batch->count ? batch->queue_ids[i] : "";
        if (queue_answer_parse(line, strlen(line), &answer, NULL) <= 0 ||
            answer.last != (i == batch->count) || !g_str_equal(answer.id, wanted)) {
            g_set_error_literal(error, OUTRIDER_ERROR, OUTRIDER_ERROR_CORRUPT,
                                "outrider-queue: the answer is not as agreed");
            return FALSE;
        }
        if (i < batch->count)
            batch->answers[i] = answer;
    }
    return TRUE;
}

static gboolean ask(HoldBatch *batch, GError **error)
{
    if (!batch->link)
        batch->link = ask_open(batch->config, SOCKET, error);
    if (!batch->link)
        return FALSE;
    ask_patience(batch->link, HOLD_ASK_SECONDS);
    if (send_request(batch, error) && read_answers(batch, error))
        return TRUE;
    g_clear_pointer(&batch->link, ask_close);
    return FALSE;
}

gboolean hold_batch_send(HoldBatch *batch, HoldAnswered answered, gpointer data, GError **error)
{
    g_autoptr(GError) why = NULL;
    gboolean used = batch->link != NULL;
    gboolean good = ask(batch, &why);

    if (!good && used && g_error_matches(why, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE)) {
        g_clear_error(&why);
        good = ask(batch, &why);
    }
    if (!good) {
        g_propagate_prefixed_error(error, g_steal_pointer(&why),
                                   "outrider-queue did not answer%s: ",
                                   geteuid() == 0 ? "" : " (it does to " WHO_MAY " only)");
        return FALSE;
    }
    for (guint i = 0; i < batch->count; i++)
        answered(batch->ids[i], &batch->answers[i], data);
    batch->count = 0;
    batch->octets = OVERHEAD;
    return TRUE;
}
