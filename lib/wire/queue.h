/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what outrider-queue is asked and answers, octets to struct and back, and Postfix's queue ids.
 *     request  VERB QUEUEID [QUEUEID...]\n       VERB: hold, release, delete
 *     answer   a line for each id, in the order of the request, then ".\n":
 *              QUEUEID done\n | QUEUEID absent\n | QUEUEID later\n | QUEUEID refused WHY\n
 * Used by: outrider-queue; the CLI and the worker, which ask it.
 * May touch: nothing.
 * Threads: any.
 * Limits: a request of at most QUEUE_REQUEST_MAX octets and QUEUE_IDS_MAX ids; a line of the answer of at
 *     most QUEUE_ANSWER_MAX octets.
 */
#pragma once

#include <glib.h>
#include <sys/stat.h>

#define QUEUE_ID_MAX      32
#define QUEUE_IDS_MAX     1000
#define QUEUE_REQUEST_MAX 32768
#define QUEUE_WHY_MAX     128
#define QUEUE_ANSWER_MAX  (QUEUE_ID_MAX + 9 + QUEUE_WHY_MAX + 1)
#define QUEUE_DEPTH_MAX   4 /* of Postfix's hash_queue_depth that we know how to look into */

typedef enum { QUEUE_HOLD, QUEUE_RELEASE, QUEUE_DELETE, QUEUE_VERB_COUNT } QueueVerb;

/* absent: not in a queue that the verb acts on. later: nothing was done, as enough released messages wait to
 * be delivered; ask again. */
typedef enum {
    QUEUE_DONE,
    QUEUE_ABSENT,
    QUEUE_LATER,
    QUEUE_REFUSED,
    QUEUE_RESULT_COUNT
} QueueResult;

typedef struct {
    QueueVerb verb;
    char **ids; /* ends with NULL */
    guint count;
} QueueRequest;

typedef struct {
    gboolean last; /* the line "."; the rest is empty */
    char id[QUEUE_ID_MAX + 1];
    QueueResult result;
    char why[QUEUE_WHY_MAX + 1]; /* of refused */
} QueueAnswer;

void queue_request_clear(QueueRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(QueueRequest, queue_request_clear)

/* "hold", "release", "delete"; "done", "absent", "later", "refused". */
const char *queue_verb_name(QueueVerb verb);
const char *queue_result_name(QueueResult result);

/* Whether text is a queue id that Postfix makes: a short one (microseconds and inode, in upper-case hex digits)
 * or a long one (time in base 52, z, inode in base 51; without vowels). So never ALL, - or a path. */
gboolean queue_id_is_good(const char *text, gsize length);

/* The inode number that a good id names. FALSE: it names none that exists. */
gboolean queue_id_inode(const char *id, guint64 *inode);

/* Whether a file is what a good id names: a whole message, under that one name, of Postfix's user. */
gboolean queue_id_fits(const char *id, const struct stat *file, uid_t owner);

/* Where a queue has a good id's file, relative to queue_directory: "hold/ID", or with a depth above 0
 * "deferred/A/ID" (Postfix's mail_queue_path). g_free. */
char *queue_id_path(const char *queue, const char *id, guint depth);

/* Parses one request from the start of data: octets used, 0 when it is not whole yet, -1 and INVALID or
 * TOO_LARGE. *request must be zero and is filled on success only. */
gssize queue_request_parse(const char *data, gsize length, QueueRequest *request, GError **error);

/* Appends a request; the ids (up to NULL) must be good and few enough. */
void queue_request_write(GString *out, QueueVerb verb, const char *const *ids);

/* Parses one line of an answer; returns as queue_request_parse does. *answer is filled on success only. */
gssize queue_answer_parse(const char *data, gsize length, QueueAnswer *answer, GError **error);

/* Appends a line for an id (why: of QUEUE_REFUSED; cut, without control characters), and the last one. */
void queue_answer_write(GString *out, const char *id, QueueResult result, const char *why);
void queue_answer_end(GString *out);
