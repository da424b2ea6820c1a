/* SPDX-License-Identifier: MIT */
/*
 * Purpose: asks a daemon of ours on its socket: lines out, lines in.
 * Used by: milter, worker and CLI.
 * May touch: <socket_dir>/NAME.
 * Threads: a link belongs to one thread at a time.
 * Limits: waits ASK_SECONDS at most for each line, unless ask_patience says otherwise. A line in of ASK_LINE_MAX octets.
 */
#pragma once

#include <glib.h>

#include "lib/config/config.h"

#define ASK_SECONDS  5
#define ASK_LINE_MAX 4096

typedef struct AskLink AskLink;

/* UNAVAILABLE: nobody answers there. */
AskLink *ask_open(const Config *config, const char *name, GError **error);
void ask_close(AskLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AskLink, ask_close)

/* How long each wait of this link may last from now on. */
void ask_patience(AskLink *link, guint seconds);

/* Sends whole lines. After UNAVAILABLE the link is good for nothing but ask_close. */
gboolean ask_send(AskLink *link, const GString *lines, GError **error);

/* The next line, without its end. NULL: UNAVAILABLE, also when the other side has closed; CORRUPT: a line
 * that is too long. g_free. */
char *ask_line(AskLink *link, GError **error);
