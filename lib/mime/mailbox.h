/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the mailboxes in a From or Sender field (RFC 5322 section 3.4).
 * Used by: lib/admission (who may write as whom), lib/mime/compose, the API.
 * May touch: nothing.
 * Threads: any.
 * Limits: a value of at most MIME_MAILBOX_VALUE_MAX octets, MIME_MAILBOX_MAX mailboxes, and nested
 *     comments at most MIME_COMMENT_DEPTH_MAX deep, addresses of at most MIME_ADDRESS_MAX octets
 *     (RFC 3696: 64, the @, 255); more is INVALID.
 */
#pragma once

#include <glib.h>

#define MIME_MAILBOX_VALUE_MAX 65536
#define MIME_MAILBOX_MAX       100
#define MIME_COMMENT_DEPTH_MAX 20
#define MIME_ADDRESS_MAX       320

typedef struct {
    char *address; /* local part as written, domain in lower case */
    char *domain;  /* as address_domain_form makes it; what is none, in lower case */
} MimeMailbox;

void mime_mailbox_free(MimeMailbox *mailbox);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MimeMailbox, mime_mailbox_free)

/* The mailboxes of a value, at least one: GPtrArray of MimeMailbox that frees them. What readers
 * could understand in several ways is refused, not guessed: text behind an angle address, a bare `@`
 * in a display name, groups, source routes, control characters. Error INVALID. */
GPtrArray *mime_mailboxes_parse(const char *value, GError **error);
