/* SPDX-License-Identifier: MIT */
#include "worker/log_source.h"

#include <string.h>

struct LogSource {
    const LogSourceKind *kind;
    gpointer state;
};

LogSource *log_source_open(const Config *config, const char *position)
{
    const char *log = config_string(config, CONFIG_MAIL_LOG);
    const char *tag = config_string(config, CONFIG_MAIL_LOG_TAG);
    LogSource *source = g_new0(LogSource, 1);

    if (!g_str_has_prefix(log, "/")) {
        const char *directory = strchr(log, ':');
        source->kind = &log_journald_kind;
        source->state = log_journald_open(directory ? directory + 1 : NULL, tag, position);
    } else {
        source->kind = &log_file_kind;
        source->state = log_file_open(log, tag, position);
    }
    return source;
}

void log_source_close(LogSource *source)
{
    if (!source)
        return;
    source->kind->close(source->state);
    g_free(source);
}

LogSourceRead log_source_next(LogSource *source, MailLine *line, GError **error)
{
    return source->kind->next(source->state, line, error);
}

char *log_source_position(LogSource *source)
{
    return source->kind->position(source->state);
}
