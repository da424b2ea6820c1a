/* SPDX-License-Identifier: MIT */
/*
 * Purpose: who a message is from, which domain of ours allows that, and whether its credential may write so.
 * Used by: the milter and the API, which must come to the same.
 * May touch: the replicas, through lib/edge.
 * Threads: any.
 * Limits: as lib/mime/mailbox.h and lib/edge/edge.h.
 */
#pragma once

#include "lib/edge/edge.h"
#include "lib/mime/mailbox.h"

typedef struct {
    EdgeDomain *authorised; /* the domain that allows it; NULL: none does */
    gboolean by_from;       /* From did, not Sender */
    char *from_address;
    char *from_domain;
} Author;

void author_clear(Author *author);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Author, author_clear)

/* The authors whose domain may authorise a message with these fields (GPtrArray of MimeField), the first that does
 * wins: From (exactly one field with one mailbox), then, if the server allows it, Sender. An empty array: the From
 * rule refuses it whatever the domains are. GPtrArray of MimeMailbox that frees them. */
GPtrArray *author_candidates(const GPtrArray *fields, gboolean allow_sender);

/* Finds it (author starts zeroed). FALSE: UNAVAILABLE, it cannot be looked up now. */
gboolean author_find(Edge *edge, const EdgeCredential *credential, const GPtrArray *fields,
                     Author *author, GError **error);

/* Whether the credential may write from the envelope sender ("", the null sender, is anybody's) and the author's address. FALSE:
 * UNAVAILABLE. */
gboolean author_senders_allowed(Edge *edge, const EdgeCredential *credential, const char *mail_from,
                                const Author *author, gboolean *allowed, GError **error);
