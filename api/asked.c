/* SPDX-License-Identifier: MIT */
#include "api/asked.h"

#include <string.h>

Asked asked_read(const char *method, const char *path)
{
    Asked asked = {.kind = ASKED_NOTHING};

    if (!g_str_equal(method, "GET") && !g_str_equal(method, "HEAD"))
        asked.kind = ASKED_BY_METHOD;
    else if (g_str_equal(path, "/"))
        asked.kind = ASKED_HELLO;
    else if ((g_str_has_prefix(path, "/c/") || g_str_has_prefix(path, "/o/")) && path[3] &&
             strlen(path + 3) <= LINK_TOKEN_MAX) {
        asked.kind = path[1] == 'c' ? ASKED_CLICK : ASKED_OPEN;
        asked.token = path + 3;
    }
    return asked;
}

Link *asked_link(const Asked *asked, const KeyRing *ring, const char *host, guint32 owner)
{
    g_autoptr(Link) link = NULL;

    if (!asked->token || !*host)
        return NULL;
    link = link_open(ring, asked->kind == ASKED_CLICK ? LINK_CLICK : LINK_OPEN, asked->token, host,
                     NULL);
    return link && (owner == 0 || link->server == owner) ? g_steal_pointer(&link) : NULL;
}
