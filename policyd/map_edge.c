/* SPDX-License-Identifier: MIT */

#include "lib/log/log.h"
#include "lib/wire/socketmap.h"
#include "policyd/edges.h"

/* A table knows nothing of the odd keys that Postfix asks with, such as `*' and <>. */
static IncomingAnswer look_up(Policyd *policyd, const SocketmapRequest *request, const char **why,
                              GError **error)
{
    if (g_str_equal(request->name, "relaydom"))
        return incoming_domain(policyd->incoming, policyd->edge, request->key, error);
    return incoming_recipient(policyd->incoming, policyd->edge, request->key, why, error);
}

/* One complaint until it is well again. */
static void complain(Policyd *policyd, const GError *error)
{
    if (error && !policyd->map_complained)
        log_warning(NULL, "incoming mail is put off", LOG_TEXT("socket", "map"), LOG_GERROR(error));
    policyd->map_complained = error != NULL;
}

static void answer(Policyd *policyd, const SocketmapRequest *request, GString *out)
{
    g_autoptr(GError) error = NULL;
    const char *why = NULL;

    if (!g_str_equal(request->name, "relaydom") && !g_str_equal(request->name, "relayrcpt")) {
        socketmap_reply(out, "PERM", "no such table");
        return;
    }
    switch (look_up(policyd, request, &why, &error)) {
    case INCOMING_OURS:
        socketmap_reply(out, "OK", "ours");
        break;
    case INCOMING_NOT_OURS:
        socketmap_reply(out, "NOTFOUND", "");
        break;
    case INCOMING_LATER:
        socketmap_reply(out, "TEMP", error ? error->message : why);
        break;
    }
    complain(policyd, error);
}

static gssize map_take(Connection *connection, gpointer state, const char *data, gsize length,
                       GString *out)
{
    g_auto(SocketmapRequest) request = {0};
    g_autoptr(GError) error = NULL;
    gssize used = socketmap_parse(data, length, &request, &error);

    (void)connection;
    if (error)
        log_warning(NULL, "connection closed", LOG_TEXT("socket", "map"), LOG_GERROR(error));
    if (used > 0)
        answer(state, &request, out);
    return used;
}

const Protocol map_protocol = {.name = "map",
                               .request_max = SOCKETMAP_REQUEST_MAX + 16,
                               .idle_seconds = 600,
                               .take = map_take};
