/* SPDX-License-Identifier: MIT */
#include "tests/lib/mariadb_fixture.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_TRIES    300
#define START_PAUSE_US 100000

static char *find_program(const char *name)
{
    g_autofree char *sbin = g_build_filename("/usr/sbin", name, NULL);
    char *found = g_find_program_in_path(name);

    if (found)
        return found;
    return g_file_test(sbin, G_FILE_TEST_IS_EXECUTABLE) ? g_steal_pointer(&sbin) : NULL;
}

/* In the child: become the server's user, and die with the test program (set last, as a change of user
 * clears it). */
static void become_user(gpointer data)
{
    const struct passwd *user = data;

    if (user &&
        (initgroups(user->pw_name, user->pw_gid) || setgid(user->pw_gid) || setuid(user->pw_uid)))
        _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* mariadbd does not run as root; the server's core package makes no user of its own. */
static struct passwd *server_user(void)
{
    struct passwd *user = geteuid() == 0 ? getpwnam("mysql") : NULL;

    return user || geteuid() != 0 ? user : getpwnam("nobody");
}

static gboolean answers(MariadbFixture *fixture)
{
    g_autofree char *socket = g_strdup_printf("--socket=%s", fixture->socket);
    char *argv[] = {fixture->client, (char[]){"--no-defaults"}, socket, (char[]){"-uroot"},
                    (char[]){"-e"},  (char[]){"SELECT 1"},      NULL};
    int status = -1;

    return g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                        NULL, NULL, NULL, NULL, &status, NULL) &&
           status == 0;
}

static void fail_start(MariadbFixture *fixture, const char *why)
{
    g_autofree char *log = g_build_filename(fixture->dir, "error.log", NULL);
    g_autofree char *text = NULL;

    g_file_get_contents(log, &text, NULL, NULL);
    g_error("mariadbd: %s\n%s", why, text ? text : "");
}

void mariadb_fixture_restart(MariadbFixture *fixture)
{
    g_autofree char *data = g_strdup_printf("--datadir=%s/data", fixture->dir);
    g_autofree char *socket = g_strdup_printf("--socket=%s", fixture->socket);
    g_autofree char *log = g_strdup_printf("--log-error=%s/error.log", fixture->dir);
    g_autofree char *pid = g_strdup_printf("--pid-file=%s/pid", fixture->dir);
    g_autofree char *tmp = g_strdup_printf("--tmpdir=%s", fixture->dir);
    char *argv[] = {fixture->server,
                    (char[]){"--no-defaults"},
                    data,
                    tmp,
                    socket,
                    log,
                    pid,
                    (char[]){"--skip-networking"},
                    (char[]){"--skip-log-bin"},
                    (char[]){"--innodb-buffer-pool-size=24M"},
                    (char[]){"--innodb-log-file-size=8M"},
                    (char[]){"--innodb-flush-log-at-trx-commit=2"},
                    (char[]){"--innodb-use-native-aio=0"},
                    (char[]){"--performance-schema=off"},
                    NULL};
    g_autoptr(GError) error = NULL;

    if (!g_spawn_async(NULL, argv, NULL,
                       G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL |
                           G_SPAWN_STDERR_TO_DEV_NULL,
                       become_user, server_user(), &fixture->pid, &error))
        fail_start(fixture, error->message);
    for (int i = 0; i < START_TRIES; i++) {
        if (answers(fixture))
            return;
        if (waitpid(fixture->pid, NULL, WNOHANG) == fixture->pid)
            break;
        g_usleep(START_PAUSE_US);
    }
    fail_start(fixture, "does not answer");
}

static void install(MariadbFixture *fixture, char *installer)
{
    g_autofree char *data = g_strdup_printf("--datadir=%s/data", fixture->dir);
    /* A starting server removes temporary tables of others from a directory that they share. */
    g_autofree char *tmp = g_strdup_printf("--tmpdir=%s", fixture->dir);
    char *argv[] = {installer,
                    (char[]){"--no-defaults"},
                    data,
                    tmp,
                    (char[]){"--auth-root-authentication-method=normal"},
                    (char[]){"--skip-test-db"},
                    (char[]){"--skip-name-resolve"},
                    (char[]){"--innodb-log-file-size=8M"},
                    (char[]){"--innodb-flush-log-at-trx-commit=0"},
                    NULL};
    struct passwd *user = server_user();
    g_autofree char *output = NULL;
    g_autoptr(GError) error = NULL;
    int status = -1;

    if (user && chown(fixture->dir, user->pw_uid, user->pw_gid) < 0)
        fail_start(fixture, g_strerror(errno));
    if (!g_spawn_sync("/", argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, become_user, user, NULL, &output,
                      &status, &error))
        fail_start(fixture, error->message);
    if (status != 0)
        fail_start(fixture, output);
}

MariadbFixture *mariadb_fixture_start(void)
{
    g_autofree char *installer = find_program("mariadb-install-db");
    MariadbFixture *fixture = g_new0(MariadbFixture, 1);

    fixture->server = find_program("mariadbd");
    fixture->client = find_program("mariadb");
    if (!installer || !fixture->server || !fixture->client) {
        fprintf(stderr, "skipped: install the Debian package mariadb-server\n");
        exit(77);
    }
    fixture->dir = g_dir_make_tmp("outrider-db-XXXXXX", NULL);
    g_assert_nonnull(fixture->dir);
    fixture->socket = g_build_filename(fixture->dir, "socket", NULL);
    install(fixture, installer);
    mariadb_fixture_restart(fixture);
    return fixture;
}

void mariadb_fixture_kill(MariadbFixture *fixture)
{
    if (fixture->pid <= 0)
        return;
    kill(fixture->pid, SIGKILL);
    waitpid(fixture->pid, NULL, 0);
    fixture->pid = 0;
}

void mariadb_fixture_stop(MariadbFixture *fixture)
{
    if (!fixture)
        return;
    mariadb_fixture_kill(fixture);
    char *argv[] = {(char[]){"rm"}, (char[]){"-rf"}, (char[]){"--"}, fixture->dir, NULL};
    g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
    g_free(fixture->dir);
    g_free(fixture->socket);
    g_free(fixture->client);
    g_free(fixture->server);
    g_free(fixture);
}

char *mariadb_fixture_run(MariadbFixture *fixture, const char *database, const char *sql)
{
    g_autofree char *socket = g_strdup_printf("--socket=%s", fixture->socket);
    g_autofree char *name = g_strdup(database);
    g_autofree char *text = g_strdup(sql);
    char *argv[] = {fixture->client,
                    (char[]){"--no-defaults"},
                    (char[]){"--default-character-set=utf8mb4"}, /* whatever the locale is */
                    socket,
                    (char[]){"-uroot"},
                    (char[]){"-NBe"},
                    text,
                    name,
                    NULL};
    char *output = NULL;
    g_autofree char *errors = NULL;
    g_autoptr(GError) error = NULL;
    int status = -1;

    if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output, &errors, &status,
                      &error))
        g_error("mariadb: %s", error->message);
    if (status != 0)
        g_error("mariadb: %s: %s", sql, errors);
    return output;
}

void mariadb_fixture_database(MariadbFixture *fixture, const char *name)
{
    g_autofree char *sql = g_strdup_printf("CREATE DATABASE `%s` CHARACTER SET utf8mb4", name);

    g_free(mariadb_fixture_run(fixture, NULL, sql));
}
