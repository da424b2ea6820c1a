/* SPDX-License-Identifier: MIT */
#include "cli/hold_ask.h"

#include <string.h>
#include <unistd.h>

#include "lib/base/id.h"
#include "lib/service/queue_link.h"

#define OVERHEAD (strlen("release") + 1) /* of the longest verb, and the line's end */
#define WHO_MAY  "root, outrider-worker and outrider-apid"

struct HoldBatch {
    QueueVerb verb;
    QueueLink *link;
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

    batch->link = queue_link_new(config);
    batch->verb = verb;
    batch->octets = OVERHEAD;
    return batch;
}

void hold_batch_free(HoldBatch *batch)
{
    if (!batch)
        return;
    queue_link_free(batch->link);
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

gboolean hold_batch_send(HoldBatch *batch, HoldAnswered answered, gpointer data, GError **error)
{
    g_autofree const char **ids = g_new0(const char *, batch->count + 1);
    g_autoptr(GError) why = NULL;

    for (guint i = 0; i < batch->count; i++)
        ids[i] = batch->queue_ids[i];
    if (!queue_link_ask(batch->link, batch->verb, ids, batch->answers, &why)) {
        g_propagate_prefixed_error(error, g_steal_pointer(&why),
                                   "outrider-queue did not answer%s: ",
                                   geteuid() == 0 ? "" : " (it does to " WHO_MAY " only)");
        return FALSE;
    }
    guint asked = batch->count;
    batch->count = 0;
    batch->octets = OVERHEAD;
    for (guint i = 0; i < asked; i++)
        if (batch->answers[i].result == QUEUE_LATER)
            hold_batch_add(batch, batch->ids[i], batch->answers[i].id);
        else
            answered(batch->ids[i], &batch->answers[i], data);
    return TRUE;
}
