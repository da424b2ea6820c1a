/* SPDX-License-Identifier: MIT */
#include "policyd/decide.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/edge/edge_access.h"
#include "lib/wire/cram.h"

/* NOT_FOUND is a refusal, anything else trouble. */
static EdgeCredential *settle(EdgeCredential *credential, gint64 now, GError *failure,
                              const char **reason, GError **error)
{
    if (!credential && !g_error_matches(failure, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND)) {
        g_propagate_error(error, failure);
        return NULL;
    }
    g_clear_error(&failure);
    const char *why = credential ? edge_credential_unusable(credential, now) : "unknown";
    if (!why)
        return credential;
    edge_credential_free(credential);
    *reason = why;
    return NULL;
}

static EdgeCredential *by_key(Edge *edge, const char *key, gint64 now, const char **reason,
                              GError **error)
{
    guint8 hash[EDGE_KEY_HASH_LENGTH];
    GError *failure = NULL;

    edge_key_hash(key, hash);
    EdgeCredential *credential = edge_credential_by_key(edge, hash, now, &failure);
    return settle(credential, now, failure, reason, error);
}

/* The id of the credential whose state fits; 0 none. *guess becomes TRUE if there was one to try. FALSE on trouble. */
static gboolean try_server(Edge *edge, const SaslExchange *exchange, const char *organization,
                           const char *server, gint64 now, guint32 *id, gboolean *guess,
                           GError **error)
{
    g_autoptr(GArray) states = edge_cram_states(edge, organization, server, now, error);

    for (guint i = 0; states && i < states->len && *id == 0; i++) {
        const EdgeCram *cram = &g_array_index(states, EdgeCram, i);
        if (cram_verify(cram->state, exchange->challenge, exchange->secret))
            *id = cram->id;
    }
    *guess |= states && states->len > 0;
    return states != NULL;
}

static EdgeCredential *by_cram(Edge *edge, const SaslExchange *exchange, gint64 now,
                               const char **reason, gboolean *guess, GError **error)
{
    char separator = strchr(exchange->username, '/') ? '/' : '_';
    const char *at = exchange->username;
    guint32 id = 0;
    GError *failure = NULL;

    *guess = FALSE;
    for (guint i = 0; i < DECIDE_CRAM_SPLITS_MAX && id == 0 && (at = strchr(at, separator)); i++) {
        g_autofree char *organization =
            g_strndup(exchange->username, (gsize)(at - exchange->username));
        if (!try_server(edge, exchange, organization, ++at, now, &id, guess, error))
            return NULL;
    }
    if (id == 0) {
        *reason = *guess ? "unknown" : "no credential has it";
        return NULL;
    }
    EdgeCredential *credential = edge_credential_by_id(edge, id, &failure);
    return settle(credential, now, failure, reason, error);
}

EdgeCredential *decide_auth(Edge *edge, const SaslExchange *exchange, const char *client,
                            gint64 now, const char **reason, gboolean *guess, GError **error)
{
    gboolean allowed;

    *guess = TRUE;
    g_autoptr(EdgeCredential) credential = exchange->mechanism == SASL_CRAM_MD5
                                               ? by_cram(edge, exchange, now, reason, guess, error)
                                               : by_key(edge, exchange->secret, now, reason, error);
    if (!credential || !edge_network_allowed(edge, credential, client, &allowed, error))
        return NULL;
    if (allowed)
        return g_steal_pointer(&credential);
    *reason = "not from this address";
    return NULL;
}

guint32 decide_identity(const char *username)
{
    g_auto(GStrv) parts = g_strsplit(username, "/", 4);
    guint64 id;

    if (g_strv_length(parts) != 3 || !*parts[0] || !*parts[1] ||
        !g_ascii_string_to_unsigned(parts[2], 10, 1, G_MAXUINT32, &id, NULL))
        return 0;
    return (guint32)id;
}

const char *decide_admission(const char *action)
{
    if (strcmp(action, "DUNNO") == 0)
        return "OK";
    return strcmp(action, "DEFER_IF_PERMIT") == 0 ? "DEFER" : action;
}

const char *decide_policy(const EdgeCredential *credential, const GError *trouble, gint64 now,
                          const char **text)
{
    gboolean gone = g_error_matches(trouble, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND);

    if (trouble && !gone) {
        *text = "4.3.0 Temporary lookup failure";
        return "DEFER_IF_PERMIT";
    }
    if (gone || !credential || edge_credential_unusable(credential, now)) {
        *text = "5.7.1 Credential is not valid any more";
        return "REJECT";
    }
    if (credential->server_suspended || credential->organization_suspended) {
        *text = "5.7.1 Mail server has been suspended";
        return "REJECT";
    }
    *text = NULL;
    return "DUNNO";
}
