/* SPDX-License-Identifier: MIT */
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/service/service.h"
#include "tests/lib/testing.h"

#define CLIENTS_MAX 100

static const ServiceInfo info = {.name = "test-service", .summary = "is tested"};

typedef struct {
    char *dir;
    char *config;
} World;

static int setup(void **state)
{
    World *world = g_new0(World, 1);

    world->dir = g_dir_make_tmp("outrider-service-XXXXXX", NULL);
    world->config = g_build_filename(world->dir, "outrider.conf", NULL);
    g_autofree char *text = g_strdup_printf(
        "return_path_domain = rp.example\nsocket_dir = %s\nsocket_group =\n", world->dir);
    *state = world;
    return g_file_set_contents(world->config, text, -1, NULL) ? 0 : -1;
}

static int teardown(void **state)
{
    World *world = *state;
    g_autofree char *command = g_strdup_printf("rm -rf -- %s", world->dir);

    g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL);
    g_free(world->dir);
    g_free(world->config);
    g_free(world);
    return 0;
}

static Service *start(World *world, const char *option, int *status)
{
    char name[] = "test-service", flag[] = "-c";
    g_autofree char *file = g_strdup(world->config), *last = g_strdup(option);
    char *arguments[] = {name, flag, file, last, NULL};
    char **argv = arguments;
    int argc = last ? 4 : 3;

    return service_start(&info, &argc, &argv, status);
}

static void test_start_answers_options_and_errors(void **state)
{
    static const struct {
        const char *option;
        int status;
    } cases[] = {{"--check", 0}, {"--version", 0}, {"--dump", 0}, {"--nonsense", 78}, {"word", 78}};
    World *world = *state;
    int status = -1;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_null(start(world, cases[i].option, &status));
        assert_int_equal(status, cases[i].status);
    }
    assert_true(g_file_set_contents(world->config, "nonsense = 1\n", -1, NULL));
    assert_null(start(world, NULL, &status));
    assert_int_equal(status, 78);
    g_unlink(world->config);
    assert_null(start(world, NULL, &status));
    assert_int_equal(status, 78);
}

static void test_signals_come_by_the_fd(void **state)
{
    int status = -1;
    g_autoptr(Service) service = start(*state, NULL, &status);

    assert_non_null(service);
    assert_int_equal(service_read_signal(service), 0);
    kill(getpid(), SIGHUP);
    struct pollfd wait = {.fd = service_signal_fd(service), .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 10000), 1);
    assert_int_equal(service_read_signal(service), SIGHUP);
    kill(getpid(), SIGTERM);
    assert_int_equal(poll(&wait, 1, 10000), 1);
    assert_int_equal(service_read_signal(service), SIGTERM);
}

static int dial(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

static void test_listen_replaces_stale_and_respects_live(void **state)
{
    World *world = *state;
    int status = -1;
    g_autoptr(Service) service = start(world, NULL, &status);
    g_autofree char *path = g_build_filename(world->dir, "policy", NULL);
    GError *error = NULL;
    GStatBuf st;

    int fd = service_listen(service, "policy", &error);
    assert_no_error(error);
    assert_int_equal(g_stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    int client = dial(path);
    assert_true(client >= 0);
    assert_true(service_answers(path));
    assert_int_equal(service_listen(service, "policy", &error), -1);
    assert_error_code(error, CONFLICT);
    close(client);
    close(fd);
    assert_int_equal(dial(path), -1);
    assert_false(service_answers(path));
    fd = service_listen(service, "policy", &error);
    assert_no_error(error);
    client = dial(path);
    assert_true(client >= 0);
    close(client);
    close(fd);
}

/* Connections that nobody accepts fill the backlog: that is no answer, but somebody is there. */
static void test_answers_never_waits_for_a_full_backlog(void **state)
{
    World *world = *state;
    int status = -1, clients = 0;
    g_autoptr(Service) service = start(world, NULL, &status);
    g_autofree char *path = g_build_filename(world->dir, "policy", NULL);
    GError *error = NULL;
    int fd = service_listen(service, "policy", &error);

    assert_no_error(error);
    assert_int_equal(listen(fd, 1), 0);
    while (clients < CLIENTS_MAX && service_answers(path))
        clients++;
    assert_in_range(clients, 1, CLIENTS_MAX - 1);
    assert_int_equal(service_listen(service, "policy", &error), -1);
    assert_error_code(error, CONFLICT);
    close(fd);
}

static void test_listen_refuses_long_path_and_unknown_group(void **state)
{
    World *world = *state;
    g_autofree char *text = g_strdup_printf(
        "return_path_domain = rp.example\nsocket_dir = %s\nsocket_group = no-such-group\n",
        world->dir);
    g_autofree char *name = g_strnfill(120, 'x');
    GError *error = NULL;
    int status = -1;

    assert_true(g_file_set_contents(world->config, text, -1, NULL));
    g_autoptr(Service) service = start(world, NULL, &status);
    assert_int_equal(service_listen(service, "policy", &error), -1);
    assert_error_code(error, INVALID);
    assert_int_equal(service_listen(service, name, &error), -1);
    assert_error_code(error, INVALID);
}

static void test_lock_is_held_until_exit(void **state)
{
    World *world = *state;
    g_autofree char *path = g_build_filename(world->dir, "lock", NULL);
    GError *error = NULL;
    int ready[2];
    char byte;

    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        if (service_lock(path, NULL) < 0 || write(ready[1], "x", 1) != 1)
            _exit(1);
        pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_true(service_lock_is_held(path, &error));
    assert_int_equal(service_lock(path, &error), -1);
    g_autofree char *pid = g_strdup_printf("%d", child);
    assert_non_null(strstr(error->message, pid));
    assert_error_code(error, CONFLICT);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_false(service_lock_is_held(path, &error));
    assert_false(service_lock_is_held("/nonexistent/lock", &error));
    assert_no_error(error);
    int fd = service_lock(path, &error);
    assert_no_error(error);
    close(fd);
    close(ready[0]);
}

static int connect_to(const char *dir, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", dir, name);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* A stranger finds the connection closed. */
static void test_accept_knows_its_users(void **state)
{
    World *world = *state;
    int status = -1;
    g_autoptr(Service) service = start(world, NULL, &status);
    GError *error = NULL;
    const char *const strangers[] = {"no-such-user", geteuid() == 0 ? "nobody" : "root", NULL};
    const char *const friends[] = {"no-such-user", g_get_user_name(), NULL};
    const char *const nobody[] = {NULL};
    int listener = service_listen(service, "queue", &error);
    uid_t uid = (uid_t)-1;
    char octet;

    assert_no_error(error);
    assert_int_equal(service_accept(listener, friends, &uid, &error), -1);
    assert_error_code(error, UNAVAILABLE);
    for (guint i = 0; i < 2; i++) {
        int stranger = connect_to(world->dir, "queue");
        assert_int_equal(service_accept(listener, i ? nobody : strangers, &uid, &error), -1);
        assert_error_code(error, REFUSED);
        assert_int_equal(recv(stranger, &octet, 1, 0), 0);
        assert_int_equal(uid, (uid_t)-1);
        close(stranger);
    }
    int known = connect_to(world->dir, "queue");
    int fd = service_accept(listener, friends, &uid, &error);
    assert_no_error(error);
    assert_int_equal(uid, geteuid());
    close(fd);
    close(known);
    close(listener);
}

/* Only a socket of the very path is taken. */
static void test_listen_takes_what_is_handed_over(void **state)
{
    World *world = *state;
    pid_t child = fork();
    int status = -1;

    if (child == 0) {
        g_autoptr(Service) service = start(world, NULL, &status);
        int listener = service_listen(service, "queue", NULL);
        g_autofree char *pid = g_strdup_printf("%d", getpid());
        dup2(listener, 3);
        g_setenv("LISTEN_PID", pid, TRUE);
        g_setenv("LISTEN_FDS", "1", TRUE);
        int again = service_listen(service, "queue", NULL);
        int other = service_listen(service, "other", NULL);
        _exit(again == 3 && other > 3 && listener > 3 ? 0 : 1);
    }
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_start_answers_options_and_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_signals_come_by_the_fd, setup, teardown),
        cmocka_unit_test_setup_teardown(test_listen_replaces_stale_and_respects_live, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_answers_never_waits_for_a_full_backlog, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_listen_refuses_long_path_and_unknown_group, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_accept_knows_its_users, setup, teardown),
        cmocka_unit_test_setup_teardown(test_listen_takes_what_is_handed_over, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lock_is_held_until_exit, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
