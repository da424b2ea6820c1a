/* SPDX-License-Identifier: MIT */
/*
 *     every second  (five, while nothing comes of it) held by a limit, or for a suspension that is over: server by server, oldest first ─▶ policyd
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
#include "lib/base/suppression.h"
#include "lib/log/log.h"
#include "lib/service/ask.h"
#include "lib/service/queue_link.h"
#include "lib/wire/charge.h"
#include "worker/database.h"
#include "worker/hold_memo.h"
#include "worker/rounds.h"

#define PAUSE_MS     1000
#define MINUTE_US    (60 * G_TIME_SPAN_SECOND)
#define LOOK_US      (10 * G_TIME_SPAN_SECOND)
#define PAGES_MAX    25  /* of a server in a row that are asked about: others wait */
#define PAGES_READ   500 /* and that are read past what is known to be full */
#define AGAIN_S      600 /* when the helper is asked again about what it refused */
#define IDLE_US      (5 * G_TIME_SPAN_SECOND)
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
    GHashTable *refused; /* id -> when the helper refused it, in seconds */
    gint64 released_us;  /* when it was last looked for what to release */
    gboolean busy;       /* and some was */
    gint64 looked_us;    /* when the rarer work was done last */
    gint64 complained_us;
    Rounds *rounds;
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
                     .domain = rcpt ? limit_domain(rcpt) : NULL,
                     .address = rcpt ? suppression_address(rcpt) : NULL};

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

static gint64 now_seconds(void)
{
    return g_get_monotonic_time() / G_USEC_PER_SEC;
}

static gboolean can_ask(const HoldKeeper *keeper, const HeldMail *mail)
{
    gpointer refused = g_hash_table_lookup(keeper->refused, GSIZE_TO_POINTER(mail->id));

    return queue_id_is_good(mail->queue_id, strlen(mail->queue_id)) &&
           (!refused || now_seconds() - (gint64)GPOINTER_TO_SIZE(refused) >= AGAIN_S);
}

/* For good, as of what a lost key sealed, or because something is in the way now: it cannot tell. */
static void note_refused(HoldKeeper *keeper, const HeldMail *mail, const QueueAnswer *answer)
{
    if (g_hash_table_size(keeper->refused) >= REFUSED_MAX)
        g_hash_table_remove_all(keeper->refused);
    g_hash_table_insert(keeper->refused, GSIZE_TO_POINTER(mail->id),
                        GSIZE_TO_POINTER((gsize)now_seconds()));
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
        if (answer->result == QUEUE_REFUSED)
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

static gboolean note_found(G_GNUC_UNUSED const SqlRow *row, gpointer data,
                           G_GNUC_UNUSED GError **error)
{
    *(gboolean *)data = TRUE;
    return TRUE;
}

/* Whether the recipient was suppressed since: such mail stays where it is, whatever it was held for. */
static gboolean is_suppressed(HoldKeeper *keeper, const HeldMail *mail, gboolean *suppressed,
                              GError **error)
{
    *suppressed = FALSE;
    if (!mail->address)
        return TRUE;
    const SqlParameter parameters[] = {
        SQL_UNSIGNED(mail->server), SQL_UNSIGNED(mail->server), SQL_TEXT(mail->address),
        SQL_TEXT(suppression_domain(mail->address)), SQL_INT(g_get_real_time() / G_USEC_PER_SEC)};
    return sql_query(keeper->sql, SQL_SUPPRESSION_APPLIES, parameters, G_N_ELEMENTS(parameters),
                     note_found, suppressed, error);
}

/* Those of a page that have room, charged: pointers into it. */
static GPtrArray *charge_page(HoldKeeper *keeper, AskLink *link, HoldMemo *memo, const GArray *page,
                              gboolean *any, GError **error)
{
    g_autoptr(GPtrArray) charged = g_ptr_array_new();

    for (guint i = 0; i < page->len; i++) {
        HeldMail *mail = &g_array_index(page, HeldMail, i);
        ChargeVerdict verdict;
        gboolean suppressed;
        if (!can_ask(keeper, mail) || hold_memo_is_full(memo, mail))
            continue;
        if (!is_suppressed(keeper, mail, &suppressed, error))
            return NULL;
        if (suppressed)
            continue;
        *any = TRUE;
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
                             guint *released, gboolean *any, GError **error)
{
    g_autoptr(GPtrArray) charged = charge_page(keeper, link, memo, page, any, error);
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

/* Page by page; those that hold nothing but what is full cost no question. */
static gboolean release_server(HoldKeeper *keeper, AskLink *link, HoldMemo *memo, guint32 server,
                               const char *rule, guint *released, GError **error)
{
    guint64 after = 0;
    guint asked = 0;

    for (guint pages = 0; pages < PAGES_READ && asked < PAGES_MAX && !keeper->stop; pages++) {
        const SqlParameter parameters[] = {SQL_UNSIGNED(server), SQL_UNSIGNED(node_of(keeper)),
                                           SQL_TEXT(rule), SQL_UNSIGNED(after),
                                           SQL_UNSIGNED(HOLD_KEEPER_BATCH)};
        g_autoptr(GArray) page =
            read_mail(keeper, SQL_HOLD_DUE, parameters, G_N_ELEMENTS(parameters), error);
        gboolean any = FALSE;
        if (!page || !release_page(keeper, link, memo, page, released, &any, error))
            return FALSE;
        asked += any;
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
    keeper->busy |= released > 0;
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

static guint count_done(const GArray *answers)
{
    guint done = 0;

    for (guint i = 0; i < answers->len; i++)
        done += g_array_index(answers, QueueAnswer, i).result == QUEUE_DONE;
    return done;
}

/* What is done with a page of a list. */
typedef gboolean (*PageFunc)(HoldKeeper *keeper, const GArray *list, guint *done, GError **error);

/* Page by page to the end: what cannot be done of one must not keep the next from its turn. parameters[0] is
 * the place of the id to read from. */
static gboolean each_page(HoldKeeper *keeper, SqlStatement statement, SqlParameter *parameters,
                          guint n, PageFunc func, guint *done, GError **error)
{
    for (guint pages = 0; pages < PAGES_READ && !keeper->stop; pages++) {
        g_autoptr(GArray) list = read_mail(keeper, statement, parameters, n, error);
        if (!list || !func(keeper, list, done, error))
            return FALSE;
        if (list->len < QUEUE_IDS_MAX)
            return TRUE;
        parameters[0] = SQL_UNSIGNED(g_array_index(list, HeldMail, list->len - 1).id);
    }
    return TRUE;
}

static gboolean delete_list(HoldKeeper *keeper, const GArray *list, guint *done, GError **error)
{
    g_autoptr(GPtrArray) chosen = askable(keeper, list);
    g_autoptr(GArray) answers = ask_queue(keeper, QUEUE_DELETE, chosen, error);

    if (answers)
        *done += count_done(answers);
    return answers != NULL;
}

static gboolean delete_expired(HoldKeeper *keeper, GError **error)
{
    SqlParameter parameters[] = {SQL_UNSIGNED(0), SQL_UNSIGNED(node_of(keeper)),
                                 SQL_INT(g_get_real_time()), SQL_UNSIGNED(QUEUE_IDS_MAX)};
    guint deleted = 0;
    gboolean good = each_page(keeper, SQL_HOLD_EXPIRED, parameters, G_N_ELEMENTS(parameters),
                              delete_list, &deleted, error);

    if (deleted > 0)
        log_info(NULL, "held for too long, deleted", LOG_INT("messages", deleted));
    return good;
}

/* The JSON of message.held; g_free. */
static char *held_event(const HoldKeeper *keeper, const HeldMail *mail, gint64 now)
{
    json_object *event = json_object_new_object();
    gint64 days = config_int(keeper->config, CONFIG_HOLD_DAYS);

    json_object_object_add(event, "v", json_object_new_int(1));
    json_object_object_add(event, "node", json_object_new_int((int)node_of(keeper)));
    json_object_object_add(event, "at", json_object_new_int64(now));
    json_object_object_add(event, "id", json_object_new_int64((gint64)mail->id));
    json_object_object_add(event, "server", json_object_new_int64(mail->server));
    json_object_object_add(event, "rule", json_object_new_string(RULE_SUSPEND));
    json_object_object_add(event, "reason", json_object_new_string(REASON));
    json_object_object_add(event, "expires", json_object_new_int64(now + days * G_TIME_SPAN_DAY));
    char *text = g_strdup(json_object_to_json_string_ext(event, JSON_C_TO_STRING_PLAIN));
    json_object_put(event);
    return text;
}

/* History learns the rule first: what is on hold without one would never come off it. */
static gboolean tell_held(HoldKeeper *keeper, const GPtrArray *list, GError **error)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autofree JournalEntry *entries = g_new(JournalEntry, list->len + 1);
    gint64 now = g_get_real_time();

    for (guint i = 0; i < list->len; i++) {
        g_ptr_array_add(texts, held_event(keeper, list->pdata[i], now));
        entries[i] = (JournalEntry){EVENT_MESSAGE_HELD, now, texts->pdata[i], -1};
    }
    return list->len == 0 ||
           journal_append(mail_follower_journal(keeper->follower), entries, list->len, error);
}

static gboolean read_flag(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    *(gboolean *)data = sql_row_unsigned(row, 0) != 0;
    return TRUE;
}

static gboolean hold_list(HoldKeeper *keeper, const GArray *list, guint *done, GError **error)
{
    g_autoptr(GPtrArray) chosen = askable(keeper, list);

    if (!tell_held(keeper, chosen, error))
        return FALSE;
    g_autoptr(GArray) answers = ask_queue(keeper, QUEUE_HOLD, chosen, error);
    if (answers)
        *done += count_done(answers);
    return answers != NULL;
}

static gboolean hold_suspended(HoldKeeper *keeper, GError **error)
{
    gint64 since = g_get_real_time() / G_USEC_PER_SEC - QUEUED_DAYS * 86400;
    SqlParameter parameters[] = {SQL_UNSIGNED(id_floor(since)), SQL_UNSIGNED(node_of(keeper)),
                                 SQL_UNSIGNED(QUEUE_IDS_MAX)};
    gboolean any = FALSE;
    guint held = 0;

    if (!sql_query(keeper->sql, SQL_SENDER_SUSPENDED, NULL, 0, read_flag, &any, error))
        return FALSE;
    gboolean good = !any || each_page(keeper, SQL_HOLD_SUSPENDED, parameters,
                                      G_N_ELEMENTS(parameters), hold_list, &held, error);
    if (held > 0)
        log_info(NULL, "queued mail of suspended senders held", LOG_INT("messages", held));
    return good;
}

static gboolean release_limited(HoldKeeper *keeper, GError **error)
{
    keeper->busy = FALSE;
    return release_rule(keeper, RULE_LIMIT, error);
}

static gboolean release_suspended(HoldKeeper *keeper, GError **error)
{
    return release_rule(keeper, RULE_SUSPEND, error);
}

/* Does what is due; what one cannot do keeps no other from its turn. The first error is told. */
static gboolean run_tasks(HoldKeeper *keeper, gint64 *last_us, gint64 pause_us,
                          gboolean (*const *tasks)(HoldKeeper *keeper, GError **error), guint n,
                          GError **error)
{
    gint64 now = g_get_monotonic_time();
    gboolean good = TRUE;

    if (*last_us && now - *last_us < pause_us)
        return TRUE;
    *last_us = now;
    for (guint i = 0; i < n; i++)
        if (!tasks[i](keeper, good ? error : NULL))
            good = FALSE;
    return good;
}

static gboolean run_round(HoldKeeper *keeper, GError **error)
{
    static gboolean (*const rare[])(HoldKeeper *, GError **) = {hold_suspended, delete_expired};
    static gboolean (*const often[])(HoldKeeper *, GError **) = {release_limited,
                                                                 release_suspended};

    if (!keeper->sql && !(keeper->sql = database_open(keeper->config, error)))
        return FALSE;
    if (!sql_schema_check(keeper->sql, error))
        return FALSE;
    gboolean good = run_tasks(keeper, &keeper->looked_us, LOOK_US, rare, 2, error);
    return run_tasks(keeper, &keeper->released_us, keeper->busy ? 0 : IDLE_US, often, 2,
                     good ? error : NULL) &&
           good;
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

static gboolean run(gpointer data)
{
    HoldKeeper *keeper = data;
    g_autoptr(GError) error = NULL;
    gboolean done = run_round(keeper, &error);

    if (done)
        keeper->complained_us = 0;
    else
        complain(keeper, error);
    return done;
}

HoldKeeper *hold_keeper_start(const Config *config, MailFollower *follower)
{
    HoldKeeper *keeper = g_new0(HoldKeeper, 1);
    const RoundsKind kind = {.name = "hold",
                             .first_ms = PAUSE_MS,
                             .interval_ms = PAUSE_MS,
                             .retry_ms = PAUSE_MS,
                             .retry_max_ms = PAUSE_MS,
                             .run = run};

    keeper->config = config;
    keeper->follower = follower;
    keeper->queue = queue_link_new(config);
    keeper->refused = g_hash_table_new(NULL, NULL);
    keeper->rounds = rounds_new(&kind, keeper);
    rounds_start(keeper->rounds);
    return keeper;
}

void hold_keeper_stop(HoldKeeper *keeper)
{
    if (!keeper)
        return;
    keeper->stop = TRUE;
    rounds_stop(keeper->rounds);
    sql_close(keeper->sql);
    queue_link_free(keeper->queue);
    g_hash_table_unref(keeper->refused);
    g_free(keeper);
}
