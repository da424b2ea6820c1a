/* SPDX-License-Identifier: MIT */
#include "milters/inject.h"

#include <string.h>

#include "lib/log/log.h"
#include "milters/claimed.h"
#include "milters/hop.h"

/* The claim for this very message; its recipients are looked at next. */
static Claim *open_claim(const Message *message, Shared *shared, GError **error)
{
    g_autoptr(Claim) claim = hop_find_claim(message->fields, shared, error);

    if (!claim)
        return NULL;
    if (strcmp(claim->mail_from, message->mail_from) != 0)
        return hop_refuse_claim(error, "sender"), NULL;
    if (!message_header_fits(message) || !message->body)
        return hop_refuse_claim(error, "form"), NULL;
    if (!hop_claim_has_body(claim, message))
        return hop_refuse_claim(error, "body"), NULL;
    return g_steal_pointer(&claim);
}

/* In the order of their ids, each as Postfix resolved it. */
static gboolean has_recipients(const Claim *claim, const Message *message)
{
    if (claim_recipients(claim) != message->rcpts->len)
        return FALSE;
    for (guint i = 0; i < message->rcpts->len; i++) {
        const Recipient *recipient = message->rcpts->pdata[i];
        guint index;
        if (!claim_find_recipient(claim, recipient->key, &index) || index != i)
            return FALSE;
    }
    return TRUE;
}

/* To the hop, where Postfix tries again what is put off. */
static RefusalName hand_on(const Claimed *claimed, GError **error)
{
    const Claim *claim = claimed->claim;
    static const Client unknown = {0};
    EventSubject subject =
        session_subject(claimed->session, claimed->shared, NULL, claimed->queue_id);

    if (!journal_check_space(shared_journal(claimed->shared), error))
        return refusal_of_trouble(*error);
    subject.id = claim->base;
    subject.server = claim->server;
    subject.credential_id = claim->credential;
    subject.client = &unknown;
    return hop_hand_on(claimed->context, claimed->shared, &subject, claim, error)
               ? REFUSAL_NONE
               : refusal_of_trouble(*error);
}

static RefusalName put_off(const Claimed *claimed, RefusalName refusal, const GError *why,
                           GError **error)
{
    g_autofree char *reply = g_steal_pointer(&claimed->session->reply);

    if (refusal != REFUSAL_NONE)
        log_info(claimed->queue_id, "message waits for the hop",
                 LOG_TEXT("rule", refusal_words(refusal)->rule),
                 LOG_TEXT("why", why ? why->message : reply));
    return hand_on(claimed, error);
}

/* The only message of its submission, at once where that can be. */
static RefusalName take_one(const Claimed *claimed, gboolean *discard, GError **error)
{
    g_autoptr(GError) why = NULL;
    RefusalName refusal = REFUSAL_NONE;

    switch (claimed_dispatch(claimed, &refusal, &why)) {
    case CLAIMED_DISCARDED:
        *discard = TRUE;
        return REFUSAL_NONE;
    case CLAIMED_PUT_OFF:
        return put_off(claimed, refusal, why, error);
    case CLAIMED_FAILED:
        g_propagate_error(error, g_steal_pointer(&why));
        return refusal;
    case CLAIMED_TAKEN:
    default:
        return REFUSAL_NONE;
    }
}

RefusalName inject_take(SMFICTX *context, Session *session, Shared *shared, const char *queue_id,
                        const OutgoingTick *tick, gboolean *discard)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Claim) claim = open_claim(session->message, shared, &error);
    RefusalName refusal = REFUSAL_CLAIM;
    const Claimed claimed = {context, session, shared, claim, 0, queue_id, tick, FALSE};

    if (claim && has_recipients(claim, session->message))
        refusal = session->message->rcpts->len == 1 ? take_one(&claimed, discard, &error)
                                                    : hand_on(&claimed, &error);
    else if (claim)
        refusal = REFUSAL_ADDRESS;
    if (refusal != REFUSAL_NONE)
        log_warning(queue_id, "message of the API not taken",
                    LOG_TEXT("rule", refusal_words(refusal)->rule),
                    LOG_TEXT("sender", session->message->mail_from), LOG_GERROR(error));
    return refusal;
}
