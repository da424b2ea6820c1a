/* SPDX-License-Identifier: MIT */
#include "tests/policyd/policyd_world.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/wire/cram.h"
#include "tests/lib/edge_fixture.h"

#define ASKED 3000 /* times */

static int try_connect(const State *s, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval wait = {.tv_sec = 10};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", s->dir, name);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

int open_socket(const State *s, const char *name)
{
    for (int i = 0; i < 500; i++) {
        int fd = try_connect(s, name);
        if (fd >= 0)
            return fd;
        g_usleep(20000);
    }
    fail_msg("%s does not answer", name);
    return -1;
}

void send_text(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

char *read_until(int fd, const char *end)
{
    GString *text = g_string_new(NULL);
    char c;

    while (!g_str_has_suffix(text->str, end) && recv(fd, &c, 1, 0) == 1)
        g_string_append_c(text, c);
    return g_string_free(text, FALSE);
}

void expect(int fd, const char *request, const char *end, const char *wanted)
{
    send_text(fd, request);
    g_autofree char *answer = read_until(fd, end);
    assert_string_equal(answer, wanted);
}

void policyd_fill(const State *s)
{
    guint8 cram[CRAM_STATE_LENGTH];
    EdgeFixture fixture = {.key = POLICYD_KEY, .cram_state = cram};

    cram_state_make(POLICYD_KEY, cram);
    edge_fixture_fill(s->edge, &fixture);
}

void policyd_set_limits(const State *s, const char *rows)
{
    g_autofree char *sql = g_strdup_printf("DELETE FROM rate_limit; INSERT INTO rate_limit VALUES "
                                           "%s; UPDATE edge_state SET revision = "
                                           "revision + 1",
                                           rows);

    edge_fixture_exec(s->edge, EDGE_FILE_DIRECTORY, sql);
}

void await(int fd, const char *request, const char *wanted)
{
    g_autofree char *answer = NULL;

    for (guint i = 0; i < ASKED; i++) {
        send_text(fd, request);
        g_free(answer);
        answer = read_until(fd, "\n");
        if (g_str_has_prefix(answer, wanted))
            return;
        g_usleep(10000);
    }
    fail_msg("%s: %s, never %s", request, answer, wanted);
}

void policyd_start(State *s)
{
    s->child = fork();
    if (s->child == 0) {
        execl(POLICYD_PROGRAM, POLICYD_PROGRAM, "-c", s->config, NULL);
        _exit(127);
    }
}

State *policyd_setup_node(guint node)
{
    State *s = g_new0(State, 1);

    s->dir = g_dir_make_tmp("outrider-policyd-XXXXXX", NULL);
    s->edge = g_build_filename(s->dir, "edge", NULL);
    s->config = g_build_filename(s->dir, "conf", NULL);
    g_mkdir(s->edge, 0755);
    g_autofree char *text =
        g_strdup_printf("return_path_domain = rp.test\nsocket_dir = %s\nspool_dir = %s\n"
                        "edge_dir = %s\nsocket_group =\nauth_failure_delay = 300ms\n"
                        "node_id = %u\n",
                        s->dir, s->dir, s->edge, node);
    g_file_set_contents(s->config, text, -1, NULL);
    g_autofree char *counters = g_build_filename(s->dir, "policyd", NULL);
    g_mkdir(counters, 0755);
    policyd_start(s);
    return s;
}

int policyd_setup(void **state)
{
    *state = policyd_setup_node(1);
    return 0;
}

int policyd_teardown(void **state)
{
    State *s = *state;
    int status = -1;

    kill(s->child, SIGTERM);
    waitpid(s->child, &status, 0);
    edge_fixture_remove(s->edge);
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", s->dir);
    g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL);
    g_free(s->dir);
    g_free(s->edge);
    g_free(s->config);
    g_free(s);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}
