/* SPDX-License-Identifier: MIT */
/* The real program on its sockets; skipped (77) where it has not been built. */
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/wire/cram.h"
#include "tests/lib/edge_fixture.h"
#include "tests/lib/testing.h"

#define PROGRAM "policyd/outrider-policyd"
#define KEY     "abcdefghijklmnopqrstuvwx"
#define PLAIN   "AHUAYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4" /* NUL u NUL KEY */
#define WRONG   "AHUAd3Jvbmc="
#define MANY    1000

typedef struct {
    char *dir, *edge, *config;
    pid_t child;
} State;

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

static int open_socket(const State *s, const char *name)
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

static void send_text(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Reads until text ends with end, or the other side closes ("" then, if nothing came). */
static char *read_until(int fd, const char *end)
{
    GString *text = g_string_new(NULL);
    char c;

    while (!g_str_has_suffix(text->str, end) && recv(fd, &c, 1, 0) == 1)
        g_string_append_c(text, c);
    return g_string_free(text, FALSE);
}

static void expect(int fd, const char *request, const char *end, const char *wanted)
{
    send_text(fd, request);
    g_autofree char *answer = read_until(fd, end);
    assert_string_equal(answer, wanted);
}

static int open_auth(const State *s)
{
    int fd = open_socket(s, "auth");
    g_autofree char *greeting = read_until(fd, "DONE\n");

    assert_true(g_str_has_prefix(greeting, "VERSION\t1\t"));
    assert_non_null(strstr(greeting, "\nMECH\tCRAM-MD5"));
    assert_true(g_str_has_suffix(greeting, "\nDONE\n"));
    send_text(fd, "VERSION\t1\t0\nCPID\t1\n");
    return fd;
}

static void fill(const State *s)
{
    guint8 cram[CRAM_STATE_LENGTH];
    EdgeFixture fixture = {.key = KEY, .cram_state = cram};

    cram_state_make(KEY, cram);
    edge_fixture_fill(s->edge, &fixture);
}

static int setup(void **state)
{
    State *s = g_new0(State, 1);

    s->dir = g_dir_make_tmp("outrider-policyd-XXXXXX", NULL);
    s->edge = g_build_filename(s->dir, "edge", NULL);
    s->config = g_build_filename(s->dir, "conf", NULL);
    g_mkdir(s->edge, 0755);
    g_autofree char *text =
        g_strdup_printf("return_path_domain = rp.test\nsocket_dir = %s\nspool_dir = %s\n"
                        "edge_dir = %s\nsocket_group =\nauth_failure_delay = 300ms\n",
                        s->dir, s->dir, s->edge);
    g_file_set_contents(s->config, text, -1, NULL);
    s->child = fork();
    if (s->child == 0) {
        execl(PROGRAM, PROGRAM, "-c", s->config, NULL);
        _exit(127);
    }
    *state = s;
    return 0;
}

static int teardown(void **state)
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

static void test_auth_mechanisms(void **state)
{
    State *s = *state;
    char digest[CRAM_DIGEST_LENGTH + 1];
    guint8 cram[CRAM_STATE_LENGTH];
    gsize length;

    fill(s);
    int fd = open_auth(s);
    expect(fd, "AUTH\t1\tPLAIN\tservice=smtp\trip=192.0.2.9\tresp=" PLAIN "\n", "\n",
           "OK\t1\tuser=acme/main/7\n");
    expect(fd, "AUTH\t2\tPLAIN\tservice=smtp\n", "\n", "CONT\t2\t\n");
    expect(fd, "CONT\t2\t" PLAIN "\n", "\n", "OK\t2\tuser=acme/main/7\n");
    expect(fd, "AUTH\t3\tLOGIN\n", "\n", "CONT\t3\tVXNlcm5hbWU6\n");
    expect(fd, "CONT\t3\tdQ==\n", "\n", "CONT\t3\tUGFzc3dvcmQ6\n");
    expect(fd, "CONT\t3\tYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4\n", "\n", "OK\t3\tuser=acme/main/7\n");
    cram_state_make(KEY, cram);
    for (int i = 0; i < 2; i++) {
        send_text(fd, "AUTH\t4\tCRAM-MD5\n");
        g_autofree char *prompt = read_until(fd, "\n");
        prompt[strlen(prompt) - 1] = '\0';
        g_autofree guchar *challenge = g_base64_decode(prompt + 7, &length);
        g_autofree char *text = g_strndup((const char *)challenge, length);
        cram_digest(cram, text, digest);
        g_autofree char *plain = g_strdup_printf("acme%cmain %s", i ? '_' : '/', digest);
        g_autofree char *encoded = g_base64_encode((const guchar *)plain, strlen(plain));
        g_autofree char *line = g_strdup_printf("CONT\t4\t%s\n", encoded);
        expect(fd, line, "\n", "OK\t4\tuser=acme/main/7\n");
    }
    close(fd);
}

static void test_auth_refusals_are_uniform(void **state)
{
    static const char *const requests[] = {"PLAIN\tresp=" WRONG, "PLAIN\tresp=****", "NTLM",
                                           "PLAIN\tresp=" PLAIN};
    State *s = *state;

    fill(s);
    edge_fixture_exec(s->edge, EDGE_FILE_DIRECTORY, "UPDATE credential SET disabled_at = 1");
    int fd = open_auth(s);
    for (guint i = 0; i < G_N_ELEMENTS(requests); i++) {
        g_autofree char *line = g_strdup_printf("AUTH\t5\t%s\n", requests[i]);
        expect(fd, line, "\n", "FAIL\t5\n");
    }
    close(fd);
}

/* The refusal waits; the other client's answer does not. */
static void test_auth_delay_holds_nobody_else(void **state)
{
    State *s = *state;

    fill(s);
    int slow = open_auth(s), other = open_auth(s);
    send_text(slow, "AUTH\t1\tPLAIN\tresp=" WRONG "\n");
    expect(other, "AUTH\t1\tPLAIN\tresp=" PLAIN "\n", "\n", "OK\t1\tuser=acme/main/7\n");
    char c;
    assert_int_equal(recv(slow, &c, 1, MSG_DONTWAIT), -1);
    g_autofree char *answer = read_until(slow, "\n");
    assert_string_equal(answer, "FAIL\t1\n");
    send_text(slow, "AUTH\t2\tPLAIN\tresp=" WRONG "\n");
    close(slow); /* gone while its answer waits */
    expect(other, "AUTH\t2\tPLAIN\tresp=" PLAIN "\n", "\n", "OK\t2\tuser=acme/main/7\n");
    close(other);
}

static void test_replica_missing_then_appearing(void **state)
{
    State *s = *state;
    int fd = open_auth(s), policy = open_socket(s, "policy");

    expect(fd, "AUTH\t1\tPLAIN\tresp=" PLAIN "\n", "\n", ""); /* closed: 454 */
    close(fd);
    expect(policy,
           "request=smtpd_access_policy\nprotocol_state=RCPT\nsasl_username=acme/main/7\n\n",
           "\n\n", "action=DEFER_IF_PERMIT 4.3.0 Temporary lookup failure\n\n");
    expect(policy, "request=smtpd_access_policy\nprotocol_state=RCPT\nsasl_username=\n\n", "\n\n",
           "action=DUNNO\n\n");
    fill(s);
    fd = open_auth(s);
    expect(fd, "AUTH\t1\tPLAIN\tresp=" PLAIN "\n", "\n", "OK\t1\tuser=acme/main/7\n");
    edge_fixture_exec(s->edge, EDGE_FILE_DIRECTORY, "UPDATE server SET suspended_at = 1");
    expect(policy,
           "request=smtpd_access_policy\nprotocol_state=RCPT\nsasl_username=acme/main/7\n\n",
           "\n\n", "action=REJECT 5.7.1 Mail server has been suspended\n\n");
    close(fd);
    close(policy);
}

static void test_map_answers(void **state)
{
    State *s = *state;
    int fd = open_socket(s, "map");

    expect(fd, "11:transport a,", ",", "9:NOTFOUND ,");
    expect(fd, "10:relaydom a,13:relayrcpt a@b,", "NOTFOUND ,9:NOTFOUND ,",
           "9:NOTFOUND ,9:NOTFOUND ,");
    expect(fd, "7:other a,", ",", "18:PERM no such table,");
    close(fd);
}

static void test_garbage_closes_only_itself(void **state)
{
    static const char *const names[] = {"auth", "policy", "map"};
    State *s = *state;
    char rubbish[20000];

    fill(s);
    int good = open_auth(s);
    for (guint i = 0; i < 60; i++) {
        int fd = open_socket(s, names[i % 3]);
        for (gsize j = 0; j < sizeof(rubbish); j++)
            rubbish[j] = (char)g_random_int_range(0, 256);
        if (i % 2)
            memset(rubbish, 'a', sizeof(rubbish)); /* no end of a line */
        send(fd, rubbish, sizeof(rubbish), MSG_NOSIGNAL);
        g_autofree char *rest = read_until(fd, "never");
        close(fd);
    }
    expect(good, "AUTH\t1\tPLAIN\tresp=" PLAIN "\n", "\n", "OK\t1\tuser=acme/main/7\n");
    close(good);
}

static void test_many_connections_and_half_lines(void **state)
{
    State *s = *state;
    int fds[MANY];

    fill(s);
    for (int i = 0; i < MANY; i++) {
        fds[i] = open_auth(s);
        send_text(fds[i], "AUTH\t1\tPLA");
    }
    for (int i = 0; i < MANY; i++) {
        expect(fds[i], "IN\tresp=" PLAIN "\n", "\n", "OK\t1\tuser=acme/main/7\n");
        close(fds[i]);
    }
}

static void test_hangup_goes_on(void **state)
{
    State *s = *state;

    fill(s);
    int fd = open_auth(s);
    kill(s->child, SIGHUP);
    expect(fd, "AUTH\t1\tPLAIN\tresp=" PLAIN "\n", "\n", "OK\t1\tuser=acme/main/7\n");
    close(fd);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_auth_mechanisms),
        CASE(test_auth_refusals_are_uniform),
        CASE(test_auth_delay_holds_nobody_else),
        CASE(test_replica_missing_then_appearing),
        CASE(test_map_answers),
        CASE(test_garbage_closes_only_itself),
        CASE(test_many_connections_and_half_lines),
        CASE(test_hangup_goes_on),
    };
    if (!g_file_test(PROGRAM, G_FILE_TEST_IS_EXECUTABLE))
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
