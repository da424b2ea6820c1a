/* SPDX-License-Identifier: MIT */
/*
 * Purpose: who a message is from, and which domain of ours allows that.
 * Used by: the milter.
 * May touch: the replicas, through lib/edge.
 * Threads: any.
 */
#pragma once

#include "milters/message.h"
#include "milters/refusal.h"
#include "milters/shared.h"

typedef struct {
    EdgeDomain *authorised; /* the domain that allows it */
    gboolean by_from;       /* From did, not Sender */
    char *from_address;
    char *from_domain;
} Author;

void author_clear(Author *author);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Author, author_clear)

/* Finds it (author starts zeroed). REFUSAL_AUTHOR: nothing allows it; REFUSAL_INTERNAL and error: it
 * cannot be looked up now. */
RefusalName author_find(const Message *message, Shared *shared, const EdgeCredential *credential,
                        Author *author, GError **error);
