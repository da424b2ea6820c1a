/* SPDX-License-Identifier: MIT */
#include "milters/author.h"

#include "lib/base/error.h"
#include "milters/admit.h"

void author_clear(Author *author)
{
    g_clear_pointer(&author->authorised, edge_domain_free);
    g_clear_pointer(&author->from_address, g_free);
    g_clear_pointer(&author->from_domain, g_free);
}

RefusalName author_find(const Message *message, Shared *shared, const EdgeCredential *credential,
                        Author *author, GError **error)
{
    g_autoptr(GPtrArray) authors = admit_authors(message->fields, credential->allow_sender);

    for (guint i = 0; i < authors->len; i++) {
        const MimeMailbox *mailbox = authors->pdata[i];
        g_autoptr(GError) lookup = NULL;
        if (i == 0) {
            author->from_address = g_strdup(mailbox->address);
            author->from_domain = g_strdup(mailbox->domain);
        }
        author->authorised = edge_domain_for(shared_edge(shared), credential->server,
                                             credential->organization, mailbox->domain, &lookup);
        author->by_from = i == 0;
        if (author->authorised)
            return REFUSAL_NONE;
        if (!g_error_matches(lookup, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&lookup));
            return REFUSAL_INTERNAL;
        }
    }
    return REFUSAL_AUTHOR;
}
