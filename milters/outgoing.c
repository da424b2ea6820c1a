/* SPDX-License-Identifier: MIT */
/*
 * DISPATCH for one message: looks up the facts, has them judged, and makes the message that leaves.
 *
 *     token -> lane, hold, limits -> tracking -> wire-safe lines, header edits -> signatures
 */
#include "milters/outgoing.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/edge/edge_suppression.h"
#include "lib/mime/field.h"
#include "milters/edit.h"
#include "milters/lanes.h"

void outgoing_free(Outgoing *outgoing)
{
    if (!outgoing)
        return;
    mime_wire_safe_clear(&outgoing->safe);
    g_clear_pointer(&outgoing->edits, g_ptr_array_unref);
    g_clear_pointer(&outgoing->labels, g_ptr_array_unref);
    g_clear_pointer(&outgoing->skipped, g_ptr_array_unref);
    limit_outcome_clear(&outgoing->limit);
    tracked_clear(&outgoing->tracked);
    g_free(outgoing->wait);
    g_free(outgoing->way);
    g_free(outgoing->sender);
    g_free(outgoing->to);
    g_free(outgoing->suppressed);
    g_free(outgoing->msgid);
    g_free(outgoing->return_path);
    g_free(outgoing->from);
    g_free(outgoing->tag);
    g_free(outgoing);
}

/* Decides; *keys receives the keys to sign with (of EdgeSignKey, never empty). */
static gboolean decide(Outgoing *outgoing, Shared *shared, const Message *message,
                       const EdgeCredential *credential, const Author *author, GArray **keys,
                       GError **error)
{
    Edge *edge = shared_edge(shared);
    g_autoptr(GArray) lanes = lanes_for(shared, credential, message, &outgoing->wait, error);
    g_autoptr(GArray) own = lanes ? edge_sign_keys(edge, author->authorised->id, error) : NULL;

    if (!own)
        return FALSE;
    DispatchFacts facts = {.id = outgoing->id,
                           .credential = credential,
                           .lanes = lanes,
                           .domain = author->by_from ? author->authorised : NULL,
                           .from_domain = author->from_domain,
                           .domain_has_keys = own->len > 0,
                           .suppressed = outgoing->suppressed};
    outgoing->verdict = dispatch_decide(&facts);
    if (!*message->mail_from)
        outgoing->way = lanes_header(lanes, outgoing->verdict.lane);
    g_autoptr(GArray) chosen =
        outgoing->verdict.sign_domain ? g_steal_pointer(&own) : edge_sign_keys(edge, 0, error);
    if (!chosen)
        return FALSE;
    if (chosen->len == 0) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                    "no DKIM key for %s and none of the installation: "
                    "make one with `outrider installation init'",
                    author->from_domain);
        return FALSE;
    }
    *keys = g_steal_pointer(&chosen);
    return TRUE;
}

void outgoing_taken(Outgoing *outgoing)
{
    g_clear_pointer(&outgoing->limit.charge, meter_keep);
}

static void note(Outgoing *outgoing, const char *reason)
{
    if (reason)
        g_ptr_array_add(outgoing->skipped, g_strdup(reason));
}

/* What shadow mode passes over. */
static void note_shadow(Outgoing *outgoing, const char *action, const char *reason)
{
    g_ptr_array_add(outgoing->skipped, g_strdup_printf("shadow mode: %s: %s", action, reason));
}

static gboolean ask_limits(Outgoing *outgoing, const Message *message, Shared *shared,
                           const EdgeCredential *credential, GError **error)
{
    g_autoptr(GError) why = NULL;

    if (limit_message(shared, credential, outgoing->id, message_rcpt(message), &outgoing->limit,
                      &why))
        return TRUE;
    if (!credential->shadow) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    note_shadow(outgoing, "limits could not be asked", why->message);
    return TRUE;
}

/* In shadow mode what cannot be looked up suppresses nobody. */
static gboolean look_at_suppressions(Outgoing *outgoing, const Message *message, Shared *shared,
                                     const EdgeCredential *credential, GError **error)
{
    g_autoptr(EdgeSuppression) found = NULL;
    g_autoptr(GError) why = NULL;

    if (edge_suppression_find(shared_edge(shared), credential, message_rcpt(message),
                              g_get_real_time() / G_USEC_PER_SEC, &found, &why)) {
        outgoing->suppressed = found ? edge_suppression_text(found, credential) : NULL;
        return TRUE;
    }
    if (!credential->shadow) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    note_shadow(outgoing, "suppressions could not be looked up", why->message);
    return TRUE;
}

/* What is held for another reason does not leave, and is not charged. What has to wait for its pool is not held either: it
 * has no lane yet, and that is sealed. */
static gboolean limit(Outgoing *outgoing, const Message *message, Shared *shared,
                      const EdgeCredential *credential, GError **error)
{
    const LimitOutcome *outcome = &outgoing->limit;

    if (outgoing->verdict.would_hold)
        note_shadow(outgoing, limit_action_word(LIMIT_HOLD), outgoing->verdict.would_hold);
    if (outgoing->verdict.would_refuse)
        note_shadow(outgoing, "refuse", outgoing->verdict.would_refuse);
    if (outgoing->verdict.refuse) {
        outgoing->refusal = REFUSAL_SUPPRESSED;
        outgoing->why = outgoing->verdict.refuse;
    } else if (outgoing->wait) {
        outgoing->refusal = REFUSAL_POOL;
        outgoing->why = outgoing->wait;
    }
    if (outgoing->verdict.hold || outgoing->refusal != REFUSAL_NONE)
        return TRUE;
    if (!ask_limits(outgoing, message, shared, credential, error))
        return FALSE;
    if (!outcome->reached)
        return TRUE;
    if (credential->shadow)
        note_shadow(outgoing, limit_action_word(outcome->action), outcome->reason);
    else if (outcome->action == LIMIT_HOLD)
        dispatch_hold_by_limit(&outgoing->verdict, outcome->reason);
    else
        outgoing->refusal =
            outcome->action == LIMIT_DEFER ? REFUSAL_LIMIT_DEFER : REFUSAL_LIMIT_REJECT;
    outgoing->why = outcome->reason;
    return TRUE;
}

static void edit(Outgoing *outgoing, Message *message, Shared *shared,
                 const EdgeCredential *credential)
{
    const Config *config = shared_config(shared);
    const char *long_header = NULL;

    outgoing->tag =
        outgoing->reserved.tag ? g_strdup(outgoing->reserved.tag) : dispatch_tag(message->fields);
    g_autofree char *feedback =
        dispatch_feedback(outgoing->tag, credential, config_string(config, CONFIG_FEEDBACK_ID));
    const DispatchStamp stamp = {.id = outgoing->id,
                                 .token = outgoing->token,
                                 .msgid = outgoing->msgid,
                                 .hostname = config_string(config, CONFIG_HOSTNAME),
                                 .now = g_get_real_time() / G_USEC_PER_SEC,
                                 .postal = config_bool(config, CONFIG_POSTAL_HEADERS),
                                 .hide_client = credential->privacy && outgoing->reserved.hop,
                                 .feedback = feedback};
    mime_wire_safe(message->fields, message->body->str, message->body->len, &outgoing->safe);
    outgoing->edits = dispatch_edits(message->fields, &outgoing->safe, &stamp, &long_header);
    if (outgoing->safe.changed) {
        g_string_free(message->body, TRUE);
        message->body = g_steal_pointer(&outgoing->safe.body);
    }
    outgoing->body_changed = outgoing->tracked.changed || outgoing->safe.changed;
    note(outgoing, outgoing->verdict.lane_note);
    note(outgoing, outgoing->tracked.note);
    note(outgoing, outgoing->safe.reason);
    note(outgoing, long_header);
}

static GPtrArray *make_signatures(const Outgoing *outgoing, const Message *message, Shared *shared,
                                  const char *domain, const GArray *keys, GError **error)
{
    g_autofree DkimField *fields = g_new(DkimField, message->fields->len);
    g_autofree DkimKey *list = g_new(DkimKey, keys->len);

    for (guint i = 0; i < message->fields->len; i++) {
        const MimeField *field = message->fields->pdata[i];
        fields[i] = (DkimField){field->name, field->value};
    }
    for (guint i = 0; i < keys->len; i++) {
        const EdgeSignKey *key = &g_array_index(keys, EdgeSignKey, i);
        list[i] = (DkimKey){key->selector, key->private_key, key->ed25519};
    }
    DkimContent content = {fields, message->fields->len, message->body->str, message->body->len};
    return dkim_signer_sign(shared_signer(shared), outgoing->token, domain, list, keys->len,
                            &content, error);
}

/* Signs; the RSA signature ends on top. */
static gboolean sign(Outgoing *outgoing, Message *message, Shared *shared, const char *domain,
                     const GArray *keys, GError **error)
{
    g_autoptr(GPtrArray) list = make_signatures(outgoing, message, shared, domain, keys, error);

    if (!list)
        return FALSE;
    for (guint i = list->len; i-- > 0;) {
        const DkimSignature *signature = list->pdata[i];
        edit_insert(outgoing->edits, message->fields, "DKIM-Signature", signature->value);
        g_ptr_array_insert(outgoing->labels, 0, g_strdup(signature->label));
    }
    return TRUE;
}

gboolean outgoing_seal_id(Outgoing *outgoing, Shared *shared, guint32 server, GError **error)
{
    Msgid msgid = {.id = outgoing->id, .server = server};

    memcpy(msgid.token, outgoing->token, sizeof msgid.token);
    outgoing->msgid = shared_seal_msgid(shared, &msgid);
    if (outgoing->msgid)
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INTERNAL, "message id cannot be sealed");
    return FALSE;
}

static gboolean seal(Outgoing *outgoing, const Message *message, Shared *shared, guint32 server,
                     const EdgeDomain *domain, GError **error)
{
    const ReturnPath path = {RETURN_PATH_MESSAGE, outgoing->id, server, outgoing->verdict.lane};
    const Config *config = shared_config(shared);
    g_autofree char *host =
        dispatch_return_path(domain, config_string(config, CONFIG_RETURN_PATH_LABEL),
                             config_string(config, CONFIG_RETURN_PATH_DOMAIN));

    if (!outgoing_seal_id(outgoing, shared, server, error))
        return FALSE;
    outgoing->return_path =
        *message->mail_from ? shared_seal_path(shared, &path, host) : g_strdup("");
    /* The hop's sender is not the message's, even where that is null. */
    if (*message->mail_from || outgoing->reserved.hop)
        outgoing->sender = g_strdup(outgoing->return_path);
    if (outgoing->return_path)
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INTERNAL, "return path cannot be sealed");
    return FALSE;
}

static gboolean prepare(Outgoing *outgoing, Message *message, Shared *shared,
                        const EdgeCredential *credential, const Author *author,
                        const OutgoingTick *tick, GError **error)
{
    g_autoptr(GArray) keys = NULL;

    if (!look_at_suppressions(outgoing, message, shared, credential, error) ||
        !decide(outgoing, shared, message, credential, author, &keys, error) ||
        !limit(outgoing, message, shared, credential, error))
        return FALSE;
    if (outgoing->refusal != REFUSAL_NONE)
        return TRUE;
    if (!seal(outgoing, message, shared, credential->server, author->authorised, error))
        return FALSE;
    tick->call(tick->data);
    track_message(message, shared, credential, author->authorised->id, outgoing->id,
                  &outgoing->tracked);
    tick->call(tick->data);
    edit(outgoing, message, shared, credential);
    tick->call(tick->data);
    const char *domain = outgoing->verdict.sign_domain
                             ? author->authorised->name
                             : config_string(shared_config(shared), CONFIG_RETURN_PATH_DOMAIN);
    if (!sign(outgoing, message, shared, domain, keys, error))
        return FALSE;
    tick->call(tick->data);
    return TRUE;
}

gboolean outgoing_reserve(Shared *shared, guint n, Reserved *reserved, GError **error)
{
    *reserved =
        (Reserved){.base = id_reserve(shared_ids(shared), n, g_get_real_time() / G_USEC_PER_SEC)};
    if (reserved->base != 0)
        return token_seed(reserved->seed, error);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                "no message id: the clock is wrong");
    return FALSE;
}

Outgoing *outgoing_new(const Reserved *reserved, guint index)
{
    Outgoing *outgoing = g_new0(Outgoing, 1);

    outgoing->id = id_at(reserved->base, index);
    outgoing->reserved = *reserved;
    token_derive(reserved->seed, index, outgoing->token);
    outgoing->labels = g_ptr_array_new_with_free_func(g_free);
    outgoing->skipped = g_ptr_array_new_with_free_func(g_free);
    return outgoing;
}

Outgoing *outgoing_prepare(const Reserved *reserved, guint index, Message *message, Shared *shared,
                           const EdgeCredential *credential, const Author *author,
                           const OutgoingTick *tick, GError **error)
{
    g_autoptr(Outgoing) outgoing = outgoing_new(reserved, index);

    outgoing->from = g_strdup(author->from_address);
    outgoing->domain = author->authorised->id;
    if (!prepare(outgoing, message, shared, credential, author, tick, error))
        return NULL;
    return g_steal_pointer(&outgoing);
}
