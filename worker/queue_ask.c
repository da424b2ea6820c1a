/* SPDX-License-Identifier: MIT */
/* Runs postqueue(1) and reads what it prints, line by line, until a deadline. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "worker/queue_snapshot.h"

#define TIME_MAX_US (120 * G_TIME_SPAN_SECOND)
#define OCTETS_MAX  (G_GUINT64_CONSTANT(1) << 30)
#define LINE_MAX_   (8 * 1024 * 1024)
#define WORDS_MAX   300 /* octets of what it complains of */
#define TICK_MS     200

typedef struct {
    GPid pid;
    int out, err;
    gint64 deadline;
    const _Atomic gboolean *stop;
    guint64 octets;
    GByteArray *buffer;
    GString *words;
} Asking;

/* postqueue(1) is set-gid, and then trusts only directories that the main Postfix names. Without new
 * privileges it is an ordinary program; what it connects to is open to the group postdrop. */
static void drop_privileges(gpointer unused)
{
    (void)unused;
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static gboolean begin(Asking *asking, const char *postfix_config_dir, GError **error)
{
    char program[] = "postqueue", config[] = "-c", json[] = "-j";
    g_autofree char *directory = g_strdup(postfix_config_dir);
    char *command[] = {program, config, directory, json, NULL};
    g_autoptr(GError) why = NULL;

    if (g_spawn_async_with_pipes(NULL, command, NULL,
                                 G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, drop_privileges,
                                 NULL, &asking->pid, NULL, &asking->out, &asking->err, &why))
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "postqueue: %s", why->message);
    return FALSE;
}

static gboolean refuse(GError **error, OutriderError code, const char *why)
{
    g_set_error(error, OUTRIDER_ERROR, code, "postqueue -j: %s", why);
    return FALSE;
}

/* Hands the buffer's whole lines over; the rest stays. */
static gboolean take_lines(Asking *asking, QueueSnapshot *snapshot, const KeyRing *ring,
                           GError **error)
{
    const char *start = (const char *)asking->buffer->data;
    const char *end = start + asking->buffer->len, *stop;

    while (start < end && (stop = memchr(start, '\n', (gsize)(end - start)))) {
        if (stop > start &&
            !queue_snapshot_add(snapshot, ring, start, (gsize)(stop - start), error))
            return FALSE;
        start = stop + 1;
    }
    g_byte_array_remove_range(asking->buffer, 0,
                              (guint)(start - (const char *)asking->buffer->data));
    if (asking->buffer->len > LINE_MAX_)
        return refuse(error, OUTRIDER_ERROR_TOO_LARGE, "a line of more than 8 MiB");
    return TRUE;
}

static void take_words(Asking *asking)
{
    char block[512];
    ssize_t n = read(asking->err, block, sizeof(block));

    if (n > 0)
        g_string_append_len(asking->words, block, MIN(n, WORDS_MAX - (gssize)asking->words->len));
    if (n <= 0) {
        close(asking->err);
        asking->err = -1;
    }
}

/* One block of output; *more becomes FALSE at its end. */
static gboolean take_output(Asking *asking, gboolean *more, GError **error)
{
    guint8 block[65536];
    ssize_t n = read(asking->out, block, sizeof(block));

    if (n < 0)
        return error_set_errno(error, errno, "read", "postqueue -j");
    *more = n > 0;
    asking->octets += (guint64)n;
    g_byte_array_append(asking->buffer, block, (guint)n);
    return asking->octets <= OCTETS_MAX ||
           refuse(error, OUTRIDER_ERROR_TOO_LARGE, "more than 1 GiB");
}

static gboolean read_all(Asking *asking, QueueSnapshot *snapshot, const KeyRing *ring,
                         GError **error)
{
    gboolean more = TRUE;

    while (more) {
        struct pollfd both[] = {{.fd = asking->out, .events = POLLIN},
                                {.fd = asking->err, .events = POLLIN}};
        if (asking->stop && *asking->stop)
            return refuse(error, OUTRIDER_ERROR_UNAVAILABLE, "the worker is stopping");
        if (g_get_monotonic_time() > asking->deadline)
            return refuse(error, OUTRIDER_ERROR_UNAVAILABLE, "no end within 120 s");
        if (poll(both, G_N_ELEMENTS(both), TICK_MS) < 0 && errno != EINTR)
            return error_set_errno(error, errno, "poll", "postqueue -j");
        if (both[1].revents)
            take_words(asking);
        if (both[0].revents &&
            (!take_output(asking, &more, error) || !take_lines(asking, snapshot, ring, error)))
            return FALSE;
    }
    return TRUE;
}

/* What it said last, without waiting. */
static void take_last_words(Asking *asking)
{
    struct pollfd said = {.fd = asking->err, .events = POLLIN};

    if (asking->err >= 0 && poll(&said, 1, 0) > 0)
        take_words(asking);
}

/* Ends the child; FALSE when it did not end well by itself. */
static gboolean end(Asking *asking, gboolean whole, GError **error)
{
    int status = 0;

    close(asking->out);
    if (!whole)
        kill(asking->pid, SIGKILL);
    while (waitpid(asking->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    take_last_words(asking);
    if (asking->err >= 0)
        close(asking->err);
    if (!whole || g_spawn_check_wait_status(status, NULL))
        return whole;
    g_strchomp(asking->words->str);
    return refuse(error, OUTRIDER_ERROR_UNAVAILABLE,
                  *asking->words->str ? asking->words->str : "it failed");
}

QueueSnapshot *queue_snapshot_take(const char *postfix_config_dir, const KeyRing *ring,
                                   const _Atomic gboolean *stop, GError **error)
{
    g_autoptr(QueueSnapshot) snapshot = queue_snapshot_new(g_get_real_time());
    g_autoptr(GByteArray) buffer = g_byte_array_new();
    g_autoptr(GString) words = g_string_new(NULL);
    Asking asking = {.deadline = g_get_monotonic_time() + TIME_MAX_US,
                     .stop = stop,
                     .buffer = buffer,
                     .words = words};

    if (!begin(&asking, postfix_config_dir, error))
        return NULL;
    gboolean whole = read_all(&asking, snapshot, ring, error);
    if (!end(&asking, whole, error))
        return NULL;
    queue_snapshot_end(snapshot);
    return g_steal_pointer(&snapshot);
}
