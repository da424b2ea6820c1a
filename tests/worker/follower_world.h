/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a mail follower in a directory of its own, with a log and a milter's journal that tests write.
 * Used by: tests of the mail follower.
 * May touch: a directory of its own under $TMPDIR.
 * Threads: one.
 */
#pragma once

#include "lib/journal/journal.h"
#include "lib/seal/return_path.h"
#include "worker/mail_follower.h"

#define WORLD_ID ((guint64)4711 << 22 | 1)

typedef struct {
    char *dir;
    char *log;
    char *edge;
    char *sender; /* sealed, of message WORLD_ID by lane 2 */
    Config *config;
    MailFollower *follower;
} World;

/* For cmocka. */
int world_setup(void **state);
int world_teardown(void **state);

/* A path in the directory; g_free. */
char *world_below(const World *world, const char *name);

/* Configures another log. */
void world_configure(World *world, const char *mail_log);

/* A return path of the world's ring; g_free. */
char *world_seal(World *world, ReturnPathKind kind, guint64 id);

/* Ends the follower and makes a new one. */
void world_restart(World *world);

/* Runs rounds until nothing more is read. */
void world_follow(World *world);

/* Adds text to a file. */
void world_append(const char *path, const char *text);

/* Adds a line to the log: stamp and host before what is given. */
void world_say(World *world, const char *format, ...) G_GNUC_PRINTF(2, 3);
void world_say_queued(World *world, const char *queue_id, const char *from);
void world_say_sent(World *world, const char *queue_id, const char *words);

/* Adds an event of server 1 to the milter's journal; fields are JSON. */
void world_milter(World *world, EventType type, const char *fields, ...) G_GNUC_PRINTF(3, 4);

/* The milter has given message WORLD_ID, to X@ok.test, this queue id. */
void world_accept(World *world, const char *queue_id);

/* The events so far, a line each: type, "+" and the index of the message in its submission, and of its fields
 * those that tests look at. g_free. */
char *world_events(World *world);
void world_assert_events(World *world, const char *expected);
