/* SPDX-License-Identifier: MIT */
#include "milters/session.h"

#include "lib/base/error.h"
#include "lib/log/log.h"
#include "milters/event.h"

RefusalName session_credential(Session *session, Shared *shared, EdgeCredential **credential)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(EdgeCredential) found =
        edge_credential_by_id(shared_edge(shared), session->identity.credential, &error);

    if (!found && g_error_matches(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND))
        return REFUSAL_CREDENTIAL;
    if (!found) {
        log_error(NULL, "credential cannot be looked up", LOG_GERROR(error));
        return REFUSAL_INTERNAL;
    }
    RefusalName name =
        admit_credential(&session->identity, found, g_get_real_time() / G_USEC_PER_SEC);
    if (name == REFUSAL_NONE)
        *credential = g_steal_pointer(&found);
    return name;
}

void session_refused(Session *session, Shared *shared, const EdgeCredential *credential,
                     const char *queue_id, RefusalName name)
{
    const Refusal *refusal = refusal_words(name);
    gint64 now = g_get_real_time();
    EventSubject subject = {.node = (unsigned)config_int(shared_config(shared), CONFIG_NODE_ID),
                            .at_us = now,
                            .id = id_reserve(shared_ids(shared), 1, now / G_USEC_PER_SEC),
                            .credential = credential,
                            .credential_id = session->identity.credential,
                            .queue_id = queue_id,
                            .client = &session->client,
                            .message = session->message};
    g_autofree char *json = event_refused(&subject, refusal);
    JournalEntry entry = {EVENT_MESSAGE_REFUSED, now, json, -1};
    g_autoptr(GError) error = NULL;

    log_info(queue_id, "message refused", LOG_TEXT("rule", refusal->rule),
             LOG_TEXT("server", session->identity.server),
             LOG_INT("credential", session->identity.credential),
             LOG_TEXT("ip", session->client.ip));
    if (subject.id == 0 || !journal_append(shared_journal(shared), &entry, 1, &error))
        log_error(queue_id, "refusal cannot be recorded", LOG_GERROR(error));
}
