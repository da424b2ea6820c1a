/* SPDX-License-Identifier: MIT */
#include "lib/admission/author.h"

#include "lib/base/error.h"
#include "lib/edge/edge_access.h"
#include "lib/mime/field.h"

void author_clear(Author *author)
{
    g_clear_pointer(&author->authorised, edge_domain_free);
    g_clear_pointer(&author->from_address, g_free);
    g_clear_pointer(&author->from_domain, g_free);
}

/* The mailbox of a field that is there once and holds one; NULL otherwise. */
static MimeMailbox *only_mailbox(const GPtrArray *fields, const char *name)
{
    if (mime_fields_count(fields, name) != 1)
        return NULL;

    g_autoptr(GPtrArray) list = mime_mailboxes_parse(mime_fields_nth(fields, name, 1), NULL);
    if (!list || list->len != 1)
        return NULL;
    return g_ptr_array_steal_index(list, 0);
}

GPtrArray *author_candidates(const GPtrArray *fields, gboolean allow_sender)
{
    GPtrArray *authors = g_ptr_array_new_with_free_func((GDestroyNotify)mime_mailbox_free);
    MimeMailbox *from = only_mailbox(fields, "From");
    MimeMailbox *sender = from && allow_sender ? only_mailbox(fields, "Sender") : NULL;

    if (from)
        g_ptr_array_add(authors, from);
    if (sender)
        g_ptr_array_add(authors, sender);
    return authors;
}

gboolean author_find(Edge *edge, const EdgeCredential *credential, const GPtrArray *fields,
                     Author *author, GError **error)
{
    g_autoptr(GPtrArray) authors = author_candidates(fields, credential->allow_sender);

    for (guint i = 0; i < authors->len && !author->authorised; i++) {
        const MimeMailbox *mailbox = authors->pdata[i];
        g_autoptr(GError) lookup = NULL;
        if (i == 0) {
            author->from_address = g_strdup(mailbox->address);
            author->from_domain = g_strdup(mailbox->domain);
        }
        author->authorised = edge_domain_for(edge, credential->server, credential->organization,
                                             mailbox->domain, &lookup);
        author->by_from = i == 0;
        if (!author->authorised &&
            !g_error_matches(lookup, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&lookup));
            return FALSE;
        }
    }
    return TRUE;
}

gboolean author_senders_allowed(Edge *edge, const EdgeCredential *credential, const char *mail_from,
                                const Author *author, gboolean *allowed, GError **error)
{
    gboolean envelope = TRUE, from = TRUE;

    if ((*mail_from && !edge_sender_allowed(edge, credential, mail_from, &envelope, error)) ||
        !edge_sender_allowed(edge, credential, author->from_address, &from, error))
        return FALSE;
    *allowed = envelope && from;
    return TRUE;
}
