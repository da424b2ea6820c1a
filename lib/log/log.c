/* SPDX-License-Identifier: MIT */
#include "lib/log/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "lib/log/line.h"

static const struct {
    const char *name;
    int priority;
} levels[] = {
    [LOG_LEVEL_DEBUG] = {"debug", LOG_DEBUG},
    [LOG_LEVEL_INFO] = {"info", LOG_INFO},
    [LOG_LEVEL_WARNING] = {"warning", LOG_WARNING},
    [LOG_LEVEL_ERROR] = {"error", LOG_ERR},
};

/* Set by log_open before other threads start. The program's name is never freed: openlog keeps it. */
static struct {
    const char *program;
    gboolean to_syslog;
    gboolean to_journal;
} sink = {.program = "outrider"};

static _Atomic guint least = LOG_LEVEL_INFO;

/* systemd.exec(5): $JOURNAL_STREAM names device and inode of the stream when it is the journal. */
static gboolean stderr_is_journal(void)
{
    const char *stream = g_getenv("JOURNAL_STREAM");
    struct stat st;

    if (!stream || fstat(STDERR_FILENO, &st) < 0)
        return FALSE;
    g_autofree char *ours = g_strdup_printf("%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    return g_str_equal(stream, ours);
}

void log_open(const char *program, const char *target, const char *level)
{
    sink.program = g_intern_string(program);
    sink.to_syslog = g_str_equal(target, "syslog");
    sink.to_journal = !sink.to_syslog && stderr_is_journal();
    for (guint i = 0; i < G_N_ELEMENTS(levels); i++)
        if (g_str_equal(level, levels[i].name))
            atomic_store(&least, i);
    if (sink.to_syslog)
        openlog(sink.program, LOG_PID, LOG_MAIL);
}

gboolean log_enabled(LogLevel level)
{
    return level >= atomic_load(&least);
}

/* One write a line, so that lines of threads and processes do not mix. */
static void write_stderr(LogLevel level, const char *line)
{
    g_autofree char *text = NULL;

    if (sink.to_journal)
        text = g_strdup_printf("<%d>%s\n", levels[level].priority, line);
    else {
        g_autoptr(GDateTime) now = g_date_time_new_now_utc();
        g_autofree char *stamp = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S");
        text = g_strdup_printf("%s.%03dZ %s[%d]: %s%s%s\n", stamp,
                               g_date_time_get_microsecond(now) / 1000, sink.program, (int)getpid(),
                               level == LOG_LEVEL_INFO ? "" : levels[level].name,
                               level == LOG_LEVEL_INFO ? "" : ": ", line);
    }
    const char *p = text;
    for (gsize left = strlen(text); left > 0;) {
        ssize_t n = write(STDERR_FILENO, p, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* there is nobody to tell */
        p += n;
        left -= (gsize)n;
    }
}

void log_emit(LogSite *site, LogLevel level, const char *queue_id, const char *what,
              const LogField *fields)
{
    int saved_errno = errno;
    guint left_out;

    if (log_site_admit(site, g_get_monotonic_time() / G_USEC_PER_SEC, &left_out)) {
        g_autofree char *line = log_line(queue_id, what, fields, left_out);
        if (sink.to_syslog)
            syslog(levels[level].priority, "%s", line);
        else
            write_stderr(level, line);
    }
    errno = saved_errno;
}
