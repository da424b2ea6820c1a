/* SPDX-License-Identifier: MIT */
#include "worker/recipient_key.h"

#include <string.h>

#include "lib/seal/digest.h"

#define REPLACED "\xef\xbf\xbd" /* what g_utf8_make_valid puts for an octet; Postfix's log says ? */

/* Without quotes and escapes, in lower case, unprintable octets as Postfix's log writes them. */
static GString *plain(const char *address, gssize length)
{
    g_autofree char *valid = g_utf8_make_valid(address, length);
    GString *text = g_string_new(NULL);

    for (const char *at = valid; *at; at++) {
        if (*at == '"')
            continue;
        if (*at == '\\' && at[1])
            at++;
        if (strncmp(at, REPLACED, strlen(REPLACED)) == 0) {
            g_string_append_c(text, '?');
            at += strlen(REPLACED) - 1;
        } else {
            g_string_append_c(text, g_ascii_iscntrl(*at) ? '?' : g_ascii_tolower(*at));
        }
    }
    return text;
}

guint64 recipient_key(const char *address, gssize length)
{
    g_autoptr(GString) text = plain(address, length);
    g_autoptr(Digest) digest = digest_new();

    digest_add(digest, text->str, text->len);
    return MAX(digest_finish_number(digest), 1);
}
