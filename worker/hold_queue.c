/* SPDX-License-Identifier: MIT */
#include "worker/hold_queue.h"

#include <string.h>

#include "lib/log/log.h"
#include "lib/service/queue_link.h"

struct HoldQueue {
    QueueLink *link;
    GHashTable *refused; /* id -> when it was, in seconds */
};

HoldQueue *hold_queue_new(const Config *config)
{
    HoldQueue *queue = g_new(HoldQueue, 1);

    queue->link = queue_link_new(config);
    queue->refused = g_hash_table_new(NULL, NULL);
    return queue;
}

void hold_queue_free(HoldQueue *queue)
{
    if (!queue)
        return;
    queue_link_free(queue->link);
    g_hash_table_unref(queue->refused);
    g_free(queue);
}

static gint64 now_seconds(void)
{
    return g_get_monotonic_time() / G_USEC_PER_SEC;
}

gboolean hold_queue_can_ask(const HoldQueue *queue, const HeldMail *mail)
{
    gpointer refused = g_hash_table_lookup(queue->refused, GSIZE_TO_POINTER(mail->id));

    return queue_id_is_good(mail->queue_id, strlen(mail->queue_id)) &&
           (!refused || now_seconds() - (gint64)GPOINTER_TO_SIZE(refused) >= HOLD_QUEUE_AGAIN_S);
}

/* For good, as of a null sender, or because something is in the way now: it cannot tell. */
static void note_refused(HoldQueue *queue, const HeldMail *mail, const QueueAnswer *answer)
{
    if (g_hash_table_size(queue->refused) >= HOLD_QUEUE_REFUSED_MAX)
        g_hash_table_remove_all(queue->refused);
    g_hash_table_insert(queue->refused, GSIZE_TO_POINTER(mail->id),
                        GSIZE_TO_POINTER((gsize)now_seconds()));
    log_warning(mail->queue_id, "queue helper refuses", LOG_ID("id", mail->id),
                LOG_TEXT("why", answer->why));
}

GArray *hold_queue_ask(HoldQueue *queue, QueueVerb verb, const GPtrArray *list, GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    g_autoptr(GArray) answers = g_array_sized_new(FALSE, TRUE, sizeof(QueueAnswer), list->len);

    g_array_set_size(answers, list->len);
    for (guint i = 0; i < list->len; i++)
        g_ptr_array_add(ids, ((HeldMail *)list->pdata[i])->queue_id);
    g_ptr_array_add(ids, NULL);
    if (list->len > 0 && !queue_link_ask(queue->link, verb, (const char *const *)ids->pdata,
                                         (QueueAnswer *)(gpointer)answers->data, error))
        return NULL;
    for (guint i = 0; i < list->len; i++) {
        const QueueAnswer *answer = &g_array_index(answers, QueueAnswer, i);
        if (answer->result == QUEUE_REFUSED)
            note_refused(queue, list->pdata[i], answer);
    }
    return g_steal_pointer(&answers);
}
