/* SPDX-License-Identifier: MIT */
#include "milters/submission.h"

#include "lib/log/log.h"
#include "milters/effect.h"
#include "milters/hop.h"

/* Postfix's own Received, which names the client, can be seen and changed behind the hop only. */
static gboolean reserve(Shared *shared, guint n, gboolean privacy, Reserved *reserved,
                        GError **error)
{
    gboolean done = outgoing_reserve(shared, n, reserved, error);

    reserved->hop = n > 1 || privacy;
    return done;
}

static RefusalName judge(const Session *session, Shared *shared, const EdgeCredential *credential,
                         Author *author, GError **error)
{
    guint received_max = (guint)config_int(shared_config(shared), CONFIG_RECEIVED_MAX);
    RefusalName refusal = admit_form(session->message, received_max);

    if (refusal == REFUSAL_NONE && !journal_check_space(shared_journal(shared), error))
        refusal = REFUSAL_SPACE;
    if (refusal == REFUSAL_NONE)
        refusal = author_judge(session->message, shared, credential, author, error);
    if (refusal == REFUSAL_NONE)
        refusal = author_judge_senders(session->message, shared, credential, author, error);
    return refusal;
}

/* REFUSAL_NONE: Postfix has it. */
static RefusalName dispatch(SMFICTX *context, Session *session, Shared *shared,
                            const EventSubject *subject, Outgoing *outgoing, GError **error)
{
    if (outgoing->refusal != REFUSAL_NONE) {
        session->reply = g_strdup(outgoing->why);
        return outgoing->refusal;
    }
    if (!effect_message(context, shared, subject, outgoing, error))
        return refusal_of_trouble(*error);
    outgoing_taken(outgoing);
    return REFUSAL_NONE;
}

static RefusalName send_on(SMFICTX *context, Session *session, Shared *shared,
                           const EdgeCredential *credential, const Author *author,
                           const EventSubject *subject, const OutgoingTick *tick, GError **error)
{
    Reserved reserved;

    if (!reserve(shared, session->message->rcpts->len, credential->privacy, &reserved, error))
        return refusal_of_trouble(*error);
    if (reserved.hop) {
        EventSubject whole = *subject;
        whole.id = reserved.base;
        return hop_send(context, shared, &whole, &reserved, error) ? REFUSAL_NONE
                                                                   : refusal_of_trouble(*error);
    }
    g_autoptr(Outgoing) outgoing =
        outgoing_prepare(&reserved, 0, session->message, shared, credential, author, tick, error);
    return outgoing ? dispatch(context, session, shared, subject, outgoing, error)
                    : refusal_of_trouble(*error);
}

RefusalName submission_take(SMFICTX *context, Session *session, Shared *shared,
                            const char *queue_id, const OutgoingTick *tick)
{
    g_autoptr(EdgeCredential) credential = NULL;
    g_auto(Author) author = {0};
    g_autoptr(GError) error = NULL;
    RefusalName refusal = session_credential(session, shared, &credential);

    if (refusal == REFUSAL_NONE)
        refusal = judge(session, shared, credential, &author, &error);
    if (refusal == REFUSAL_NONE) {
        EventSubject subject = session_subject(session, shared, credential, queue_id);
        refusal = send_on(context, session, shared, credential, &author, &subject, tick, &error);
    }
    if (error)
        log_error(queue_id, "message cannot be taken now", LOG_GERROR(error));
    if (refusal != REFUSAL_NONE && refusal != REFUSAL_INTERNAL && refusal != REFUSAL_SPACE)
        session_refused(session, shared, credential, queue_id, refusal);
    return refusal;
}
