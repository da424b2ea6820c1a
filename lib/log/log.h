/* SPDX-License-Identifier: MIT */
/*
 * Purpose: one log line per event: queue id first, then what happened, then key=value fields, with
 *     text from outside escaped and bounded.
 * Used by: the edges of programs; lib/ itself logs nothing above debug.
 * May touch: stderr or syslog.
 * Threads: any.
 * Limits: a value is cut at 512 octets, a line at 4,096. Each call site writes at most 50 lines a
 *     second; what was left out is counted and said with the next line of that site. log_emit without a site has no such limit.
 *
 *     log_info(queue_id, "message accepted", LOG_ID("id", id), LOG_TEXT("rcpt", rcpt));
 *     -> 4aBcDeFgHi: message accepted id=4567 rcpt=a@ok.test
 */
#pragma once

#include <glib.h>

typedef enum { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR } LogLevel;

typedef struct {
    const char *key; /* NULL ends a list */
    enum { LOG_FIELD_TEXT, LOG_FIELD_INT, LOG_FIELD_SECRET } kind;
    const char *text; /* NULL is written as - */
    gint64 number;
} LogField;

#define LOG_TEXT(k, v) ((LogField){.key = (k), .kind = LOG_FIELD_TEXT, .text = (v)})
#define LOG_INT(k, v)  ((LogField){.key = (k), .kind = LOG_FIELD_INT, .number = (gint64)(v)})
#define LOG_ID(k, v)   LOG_INT(k, v)
/* Only the first four characters and the length of a secret are shown. */
#define LOG_SECRET(k, v) ((LogField){.key = (k), .kind = LOG_FIELD_SECRET, .text = (v)})
/* error=NAME: message */
#define LOG_GERROR(e) LOG_TEXT("error", (e) ? (e)->message : NULL)

/* State of one call site, for rate limiting. */
typedef struct {
    _Atomic gint64 second;
    _Atomic guint written;
    _Atomic guint left_out;
} LogSite;

/* Sets program name, target ("stderr" or "syslog") and least level ("debug" ...). Before it, lines
 * go to stderr at info. */
void log_open(const char *program, const char *target, const char *level);

/* TRUE when a level is written; guards costly fields. */
gboolean log_enabled(LogLevel level);

/* site may be NULL: every line is written. */
void log_emit(LogSite *site, LogLevel level, const char *queue_id, const char *what,
              const LogField *fields);

#define log_at(level, queue_id, what, ...)                                                         \
    do {                                                                                           \
        static LogSite log_site_;                                                                  \
        if (log_enabled(level))                                                                    \
            log_emit(&log_site_, (level), (queue_id), (what),                                      \
                     (const LogField[]){__VA_ARGS__ __VA_OPT__(, ){.key = NULL}});                 \
    } while (0)

/* queue_id may be NULL: there is none (yet). */
#define log_debug(queue_id, ...)   log_at(LOG_LEVEL_DEBUG, queue_id, __VA_ARGS__)
#define log_info(queue_id, ...)    log_at(LOG_LEVEL_INFO, queue_id, __VA_ARGS__)
#define log_warning(queue_id, ...) log_at(LOG_LEVEL_WARNING, queue_id, __VA_ARGS__)
#define log_error(queue_id, ...)   log_at(LOG_LEVEL_ERROR, queue_id, __VA_ARGS__)
