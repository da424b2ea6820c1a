/* SPDX-License-Identifier: MIT */
#include "lib/seal/msgid.h"

#include <string.h>

#include "lib/base/error.h"

#define LABEL "mi1"
#define KIND  1

static void bind_token(SealedBound *bound, const char *token)
{
    bound->length = sizeof(LABEL) - 1 + TOKEN_LENGTH;
    memcpy(bound->octets, LABEL, sizeof(LABEL) - 1);
    memcpy(bound->octets + sizeof(LABEL) - 1, token, TOKEN_LENGTH);
}

static gboolean is_token(const char *text)
{
    for (guint i = 0; i < TOKEN_LENGTH; i++)
        if (!g_ascii_isalnum(text[i]))
            return FALSE;
    return TRUE;
}

/* Where the sealed id of a value stands; NULL: it is none. */
static const char *find_sealed(const char *text)
{
    if (strnlen(text, MSGID_LENGTH + 1) != MSGID_LENGTH || !is_token(text) ||
        text[TOKEN_LENGTH] != '-')
        return NULL;
    return text + TOKEN_LENGTH + 1;
}

static void fill(Msgid *msgid, const char *text, const SealedId *sealed)
{
    *msgid = (Msgid){.id = sealed->id, .server = sealed->server};
    memcpy(msgid->token, text, TOKEN_LENGTH);
}

char *msgid_seal(const KeyRing *ring, const Msgid *msgid)
{
    const SealedId sealed = {KIND, msgid->id, msgid->server};
    char text[SEALED_ID_LENGTH + 1];
    SealedBound bound;

    g_return_val_if_fail(is_token(msgid->token), NULL);
    bind_token(&bound, msgid->token);
    if (!sealed_id_seal(ring, &sealed, &bound, text))
        return NULL;
    return g_strdup_printf("%.*s-%s", TOKEN_LENGTH, msgid->token, text);
}

gboolean msgid_open(const KeyRing *ring, const char *text, Msgid *msgid, GError **error)
{
    const char *found = find_sealed(text);
    SealedBound bound;
    SealedId sealed;

    if (found)
        bind_token(&bound, text);
    if (!found || !sealed_id_open(ring, found, &bound, &sealed) || sealed.kind != KIND) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_FORGED, "not a message id sealed here");
        return FALSE;
    }
    fill(msgid, text, &sealed);
    return TRUE;
}

gboolean msgid_read(const char *text, Msgid *msgid)
{
    const char *found = find_sealed(text);
    SealedId sealed;

    if (!found || !sealed_id_read(found, &sealed) || sealed.kind != KIND)
        return FALSE;
    fill(msgid, text, &sealed);
    return TRUE;
}
