/* SPDX-License-Identifier: MIT */
#include "milters/claimed.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/log/log.h"
#include "lib/mime/field.h"
#include "milters/effect.h"

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

static RefusalName judge(const Claimed *claimed, EdgeCredential **credential, Author *author,
                         GError **error)
{
    Shared *shared = claimed->shared;

    if (!journal_check_space(shared_journal(shared), error))
        return REFUSAL_SPACE;
    RefusalName refusal = find_credential(claimed->claim, shared, credential, error);
    return refusal == REFUSAL_NONE
               ? author_judge(claimed->session->message, shared, *credential, author, error)
               : refusal;
}

/* Of what did not come from the hop nobody has told the queue id yet. */
static gboolean record_discarded(const Claimed *claimed, const EventSubject *subject,
                                 const Refusal *refusal, GError **error)
{
    EventSubject whole = *subject;
    JournalEntry entries[2];
    guint n = 0;

    whole.id = claimed->claim->base;
    g_autofree char *admitted = claimed->hop ? NULL : event_admitted(&whole, FALSE);
    g_autofree char *discarded = event_discarded(subject, claimed->claim->base, refusal);
    if (admitted)
        entries[n++] = (JournalEntry){EVENT_SUBMISSION_ADMITTED, subject->at_us, admitted, -1};
    entries[n++] = (JournalEntry){EVENT_MESSAGE_DISCARDED, subject->at_us, discarded, -1};
    return journal_append(shared_journal(claimed->shared), entries, n, error);
}

static ClaimedEnd put_off(RefusalName why, RefusalName *refusal)
{
    *refusal = why;
    return CLAIMED_PUT_OFF;
}

static ClaimedEnd discard(const Claimed *claimed, const EventSubject *subject, RefusalName name,
                          const char *text, RefusalName *refusal, GError **error)
{
    Refusal words = *refusal_words(name);

    if (text)
        words.text = text;
    if (!record_discarded(claimed, subject, &words, error))
        return put_off(refusal_of_trouble(*error), refusal);
    log_warning(subject->queue_id, "message discarded", LOG_ID("id", subject->id),
                LOG_TEXT("rule", words.rule), LOG_TEXT("rcpt", message_rcpt(subject->message)));
    return CLAIMED_DISCARDED;
}

/* What is put off, Postfix tries again; what is refused is discarded. */
static ClaimedEnd effect(const Claimed *claimed, const EventSubject *subject, Outgoing *outgoing,
                         RefusalName *refusal, GError **error)
{
    if (outgoing->refusal == REFUSAL_LIMIT_REJECT || outgoing->refusal == REFUSAL_SUPPRESSED)
        return discard(claimed, subject, outgoing->refusal, outgoing->why, refusal, error);
    if (outgoing->refusal != REFUSAL_NONE) {
        g_free(claimed->session->reply);
        claimed->session->reply = g_strdup(outgoing->why);
        return put_off(outgoing->refusal, refusal);
    }
    if (effect_message(claimed->context, claimed->shared, subject, outgoing, error)) {
        outgoing_taken(outgoing);
        return CLAIMED_TAKEN;
    }
    *refusal = refusal_of_trouble(*error);
    return CLAIMED_FAILED;
}

static ClaimedEnd dispatch(const Claimed *claimed, const EventSubject *subject,
                           const EdgeCredential *credential, const Author *author,
                           RefusalName *refusal, GError **error)
{
    const Claim *claim = claimed->claim;
    Message *message = claimed->session->message;
    Reserved reserved = {
        .base = claim->base, .hop = claimed->hop, .again = TRUE, .tag = claim->tag};
    g_autoptr(GPtrArray) fields = claimed->hop ? NULL : mime_fields_copy(message->fields);

    memcpy(reserved.seed, claim->seed, sizeof reserved.seed);
    g_autoptr(Outgoing) outgoing =
        outgoing_prepare(&reserved, claimed->index, message, claimed->shared, credential, author,
                         claimed->tick, error);
    ClaimedEnd end = outgoing ? effect(claimed, subject, outgoing, refusal, error)
                              : put_off(refusal_of_trouble(*error), refusal);
    if (end == CLAIMED_PUT_OFF && fields) {
        g_ptr_array_unref(message->fields);
        message->fields = g_steal_pointer(&fields);
    }
    return end;
}

ClaimedEnd claimed_dispatch(const Claimed *claimed, RefusalName *refusal, GError **error)
{
    static const Client unknown = {0};
    const Claim *claim = claimed->claim;
    g_autoptr(EdgeCredential) credential = NULL;
    g_auto(Author) author = {0};
    RefusalName judged = judge(claimed, &credential, &author, error);

    if (judged == REFUSAL_INTERNAL || judged == REFUSAL_SPACE)
        return put_off(refusal_of_trouble(*error), refusal);
    if (judged == REFUSAL_NONE && credential->privacy && !claimed->hop)
        return put_off(REFUSAL_NONE, refusal);
    EventSubject subject =
        session_subject(claimed->session, claimed->shared, credential, claimed->queue_id);
    subject.server = claim->server;
    subject.credential_id = claim->credential;
    subject.id = id_at(claim->base, claimed->index);
    if (!claimed->hop)
        subject.client = &unknown;
    if (judged != REFUSAL_NONE)
        return discard(claimed, &subject, judged, NULL, refusal, error);
    return dispatch(claimed, &subject, credential, &author, refusal, error);
}
