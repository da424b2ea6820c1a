/* SPDX-License-Identifier: MIT */
#include "worker/reconcile_page.h"

#include <string.h>

#include "worker/recipient_key.h"

/* Columns of SQL_RECONCILE_LIST. */
enum {
    ID,
    SERVER,
    STATUS_AT,
    QUEUE_ID,
    RECIPIENT,
    ACCEPTED_AT,
    REMOVED_AT,
    BASE,
    RECIPIENTS,
    HOP,
    SUBMISSION_QUEUE_ID,
    ON_HOLD,
    INCOMING
};

static void copy_queue_id(const SqlRow *row, guint column, char *queue_id)
{
    const char *text = sql_row_text(row, column);

    g_strlcpy(queue_id, text ? text : "", MAIL_QUEUE_ID_MAX + 1);
}

static gboolean add_message(const SqlRow *row, gpointer data, GError **error)
{
    const char *recipient = sql_row_text(row, RECIPIENT);
    ReconcileMessage message = {.id = sql_row_unsigned(row, ID),
                                .server = (guint32)sql_row_unsigned(row, SERVER),
                                .status_at_us = sql_row_int(row, STATUS_AT),
                                .made = !sql_row_is_null(row, ACCEPTED_AT),
                                .removed = !sql_row_is_null(row, REMOVED_AT),
                                .recipient = recipient ? recipient_key(recipient, -1) : 0,
                                .base = sql_row_unsigned(row, BASE),
                                .n = (guint)sql_row_unsigned(row, RECIPIENTS),
                                .hop = sql_row_int(row, HOP) != 0,
                                .held = sql_row_int(row, ON_HOLD) != 0,
                                .incoming = sql_row_int(row, INCOMING) != 0};

    (void)error;
    copy_queue_id(row, QUEUE_ID, message.queue_id);
    copy_queue_id(row, SUBMISSION_QUEUE_ID, message.submission_queue_id);
    g_array_append_val((GArray *)data, message);
    return TRUE;
}

GArray *reconcile_page(Sql *sql, const ReconcileRange *range, GError **error)
{
    const SqlParameter parameters[] = {SQL_TEXT(range->status), SQL_UNSIGNED(range->after),
                                       SQL_INT(range->before_us), SQL_UNSIGNED(range->node),
                                       SQL_UNSIGNED(RECONCILE_PAGE)};
    g_autoptr(GArray) page = g_array_new(FALSE, TRUE, sizeof(ReconcileMessage));

    if (!sql_query(sql, SQL_RECONCILE_LIST, parameters, G_N_ELEMENTS(parameters), add_message, page,
                   error))
        return NULL;
    for (guint i = 0; i < page->len; i++)
        g_array_index(page, ReconcileMessage, i).unproven = strcmp(range->status, "Accepting") == 0;
    return g_steal_pointer(&page);
}
