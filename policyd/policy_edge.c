/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/address.h"
#include "lib/base/error.h"
#include "lib/edge/edge_access.h"
#include "lib/edge/edge_suppression.h"
#include "lib/log/log.h"
#include "policyd/decide.h"
#include "policyd/edges.h"

/* What a request is answered. */
typedef struct {
    const char *action;
    char *text;     /* NULL: none */
    gboolean quiet; /* the log has told already */
    GError *error;  /* what was in the way; NULL: nothing */
} Answer;

/* A connection, which has one transaction at a time. */
typedef struct {
    Policyd *policyd;
    char *counted; /* the transaction that was counted as the use of an address; NULL: none */
} Asker;

static void answer_clear(Answer *answer)
{
    g_free(answer->text);
    g_clear_error(&answer->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answer, answer_clear)

static const char *const limit_actions[LIMIT_ACTION_COUNT] = {
    [LIMIT_HOLD] = "HOLD", [LIMIT_DEFER] = "DEFER", [LIMIT_REJECT] = "REJECT"};

/* What refuses: a limit or a suppression. */
typedef struct {
    const char *rule;
    guint64 number; /* its id */
    const char *code;
} Cause;

/* Records the refusal with a text for history, and names it in the answer. */
static void record(Policyd *policyd, const PolicyRequest *request, const EdgeCredential *credential,
                   const Cause *cause, const char *reason, Answer *answer)
{
    gboolean fresh;
    guint64 id = refusals_id(policyd->refusals, cause->rule, cause->number, credential->id, &fresh);

    if (id == 0)
        return;
    g_autofree char *plain = answer->text;
    answer->text = g_strdup_printf("%s; outrider explain %" G_GUINT64_FORMAT, plain, id);
    if (!fresh)
        return;
    g_auto(GStrv) words = g_strsplit(plain, " ", 2); /* enhanced status, text */
    g_autofree char *code = g_strconcat(cause->code, " ", words[0], NULL);
    const TallyRefusal refusal = {.id = id,
                                  .credential = credential,
                                  .queue_id = request->queue_id,
                                  .sender = request->sender,
                                  .recipient = request->recipient,
                                  .client = request->client_address,
                                  .code = code,
                                  .text = reason,
                                  .rule = cause->rule};
    tally_refused(policyd->tally, &refusal);
}

static void reached(const ChargeVerdict *verdict, const EdgeCredential *credential,
                    const char *domain, Answer *answer)
{
    g_autofree char *text =
        charge_verdict_text(verdict, credential ? credential->organization_permalink : NULL,
                            credential ? credential->server_permalink : NULL, domain);

    answer->action = limit_actions[verdict->action];
    answer->text =
        verdict->action == LIMIT_HOLD
            ? g_strdup(text)
            : g_strdup_printf("%s %s", verdict->action == LIMIT_REJECT ? "5.7.1" : "4.7.1", text);
}

static void trouble(Answer *answer)
{
    answer->action = "DEFER_IF_PERMIT";
    answer->text = g_strdup("4.3.0 Limits cannot be looked up now");
}

/* Refused early, before the message is sent; the milter charges, and holds. */
static void look_at_limits(Policyd *policyd, const PolicyRequest *request,
                           const EdgeCredential *credential, Answer *answer)
{
    g_autofree char *domain = address_domain(request->recipient);
    const LimitsFacts facts = {.organization = credential->organization,
                               .server = credential->server,
                               .credential = credential->id,
                               .domain = domain};
    ChargeVerdict verdict = {0};

    if (credential->shadow)
        return;
    if (!limits_look(policyd->limits, &facts, 1, &verdict, &answer->error))
        trouble(answer);
    if (verdict.limit == 0 || verdict.action == LIMIT_HOLD)
        return;
    reached(&verdict, credential, domain, answer);
    const Cause cause = {"limit", verdict.limit, verdict.action == LIMIT_REJECT ? "554" : "450"};
    g_autofree char *reason = charge_verdict_reason(&verdict, strchr(answer->text, ' ') + 1);
    record(policyd, request, credential, &cause, reason, answer);
}

/* Where mail to suppressed recipients is refused, that is told early; what a held credential sends is held first, as
 * the milter does. */
static void look_at_suppressions(Policyd *policyd, const PolicyRequest *request,
                                 const EdgeCredential *credential, Answer *answer)
{
    g_autoptr(EdgeSuppression) found = NULL;

    if (!credential->refuse_suppressed || credential->shadow || credential->hold)
        return;
    if (!edge_suppression_find(policyd->edge, credential, request->recipient,
                               g_get_real_time() / G_USEC_PER_SEC, &found, &answer->error)) {
        answer->action = "DEFER_IF_PERMIT";
        answer->text = g_strdup("4.3.0 Suppressions cannot be looked up now");
        return;
    }
    if (!found)
        return;
    const Cause cause = {"suppressed", found->id, "550"};
    g_autofree char *reason = edge_suppression_text(found, credential);
    answer->action = cause.code;
    answer->text = g_strconcat("5.7.1 ", reason, NULL);
    record(policyd, request, credential, &cause, reason, answer);
}

/* More recipients in one message than the limit is high will have no room later either. */
static void never(ChargeVerdict *verdict, guint64 recipients)
{
    if (verdict->action == LIMIT_DEFER && recipients > verdict->max)
        verdict->action = LIMIT_REJECT;
}

/* A user of this Postfix without a credential of ours: looked at for each recipient, charged at the end of
 * the message, where Postfix says how many there were. */
static void limit_user(const Policyd *policyd, const PolicyRequest *request, Answer *answer)
{
    gboolean whole = strcmp(request->protocol_state, "END-OF-MESSAGE") == 0;
    const LimitsFacts facts = {.user = request->sasl_username};
    ChargeVerdict verdict = {0};
    guint64 count = 1;
    gboolean known;

    if (!*request->sasl_username || (!whole && strcmp(request->protocol_state, "RCPT") != 0))
        return;
    if (whole) {
        g_ascii_string_to_unsigned(request->recipient_count, 10, 1, G_MAXUINT32, &count, NULL);
        known =
            limits_take(policyd->limits, &facts, (guint32)count, NULL, &verdict, &answer->error);
        never(&verdict, count);
    } else {
        known = limits_look(policyd->limits, &facts, 1, &verdict, &answer->error);
    }
    if (!known)
        trouble(answer);
    else if (verdict.limit != 0 && (whole || verdict.action != LIMIT_HOLD))
        reached(&verdict, NULL, NULL, answer);
}

static void refuse(Answer *answer, const char *action, const char *text)
{
    answer->action = action;
    answer->text = g_strdup(text);
}

/* Where the credential may be used, and what it may send from; From is the milter's to judge. */
static void look_at_scope(Policyd *policyd, const PolicyRequest *request,
                          const EdgeCredential *credential, Answer *answer)
{
    gboolean network = TRUE, sender = TRUE;

    if (!edge_network_allowed(policyd->edge, credential, request->client_address, &network,
                              &answer->error) ||
        (*request->sender &&
         !edge_sender_allowed(policyd->edge, credential, request->sender, &sender, &answer->error)))
        refuse(answer, "DEFER_IF_PERMIT", "4.3.0 Temporary lookup failure");
    else if (!network)
        refuse(answer, "REJECT", "5.7.1 Credential may not be used from this address");
    else if (!sender)
        refuse(answer, "530", "5.7.1 Sender address is not one of this credential");
}

/* credential NULL: answer->error says why. */
static void judge(Policyd *policyd, const PolicyRequest *request, const EdgeCredential *credential,
                  Answer *answer)
{
    const char *text = NULL;

    answer->action =
        decide_policy(credential, answer->error, g_get_real_time() / G_USEC_PER_SEC, &text);
    answer->text = g_strdup(text);
    if (answer->text)
        return;
    g_assert(credential); /* without one there is a text */
    look_at_scope(policyd, request, credential, answer);
    if (!answer->text)
        look_at_suppressions(policyd, request, credential, answer);
    if (!answer->text)
        look_at_limits(policyd, request, credential, answer);
}

static void judge_user(Policyd *policyd, const PolicyRequest *request, guint32 id, Answer *answer)
{
    g_autoptr(EdgeCredential) credential = edge_credential_by_id(policyd->edge, id, &answer->error);

    judge(policyd, request, credential, answer);
}

static void count_use(Asker *asker, const PolicyRequest *request, const EdgeCredential *credential)
{
    if (g_strcmp0(asker->counted, request->instance) == 0)
        return;
    g_free(asker->counted);
    asker->counted = g_strdup(request->instance);
    tally_used(asker->policyd->tally, credential);
}

/* A client of a submission service that did not authenticate: permitted when its address is a credential, for each
 * recipient anew. Whoever has none goes on to the `reject' behind it. */
static void admit(Asker *asker, const PolicyRequest *request, Answer *answer)
{
    if (strcmp(request->protocol_state, "RCPT") != 0 || *request->sasl_username)
        return;
    g_autoptr(EdgeCredential) credential =
        edge_credential_by_address(asker->policyd->edge, request->client_address, &answer->error);
    if (!credential && g_error_matches(answer->error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND))
        return;
    judge(asker->policyd, request, credential, answer);
    answer->action = decide_admission(answer->action);
    if (!answer->text)
        count_use(asker, request, credential);
}

/* A recipient of ours, asked about wherever the world hands in mail. */
static void judge_stranger(const Policyd *policyd, const PolicyRequest *request, Answer *answer)
{
    gboolean first = FALSE;

    if (strcmp(request->protocol_state, "RCPT") != 0 || *request->sasl_username)
        return;
    const char *action =
        strangers_judge(policyd->strangers, request, g_get_monotonic_time(), &answer->text, &first);
    if (!action)
        return;
    answer->action = action;
    answer->quiet = !first;
}

static void answer(Asker *asker, const PolicyRequest *request, GString *out)
{
    guint32 id = decide_identity(request->sasl_username);
    g_auto(Answer) answer = {.action = "DUNNO"};

    if (strcmp(request->policy_context, DECIDE_ADMISSION_CONTEXT) == 0)
        admit(asker, request, &answer);
    else if (strcmp(request->policy_context, STRANGERS_CONTEXT) == 0)
        judge_stranger(asker->policyd, request, &answer);
    /* Mail that is not ours never depends on the replicas. */
    else if (id == 0)
        limit_user(asker->policyd, request, &answer);
    else if (strcmp(request->protocol_state, "RCPT") == 0)
        judge_user(asker->policyd, request, id, &answer);
    if (answer.text && !answer.quiet)
        log_info(*request->queue_id ? request->queue_id : NULL, "recipient refused",
                 LOG_TEXT("user", request->sasl_username),
                 LOG_TEXT("client", request->client_address), LOG_TEXT("action", answer.action),
                 LOG_TEXT("text", answer.text), LOG_GERROR(answer.error));
    policy_reply(out, answer.action, answer.text, request->recipient);
}

static gpointer policy_open(Connection *connection, gpointer context, GString *out)
{
    Asker *asker = g_new0(Asker, 1);

    (void)connection;
    (void)out;
    asker->policyd = context;
    return asker;
}

static void policy_closed(gpointer state)
{
    g_free(((Asker *)state)->counted);
    g_free(state);
}

static gssize policy_take(Connection *connection, gpointer state, const char *data, gsize length,
                          GString *out)
{
    g_auto(PolicyRequest) request = {0};
    g_autoptr(GError) error = NULL;
    gssize used = policy_parse(data, length, &request, &error);

    (void)connection;
    if (error)
        log_warning(NULL, "connection closed", LOG_TEXT("socket", "policy"), LOG_GERROR(error));
    if (used > 0)
        answer(state, &request, out);
    return used;
}

const Protocol policy_protocol = {
    .name = "policy",
    .request_max = POLICY_REQUEST_MAX,
    .idle_seconds = 600,
    .open = policy_open,
    .take = policy_take,
    .closed = policy_closed,
};
