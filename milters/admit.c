/* SPDX-License-Identifier: MIT */
#include "milters/admit.h"

#include <string.h>

#include "lib/mailauth/dkim_sign.h"
#include "lib/mailauth/field_rule.h"
#include "lib/mime/field.h"

#define FIELDS_ADDED 4 /* at most: MIME-Version, Content-Transfer-Encoding, Date, Message-ID */

static gboolean is_permalink(const char *text)
{
    gsize length = strlen(text);

    for (const char *p = text; *p; p++)
        if (!g_ascii_isalnum(*p) && *p != '-' && *p != '_')
            return FALSE;
    return length >= 1 && length <= ADMIT_PERMALINK_MAX;
}

gboolean admit_identity(const char *auth_authen, AdmitIdentity *identity)
{
    if (!auth_authen)
        return FALSE;

    g_auto(GStrv) parts = g_strsplit(auth_authen, "/", 4);
    guint64 number;

    if (g_strv_length(parts) != 3 || !is_permalink(parts[0]) || !is_permalink(parts[1]) ||
        !g_ascii_string_to_unsigned(parts[2], 10, 1, G_MAXUINT32, &number, NULL))
        return FALSE;
    g_strlcpy(identity->organization, parts[0], sizeof identity->organization);
    g_strlcpy(identity->server, parts[1], sizeof identity->server);
    identity->credential = (guint32)number;
    identity->by_address = FALSE;
    return TRUE;
}

void admit_source(const EdgeCredential *credential, AdmitIdentity *identity)
{
    g_strlcpy(identity->organization, credential->organization_permalink,
              sizeof identity->organization);
    g_strlcpy(identity->server, credential->server_permalink, sizeof identity->server);
    identity->credential = credential->id;
    identity->by_address = TRUE;
}

RefusalName admit_credential(const AdmitIdentity *identity, const EdgeCredential *credential,
                             gint64 now)
{
    if (credential->id != identity->credential ||
        g_strcmp0(credential->organization_permalink, identity->organization) != 0 ||
        g_strcmp0(credential->server_permalink, identity->server) != 0 || credential->disabled ||
        (credential->expires_at && credential->expires_at <= now))
        return REFUSAL_CREDENTIAL;
    if (credential->server_suspended || credential->organization_suspended)
        return REFUSAL_SUSPENDED;
    return REFUSAL_NONE;
}

/* Whether a signature can name all fields that it must cover, with those that DISPATCH adds. */
static gboolean is_signable(const GPtrArray *fields)
{
    guint covered = FIELDS_ADDED;

    if (fields->len + FIELDS_ADDED <= DKIM_FIELDS_MAX)
        return TRUE;
    for (guint i = 0; i < fields->len; i++) {
        const MimeField *field = fields->pdata[i];
        covered += field_rules_covering(field->name);
    }
    return covered <= DKIM_FIELDS_MAX;
}

RefusalName admit_form(const Message *message, guint received_max)
{
    if (!message_header_fits(message) || !is_signable(message->fields))
        return REFUSAL_HEADER;
    if (!message->body || message_size(message) > message->limits.size)
        return REFUSAL_SIZE;
    if (mime_fields_count(message->fields, "Received") > received_max)
        return REFUSAL_LOOP;
    return REFUSAL_NONE;
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

GPtrArray *admit_authors(const GPtrArray *fields, gboolean allow_sender)
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
