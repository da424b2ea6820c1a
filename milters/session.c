/* SPDX-License-Identifier: MIT */
#include "milters/session.h"

#include "lib/admission/form.h"
#include "lib/base/error.h"
#include "lib/edge/edge_access.h"
#include "lib/log/log.h"

/* What has been admitted has the claim in its header, and a Received field more; behind the hop it has one recipient. */
#define HOP_HEADER_MORE (2 * CLAIM_TEXT_MAX)
#define HOP_FIELDS_MORE 16

void session_begin(Session *session, const Config *config, const char *sender)
{
    MessageLimits limits = {.recipients = CLAIM_RECIPIENTS_MAX,
                            .addresses = FORM_ADDRESSES_MAX,
                            .header = FORM_HEADER_MAX,
                            .fields = FORM_FIELDS_MAX,
                            .size = (gsize)config_int(config, CONFIG_MESSAGE_SIZE_MAX)};

    if (session->kind == SESSION_HOP)
        limits.recipients = 1;
    if (session->kind != SESSION_SUBMISSION) {
        limits.header += HOP_HEADER_MORE;
        limits.fields += HOP_FIELDS_MORE;
        limits.size += HOP_HEADER_MORE;
    }
    g_clear_pointer(&session->message, message_free);
    session->message = message_new(sender, &limits);
}

/* NULL and what is answered then: none, when there is no such credential. */
static EdgeCredential *look_up(const Session *session, Shared *shared, gboolean by_address,
                               RefusalName none, RefusalName *name)
{
    Edge *edge = shared_edge(shared);
    g_autoptr(GError) error = NULL;
    EdgeCredential *found = by_address
                                ? edge_credential_by_address(edge, session->client.ip, &error)
                                : edge_credential_by_id(edge, session->identity.credential, &error);

    *name = found ? REFUSAL_NONE : REFUSAL_INTERNAL;
    if (!found && g_error_matches(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND))
        *name = none;
    else if (!found)
        log_error(NULL, "credential cannot be looked up", LOG_GERROR(error));
    return found;
}

RefusalName session_identify(Session *session, Shared *shared, const char *auth_authen)
{
    RefusalName name;

    if (auth_authen)
        return admit_identity(auth_authen, &session->identity) ? REFUSAL_NONE
                                                               : REFUSAL_AUTHENTICATION;
    g_autoptr(EdgeCredential) found = look_up(session, shared, TRUE, REFUSAL_AUTHENTICATION, &name);
    if (found)
        admit_source(found, &session->identity);
    return name;
}

static RefusalName check_network(const Session *session, Shared *shared,
                                 const EdgeCredential *credential)
{
    g_autoptr(GError) error = NULL;
    gboolean allowed;

    if (edge_network_allowed(shared_edge(shared), credential, session->client.ip, &allowed, &error))
        return allowed ? REFUSAL_NONE : REFUSAL_NETWORK;
    log_error(NULL, "networks of a credential cannot be looked up", LOG_GERROR(error));
    return REFUSAL_INTERNAL;
}

RefusalName session_credential(Session *session, Shared *shared, EdgeCredential **credential)
{
    const AdmitIdentity *identity = &session->identity;
    RefusalName name;
    g_autoptr(EdgeCredential) found =
        look_up(session, shared, identity->by_address, REFUSAL_CREDENTIAL, &name);

    if (found)
        name = admit_credential(identity, found, g_get_real_time() / G_USEC_PER_SEC);
    if (name == REFUSAL_NONE)
        name = check_network(session, shared, found);
    if (name == REFUSAL_NONE)
        *credential = g_steal_pointer(&found);
    return name;
}

EventSubject session_subject(const Session *session, Shared *shared,
                             const EdgeCredential *credential, const char *queue_id)
{
    return (EventSubject){.node = (unsigned)config_int(shared_config(shared), CONFIG_NODE_ID),
                          .at_us = g_get_real_time(),
                          .server = credential ? credential->server : 0,
                          .credential_id =
                              credential ? credential->id : session->identity.credential,
                          .queue_id = queue_id,
                          .client = &session->client,
                          .message = session->message};
}

/* The refusal's words, with the session's own text. */
static Refusal words_of(const Session *session, RefusalName name)
{
    Refusal words = *refusal_words(name);

    if (session->reply)
        words.text = session->reply;
    return words;
}

/* What people may ask for is named where the text is the session's own. */
static void name_in_reply(Session *session, guint64 id)
{
    g_autofree char *text = g_steal_pointer(&session->reply);

    if (text)
        session->reply = g_strdup_printf("%s; outrider explain %" G_GUINT64_FORMAT, text, id);
}

void session_refused(Session *session, Shared *shared, const EdgeCredential *credential,
                     const char *queue_id, RefusalName name)
{
    const Refusal refusal = words_of(session, name);
    EventSubject subject = session_subject(session, shared, credential, queue_id);
    g_autoptr(GError) error = NULL;

    subject.id = id_reserve(shared_ids(shared), 1, subject.at_us / G_USEC_PER_SEC);
    g_autofree char *json = event_refused(&subject, &refusal);
    JournalEntry entry = {EVENT_MESSAGE_REFUSED, subject.at_us, json, -1};
    log_info(queue_id, "message refused", LOG_TEXT("rule", refusal.rule),
             LOG_TEXT("server", session->identity.server),
             LOG_INT("credential", session->identity.credential),
             LOG_TEXT("ip", session->client.ip));
    if (subject.id == 0 || !journal_append(shared_journal(shared), &entry, 1, &error))
        log_error(queue_id, "refusal cannot be recorded", LOG_GERROR(error));
    else
        name_in_reply(session, subject.id);
}
