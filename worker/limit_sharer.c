/* SPDX-License-Identifier: MIT */
/*
 *     policyd ──changes──▶ limit_usage, if there is another node
 *     policyd ◀──share──── limit_usage, what others wrote since the last look
 *
 * policyd says how far it has told, and that is asked from again only after it was written. What others wrote is told
 * anew, all of it, to a policyd that was started again and after anything went wrong.
 */
#include "worker/limit_sharer.h"

#include "lib/log/log.h"
#include "lib/service/ask.h"
#include "lib/wire/charge.h"
#include "worker/database.h"
#include "worker/limit_memo.h"
#include "worker/rounds.h"

#define PAUSE_MS    1000
#define COMPLAIN_US (60 * G_TIME_SPAN_SECOND)
#define WRITE_ROWS  5000        /* together */
#define TELL_OCTETS (64 * 1024) /* together */
#define NODE_MAX    255

struct LimitSharer {
    const Config *config;
    Sql *sql;
    AskLink *link;    /* to policyd, within a round */
    UsageMark mark;   /* what of policyd's is written */
    LimitMemo *memo;  /* what of the others' policyd was told */
    gboolean checked; /* the schema is the one that is needed */
    guint64 others;   /* nodes, at the last look */
    gint64 seen_us;   /* when this node was noted as there; 0: not yet */
    gint64 complained_us;
    Rounds *rounds; /* NULL: without a thread */
};

static guint64 node_of(const LimitSharer *sharer)
{
    return (guint64)config_int(sharer->config, CONFIG_NODE_ID);
}

static gboolean open_database(LimitSharer *sharer, GError **error)
{
    if (!sharer->sql && !(sharer->sql = database_open(sharer->config, error)))
        return FALSE;
    if (!sharer->checked && !sql_schema_check(sharer->sql, error))
        return FALSE;
    sharer->checked = TRUE;
    return TRUE;
}

static gboolean note_seen(LimitSharer *sharer, GError **error)
{
    const SqlParameter node[] = {SQL_UNSIGNED(node_of(sharer))};
    gint64 now = g_get_monotonic_time();

    if (sharer->seen_us && now - sharer->seen_us < LIMIT_SHARER_SEEN_S * G_TIME_SPAN_SECOND)
        return TRUE;
    if (!sql_execute(sharer->sql, SQL_LIMIT_NODE_SEEN, node, 1, NULL, NULL, error))
        return FALSE;
    sharer->seen_us = now;
    return TRUE;
}

typedef struct {
    guint64 now_us; /* by the database's clock */
    guint64 others;
} Nodes;

static gboolean read_nodes(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    *(Nodes *)data = (Nodes){sql_row_unsigned(row, 0), sql_row_unsigned(row, 1)};
    return TRUE;
}

static gboolean look_around(LimitSharer *sharer, Nodes *nodes, GError **error)
{
    const SqlParameter parameters[] = {SQL_UNSIGNED(node_of(sharer)),
                                       SQL_UNSIGNED(LIMIT_SHARER_GONE_S * G_TIME_SPAN_SECOND)};

    if (!sql_query(sharer->sql, SQL_LIMIT_NODE_OTHERS, parameters, 2, read_nodes, nodes, error))
        return FALSE;
    if (nodes->others != sharer->others)
        log_info(NULL, nodes->others ? "limits are shared" : "no other node to share limits with",
                 LOG_INT("others", (gint64)nodes->others));
    /* Nothing was written for a while. */
    if (sharer->others == 0)
        sharer->mark.sequence = nodes->others > 0 ? 0 : G_MAXUINT64;
    sharer->others = nodes->others;
    return TRUE;
}

/* Asks from mark and appends to rows (of Usage) until the page ends; mark is then where to go on. */
static gboolean read_page(LimitSharer *sharer, UsageMark *mark, GArray *rows, gboolean *more,
                          GError **error)
{
    const ChargeRequest request = {.verb = CHARGE_CHANGES, .mark = *mark};
    g_autoptr(GString) line = g_string_new(NULL);
    UsageKind kind = USAGE_LINE;

    charge_request_append(line, &request);
    if (!ask_send(sharer->link, line, error))
        return FALSE;
    while (kind == USAGE_LINE) {
        g_autofree char *answer = ask_line(sharer->link, error);
        Usage usage;
        if (!answer || !usage_answer_parse(answer, &kind, &usage, mark, error))
            return FALSE;
        if (kind == USAGE_LINE)
            g_array_append_val(rows, usage);
    }
    *more = kind == USAGE_MORE;
    return TRUE;
}

typedef struct {
    guint64 node;
    const GArray *rows;
} Writing;

static gboolean write_rows(Sql *sql, gpointer data, GError **error)
{
    const Writing *writing = data;
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) parameters = g_array_new(FALSE, FALSE, sizeof(SqlParameter));

    for (guint i = 0; i < writing->rows->len; i++) {
        const Usage *usage = &g_array_index(writing->rows, Usage, i);
        GString *slots = g_string_new(NULL);
        usage_slots_append(slots, &usage->slots);
        g_ptr_array_add(texts, g_string_free(slots, FALSE));
        const SqlParameter row[] = {SQL_UNSIGNED(writing->node), SQL_UNSIGNED(usage->limit),
                                    SQL_UNSIGNED(usage->resets), SQL_UNSIGNED(usage->slots.age_us),
                                    SQL_TEXT(texts->pdata[i])};
        g_array_append_vals(parameters, row, G_N_ELEMENTS(row));
    }
    return sql_execute_rows(sql, SQL_LIMIT_USAGE_SET,
                            (const SqlParameter *)(void *)parameters->data, 5, writing->rows->len,
                            error);
}

/* What policyd counted since, to the others. */
static gboolean take_out(LimitSharer *sharer, GError **error)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(Usage));
    Writing writing = {node_of(sharer), rows};
    UsageMark mark = sharer->mark;
    gboolean more = TRUE;

    while (more) {
        if (!read_page(sharer, &mark, rows, &more, error))
            return FALSE;
        if (more && rows->len < WRITE_ROWS)
            continue;
        if (rows->len > 0 && !sql_transaction(sharer->sql, write_rows, &writing, error))
            return FALSE;
        g_array_set_size(rows, 0);
    }
    if (mark.instance != sharer->mark.instance)
        limit_memo_clear(sharer->memo);
    sharer->mark = mark;
    return TRUE;
}

/* Nobody would read it: only whether policyd is another one. */
static gboolean take_nothing(LimitSharer *sharer, GError **error)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(Usage));
    UsageMark mark = {sharer->mark.instance, G_MAXUINT64};
    gboolean more;

    if (!read_page(sharer, &mark, rows, &more, error))
        return FALSE;
    if (mark.instance != sharer->mark.instance)
        limit_memo_clear(sharer->memo);
    sharer->mark.instance = mark.instance;
    return TRUE;
}

typedef struct {
    LimitSharer *sharer;
    GString *lines;
} Telling;

static gboolean flush(Telling *telling, GError **error)
{
    gboolean sent = ask_send(telling->sharer->link, telling->lines, error);

    g_string_truncate(telling->lines, 0);
    return sent;
}

/* FALSE: not a row of ours; policyd would close. */
static gboolean read_share(const SqlRow *row, ChargeRequest *share)
{
    const char *period = sql_row_text(row, 2), *slots = sql_row_text(row, 5);
    guint64 node = sql_row_unsigned(row, 0), age = sql_row_unsigned(row, 4);

    share->verb = CHARGE_SHARE;
    share->node = (guint)node;
    share->limit = (guint32)sql_row_unsigned(row, 1);
    share->resets = (guint32)sql_row_unsigned(row, 3);
    share->slots.age_us = (gint64)MIN(age, (guint64)USAGE_AGE_MAX);
    return node >= 1 && node <= NODE_MAX && share->limit > 0 && period &&
           limit_period_read(period, &share->period) && slots &&
           usage_slots_parse(slots, &share->slots);
}

static gboolean tell_row(const SqlRow *row, gpointer data, GError **error)
{
    Telling *telling = data;
    ChargeRequest share = {0};
    gboolean good = read_share(row, &share);

    if (!limit_memo_is_news(telling->sharer->memo, share.node, share.limit,
                            sql_row_unsigned(row, 6)))
        return TRUE;
    if (!good) {
        log_warning(NULL, "row of limit_usage is not readable", LOG_INT("node", share.node),
                    LOG_INT("limit", share.limit));
        return TRUE;
    }
    charge_request_append(telling->lines, &share);
    return telling->lines->len < TELL_OCTETS || flush(telling, error);
}

/* What the others wrote since, to policyd. */
static gboolean bring_in(LimitSharer *sharer, guint64 now_us, GError **error)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    Telling telling = {sharer, lines};
    const SqlParameter parameters[] = {SQL_UNSIGNED(limit_memo_begin(sharer->memo, now_us)),
                                       SQL_UNSIGNED(node_of(sharer))};

    if (!sql_query(sharer->sql, SQL_LIMIT_USAGE_OTHERS, parameters, 2, tell_row, &telling, error) ||
        !flush(&telling, error))
        return FALSE;
    limit_memo_end(sharer->memo);
    return TRUE;
}

static gboolean exchange(LimitSharer *sharer, GError **error)
{
    Nodes nodes = {0};

    if (!open_database(sharer, error) || !note_seen(sharer, error) ||
        !look_around(sharer, &nodes, error))
        return FALSE;
    sharer->link = ask_open(sharer->config, CHARGE_SOCKET, error);
    if (!sharer->link)
        return FALSE;
    return (nodes.others > 0 ? take_out(sharer, error) : take_nothing(sharer, error)) &&
           bring_in(sharer, nodes.now_us, error);
}

gboolean limit_sharer_round(LimitSharer *sharer, GError **error)
{
    gboolean done = exchange(sharer, error);

    /* Of what was sent nobody knows whether it was taken. */
    if (!done)
        limit_memo_clear(sharer->memo);
    g_clear_pointer(&sharer->link, ask_close);
    return done;
}

/* Once a minute while it lasts. */
static gboolean run(gpointer data)
{
    LimitSharer *sharer = data;
    g_autoptr(GError) error = NULL;
    gint64 now = g_get_monotonic_time();

    if (limit_sharer_round(sharer, &error)) {
        sharer->complained_us = 0;
        return TRUE;
    }
    if (!sharer->complained_us || now - sharer->complained_us >= COMPLAIN_US) {
        sharer->complained_us = now;
        log_warning(NULL, "limits are not shared, each node counts for itself", LOG_GERROR(error));
    }
    return FALSE;
}

LimitSharer *limit_sharer_new(const Config *config)
{
    LimitSharer *sharer = g_new0(LimitSharer, 1);

    sharer->config = config;
    sharer->memo = limit_memo_new();
    return sharer;
}

LimitSharer *limit_sharer_start(const Config *config)
{
    LimitSharer *sharer = limit_sharer_new(config);
    const RoundsKind kind = {.name = "limits",
                             .interval_ms = PAUSE_MS,
                             .retry_ms = PAUSE_MS,
                             .retry_max_ms = PAUSE_MS,
                             .run = run};

    sharer->rounds = rounds_new(&kind, sharer);
    rounds_start(sharer->rounds);
    return sharer;
}

void limit_sharer_stop(LimitSharer *sharer)
{
    if (!sharer)
        return;
    rounds_stop(sharer->rounds);
    sql_close(sharer->sql);
    limit_memo_free(sharer->memo);
    g_free(sharer);
}
