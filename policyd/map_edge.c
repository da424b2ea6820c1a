/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/log/log.h"
#include "lib/wire/socketmap.h"
#include "policyd/edges.h"

/* There are no routes yet, so each table knows nothing. */
static const char *const tables[] = {"relaydom", "relayrcpt", "transport"};

static void answer(const SocketmapRequest *request, GString *out)
{
    for (guint i = 0; i < G_N_ELEMENTS(tables); i++)
        if (strcmp(request->name, tables[i]) == 0) {
            socketmap_reply(out, "NOTFOUND", "");
            return;
        }
    socketmap_reply(out, "PERM", "no such table");
}

static gssize map_take(Connection *connection, gpointer state, const char *data, gsize length,
                       GString *out)
{
    g_auto(SocketmapRequest) request = {0};
    g_autoptr(GError) error = NULL;
    gssize used = socketmap_parse(data, length, &request, &error);

    (void)connection;
    (void)state;
    if (error)
        log_warning(NULL, "connection closed", LOG_TEXT("socket", "map"), LOG_GERROR(error));
    if (used > 0)
        answer(&request, out);
    return used;
}

const Protocol map_protocol = {.name = "map",
                               .request_max = SOCKETMAP_REQUEST_MAX + 16,
                               .idle_seconds = 600,
                               .take = map_take};
