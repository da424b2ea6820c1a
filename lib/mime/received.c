/* SPDX-License-Identifier: MIT */
#include "lib/mime/received.h"

#include <string.h>

#define BY      "by "
#define FROM    "from "
#define ID      "id "
#define TLS     "(using TLSv"
#define IPV6    "IPv6:"
#define ADDRESS " (" /* "from helo (name [address])" */

char *mime_received_without_client(const char *value)
{
    for (const char *end = value + strlen(value); end > value; end--) {
        if (*end != '\n')
            continue;
        const char *text = end + strspn(end, "\n \t");
        if (g_str_has_prefix(text, BY))
            return g_strconcat(" ", text, NULL);
    }
    return NULL;
}

void mime_received_clear(MimeReceived *received)
{
    g_free(received->helo);
    g_free(received->name);
    g_free(received->ip);
    g_free(received->queue_id);
    *received = (MimeReceived){0};
}

/* A HELO may have anything in it but white space, so what follows it is found from the end. */
static void read_client(const char *line, MimeReceived *received)
{
    const char *open = strrchr(line, '['), *close = strrchr(line, ']');
    const char *address = g_strrstr(line, ADDRESS);

    if (!open || !close || !address || close < open || open <= address + strlen(ADDRESS) ||
        strcmp(close, "])") != 0)
        return;
    const char *name = address + strlen(ADDRESS), *ip = open + 1;
    if (g_str_has_prefix(ip, IPV6))
        ip += strlen(IPV6);
    received->helo = g_strndup(line + strlen(FROM), (gsize)(address - line) - strlen(FROM));
    received->name = g_strndup(name, (gsize)(open - name) - 1);
    received->ip = g_strndup(ip, (gsize)(close - ip));
}

/* "... id 4ABC" or "id 4ABC;": its words up to a semicolon. */
static void read_queue_id(const char *line, MimeReceived *received)
{
    const char *found = g_str_has_prefix(line, ID) ? line : g_strrstr(line, " " ID);

    if (!found)
        return;
    found = strstr(found, ID) + strlen(ID);
    gsize length = strspn(found, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS);
    if (length > 0 && !received->queue_id)
        received->queue_id = g_strndup(found, length);
}

void mime_received_read(const char *value, MimeReceived *received)
{
    g_auto(GStrv) lines = g_strsplit(value, "\n", 10);
    gboolean by = FALSE;

    mime_received_clear(received);
    for (guint i = 0; lines[i]; i++) {
        const char *line = g_strstrip(lines[i]);
        if (i == 0 && g_str_has_prefix(line, FROM))
            read_client(line, received);
        else if (!by && g_str_has_prefix(line, TLS))
            received->tls = TRUE;
        by = by || g_str_has_prefix(line, BY);
        if (by)
            read_queue_id(line, received);
    }
}
