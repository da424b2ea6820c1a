/* SPDX-License-Identifier: MIT */
#include "lib/wire/socketmap.h"

#include <string.h>

#include "lib/base/error.h"

#define DIGITS_MAX 4

void socketmap_request_clear(SocketmapRequest *request)
{
    g_clear_pointer(&request->name, g_free);
    g_clear_pointer(&request->key, g_free);
}

static gssize refuse(GError **error, OutriderError code, const char *why)
{
    g_set_error(error, OUTRIDER_ERROR, (int)code, "socketmap request: %s", why);
    return -1;
}

static gssize take(const char *text, gsize length, SocketmapRequest *request, GError **error)
{
    const char *space = memchr(text, ' ', length);
    gsize name = space ? (gsize)(space - text) : 0;

    if (name == 0 || name > SOCKETMAP_NAME_MAX)
        return refuse(error, OUTRIDER_ERROR_INVALID, "a table name and a key are needed");
    for (gsize i = 0; i < name; i++)
        if (!g_ascii_islower(text[i]) && !g_ascii_isdigit(text[i]) && !strchr("_-", text[i]))
            return refuse(error, OUTRIDER_ERROR_INVALID, "a table name is of a-z, 0-9, _ and -");
    for (gsize i = name + 1; i < length; i++)
        if (g_ascii_iscntrl(text[i]) || text[i] == '\0')
            return refuse(error, OUTRIDER_ERROR_INVALID, "control character in the key");
    request->name = g_strndup(text, name);
    request->key = g_strndup(space + 1, length - name - 1);
    return 0;
}

gssize socketmap_parse(const char *data, gsize length, SocketmapRequest *request, GError **error)
{
    gsize size = 0, digits = 0;

    for (; digits < length && data[digits] != ':'; digits++) {
        if (!g_ascii_isdigit(data[digits]))
            return refuse(error, OUTRIDER_ERROR_INVALID, "not a netstring");
        if (digits > 0 && data[0] == '0')
            return refuse(error, OUTRIDER_ERROR_INVALID, "leading zero in the length");
        if (digits >= DIGITS_MAX)
            return refuse(error, OUTRIDER_ERROR_TOO_LARGE, "more than 4096 octets");
        size = size * 10 + (gsize)(data[digits] - '0');
    }
    if (size > SOCKETMAP_REQUEST_MAX)
        return refuse(error, OUTRIDER_ERROR_TOO_LARGE, "more than 4096 octets");
    if (digits == length)
        return 0;
    if (digits == 0)
        return refuse(error, OUTRIDER_ERROR_INVALID, "not a netstring");
    if (length < digits + 1 + size + 1)
        return 0;
    if (data[digits + 1 + size] != ',')
        return refuse(error, OUTRIDER_ERROR_INVALID, "the netstring does not end with a comma");
    if (take(data + digits + 1, size, request, error) < 0)
        return -1;
    return (gssize)(digits + size + 2);
}

void socketmap_reply(GString *out, const char *status, const char *text)
{
    g_string_append_printf(out, "%zu:%s %s,", strlen(status) + 1 + strlen(text), status, text);
}
