/* SPDX-License-Identifier: MIT */
#include "worker/hold_reader.h"

#include "lib/base/address.h"
#include "lib/base/suppression.h"

static gboolean append_mail(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    const char *queue_id = sql_row_text(row, 4), *rcpt = sql_row_text(row, 5);
    HeldMail mail = {.id = sql_row_unsigned(row, 0),
                     .organization = (guint32)sql_row_unsigned(row, 1),
                     .server = (guint32)sql_row_unsigned(row, 2),
                     .credential = (guint32)sql_row_unsigned(row, 3),
                     .queue_id = g_strdup(queue_id ? queue_id : ""),
                     .domain = rcpt ? address_domain(rcpt) : NULL,
                     .address = rcpt ? suppression_lookup(rcpt) : NULL};

    g_array_append_val(data, mail);
    return TRUE;
}

GArray *hold_reader_mail(Sql *sql, SqlStatement statement, const SqlParameter *parameters, guint n,
                         GError **error)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(HeldMail));

    g_array_set_clear_func(list, (GDestroyNotify)held_mail_clear);
    return sql_query(sql, statement, parameters, n, append_mail, list, error)
               ? g_steal_pointer(&list)
               : NULL;
}

static gboolean append_number(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    guint32 number = (guint32)sql_row_unsigned(row, 0);

    g_array_append_val(data, number);
    return TRUE;
}

GArray *hold_reader_servers(Sql *sql, guint node, const char *rule, GError **error)
{
    const SqlParameter parameters[] = {SQL_UNSIGNED(node), SQL_TEXT(rule)};
    g_autoptr(GArray) servers = g_array_new(FALSE, FALSE, sizeof(guint32));

    return sql_query(sql, SQL_HOLD_SERVERS, parameters, G_N_ELEMENTS(parameters), append_number,
                     servers, error)
               ? g_steal_pointer(&servers)
               : NULL;
}

static gboolean read_flag(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    *(gboolean *)data = sql_row_unsigned(row, 0) != 0;
    return TRUE;
}

gboolean hold_reader_suspended(Sql *sql, gboolean *any, GError **error)
{
    return sql_query(sql, SQL_SENDER_SUSPENDED, NULL, 0, read_flag, any, error);
}

static gboolean note_found(G_GNUC_UNUSED const SqlRow *row, gpointer data,
                           G_GNUC_UNUSED GError **error)
{
    *(gboolean *)data = TRUE;
    return TRUE;
}

gboolean hold_reader_suppressed(Sql *sql, const HeldMail *mail, gboolean *suppressed,
                                GError **error)
{
    *suppressed = FALSE;
    if (!mail->address)
        return TRUE;
    const SqlParameter parameters[] = {
        SQL_UNSIGNED(mail->server), SQL_UNSIGNED(mail->server), SQL_TEXT(mail->address),
        SQL_TEXT(suppression_domain(mail->address)), SQL_INT(g_get_real_time() / G_USEC_PER_SEC)};
    return sql_query(sql, SQL_SUPPRESSION_APPLIES, parameters, G_N_ELEMENTS(parameters), note_found,
                     suppressed, error);
}

static gboolean read_clock(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    *(gint64 *)data = sql_row_int(row, 0);
    return TRUE;
}

gboolean hold_reader_clock(Sql *sql, gint64 *now_us, GError **error)
{
    return sql_query(sql, SQL_CLOCK, NULL, 0, read_clock, now_us, error);
}
