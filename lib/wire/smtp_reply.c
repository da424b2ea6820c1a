/* SPDX-License-Identifier: MIT */
#include "lib/wire/smtp_reply.h"

#include <string.h>

#include "lib/base/error.h"

#define CODE      3 /* digits */
#define QUEUED_AS "queued as "
#define GAP       "..."
#define FIT_MIN   16

void smtp_reply_clear(SmtpReply *reply)
{
    g_clear_pointer(&reply->text, g_free);
    reply->code = 0;
}

static gssize fail(GError **error, const char *why)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "SMTP reply: %s", why);
    return -1;
}

/* 0: the line's begin is no code. */
static guint read_code(const char *line, gsize length)
{
    guint code = 0;

    if (length < CODE || line[0] < '2' || line[0] > '5')
        return 0;
    for (gsize i = 0; i < CODE; i++) {
        if (!g_ascii_isdigit(line[i]))
            return 0;
        code = code * 10 + (guint)g_ascii_digit_value(line[i]);
    }
    return length == CODE || line[CODE] == ' ' || line[CODE] == '-' ? code : 0;
}

gssize smtp_reply_read(const char *data, gsize length, SmtpReply *reply, GError **error)
{
    guint first = 0;

    for (gsize at = 0; at < length;) {
        const char *line = data + at;
        const char *lf = memchr(line, '\n', length - at);
        if (!lf)
            break;
        gsize size = (gsize)(lf - line);
        at += size + 1;
        if (size && line[size - 1] == '\r')
            size--;
        guint code = read_code(line, size);
        if (code == 0 || (first && code != first) || memchr(line, '\0', size))
            return fail(error, "a line is none");
        if (at > SMTP_REPLY_MAX)
            return fail(error, "it is too long");
        first = code;
        if (size > CODE && line[CODE] == '-')
            continue;
        reply->code = code;
        reply->text = size > CODE ? g_strndup(line + CODE + 1, size - CODE - 1) : g_strdup("");
        return (gssize)at;
    }
    return length > SMTP_REPLY_MAX ? fail(error, "it is too long") : 0;
}

char *smtp_reply_queue_id(const SmtpReply *reply)
{
    const char *found = reply->text ? strstr(reply->text, QUEUED_AS) : NULL;
    const char *id = found ? found + strlen(QUEUED_AS) : "";
    gsize length = 0;

    while (g_ascii_isalnum(id[length]))
        length++;
    return length ? g_strndup(id, length) : NULL;
}

char *smtp_reply_fit(const char *text, gsize max)
{
    gsize length = strlen(text);

    max = MAX(max, FIT_MIN);
    if (length <= max)
        return g_strdup(text);
    gsize kept = max - strlen(GAP), head = kept / 2;
    g_autofree char *begin = g_strndup(text, head);
    return g_strconcat(begin, GAP, text + length - (kept - head), NULL);
}
