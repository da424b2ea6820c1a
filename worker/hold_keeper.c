/* SPDX-License-Identifier: MIT */
/*
 *     every second  held by a limit, or for a suspension that is over: server by server, oldest first ─▶ policyd
 *                   charges ─▶ outrider-queue releases ─▶ the charge stays; of what is not released it goes back
 *     every ten     held too long ─▶ deleted; queued of a suspended sender ─▶ held, and told to history
 *
 * What comes of it is told by Postfix's log, a moment later: until then the same mail may be asked for again,
 * which is free and changes nothing.
 */
#include "worker/hold_keeper.h"

#include <json-c/json.h>
#include <stdatomic.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/base/id.h"
#include "lib/log/log.h"
#include "lib/service/ask.h"
#include "lib/service/queue_link.h"
#include "lib/wire/charge.h"
#include "worker/database.h"
#include "worker/hold_memo.h"

#define PAUSE_MS     1000
#define MINUTE_US    (60 * G_TIME_SPAN_SECOND)
#define LOOK_US      (10 * G_TIME_SPAN_SECOND)
#define PAGES_MAX    25 /* of a server in a row: others wait */
#define REFUSED_MAX  100000
#define QUEUED_DAYS  7 /* how long Postfix may have had what is queued */
#define RULE_LIMIT   "limit"
#define RULE_SUSPEND "suspended"
#define REASON       "server is suspended"

struct HoldKeeper {
    const Config *config;
    MailFollower *follower;
    Sql *sql;
    QueueLink *queue;
    GHashTable
        *refused;     /* set of ids that the helper does not take for ours: told once, while few */
    gint64 looked_us; /* when the rarer work was done last */
    gint64 complained_us;
    GThread *thread;
    GMutex mutex;
    GCond wake;
    _Atomic gboolean stop;
};

static guint node_of(const HoldKeeper *keeper)
{
    return (guint)config_int(keeper->config, CONFIG_NODE_ID);
}

static gboolean append_mail(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    const char *queue_id = sql_row_text(row, 4), *rcpt = sql_row_text(row, 5);
    HeldMail mail = {.id = sql_row_unsigned(row, 0),
                     .organization = (guint32)sql_row_unsigned(row, 1),
                     .server = (guint32)sql_row_unsigned(row, 2),
                     .credential = (guint32)sql_row_unsigned(row, 3),
                     .queue_id = g_strdup(queue_id ? queue_id : ""),
                     .domain = rcpt ? limit_domain(rcpt) : NULL};

    g_array_append_val(data, mail);
    return TRUE;
}

/* Array of HeldMail; NULL with error. */
static GArray *read_mail(HoldKeeper *keeper, SqlStatement statement, const SqlParameter *parameters,
                         guint n, GError **error)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(HeldMail));

    g_array_set_clear_func(list, (GDestroyNotify)held_mail_clear);
    return sql_query(keeper->sql, statement, parameters, n, append_mail, list, error)
               ? g_steal_pointer(&list)
               : NULL;
}

static gboolean can_ask(const HoldKeeper *keeper, const HeldMail *mail)
{
    return queue_id_is_good(mail->queue_id, strlen(mail->queue_id)) &&
           !g_hash_table_contains(keeper->refused, GSIZE_TO_POINTER(mail->id));
}

static void note_refused(HoldKeeper *keeper, const HeldMail *mail, const QueueAnswer *answer)
{
    if (g_hash_table_size(keeper->refused) >= REFUSED_MAX)
        g_hash_table_remove_all(keeper->refused);
    g_hash_table_add(keeper->refused, GSIZE_TO_POINTER(mail->id));
    log_warning(mail->queue_id, "queue helper refuses", LOG_ID("id", mail->id),
                LOG_TEXT("why", answer->why));
}

/* Asks the helper about all of them (pointers to HeldMail). Array of QueueAnswer in the same order. */
static GArray *ask_queue(HoldKeeper *keeper, QueueVerb verb, const GPtrArray *list, GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    g_autoptr(GArray) answers = g_array_sized_new(FALSE, TRUE, sizeof(QueueAnswer), list->len);

    g_array_set_size(answers, list->len);
    for (guint i = 0; i < list->len; i++)
        g_ptr_array_add(ids, ((HeldMail *)list->pdata[i])->queue_id);
    g_ptr_array_add(ids, NULL);
    if (list->len > 0 && !queue_link_ask(keeper->queue, verb, (const char *const *)ids->pdata,
                                         (QueueAnswer *)(gpointer)answers->data, error))
        return NULL;
    for (guint i = 0; i < list->len; i++) {
        const QueueAnswer *answer = &g_array_index(answers, QueueAnswer, i);
        /* Mail that cleanup has not finished cannot be held yet. */
        if (answer->result == QUEUE_REFUSED && verb != QUEUE_HOLD)
            note_refused(keeper, list->pdata[i], answer);
    }
    return g_steal_pointer(&answers);
}

static gboolean tell_policyd(AskLink *link, ChargeVerb verb, const HeldMail *mail, GError **error)
{
    g_autoptr(GString) line = g_string_new(NULL);
    const ChargeRequest request = {.verb = verb,
                                   .message = mail->id,
                                   .organization = mail->organization,
                                   .server = mail->server,
                                   .credential = mail->credential,
                                   .domain = mail->domain};

    charge_request_append(line, &request);
    return ask_send(link, line, error);
}

static gboolean charge(AskLink *link, const HeldMail *mail, ChargeVerdict *verdict, GError **error)
{
    if (!tell_policyd(link, CHARGE_CHARGE, mail, error))
        return FALSE;
    g_autofree char *answer = ask_line(link, error);
    return answer && charge_verdict_parse(answer, verdict, error);
}

/* Those of a page that have room, charged: pointers into it. */
static GPtrArray *charge_page(HoldKeeper *keeper, AskLink *link, HoldMemo *memo, const GArray *page,
                              GError **error)
{
    g_autoptr(GPtrArray) charged = g_ptr_array_new();

    for (guint i = 0; i < page->len; i++) {
        HeldMail *mail = &g_array_index(page, HeldMail, i);
        ChargeVerdict verdict;
        if (!can_ask(keeper, mail) || hold_memo_is_full(memo, mail))
            continue;
        if (!charge(link, mail, &verdict, error))
            return NULL;
        if (verdict.limit == 0)
            g_ptr_array_add(charged, mail);
        else
            hold_memo_full(memo, mail, verdict.subject);
    }
    return g_steal_pointer(&charged);
}

/* What is not said to policyd goes back with the link, when the caller closes it. */
static gboolean release_page(HoldKeeper *keeper, AskLink *link, HoldMemo *memo, const GArray *page,
                             guint *released, GError **error)
{
    g_autoptr(GPtrArray) charged = charge_page(keeper, link, memo, page, error);
    g_autoptr(GArray) answers = charged ? ask_queue(keeper, QUEUE_RELEASE, charged, error) : NULL;

    if (!answers)
        return FALSE;
    for (guint i = 0; i < charged->len; i++) {
        gboolean gone = g_array_index(answers, QueueAnswer, i).result != QUEUE_REFUSED;
        *released += g_array_index(answers, QueueAnswer, i).result == QUEUE_DONE;
        if (!tell_policyd(link, gone ? CHARGE_KEEP : CHARGE_REFUND, charged->pdata[i], error))
            return FALSE;
    }
    return TRUE;
}

/* Page by page, as long as any of a page has room. */
static gboolean release_server(HoldKeeper *keeper, AskLink *link, HoldMemo *memo, guint32 server,
                               const char *rule, guint *released, GError **error)
{
    guint64 after = 0;

    for (guint pages = 0; pages < PAGES_MAX && !keeper->stop; pages++) {
        const SqlParameter parameters[] = {SQL_UNSIGNED(server), SQL_UNSIGNED(node_of(keeper)),
                                           SQL_TEXT(rule), SQL_UNSIGNED(after),
                                           SQL_UNSIGNED(HOLD_KEEPER_BATCH)};
        g_autoptr(GArray) page =
            read_mail(keeper, SQL_HOLD_DUE, parameters, G_N_ELEMENTS(parameters), error);
        if (!page || !release_page(keeper, link, memo, page, released, error))
            return FALSE;
        if (page->len < HOLD_KEEPER_BATCH)
            return TRUE;
        after = g_array_index(page, HeldMail, page->len - 1).id;
    }
    return TRUE;
}

static gboolean append_number(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    guint32 number = (guint32)sql_row_unsigned(row, 0);

    g_array_append_val(data, number);
    return TRUE;
}

static gboolean release_rule(HoldKeeper *keeper, const char *rule, GError **error)
{
    const SqlParameter parameters[] = {SQL_UNSIGNED(node_of(keeper)), SQL_TEXT(rule)};
    g_autoptr(GArray) servers = g_array_new(FALSE, FALSE, sizeof(guint32));
    g_autoptr(HoldMemo) memo = hold_memo_new();
    g_autoptr(AskLink) link = NULL;
    guint released = 0;
    gboolean good =
        sql_query(keeper->sql, SQL_HOLD_SERVERS, parameters, 2, append_number, servers, error);

    if (good && servers->len > 0)
        good = (link = ask_open(keeper->config, CHARGE_SOCKET, error)) != NULL;
    for (guint i = 0; i < servers->len && good; i++)
        good = release_server(keeper, link, memo, g_array_index(servers, guint32, i), rule,
                              &released, error);
    if (released > 0)
        log_info(NULL, "held mail released", LOG_TEXT("rule", rule), LOG_INT("messages", released));
    return good;
}

/* Those that the helper may be asked for: pointers into the list. */
static GPtrArray *askable(const HoldKeeper *keeper, const GArray *list)
{
    GPtrArray *chosen = g_ptr_array_new();

    for (guint i = 0; i < list->len; i++) {
        HeldMail *mail = &g_array_index(list, HeldMail, i);
        if (can_ask(keeper, mail))
            g_ptr_array_add(chosen, mail);
    }
    return chosen;
}

static gboolean delete_expired(HoldKeeper *keeper, GError **error)
{
    const SqlParameter parameters[] = {SQL_UNSIGNED(node_of(keeper)), SQL_INT(g_get_real_time()),
                                       SQL_UNSIGNED(QUEUE_IDS_MAX)};
    g_autoptr(GArray) list = read_mail(keeper, SQL_HOLD_EXPIRED, parameters, 3, error);
    g_autoptr(GPtrArray) chosen = list ? askable(keeper, list) : NULL;
    g_autoptr(GArray) answers = chosen ? ask_queue(keeper, QUEUE_DELETE, chosen, error) : NULL;

    if (answers && answers->len > 0)
        log_info(NULL, "held for too long, deleted", LOG_INT("messages", answers->len));
    return answers != NULL;
}

/* message.held for what the helper has just put on hold. */
static gboolean tell_held(HoldKeeper *keeper, const HeldMail *mail, GError **error)
{
    gint64 now = g_get_real_time();
    json_object *event = json_object_new_object();

    json_object_object_add(event, "v", json_object_new_int(1));
    json_object_object_add(event, "node", json_object_new_int((int)node_of(keeper)));
    json_object_object_add(event, "at", json_object_new_int64(now));
    json_object_object_add(event, "id", json_object_new_int64((gint64)mail->id));
    json_object_object_add(event, "server", json_object_new_int64(mail->server));
    json_object_object_add(event, "rule", json_object_new_string(RULE_SUSPEND));
    json_object_object_add(event, "reason", json_object_new_string(REASON));
    json_object_object_add(
        event, "expires",
        json_object_new_int64(now +
                              config_int(keeper->config, CONFIG_HOLD_DAYS) * G_TIME_SPAN_DAY));
    JournalEntry entry = {EVENT_MESSAGE_HELD, now,
                          json_object_to_json_string_ext(event, JSON_C_TO_STRING_PLAIN), -1};
    gboolean done = journal_append(mail_follower_journal(keeper->follower), &entry, 1, error);
    json_object_put(event);
    return done;
}

static gboolean read_flag(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    *(gboolean *)data = sql_row_unsigned(row, 0) != 0;
    return TRUE;
}

/* What the helper takes, history is told of. */
static gboolean hold_list(HoldKeeper *keeper, const GArray *list, GError **error)
{
    g_autoptr(GPtrArray) chosen = askable(keeper, list);
    g_autoptr(GArray) answers = ask_queue(keeper, QUEUE_HOLD, chosen, error);
    guint held = 0;

    if (!answers)
        return FALSE;
    for (guint i = 0; i < answers->len; i++) {
        if (g_array_index(answers, QueueAnswer, i).result != QUEUE_DONE)
            continue;
        if (!tell_held(keeper, chosen->pdata[i], error))
            return FALSE;
        held++;
    }
    if (held > 0)
        log_info(NULL, "queued mail of suspended senders held", LOG_INT("messages", held));
    return TRUE;
}

static gboolean hold_suspended(HoldKeeper *keeper, GError **error)
{
    gint64 since = g_get_real_time() / G_USEC_PER_SEC - QUEUED_DAYS * 86400;
    const SqlParameter parameters[] = {SQL_UNSIGNED(id_floor(since)), SQL_UNSIGNED(node_of(keeper)),
                                       SQL_UNSIGNED(QUEUE_IDS_MAX)};
    gboolean any = FALSE;

    if (!sql_query(keeper->sql, SQL_SENDER_SUSPENDED, NULL, 0, read_flag, &any, error))
        return FALSE;
    if (!any)
        return TRUE;
    g_autoptr(GArray) list = read_mail(keeper, SQL_HOLD_SUSPENDED, parameters, 3, error);
    return list && hold_list(keeper, list, error);
}

static gboolean run_round(HoldKeeper *keeper, GError **error)
{
    gint64 now = g_get_monotonic_time();

    if (!keeper->sql && !(keeper->sql = database_open(keeper->config, error)))
        return FALSE;
    if (!sql_schema_check(keeper->sql, error) || !release_rule(keeper, RULE_LIMIT, error) ||
        !release_rule(keeper, RULE_SUSPEND, error))
        return FALSE;
    if (keeper->looked_us && now - keeper->looked_us < LOOK_US)
        return TRUE;
    if (!delete_expired(keeper, error) || !hold_suspended(keeper, error))
        return FALSE;
    keeper->looked_us = now;
    return TRUE;
}

/* Once a minute while it lasts. */
static void complain(HoldKeeper *keeper, const GError *error)
{
    gint64 now = g_get_monotonic_time();

    if (keeper->complained_us && now - keeper->complained_us < MINUTE_US)
        return;
    keeper->complained_us = now;
    log_warning(NULL, "held mail stays as it is", LOG_GERROR(error));
}

/* FALSE: it is to stop. */
static gboolean pause_round(HoldKeeper *keeper)
{
    gint64 end = g_get_monotonic_time() + PAUSE_MS * 1000;

    g_mutex_lock(&keeper->mutex);
    while (!keeper->stop && g_cond_wait_until(&keeper->wake, &keeper->mutex, end))
        continue;
    g_mutex_unlock(&keeper->mutex);
    return !keeper->stop;
}

static gpointer run(gpointer data)
{
    HoldKeeper *keeper = data;

    while (pause_round(keeper)) {
        g_autoptr(GError) error = NULL;
        if (run_round(keeper, &error))
            keeper->complained_us = 0;
        else
            complain(keeper, error);
    }
    return NULL;
}

HoldKeeper *hold_keeper_start(const Config *config, MailFollower *follower)
{
    HoldKeeper *keeper = g_new0(HoldKeeper, 1);

    keeper->config = config;
    keeper->follower = follower;
    keeper->queue = queue_link_new(config);
    keeper->refused = g_hash_table_new(NULL, NULL);
    g_mutex_init(&keeper->mutex);
    g_cond_init(&keeper->wake);
    keeper->thread = g_thread_new("hold", run, keeper);
    return keeper;
}

void hold_keeper_stop(HoldKeeper *keeper)
{
    if (!keeper)
        return;
    g_mutex_lock(&keeper->mutex);
    keeper->stop = TRUE;
    g_cond_broadcast(&keeper->wake);
    g_mutex_unlock(&keeper->mutex);
    g_thread_join(keeper->thread);
    sql_close(keeper->sql);
    queue_link_free(keeper->queue);
    g_hash_table_unref(keeper->refused);
    g_cond_clear(&keeper->wake);
    g_mutex_clear(&keeper->mutex);
    g_free(keeper);
}
