/* SPDX-License-Identifier: MIT */
#include "milters/hop.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/log/log.h"
#include "lib/mime/field.h"
#include "milters/edit.h"
#include "milters/effect.h"

/* A stranger's claims and stages go; ours come last. */
static GPtrArray *make_edits(GPtrArray *fields, const char *claim)
{
    GPtrArray *edits = edits_new();
    g_autofree char *folded = claim_fold(claim, "\n");

    edit_remove_all(edits, fields, CLAIM_FIELD);
    edit_remove_all(edits, fields, DISPATCH_STAGE_HEADER);
    edit_append(edits, fields, CLAIM_FIELD, folded);
    edit_append(edits, fields, DISPATCH_STAGE_HEADER, " split");
    return edits;
}

Claim *hop_find_claim(const GPtrArray *fields, Shared *shared, GError **error)
{
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;

    if (mime_fields_count(fields, CLAIM_FIELD) == 1)
        return shared_open_claim(shared, mime_fields_nth(fields, CLAIM_FIELD, 1), now, error);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_FORGED, "not one claim in the header");
    return NULL;
}

gboolean hop_refuse_claim(GError **error, const char *what)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_FORGED, "the claim is for another %s", what);
    return FALSE;
}

gboolean hop_claim_has_body(const Claim *claim, const Message *message)
{
    guint8 body[CLAIM_BODY_LENGTH];

    claim_hash_body(message->body->str, message->body->len, body);
    return memcmp(body, claim->body, sizeof body) == 0;
}

Claim *hop_claim(Shared *shared, const EventSubject *subject, const Reserved *reserved)
{
    const Message *message = subject->message;
    Claim *claim = claim_new(message->mail_from);
    gint64 lifetime = config_int(shared_config(shared), CONFIG_QUEUE_LIFETIME) / 1000;

    claim->expires_at = subject->at_us / G_USEC_PER_SEC + lifetime + CLAIM_GRACE;
    claim->base = reserved->base;
    memcpy(claim->seed, reserved->seed, sizeof claim->seed);
    claim->server = subject->server;
    claim->credential = subject->credential_id;
    claim_hash_body(message->body->str, message->body->len, claim->body);
    for (guint i = 0; i < message->rcpts->len; i++) {
        const Recipient *recipient = message->rcpts->pdata[i];
        claim_add_recipient(claim, recipient->key);
    }
    return claim;
}

static gboolean record(Shared *shared, const EventSubject *subject, GError **error)
{
    g_autofree char *json = event_admitted(subject, TRUE);
    JournalEntry entry = {EVENT_SUBMISSION_ADMITTED, subject->at_us, json, -1};

    return journal_append(shared_journal(shared), &entry, 1, error);
}

gboolean hop_hand_on(SMFICTX *context, Shared *shared, const EventSubject *subject,
                     const Claim *claim, GError **error)
{
    const ReturnPath path = {RETURN_PATH_SUBMISSION, claim->base, subject->server, 0};
    g_autofree char *sealed = shared_seal_claim(shared, claim);
    g_autofree char *sender = shared_seal_path(
        shared, &path, config_string(shared_config(shared), CONFIG_RETURN_PATH_DOMAIN));

    if (!sealed || !sender) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INTERNAL, "claim cannot be sealed");
        return FALSE;
    }
    g_autoptr(GPtrArray) edits = make_edits(subject->message->fields, sealed);
    if (!effect_header(context, edits, error) || !effect_sender(context, sender, error) ||
        !record(shared, subject, error))
        return FALSE;
    log_info(subject->queue_id, "submission accepted, to be split", LOG_ID("id", claim->base),
             LOG_INT("server", subject->server),
             LOG_INT("recipients", subject->message->rcpts->len));
    return TRUE;
}

gboolean hop_send(SMFICTX *context, Shared *shared, const EventSubject *subject,
                  const Reserved *reserved, GError **error)
{
    g_autoptr(Claim) claim = hop_claim(shared, subject, reserved);

    return hop_hand_on(context, shared, subject, claim, error);
}
