/* SPDX-License-Identifier: MIT */
#include "milters/split.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/log/log.h"
#include "lib/mime/field.h"
#include "milters/effect.h"
#include "milters/hop.h"
#include "milters/incoming.h"
#include "milters/returned.h"

static gboolean fail(GError **error, const char *what)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_FORGED, "the claim is for another %s", what);
    return FALSE;
}

/* Whether the claim is about this very message: a replay could only make the same again. */
static gboolean is_about(const Claim *claim, const Message *message, Shared *shared, guint *index,
                         GError **error)
{
    ReturnPath path;

    if (!shared_open_path(shared, message->mail_from, &path) ||
        path.kind != RETURN_PATH_SUBMISSION || path.id != claim->base ||
        path.server != claim->server)
        return fail(error, "sender");
    if (message->rcpts->len != 1 || !message_header_fits(message) || !message->body)
        return fail(error, "form");
    const Recipient *recipient = message->rcpts->pdata[0];
    if (!claim_find_recipient(claim, recipient->key, index))
        return fail(error, "recipient");
    return hop_claim_has_body(claim, message) || fail(error, "body");
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

/* The credential as it is now; it may have been held since, but what was admitted stays admitted. */
static RefusalName find_credential(const Claim *claim, Shared *shared, EdgeCredential **credential,
                                   GError **error)
{
    g_autoptr(GError) lookup = NULL;
    g_autoptr(EdgeCredential) found =
        edge_credential_by_id(shared_edge(shared), claim->credential, &lookup);

    if (found && found->server == claim->server) {
        *credential = g_steal_pointer(&found);
        return REFUSAL_NONE;
    }
    if (found || g_error_matches(lookup, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND))
        return REFUSAL_CREDENTIAL;
    g_propagate_error(error, g_steal_pointer(&lookup));
    return REFUSAL_INTERNAL;
}

static RefusalName judge(const Claim *claim, const Message *message, Shared *shared,
                         EdgeCredential **credential, Author *author, GError **error)
{
    if (!journal_check_space(shared_journal(shared), error))
        return REFUSAL_SPACE;
    RefusalName refusal = find_credential(claim, shared, credential, error);
    return refusal == REFUSAL_NONE ? author_judge(message, shared, *credential, author, error)
                                   : refusal;
}

static RefusalName discard_it(const EventSubject *subject, Shared *shared, guint64 base,
                              RefusalName name, const char *text, GError **error)
{
    Refusal refusal = *refusal_words(name);

    if (text)
        refusal.text = text;
    g_autofree char *json = event_discarded(subject, base, &refusal);
    JournalEntry entry = {EVENT_MESSAGE_DISCARDED, subject->at_us, json, -1};

    log_warning(subject->queue_id, "message discarded", LOG_ID("id", subject->id),
                LOG_TEXT("rule", refusal.rule), LOG_TEXT("rcpt", message_rcpt(subject->message)));
    return journal_append(shared_journal(shared), &entry, 1, error) ? REFUSAL_NONE
                                                                    : refusal_of_trouble(*error);
}

/* What is known of a message, for its end here. */
typedef struct {
    SMFICTX *context;
    Session *session;
    Shared *shared;
    const Claim *claim;
    EventSubject subject;
    gboolean *discard;
} Split;

static RefusalName give_up(const Split *split, RefusalName name, const char *text, GError **error)
{
    *split->discard = TRUE;
    return discard_it(&split->subject, split->shared, split->claim->base, name, text, error);
}

/* What is put off, Postfix tries again; what is refused is discarded. */
static RefusalName dispatch(const Split *split, Outgoing *outgoing, GError **error)
{
    if (outgoing->refusal == REFUSAL_LIMIT_REJECT || outgoing->refusal == REFUSAL_SUPPRESSED)
        return give_up(split, outgoing->refusal, outgoing->why, error);
    if (outgoing->refusal != REFUSAL_NONE) {
        split->session->reply = g_strdup(outgoing->why);
        return outgoing->refusal;
    }
    if (!effect_message(split->context, split->shared, &split->subject, outgoing, error))
        return refusal_of_trouble(*error);
    outgoing_taken(outgoing);
    return REFUSAL_NONE;
}

/* Takes or discards the message of a claim that is good. */
static RefusalName take(Split *split, guint index, const char *queue_id, const OutgoingTick *tick,
                        GError **error)
{
    const Claim *claim = split->claim;
    Session *session = split->session;
    g_autoptr(EdgeCredential) credential = NULL;
    g_auto(Author) author = {0};
    Reserved reserved = {.base = claim->base, .hop = TRUE, .tag = claim->tag};
    RefusalName refusal =
        judge(claim, session->message, split->shared, &credential, &author, error);

    if (refusal == REFUSAL_INTERNAL || refusal == REFUSAL_SPACE)
        return refusal_of_trouble(*error);
    split->subject = session_subject(session, split->shared, credential, queue_id);
    split->subject.server = claim->server;
    split->subject.credential_id = claim->credential;
    split->subject.id = id_at(claim->base, index);
    if (refusal != REFUSAL_NONE)
        return give_up(split, refusal, NULL, error);
    memcpy(reserved.seed, claim->seed, sizeof reserved.seed);
    g_autoptr(Outgoing) outgoing = outgoing_prepare(
        &reserved, index, session->message, split->shared, credential, &author, tick, error);
    return outgoing ? dispatch(split, outgoing, error) : refusal_of_trouble(*error);
}

RefusalName split_take(SMFICTX *context, Session *session, Shared *shared, const char *queue_id,
                       const OutgoingTick *tick, gboolean *discard)
{
    g_autoptr(GError) error = NULL;
    guint index;
    g_autoptr(Claim) claim = open_claim(session, shared, &index, &error);

    RefusalName came_in;

    if (claim && claim->rcpt_to)
        return incoming_take_endpoint(context, session, shared, queue_id, claim, index);
    if (!claim && incoming_take(context, session, shared, queue_id, &came_in))
        return came_in;
    ReturnedVerdict returned =
        claim ? RETURNED_NOT : returned_take(context, session, shared, queue_id, &came_in);
    *discard = returned == RETURNED_DROPPED;
    if (returned != RETURNED_NOT)
        return came_in;
    if (!claim) {
        log_warning(queue_id, "message without its claim refused",
                    LOG_TEXT("ip", session->client.ip),
                    LOG_TEXT("sender", session->message->mail_from),
                    LOG_TEXT("rcpt", message_rcpt(session->message)), LOG_GERROR(error));
        return REFUSAL_CLAIM;
    }
    Split split = {context, session, shared, claim, {0}, discard};
    RefusalName refusal = take(&split, index, queue_id, tick, &error);
    if (error)
        log_error(queue_id, "message cannot be taken now", LOG_GERROR(error));
    return refusal;
}
