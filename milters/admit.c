/* SPDX-License-Identifier: MIT */
#include "milters/admit.h"

#include <string.h>

#include "lib/admission/form.h"
#include "lib/edge/edge_access.h"
#include "lib/mime/field.h"

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
        g_strcmp0(credential->server_permalink, identity->server) != 0 ||
        edge_credential_unusable(credential, now))
        return REFUSAL_CREDENTIAL;
    if (credential->server_suspended || credential->organization_suspended)
        return REFUSAL_SUSPENDED;
    return REFUSAL_NONE;
}

RefusalName admit_form(const Message *message, guint received_max)
{
    if (!message_header_fits(message) || !form_is_signable(message->fields))
        return REFUSAL_HEADER;
    if (!message->body || message_size(message) > message->limits.size)
        return REFUSAL_SIZE;
    if (mime_fields_count(message->fields, "Received") > received_max)
        return REFUSAL_LOOP;
    return REFUSAL_NONE;
}
