/* SPDX-License-Identifier: MIT */
#include "lib/service/program.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/error.h"

/* In the child. Its real user becomes the effective one, as programs trust nobody when these differ; signals
 * as they are by default; and an alarm, which outlives exec. */
static void set_up_child(gpointer input)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    alarm(PROGRAM_SECONDS);
    if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0 ||
        dup2(GPOINTER_TO_INT(input), STDIN_FILENO) < 0)
        _exit(1);
}

/* A file in memory: unlike a pipe it takes any size at once. */
static int make_input(const char *input, GError **error)
{
    gsize length = strlen(input);
    int fd = memfd_create("input", MFD_CLOEXEC);

    if (fd >= 0 && write(fd, input, length) == (gssize)length && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    error_set_errno(error, errno, "make", "a file in memory");
    if (fd >= 0)
        close(fd);
    return -1;
}

gboolean program_run(const char *const *words, const char *input, char **output, GError **error)
{
    char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C";
    char *environment[] = {path, locale, NULL};
    g_autoptr(GPtrArray) command = g_ptr_array_new_with_free_func(g_free);
    GSpawnFlags quiet = output ? 0 : G_SPAWN_STDOUT_TO_DEV_NULL;
    int status = 0, fd = make_input(input, error);
    g_autofree char *text = NULL;
    g_autoptr(GError) why = NULL;

    if (fd < 0)
        return FALSE;
    for (guint i = 0; i == 0 || words[i - 1]; i++)
        g_ptr_array_add(command, g_strdup(words[i]));
    gboolean done = g_spawn_sync("/", (char **)command->pdata, environment,
                                 quiet | G_SPAWN_STDERR_TO_DEV_NULL, set_up_child,
                                 GINT_TO_POINTER(fd), output ? &text : NULL, NULL, &status, &why) &&
                    g_spawn_check_wait_status(status, &why);
    close(fd);
    if (!done) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "%s: %s", words[0],
                    why->message);
        return FALSE;
    }
    if (output)
        *output = g_steal_pointer(&text);
    return TRUE;
}
