/* SPDX-License-Identifier: MIT */
/*
 * Purpose: Postfix's log, line by line, from a file or the systemd journal, from a position on that
 *     survives restarts, rotation and truncation.
 * Used by: mail_follower.
 * May touch: the log (read), its rotated siblings in the same directory.
 * Threads: one per source.
 * Limits: lines of at most MAIL_LINE_MAX octets; longer ones are passed over.
 */
#pragma once

#include "lib/config/config.h"
#include "worker/mail_line.h"

typedef struct LogSource LogSource;

typedef enum {
    LOG_SOURCE_LINE,
    LOG_SOURCE_END,    /* nothing new now */
    LOG_SOURCE_FAILED, /* error is set; asking again later may help */
} LogSourceRead;

/* Opens what mail_log names. position is what log_source_position said before, or NULL: from the
 * beginning. A source that is not there (yet) is no error: reading it is. */
LogSource *log_source_open(const Config *config, const char *position);
void log_source_close(LogSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LogSource, log_source_close)

/* The next line of this Postfix; its texts live until the next call. */
LogSourceRead log_source_next(LogSource *source, MailLine *line, GError **error);

/* Where reading stands behind the last line; g_free. NULL before the first. */
char *log_source_position(LogSource *source);

/* What a kind of source does; each has a file of its own. */
typedef struct {
    LogSourceRead (*next)(gpointer state, MailLine *line, GError **error);
    char *(*position)(gpointer state);
    void (*close)(gpointer state);
} LogSourceKind;

extern const LogSourceKind log_file_kind, log_journald_kind;

gpointer log_file_open(const char *path, const char *tag, const char *position);

/* directory NULL: the system's journal. */
gpointer log_journald_open(const char *directory, const char *tag, const char *position);
