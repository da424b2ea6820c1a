/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/log/log.h"
#include "policyd/decide.h"
#include "policyd/edges.h"

static void answer(const Policyd *policyd, const PolicyRequest *request, GString *out)
{
    guint32 id = decide_identity(request->sasl_username);
    const char *text = NULL;
    g_autoptr(GError) error = NULL;

    /* Mail that is not ours never depends on the replicas. */
    if (id == 0 || strcmp(request->protocol_state, "RCPT") != 0) {
        policy_reply(out, "DUNNO", NULL);
        return;
    }
    g_autoptr(EdgeCredential) credential = edge_credential_by_id(policyd->edge, id, &error);
    const char *action =
        decide_policy(credential, error, g_get_real_time() / G_USEC_PER_SEC, &text);
    if (text)
        log_info(*request->queue_id ? request->queue_id : NULL, "recipient refused",
                 LOG_TEXT("user", request->sasl_username), LOG_TEXT("action", action),
                 LOG_TEXT("text", text), LOG_GERROR(error));
    policy_reply(out, action, text);
}

static gssize policy_take(Connection *connection, gpointer state, const char *data, gsize length,
                          GString *out)
{
    g_auto(PolicyRequest) request = {0};
    g_autoptr(GError) error = NULL;
    gssize used = policy_parse(data, length, &request, &error);

    (void)connection;
    if (error)
        log_warning(NULL, "connection closed", LOG_TEXT("socket", "policy"), LOG_GERROR(error));
    if (used > 0)
        answer(state, &request, out);
    return used;
}

const Protocol policy_protocol = {
    .name = "policy", .request_max = POLICY_REQUEST_MAX, .idle_seconds = 600, .take = policy_take};
