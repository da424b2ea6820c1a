/* SPDX-License-Identifier: MIT */
#include "worker/hold_release.h"

#include "lib/service/ask.h"
#include "lib/wire/charge.h"
#include "worker/hold_reader.h"

#define PAGES_MAX  25  /* of a server in a row that are asked about: others wait */
#define PAGES_READ 500 /* and that are read past what is known to be full */
#define TURNS      10  /* that outrider-queue is asked for what has no room yet */
#define LATER_US   (G_USEC_PER_SEC / 10)

/* One look at all that is held by a rule. */
typedef struct {
    HoldRelease *release;
    Sql *sql;
    AskLink *link; /* policyd */
    HoldMemo *memo;
    gint64 end_us;
    gboolean over;
} Round;

static guint node_of(const HoldRelease *release)
{
    return (guint)config_int(release->config, CONFIG_NODE_ID);
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

/* Those of a page that have room, charged: pointers into it. Whose recipient was suppressed since stays, whatever it was
 * held for. */
static GPtrArray *charge_page(const Round *round, const GArray *page, gboolean *any, GError **error)
{
    g_autoptr(GPtrArray) charged = g_ptr_array_new();

    for (guint i = 0; i < page->len; i++) {
        HeldMail *mail = &g_array_index(page, HeldMail, i);
        ChargeVerdict verdict;
        gboolean suppressed;
        if (!hold_queue_can_ask(round->release->queue, mail) ||
            hold_memo_is_full(round->memo, mail))
            continue;
        if (!hold_reader_suppressed(round->sql, mail, &suppressed, error))
            return NULL;
        if (suppressed)
            continue;
        *any = TRUE;
        if (!charge(round->link, mail, &verdict, error))
            return NULL;
        if (verdict.limit == 0)
            g_ptr_array_add(charged, mail);
        else
            hold_memo_full(round->memo, mail, verdict.subject);
    }
    return g_steal_pointer(&charged);
}

/* Has those released that there is room for, which keeps their charge; what is left. */
static GPtrArray *release_charged(const Round *round, const GPtrArray *charged, GError **error)
{
    g_autoptr(GArray) answers =
        hold_queue_ask(round->release->queue, QUEUE_RELEASE, charged, error);
    g_autoptr(GPtrArray) left = g_ptr_array_new();

    for (guint i = 0; answers && i < charged->len; i++) {
        QueueResult result = g_array_index(answers, QueueAnswer, i).result;
        ChargeVerb verb = result == QUEUE_REFUSED ? CHARGE_REFUND : CHARGE_KEEP;
        round->release->released += result == QUEUE_DONE;
        if (result == QUEUE_LATER)
            g_ptr_array_add(left, charged->pdata[i]);
        else if (!tell_policyd(round->link, verb, charged->pdata[i], error))
            return NULL;
    }
    return answers ? g_steal_pointer(&left) : NULL;
}

/* What is not said to policyd goes back with the link, when the round ends. */
static gboolean release_page(Round *round, const GArray *page, gboolean *any, GError **error)
{
    GPtrArray *left = charge_page(round, page, any, error);

    for (guint turn = 0; left && left->len > 0 && turn < TURNS && !*round->release->stop; turn++) {
        g_autoptr(GPtrArray) charged = left;
        if (turn > 0)
            g_usleep(LATER_US);
        left = release_charged(round, charged, error);
    }
    if (!left)
        return FALSE;
    round->over = round->over || left->len > 0 || g_get_monotonic_time() > round->end_us;
    g_ptr_array_unref(left);
    return TRUE;
}

/* Page by page; those that hold nothing but what is full cost no question. */
static gboolean release_server(Round *round, guint32 server, GError **error)
{
    HoldRelease *release = round->release;
    guint64 after = 0;
    guint asked = 0;

    for (guint pages = 0;
         pages < PAGES_READ && asked < PAGES_MAX && !round->over && !*release->stop; pages++) {
        const SqlParameter parameters[] = {SQL_UNSIGNED(server), SQL_UNSIGNED(node_of(release)),
                                           SQL_TEXT(release->rule), SQL_UNSIGNED(after),
                                           SQL_UNSIGNED(HOLD_RELEASE_BATCH)};
        g_autoptr(GArray) page =
            hold_reader_mail(round->sql, SQL_HOLD_DUE, parameters, G_N_ELEMENTS(parameters), error);
        gboolean any = FALSE;
        if (!page || !release_page(round, page, &any, error))
            return FALSE;
        asked += any;
        if (page->len < HOLD_RELEASE_BATCH)
            return TRUE;
        const HeldMail *last = &g_array_index(page, HeldMail, page->len - 1);
        if (hold_memo_is_server_full(round->memo, last))
            return TRUE;
        after = last->id;
    }
    return TRUE;
}

/* The first server behind the one that was looked at last. */
static guint next_server(const GArray *servers, guint32 last)
{
    for (guint i = 0; i < servers->len; i++)
        if (g_array_index(servers, guint32, i) > last)
            return i;
    return 0;
}

gboolean hold_release_look(HoldRelease *release, Sql *sql, GError **error)
{
    g_autoptr(GArray) servers = hold_reader_servers(sql, node_of(release), release->rule, error);
    g_autoptr(AskLink) link = NULL;
    g_autoptr(HoldMemo) memo = hold_memo_new();

    release->released = 0;
    if (!servers)
        return FALSE;
    if (servers->len > 0 && !(link = ask_open(release->config, CHARGE_SOCKET, error)))
        return FALSE;
    Round round = {.release = release,
                   .sql = sql,
                   .link = link,
                   .memo = memo,
                   .end_us = g_get_monotonic_time() + HOLD_RELEASE_US};
    guint first = next_server(servers, release->server);
    for (guint i = 0; i < servers->len && !round.over && !*release->stop; i++) {
        release->server = g_array_index(servers, guint32, (first + i) % servers->len);
        if (!release_server(&round, release->server, error))
            return FALSE;
    }
    return TRUE;
}
