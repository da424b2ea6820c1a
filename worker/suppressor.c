/* SPDX-License-Identifier: MIT */
#include "worker/suppressor.h"

#include "lib/directory/suppression.h"
#include "worker/give_up.h"

#define DAY_S 86400

/* A refusal that suppresses. */
typedef struct {
    guint32 server;
    char *address;
    guint64 message;
    gint64 at_us;
    char *text;
    gboolean gave_up;
} Refusal;

static void refusal_clear(gpointer data)
{
    Refusal *refusal = data;

    g_free(refusal->address);
    g_free(refusal->text);
}

/* The latest of each address, as they come in order. */
static gboolean take_refusal(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    GArray *list = data;
    const Refusal refusal = {.server = (guint32)sql_row_unsigned(row, 0),
                             .address = g_strdup(sql_row_text(row, 1)),
                             .message = sql_row_unsigned(row, 2),
                             .at_us = sql_row_int(row, 3),
                             .text = g_strdup(sql_row_text(row, 4)),
                             .gave_up = sql_row_unsigned(row, 5) != 0};

    if (list->len > 0) {
        const Refusal *last = &g_array_index(list, Refusal, list->len - 1);
        if (last->server == refusal.server && g_str_equal(last->address, refusal.address))
            g_array_set_size(list, list->len - 1);
    }
    g_array_append_val(list, refusal);
    return TRUE;
}

static gboolean note_found(G_GNUC_UNUSED const SqlRow *row, gpointer data,
                           G_GNUC_UNUSED GError **error)
{
    *(gboolean *)data = TRUE;
    return TRUE;
}

static gboolean was_taken_since(Sql *sql, const Refusal *refusal, gboolean *taken, GError **error)
{
    const SqlParameter parameters[] = {SQL_TEXT(refusal->address), SQL_UNSIGNED(refusal->server),
                                       SQL_TEXT(refusal->address), SQL_UNSIGNED(refusal->server),
                                       SQL_INT(refusal->at_us)};

    *taken = FALSE;
    return sql_query(sql, SQL_SUPPRESSION_TAKEN_SINCE, parameters, G_N_ELEMENTS(parameters),
                     note_found, taken, error);
}

static gboolean suppress(Sql *sql, const Refusal *refusal, guint days, guint64 *revision,
                         GError **error)
{
    gint64 at = refusal->at_us / G_USEC_PER_SEC;
    gint64 expires = at + (gint64)days * DAY_S;
    gboolean taken = FALSE;

    if (!was_taken_since(sql, refusal, &taken, error))
        return FALSE;
    if (taken || expires <= g_get_real_time() / G_USEC_PER_SEC)
        return TRUE;
    if (*revision == 0 && !sql_next_revision(sql, revision, error))
        return FALSE;
    SuppressionSource source =
        refusal->gave_up ? SUPPRESSION_BY_SOFT_FAIL : SUPPRESSION_BY_HARD_FAIL;
    const SqlParameter parameters[] = {
        SQL_TEXT(refusal->address),
        SQL_TEXT(refusal->gave_up ? SUPPRESSOR_GAVE_UP : SUPPRESSOR_REASON),
        SQL_TEXT(suppression_source_word(source)),
        SQL_UNSIGNED(refusal->message),
        SQL_TEXT(refusal->text),
        SQL_INT(refusal->at_us),
        SQL_INT(at),
        SQL_INT(expires),
        SQL_UNSIGNED(*revision),
        SQL_UNSIGNED(refusal->server)};
    return sql_execute(sql, SQL_SUPPRESSION_AUTOMATIC, parameters, G_N_ELEMENTS(parameters), NULL,
                       NULL, error);
}

/* A message that Postfix gave up. */
typedef struct {
    guint64 message;
    guint64 server;
    gint64 at_us;
} Given;

static gboolean take_given(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    const Given given = {.message = sql_row_unsigned(row, 0),
                         .server = sql_row_unsigned(row, 1),
                         .at_us = sql_row_int(row, 2)};

    g_array_append_val(data, given);
    return TRUE;
}

static gboolean take_attempt(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    const GiveUpAttempt attempt = {.at_us = sql_row_int(row, 0),
                                   .recipient = sql_row_text(row, 1),
                                   .text = sql_row_text(row, 2),
                                   .dsn = sql_row_text(row, 3),
                                   .relay = sql_row_text(row, 4)};

    give_up_take(data, &attempt);
    return TRUE;
}

static gboolean add_evidence(Sql *sql, const Given *given, GError **error)
{
    const SqlParameter message[] = {SQL_UNSIGNED(given->message), SQL_INT(given->at_us)};
    g_auto(GiveUp) give_up = {0};

    if (!sql_query(sql, SQL_SUPPRESSION_PUT_OFF, message, 2, take_attempt, &give_up, error))
        return FALSE;
    if (give_up.last_us == 0)
        return TRUE;
    const SqlParameter evidence[] = {
        SQL_UNSIGNED(given->server), SQL_TEXT(give_up.address), message[0],
        SQL_INT(give_up.last_us),    SQL_INT(give_up.since_us), SQL_TEXT(give_up.text)};
    return sql_execute(sql, SQL_SUPPRESSION_EVIDENCE_GIVE_UP, evidence, G_N_ELEMENTS(evidence),
                       NULL, NULL, error);
}

/* What was given up because of the address becomes evidence like refusals for good. */
static gboolean judge_given_up(Sql *sql, GError **error)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(Given));

    if (!sql_query(sql, SQL_SUPPRESSION_GIVEN_UP, NULL, 0, take_given, list, error))
        return FALSE;
    for (guint i = 0; i < list->len; i++)
        if (!add_evidence(sql, &g_array_index(list, Given, i), error))
            return FALSE;
    return list->len == 0 ||
           sql_execute(sql, SQL_SUPPRESSION_GIVEN_UP_JUDGED, NULL, 0, NULL, NULL, error);
}

gboolean suppressor_judge(Sql *sql, guint days, GError **error)
{
    const SqlParameter windows[] = {SQL_INT(SUPPRESSOR_WINDOW_US), SQL_INT(SUPPRESSOR_WINDOW_US)};
    g_autoptr(GArray) refusals = g_array_new(FALSE, FALSE, sizeof(Refusal));
    gboolean locked = FALSE;
    guint64 revision = 0;

    g_array_set_clear_func(refusals, refusal_clear);
    if (!sql_query(sql, SQL_SUPPRESSION_LOCK, NULL, 0, note_found, &locked, error) ||
        !judge_given_up(sql, error) ||
        !sql_query(sql, SQL_SUPPRESSION_TO_JUDGE, windows, 2, take_refusal, refusals, error))
        return FALSE;
    for (guint i = 0; i < refusals->len; i++)
        if (!suppress(sql, &g_array_index(refusals, Refusal, i), days, &revision, error))
            return FALSE;
    return sql_execute(sql, SQL_SUPPRESSION_JUDGED, NULL, 0, NULL, NULL, error);
}

gboolean suppressor_lift(Sql *sql, GError **error)
{
    gboolean any = FALSE;
    guint64 revision;

    if (!sql_query(sql, SQL_SUPPRESSION_TO_LIFT, NULL, 0, note_found, &any, error))
        return FALSE;
    if (!any)
        return TRUE;
    if (!sql_next_revision(sql, &revision, error))
        return FALSE;
    const SqlParameter stones[] = {SQL_UNSIGNED(revision),
                                   SQL_INT(g_get_real_time() / G_USEC_PER_SEC)};
    return sql_execute(sql, SQL_SUPPRESSION_TOMBSTONES_LIFTED, stones, 2, NULL, NULL, error) &&
           sql_execute(sql, SQL_SUPPRESSION_DELETE, stones, 1, NULL, NULL, error) &&
           sql_execute(sql, SQL_SUPPRESSION_LIFT_CLEAR, NULL, 0, NULL, NULL, error);
}

/* What is expired, by one revision. */
typedef struct {
    gint64 now;
    guint64 removed;
} Removal;

static gboolean remove_some(Sql *sql, gpointer data, GError **error)
{
    Removal *removal = data;
    guint64 revision;

    if (!sql_next_revision(sql, &revision, error))
        return FALSE;
    const SqlParameter expired[] = {SQL_UNSIGNED(revision), SQL_INT(removal->now),
                                    SQL_INT(removal->now), SQL_UNSIGNED(SUPPRESSION_BATCH_MAX)};
    return sql_execute(sql, SQL_SUPPRESSION_TOMBSTONES_EXPIRED, expired, G_N_ELEMENTS(expired),
                       &removal->removed, NULL, error) &&
           sql_execute(sql, SQL_SUPPRESSION_DELETE, expired, 1, NULL, NULL, error);
}

static gboolean remove_expired(Sql *sql, gint64 now, GError **error)
{
    Removal removal = {.now = now};

    do {
        if (!sql_transaction(sql, remove_some, &removal, error))
            return FALSE;
    } while (removal.removed == SUPPRESSION_BATCH_MAX);
    return TRUE;
}

static gboolean take_orphan(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    gboolean server =
        g_strcmp0(sql_row_text(row, 0), suppression_scope_word(SUPPRESSION_OF_SERVER)) == 0;
    const SuppressionOwner orphan = {.scope = server ? SUPPRESSION_OF_SERVER
                                                     : SUPPRESSION_OF_ORGANIZATION,
                                     .id = sql_row_unsigned(row, 1)};

    g_array_append_val(data, orphan);
    return TRUE;
}

static gboolean remove_orphans(Sql *sql, GError **error)
{
    g_autoptr(GArray) orphans = g_array_new(FALSE, FALSE, sizeof(SuppressionOwner));

    if (!sql_query(sql, SQL_SUPPRESSION_ORPHANS, NULL, 0, take_orphan, orphans, error))
        return FALSE;
    for (guint i = 0; i < orphans->len; i++) {
        const SuppressionOwner *orphan = &g_array_index(orphans, SuppressionOwner, i);
        guint64 removed;
        if (!directory_suppression_remove_all(sql, orphan, NULL, &removed, error))
            return FALSE;
    }
    return TRUE;
}

gboolean suppressor_expire(Sql *sql, gint64 now, GError **error)
{
    const SqlParameter floor[] = {SQL_INT(now - SUPPRESSOR_EVIDENCE_US / G_USEC_PER_SEC)};
    const SqlParameter stones[] = {SQL_UNSIGNED(SUPPRESSION_BATCH_MAX)};
    const SqlParameter evidence[] = {SQL_INT(now * G_USEC_PER_SEC - SUPPRESSOR_EVIDENCE_US),
                                     SQL_UNSIGNED(SUPPRESSION_BATCH_MAX)};

    return remove_expired(sql, now, error) && remove_orphans(sql, error) &&
           sql_execute(sql, SQL_SUPPRESSION_FLOOR_RAISE, floor, 1, NULL, NULL, error) &&
           sql_execute_pages(sql, SQL_SUPPRESSION_TOMBSTONE_EXPIRE, stones, 1, error) &&
           sql_execute_pages(sql, SQL_SUPPRESSION_EVIDENCE_EXPIRE, evidence, 2, error) &&
           sql_execute_pages(sql, SQL_SUPPRESSION_GIVE_UP_EXPIRE, evidence, 2, error);
}
