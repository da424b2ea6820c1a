/* SPDX-License-Identifier: MIT */
/*
 * Purpose: requests with an Idempotency-Key, so that the same one is done once: by server and key, what it was and what was answered.
 * Used by: apid.
 * May touch: <spool_dir>/apid/remembered.db (SQLite, private).
 * Threads: any.
 * Limits: a key of REMEMBERED_KEY_MAX printable ASCII characters; each is forgotten after REMEMBERED_SECONDS. Of answers that cannot
 *     be written REMEMBERED_UNWRITTEN_MAX are kept in memory until they can.
 *
 *     (none) ──claim──▶ claimed ──begin──▶ begun ──done──▶ answered
 *        ▲                 │                │ │
 *        └─────undone──────┴─────undone─────┘ └─ unsure, or this process was killed: history knows whether Postfix
 *                                                has it, and until it does nothing is sent. What goes out after
 *                                                all has the same ids.
 */
#pragma once

#include <glib.h>

#include "lib/seal/digest.h"
#include "lib/submission/submission.h"

#define REMEMBERED_KEY_MAX       255
#define REMEMBERED_SECONDS       (24 * 60 * 60)
#define REMEMBERED_UNWRITTEN_MAX 1000

/* Whether it may be a key. */
gboolean remembered_key_is_good(const char *key);

typedef struct Remembered Remembered;

/* Opens or makes the file. UNAVAILABLE, and the text names it: it cannot be written, is damaged, or is none of ours. */
Remembered *remembered_open(const char *path, GError **error);
void remembered_close(Remembered *remembered);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Remembered, remembered_close)

typedef enum {
    REMEMBERED_NEW,      /* claimed now */
    REMEMBERED_AGAIN,    /* begun before, and nobody knows how it ended: names are those of then */
    REMEMBERED_ANSWERED, /* *answer is what was said */
    REMEMBERED_BUSY,     /* it is being done at this moment */
    REMEMBERED_ANOTHER,  /* the key is another request's */
} RememberedState;

/* What is known of a request at now (Unix seconds). After NEW and AGAIN it is the caller's until done or undone, which must follow.
 * FALSE: UNAVAILABLE. */
gboolean remembered_claim(Remembered *remembered, guint32 server, const char *key,
                          const char *digest, gint64 now, SubmissionNames *names,
                          RememberedState *state, char **answer, GError **error);

/* A new one that was claimed is done from now on, and under these names, whatever becomes of this process. FALSE: UNAVAILABLE. */
gboolean remembered_begin(Remembered *remembered, guint32 server, const char *key, gint64 now,
                          const SubmissionNames *names, GError **error);

/* It is done, and that is the answer. FALSE: UNAVAILABLE, it could not be written: if this process ends before it can be, it is
 * as if unsure. */
gboolean remembered_done(Remembered *remembered, guint32 server, const char *key,
                         const char *answer, GError **error);

typedef enum {
    REMEMBERED_NOTHING,   /* it was not taken: the key is free again */
    REMEMBERED_UNSURE,    /* nobody knows whether it was */
    REMEMBERED_UNCHANGED, /* it was not tried: what was known of it before holds */
} RememberedEnd;

/* It is not under way any more, and has no answer. */
void remembered_undone(Remembered *remembered, guint32 server, const char *key, RememberedEnd end);

/* Microseconds since a request last ended unsure, or the file was opened: as long ago whatever is AGAIN was last under way. */
gint64 remembered_quiet(Remembered *remembered);
