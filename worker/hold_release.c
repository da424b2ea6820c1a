/* SPDX-License-Identifier: MIT */
#include "worker/hold_release.h"

#include "lib/service/ask.h"
#include "lib/wire/charge.h"
#include "worker/hold_reader.h"

#define PAGES_MAX  25  /* of a server in a row that are asked about: others wait */
#define PAGES_READ 500 /* and that are read past what is known to be full */

/* One look at all that is held by a rule. */
typedef struct {
    HoldRelease *release;
    const char *rule;
    AskLink *link; /* policyd */
    HoldMemo *memo;
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

/* Those of a page that have room, charged: pointers into it. */
static GPtrArray *charge_page(const Round *round, const GArray *page, gboolean *any, GError **error)
{
    g_autoptr(GPtrArray) charged = g_ptr_array_new();

    for (guint i = 0; i < page->len; i++) {
        HeldMail *mail = &g_array_index(page, HeldMail, i);
        ChargeVerdict verdict;
        if (!hold_queue_can_ask(round->release->queue, mail) ||
            hold_memo_is_full(round->memo, mail))
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

/* What is not said to policyd goes back with the link, when the round ends. */
static gboolean release_page(const Round *round, const GArray *page, gboolean *any, GError **error)
{
    g_autoptr(GPtrArray) charged = charge_page(round, page, any, error);
    g_autoptr(GArray) answers =
        charged ? hold_queue_ask(round->release->queue, QUEUE_RELEASE, charged, error) : NULL;

    if (!answers)
        return FALSE;
    for (guint i = 0; i < charged->len; i++) {
        gboolean gone = g_array_index(answers, QueueAnswer, i).result != QUEUE_REFUSED;
        round->release->released += g_array_index(answers, QueueAnswer, i).result == QUEUE_DONE;
        if (!tell_policyd(round->link, gone ? CHARGE_KEEP : CHARGE_REFUND, charged->pdata[i],
                          error))
            return FALSE;
    }
    return TRUE;
}

/* Page by page; those that hold nothing but what is full cost no question. */
static gboolean release_server(const Round *round, guint32 server, GError **error)
{
    HoldRelease *release = round->release;
    guint64 after = 0;
    guint asked = 0;

    for (guint pages = 0; pages < PAGES_READ && asked < PAGES_MAX && !*release->stop; pages++) {
        const SqlParameter parameters[] = {SQL_UNSIGNED(server), SQL_UNSIGNED(node_of(release)),
                                           SQL_TEXT(round->rule), SQL_UNSIGNED(after),
                                           SQL_UNSIGNED(HOLD_RELEASE_BATCH)};
        g_autoptr(GArray) page = hold_reader_mail(release->sql, SQL_HOLD_DUE, parameters,
                                                  G_N_ELEMENTS(parameters), error);
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

gboolean hold_release_rule(HoldRelease *release, const char *rule, GError **error)
{
    g_autoptr(GArray) servers = hold_reader_servers(release->sql, node_of(release), rule, error);
    g_autoptr(AskLink) link = NULL;
    g_autoptr(HoldMemo) memo = hold_memo_new();

    if (!servers)
        return FALSE;
    if (servers->len > 0 && !(link = ask_open(release->config, CHARGE_SOCKET, error)))
        return FALSE;
    const Round round = {release, rule, link, memo};
    for (guint i = 0; i < servers->len; i++)
        if (!release_server(&round, g_array_index(servers, guint32, i), error))
            return FALSE;
    return TRUE;
}
