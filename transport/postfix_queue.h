/* SPDX-License-Identifier: MIT */
/*
 * Purpose: holds, releases and deletes messages of ours in Postfix's queue, and nobody else's.
 * Used by: transport/queue.c.
 * May touch: runs postconf, postsuper and postkick; reads queue files and the key ring `return'; of queue
 *     files that it releases the time from which Postfix counts their lifetime, and the mtime.
 * Threads: one, as it changes the process's effective user.
 */
#pragma once

#include <sys/types.h>

#include "lib/config/config.h"
#include "lib/wire/queue.h"
#include "lib/wire/queue_pace.h"

typedef struct {
    const Config *config;
    const char *etc; /* Postfix's configuration directory */
    char *directory, *postsuper, *postkick;
    char **hashed; /* names of the queues that have subdirectories, */
    guint depth;   /* so many below one another */
    uid_t owner;
    gid_t group;
    guint active_max; /* messages that the queue manager works on at a time */
    QueuePace *pace;
} PostfixQueue;

/* Asks postconf. *queue is filled on success only. Error UNAVAILABLE, or GLib's of starting a program. */
gboolean postfix_queue_open(PostfixQueue *queue, const Config *config, GError **error);
void postfix_queue_clear(PostfixQueue *queue);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PostfixQueue, postfix_queue_clear)

/* Does what is asked and appends the answer. Logs each id; asked_by is the client's uid. */
void postfix_queue_act(const PostfixQueue *queue, const QueueRequest *request, uid_t asked_by,
                       GString *answer);
