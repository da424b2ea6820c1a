/* SPDX-License-Identifier: MIT */
#include "worker/mail_text.h"

#include <string.h>

MailText mail_text_of(const char *data, gsize length)
{
    return (MailText){.data = data, .length = length};
}

MailText mail_text_skip(MailText text, gsize n)
{
    return mail_text_of(text.data + n, text.length - n);
}

gboolean mail_text_starts(MailText text, const char *with)
{
    gsize n = strlen(with);
    return text.length >= n && memcmp(text.data, with, n) == 0;
}

gboolean mail_text_ends(MailText text, const char *with)
{
    gsize n = strlen(with);
    return text.length >= n && memcmp(text.data + text.length - n, with, n) == 0;
}

gboolean mail_text_is(MailText text, const char *word)
{
    return text.length == strlen(word) && mail_text_starts(text, word);
}

gssize mail_text_find(MailText text, const char *what)
{
    const char *at = text.length ? memmem(text.data, text.length, what, strlen(what)) : NULL;
    return at ? at - text.data : -1;
}

gssize mail_text_find_last(MailText text, const char *what)
{
    gsize n = strlen(what);

    for (gsize i = text.length >= n ? text.length - n + 1 : 0; i-- > 0;)
        if (memcmp(text.data + i, what, n) == 0)
            return (gssize)i;
    return -1;
}

guint mail_text_number(MailText text, gsize *used)
{
    guint value = 0;
    gsize i = 0;

    while (i < text.length && i < 9 && g_ascii_isdigit(text.data[i]))
        value = value * 10 + (guint)(text.data[i++] - '0');
    if (used)
        *used = i;
    return value;
}

guint64 mail_text_milliseconds(MailText text)
{
    gsize used;
    guint64 value = (guint64)mail_text_number(text, &used) * 1000;
    guint unit = 100;

    text = mail_text_skip(text, used);
    if (mail_text_starts(text, "."))
        for (gsize i = 1; i < text.length && g_ascii_isdigit(text.data[i]) && unit > 0; i++) {
            value += (guint64)(text.data[i] - '0') * unit;
            unit /= 10;
        }
    return value;
}
