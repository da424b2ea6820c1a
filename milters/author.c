/* SPDX-License-Identifier: MIT */
#include "milters/author.h"

RefusalName author_judge(const Message *message, Shared *shared, const EdgeCredential *credential,
                         Author *author, GError **error)
{
    if (!author_find(shared_edge(shared), credential, message->fields, author, error))
        return REFUSAL_INTERNAL;
    return author->authorised ? REFUSAL_NONE : REFUSAL_AUTHOR;
}

RefusalName author_judge_senders(const Message *message, Shared *shared,
                                 const EdgeCredential *credential, const Author *author,
                                 GError **error)
{
    gboolean allowed;

    if (!author_senders_allowed(shared_edge(shared), credential, message->mail_from, author,
                                &allowed, error))
        return REFUSAL_INTERNAL;
    return allowed ? REFUSAL_NONE : REFUSAL_SENDER;
}
