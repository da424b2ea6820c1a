/* SPDX-License-Identifier: MIT */
#include "lib/seal/return_path.h"

#include <string.h>

#include "lib/base/error.h"

#define LABEL      "rp1"
#define DOMAIN_MAX 253

G_STATIC_ASSERT(sizeof(LABEL) + DOMAIN_MAX + 4 <= SEALED_ID_BOUND_MAX);

static void bind_path(SealedBound *bound, const char *domain, guint32 lane)
{
    gsize length = strlen(domain);
    guint8 *p = bound->octets;

    g_assert(length <= DOMAIN_MAX);
    memcpy(p, LABEL, sizeof(LABEL) - 1);
    p += sizeof(LABEL) - 1;
    *p++ = (guint8)length;
    for (gsize i = 0; i < length; i++)
        *p++ = (guint8)g_ascii_tolower(domain[i]);
    for (int shift = 24; shift >= 0; shift -= 8)
        *p++ = (guint8)(lane >> shift);
    bound->length = (gsize)(p - bound->octets);
}

static gboolean is_kind(guint kind)
{
    return kind >= RETURN_PATH_MESSAGE && kind <= RETURN_PATH_SUBMISSION;
}

char *return_path_seal(const KeyRing *ring, const ReturnPath *path, const char *domain)
{
    const SealedId sealed = {path->kind, path->id, path->server};
    char token[RETURN_PATH_TOKEN_LENGTH + 1];
    gsize length = strlen(domain);
    SealedBound bound;

    g_return_val_if_fail(is_kind(path->kind), NULL);
    g_return_val_if_fail(path->lane <= RETURN_PATH_LANE_MAX, NULL);
    g_return_val_if_fail(length >= 1 && length <= DOMAIN_MAX, NULL);

    bind_path(&bound, domain, path->lane);
    if (!sealed_id_seal(ring, &sealed, &bound, token))
        return NULL;
    g_autofree char *lower = g_ascii_strdown(domain, -1);
    return g_strdup_printf("%s-%u@%s", token, path->lane, lower);
}

/* The lane in its one spelling: no sign, no leading zero. Moves *text behind it. */
static gboolean parse_lane(const char **text, guint32 *lane)
{
    const char *p = *text;
    guint32 value = 0;

    if (!g_ascii_isdigit(*p) || (p[0] == '0' && g_ascii_isdigit(p[1])))
        return FALSE;
    for (; g_ascii_isdigit(*p); p++) {
        value = value * 10 + (guint32)(*p - '0');
        if (value > RETURN_PATH_LANE_MAX)
            return FALSE;
    }
    *text = p;
    *lane = value;
    return TRUE;
}

static gboolean parse_address(const char *address, guint32 *lane, const char **domain)
{
    gsize length = strnlen(address, RETURN_PATH_TOKEN_LENGTH + 1);

    if (length <= RETURN_PATH_TOKEN_LENGTH || address[RETURN_PATH_TOKEN_LENGTH] != '-')
        return FALSE;
    address += RETURN_PATH_TOKEN_LENGTH + 1;
    if (!parse_lane(&address, lane) || *address != '@')
        return FALSE;
    *domain = address + 1;
    length = strlen(*domain);
    return length >= 1 && length <= DOMAIN_MAX;
}

gboolean return_path_open(const KeyRing *ring, const char *address, ReturnPath *path,
                          GError **error)
{
    const char *domain = NULL;
    SealedBound bound;
    SealedId sealed;
    guint32 lane = 0;

    if (!parse_address(address, &lane, &domain)) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_FORGED, "not a sealed return path");
        return FALSE;
    }
    bind_path(&bound, domain, lane);
    if (!sealed_id_open(ring, address, &bound, &sealed) || !is_kind(sealed.kind)) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_FORGED,
                    "the return path's seal does not verify");
        return FALSE;
    }
    *path = (ReturnPath){.kind = (ReturnPathKind)sealed.kind,
                         .id = sealed.id,
                         .server = sealed.server,
                         .lane = lane};
    return TRUE;
}
