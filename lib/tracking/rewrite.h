/* SPDX-License-Identifier: MIT */
/*
 * Purpose: links of a message that lead over the tracking host, and the pixel that tells of opens.
 * Used by: the milter.
 * May touch: nothing.
 * Threads: any.
 * Limits: TRACKING_LINKS_MAX links, texts of TRACKING_TEXT_MAX octets (decoded), 200 levels of parts, 20,000 open elements in svg
 *     or math, URLs of 2,000 octets. Beyond the first three the message is not tracked at all. Time is linear in the message's
 *     length; memory is the message three times and the largest text five times, at most.
 *
 * In doubt a link stays as it is, and is counted with its reason. Only the octets of values change, never those around them, in
 * parts that the message shows; what is signed, encrypted, attached or enclosed is never touched. Rewriting twice changes nothing
 * more, unless the first time took marks away.
 *
 * Marks that keep a link from being tracked go whether anything is tracked or not: "http+notrack://" and "https+notrack://" become
 * "http://" and "https://", and the attribute data-notrack is taken away.
 */
#pragma once

#include <glib.h>

#include "lib/seal/link.h"

#define TRACKING_LINKS_MAX 2000
#define TRACKING_TEXT_MAX  (5 * 1024 * 1024)

typedef enum {
#define X(name, word, meaning) TRACKING_SKIP_##name,
#include "lib/tracking/skip.def"
#undef X
    TRACKING_SKIP_COUNT
} TrackingSkip;

typedef struct {
    const char *domain; /* A-labels in lower case */
    gboolean below;     /* its sub-domains too */
} TrackingDomain;

typedef struct {
    const char *host; /* that the links lead over, A-labels */
    gboolean https;
    gboolean clicks;
    gboolean opens;
    gboolean text_links; /* in text/plain too */
    const TrackingDomain *excluded;
    guint n_excluded;
} TrackingSettings;

/* The token for the link of that ordinal, from 1 and rising, or for the pixel, whose ordinal is 0 and whose URL is ""; g_free. It
 * has no characters but those of base64url. NULL: the link stays as it is. Not every token is used. */
typedef char *(*TrackingMakeToken)(LinkKind kind, guint16 ordinal, const char *url, gpointer data);

typedef struct {
    guint16 ordinal;
    guint part; /* which leaf part of the message, from 0 */
    char *url;  /* that was sealed */
} TrackingLink;

typedef struct {
    GString *body;    /* the new body; NULL: it stays */
    GPtrArray *links; /* of TrackingLink, in order */
    gboolean pixel;
    gssize growth; /* octets */
    guint skipped[TRACKING_SKIP_COUNT];
} TrackingResult;

void tracking_result_clear(TrackingResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TrackingResult, tracking_result_clear)

const char *tracking_skip_word(TrackingSkip skip);

/* Takes away from the settings what the message's own fields (GPtrArray of MimeField) say: "X-AMP: skip", and
 * "X-Outrider-Track: none", "clicks", "opens" or "all". They never add anything; a word that is none of these is "none". */
void tracking_read_wish(const GPtrArray *fields, TrackingSettings *settings);

/* Rewrites a body under its header's fields. *result is filled and must be cleared. */
void tracking_rewrite(const GPtrArray *fields, const char *body, gsize length,
                      const TrackingSettings *settings, TrackingMakeToken make, gpointer data,
                      TrackingResult *result);
