/* SPDX-License-Identifier: MIT */
/* Postfix's lines in the systemd journal: entries of the mail facility. A position is
 * `journald CURSOR'. */
#include <string.h>
#include <systemd/sd-journal.h>

#include "lib/base/error.h"
#include "worker/log_source.h"

#define POSITION      "journald "
#define MAIL_FACILITY "SYSLOG_FACILITY=2"

typedef struct {
    char *directory; /* NULL: the system's */
    char *tag;
    char *cursor; /* of the last line that was handed out */
    sd_journal *journal;
    GString *program, *message, *stamp;
} LogJournald;

gpointer log_journald_open(const char *directory, const char *tag, const char *position)
{
    LogJournald *log = g_new0(LogJournald, 1);

    log->directory = g_strdup(directory);
    log->tag = g_strdup(tag);
    log->program = g_string_new(NULL);
    log->message = g_string_new(NULL);
    log->stamp = g_string_new(NULL);
    if (position && g_str_has_prefix(position, POSITION))
        log->cursor = g_strdup(position + strlen(POSITION));
    return log;
}

static void close_journal(LogJournald *log)
{
    if (log->journal)
        sd_journal_close(log->journal);
    log->journal = NULL;
}

static void log_journald_close(gpointer state)
{
    LogJournald *log = state;

    close_journal(log);
    g_string_free(log->program, TRUE);
    g_string_free(log->message, TRUE);
    g_string_free(log->stamp, TRUE);
    g_free(log->directory);
    g_free(log->tag);
    g_free(log->cursor);
    g_free(log);
}

static char *log_journald_position(gpointer state)
{
    LogJournald *log = state;

    return log->cursor ? g_strconcat(POSITION, log->cursor, NULL) : NULL;
}

static LogSourceRead fail(LogJournald *log, int result, const char *what, GError **error)
{
    error_set_errno(error, -result, what, log->directory ? log->directory : "the systemd journal");
    close_journal(log);
    return LOG_SOURCE_FAILED;
}

/* Behind the cursor, whose own entry has been read; a cursor whose entry is gone leads to the next. */
static int go_to_cursor(LogJournald *log)
{
    if (!log->cursor)
        return sd_journal_seek_head(log->journal);
    int result = sd_journal_seek_cursor(log->journal, log->cursor);
    if (result >= 0)
        result = sd_journal_next(log->journal);
    if (result > 0 && sd_journal_test_cursor(log->journal, log->cursor) <= 0)
        result = sd_journal_previous(log->journal);
    return result;
}

static int open_journal(LogJournald *log)
{
    int result = log->directory ? sd_journal_open_directory(&log->journal, log->directory, 0)
                                : sd_journal_open(&log->journal, SD_JOURNAL_LOCAL_ONLY);

    if (result >= 0)
        result = sd_journal_add_match(log->journal, MAIL_FACILITY, 0);
    return result >= 0 ? go_to_cursor(log) : result;
}

/* A field's text; empty when the entry has none. */
static void get_field(LogJournald *log, const char *name, GString *text)
{
    const void *data = NULL;
    size_t length = 0, prefix = strlen(name) + 1;

    g_string_truncate(text, 0);
    if (sd_journal_get_data(log->journal, name, &data, &length) >= 0 && length > prefix)
        g_string_append_len(text, (const char *)data + prefix,
                            (gssize)MIN(length - prefix, (size_t)MAIL_LINE_MAX));
}

static guint32 get_pid(LogJournald *log)
{
    g_autoptr(GString) text = g_string_new(NULL);

    get_field(log, "SYSLOG_PID", text);
    if (text->len == 0)
        get_field(log, "_PID", text);
    return (guint32)g_ascii_strtoull(text->str, NULL, 10);
}

static MailText as_text(const GString *text)
{
    return (MailText){.data = text->str, .length = text->len};
}

/* The entry at hand as a line; FALSE when it is not this Postfix's. */
static gboolean read_entry(LogJournald *log, MailLine *line)
{
    guint64 at = 0;
    char *cursor = NULL;

    if (sd_journal_get_realtime_usec(log->journal, &at) < 0 ||
        sd_journal_get_cursor(log->journal, &cursor) < 0)
        return FALSE;
    g_free(log->cursor);
    log->cursor = cursor; /* malloc'd; GLib's allocator is the C library's since 2.46 */
    get_field(log, "SYSLOG_IDENTIFIER", log->program);
    get_field(log, "MESSAGE", log->message);
    g_string_printf(log->stamp, "%" G_GUINT64_FORMAT, at);
    return mail_line_parse_parts(as_text(log->stamp), (gint64)at, as_text(log->program),
                                 get_pid(log), as_text(log->message), log->tag, line);
}

static LogSourceRead log_journald_next(gpointer state, MailLine *line, GError **error)
{
    LogJournald *log = state;
    int result = log->journal ? 0 : open_journal(log);

    if (result < 0)
        return fail(log, result, "open", error);
    sd_journal_process(log->journal);
    while ((result = sd_journal_next(log->journal)) > 0)
        if (read_entry(log, line))
            return LOG_SOURCE_LINE;
    return result == 0 ? LOG_SOURCE_END : fail(log, result, "read", error);
}

const LogSourceKind log_journald_kind = {log_journald_next, log_journald_position,
                                         log_journald_close};
