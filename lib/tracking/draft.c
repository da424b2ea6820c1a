/* SPDX-License-Identifier: MIT */
#include "lib/tracking/draft.h"

#include <string.h>

#include "lib/base/splice.h"
#include "lib/tracking/target.h"

#define MARK  "+notrack"
#define TRIES 16 /* one token in 32 does not end well; 2,000 links stay below 2^16 */

void draft_skip(Draft *draft, TrackingSkip skip)
{
    draft->result->skipped[skip]++;
}

static char *own_url(const Draft *draft, const char *folder, const char *token)
{
    return g_strdup_printf("%s://%s/%s/%s", draft->settings->https ? "https" : "http",
                           draft->settings->host, folder, token);
}

/* A token for the next ordinal. bare: one that ends with a letter or digit, so ordinals are passed over until there is one. */
static char *next_token(Draft *draft, const char *url, gboolean bare)
{
    for (guint i = 0; i < TRIES; i++) {
        g_autofree char *token = draft->make(LINK_CLICK, ++draft->ordinal, url, draft->data);
        gsize length = token ? strlen(token) : 0;
        if (length == 0)
            return NULL;
        if (!bare || g_ascii_isalnum(token[length - 1]))
            return g_steal_pointer(&token);
    }
    return NULL;
}

char *draft_link(Draft *draft, const char *url, gsize length, gboolean bare)
{
    GPtrArray *links = draft->result->links;
    TrackingSkip why;

    if (!draft->settings->clicks)
        return NULL;
    if (!target_check(url, length, draft->utf8, draft->settings, &why)) {
        draft_skip(draft, why);
        return NULL;
    }
    if (links->len >= TRACKING_LINKS_MAX) {
        draft->too_many = TRUE;
        return NULL;
    }
    g_autofree char *target = g_strndup(url, length);
    g_autofree char *token = next_token(draft, target, bare);
    if (!token) {
        draft_skip(draft, TRACKING_SKIP_TOKEN);
        return NULL;
    }
    TrackingLink *link = g_new0(TrackingLink, 1);
    link->ordinal = draft->ordinal;
    link->part = draft->part;
    link->url = g_steal_pointer(&target);
    g_ptr_array_add(links, link);
    return own_url(draft, "c", token);
}

GString *draft_pixel(Draft *draft)
{
    g_autofree char *token = draft->make(LINK_OPEN, 0, "", draft->data);

    if (!token) {
        draft_skip(draft, TRACKING_SKIP_TOKEN);
        return NULL;
    }
    g_autofree char *url = own_url(draft, "o", token);
    GString *element = g_string_new(NULL);
    g_string_printf(element,
                    "<img src=\"%s\" alt=\"\" width=\"1\" height=\"1\" border=\"0\" "
                    "style=\"width:1px;height:1px;border:0\">",
                    url);
    draft->result->pixel = TRUE;
    return element;
}

gboolean draft_is_pixel(const Draft *draft, const char *url)
{
    g_autofree char *http = g_strdup_printf("http://%s/o/", draft->settings->host);
    g_autofree char *https = g_strdup_printf("https://%s/o/", draft->settings->host);

    return g_ascii_strncasecmp(url, http, strlen(http)) == 0 ||
           g_ascii_strncasecmp(url, https, strlen(https)) == 0;
}

/* Whether a scheme stands before the mark at at. */
static gboolean is_mark(const Draft *draft, gsize at)
{
    for (gsize n = 4; n <= 5 && n <= at; n++)
        if (target_marked(draft->text + at - n, draft->length - at + n) == n)
            return TRUE;
    return FALSE;
}

void draft_unmark(Draft *draft)
{
    gsize at = 0, length = draft->length;
    guint next = 0, taken;
    const char *found;

    splice_sort(draft->splices);
    taken = draft->splices->len;
    while ((found = memmem(draft->text + at, length - at, MARK "://", strlen(MARK "://")))) {
        at = (gsize)(found - draft->text);
        while (next < taken && g_array_index(draft->splices, Splice, next).to <= at)
            next++;
        gboolean is_taken =
            next < taken && g_array_index(draft->splices, Splice, next).from < at + strlen(MARK);
        if (!is_taken && is_mark(draft, at))
            splice_add(draft->splices, at, at + strlen(MARK), g_string_new(NULL));
        at += strlen(MARK);
    }
    splice_sort(draft->splices);
}
