/* SPDX-License-Identifier: MIT */
/*
 * Purpose: how outrider-pipe hands what it was started with to outrider-piped, and hears how it ends. An octet invites it; it sends the
 *     words of its command line, each with its NUL, with its standard descriptors beside the first octet; the exit status comes
 *     back in one octet.
 * Used by: outrider-pipe, outrider-piped.
 * May touch: the socket `pipe' in <socket_dir>.
 * Threads: any.
 * Limits: PIPE_LINK_MAX octets of words, PIPE_LINK_WORDS_MAX words. Who is not invited in PIPE_LINK_SECONDS goes: descriptors that wait
 *     in a socket would keep Postfix waiting, too, after their process has ended.
 */
#pragma once

#include <glib.h>

#define PIPE_LINK_SOCKET    "pipe"
#define PIPE_LINK_MAX       16384
#define PIPE_LINK_WORDS_MAX 64
#define PIPE_LINK_SECONDS   5

gboolean pipe_link_invite(int link);

/* FALSE: nothing was handed over, so somebody else may do it. */
gboolean pipe_link_hand_over(int link, int argc, char *const *argv);

/* Puts the descriptors in the place of our own; words for g_strfreev. NULL: it is no request, and ours are as they were. */
char **pipe_link_take_over(int link);
