/* SPDX-License-Identifier: MIT */
#include "milters/split.h"

#include "lib/log/log.h"
#include "milters/claimed.h"
#include "milters/hop.h"
#include "milters/incoming.h"
#include "milters/returned.h"

/* Whether the claim is about this very message: a replay could only make the same again. */
static gboolean is_about(const Claim *claim, const Message *message, Shared *shared, guint *index,
                         GError **error)
{
    ReturnPath path;

    if (!shared_open_path(shared, message->mail_from, &path) ||
        path.kind != RETURN_PATH_SUBMISSION || path.id != claim->base ||
        path.server != claim->server)
        return hop_refuse_claim(error, "sender");
    if (message->rcpts->len != 1 || !message_header_fits(message) || !message->body)
        return hop_refuse_claim(error, "form");
    const Recipient *recipient = message->rcpts->pdata[0];
    if (!claim_find_recipient(claim, recipient->key, index))
        return hop_refuse_claim(error, "recipient");
    return hop_claim_has_body(claim, message) || hop_refuse_claim(error, "body");
}

/* The claim of what was received; *index receives the message's place in its submission, and its sender is
 * again what the client gave. */
static Claim *open_claim(const Session *session, Shared *shared, guint *index, GError **error)
{
    Message *message = session->message;
    g_autoptr(Claim) claim = hop_find_claim(message->fields, shared, error);

    if (!claim || !is_about(claim, message, shared, index, error))
        return NULL;
    g_free(message->mail_from);
    message->mail_from = g_strdup(claim->mail_from);
    return g_steal_pointer(&claim);
}

/* What has no claim of a submission came in from the world, or came back to a return path. */
static RefusalName take_unclaimed(SMFICTX *context, Session *session, Shared *shared,
                                  const char *queue_id, const GError *error, gboolean *discard)
{
    RefusalName refusal = REFUSAL_NONE;

    if (incoming_take(context, session, shared, queue_id, &refusal))
        return refusal;
    ReturnedVerdict returned = returned_take(context, session, shared, queue_id, &refusal);
    *discard = returned == RETURNED_DROPPED;
    if (returned != RETURNED_NOT)
        return refusal;
    if (incoming_is_nobody(shared, message_rcpt(session->message)))
        return REFUSAL_ROUTE;
    log_warning(queue_id, "message without its claim refused", LOG_TEXT("ip", session->client.ip),
                LOG_TEXT("sender", session->message->mail_from),
                LOG_TEXT("rcpt", message_rcpt(session->message)), LOG_GERROR(error));
    return REFUSAL_CLAIM;
}

RefusalName split_take(SMFICTX *context, Session *session, Shared *shared, const char *queue_id,
                       const OutgoingTick *tick, gboolean *discard)
{
    g_autoptr(GError) error = NULL;
    guint index = 0;
    g_autoptr(Claim) claim = open_claim(session, shared, &index, &error);
    RefusalName refusal = REFUSAL_NONE;

    if (!claim)
        return take_unclaimed(context, session, shared, queue_id, error, discard);
    if (claim->rcpt_to)
        return incoming_take_endpoint(context, session, shared, queue_id, claim, index);
    const Claimed claimed = {context, session, shared, claim, index, queue_id, tick, TRUE};
    *discard = claimed_dispatch(&claimed, &refusal, &error) == CLAIMED_DISCARDED;
    if (error)
        log_error(queue_id, "message cannot be taken now", LOG_GERROR(error));
    return refusal;
}
