/* SPDX-License-Identifier: MIT */
/* Whose bodies and answers may be in memory, for how long, and who may wait. */
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/httpd/httpd.h"
#include "tests/lib/http_client.h"
#include "tests/lib/testing.h"

#define HOST  "Host: t.example\r\n"
#define ROOM  1000
#define LARGE (8 * 1024 * 1024) /* more than sockets take */

typedef struct {
    HttpdOptions options;
    Proxies *proxies;
    Httpd *httpd;
    guint16 port;
    GMutex gate; /* who waits does so for this */
    _Atomic guint waiting;
} World;

static void answer(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    (void)request;
    (void)context;
    httpd_answer_text(answer, 200, "ok\n");
}

static void answer_much(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    g_autoptr(GBytes) body = g_bytes_new_take(g_malloc0(LARGE), LARGE);

    (void)request;
    (void)context;
    httpd_answer(answer, 200, NULL, body);
}

static void answer_late(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    World *world = context;

    (void)request;
    atomic_fetch_add(&world->waiting, 1);
    g_mutex_lock(&world->gate);
    g_mutex_unlock(&world->gate);
    httpd_answer_text(answer, 200, "ok\n");
}

static const HttpdRoute *find_route(HttpdRequest *request, gpointer context)
{
    static const HttpdRoute others = {.body_max = ROOM, .answer = answer};
    static const HttpdRoute large = {.answer = answer_much};
    static const HttpdRoute late = {.blocks = TRUE, .answer = answer_late};

    (void)context;
    request->holder = (guint)g_ascii_strtoull(httpd_field(request, "Holder"), NULL, 10);
    if (g_str_equal(request->path, "/large"))
        return &large;
    return g_str_equal(request->path, "/late") ? &late : &others;
}

static int set_up(void **state)
{
    World *world = g_new0(World, 1);

    world->options = httpd_defaults;
    world->options.bodies_max = ROOM;
    world->options.proxies = world->proxies = proxies_read("", PROXIES_X_FORWARDED_FOR, NULL);
    g_mutex_init(&world->gate);
    *state = world;
    return 0;
}

static void start(World *world)
{
    const HttpdSite site = {.route = find_route, .context = world};

    world->httpd = httpd_new(&world->options, &site);
    assert_true(httpd_listen(world->httpd, http_listen(&world->port), FALSE, NULL));
}

static int tear_down(void **state)
{
    World *world = *state;

    httpd_stop(world->httpd, 5);
    proxies_free(world->proxies);
    g_mutex_clear(&world->gate);
    g_free(world);
    return 0;
}

/* A body of length octets of which the last is not sent: it stays in memory. */
static int hold_body(World *world, const char *holder, guint length)
{
    g_autofree char *head = g_strdup_printf(
        "POST / HTTP/1.1\r\n" HOST "Holder: %s\r\nContent-Length: %u\r\n\r\n", holder, length);
    g_autofree char *body = g_strnfill(length - 1, 'x');
    int fd = http_connect(world->port, "127.0.0.1");

    http_send(fd, head, -1);
    http_send(fd, body, -1);
    return fd;
}

/* What is answered to one who asks whether a body may come. */
static guint ask_room(World *world, const char *holder, guint length)
{
    g_autofree char *head =
        g_strdup_printf("POST / HTTP/1.1\r\n" HOST
                        "Holder: %s\r\nContent-Length: %u\r\nExpect: 100-continue\r\n\r\n",
                        holder, length);
    int fd = http_connect(world->port, "127.0.0.1");

    http_send(fd, head, -1);
    g_autofree char *answer = http_receive(fd, FALSE);
    close(fd);
    return http_status(answer);
}

/* Until there is no room for so much: what was sent takes a moment to come. */
static void wait_for_no_room(World *world, const char *holder, guint length)
{
    guint status = 0;

    for (guint i = 0; status != 503 && i < 300; i++) {
        status = ask_room(world, holder, length);
        g_usleep(10000);
    }
    assert_int_equal(status, 503);
}

/* One has half of the memory, and what is over is free again. */
static void test_httpd_bounds_bodies_of_a_holder(void **state)
{
    World *world = *state;
    int held[3];
    guint status = 0;

    start(world);
    held[0] = hold_body(world, "1", 401);
    wait_for_no_room(world, "1", 101);
    assert_int_equal(ask_room(world, "1", 100), 100);
    assert_int_equal(ask_room(world, "2", 501), 503);
    held[1] = hold_body(world, "2", 500);
    wait_for_no_room(world, "2", 2);
    assert_int_equal(ask_room(world, "3", 102), 503);
    assert_int_equal(ask_room(world, "3", 101), 100);
    held[2] = hold_body(world, "0", 101);
    wait_for_no_room(world, "0", 2);
    for (guint i = 0; i < G_N_ELEMENTS(held); i++)
        close(held[i]);
    for (guint i = 0; status != 100 && i < 300; i++) {
        status = ask_room(world, "0", 1000);
        g_usleep(10000);
    }
    assert_int_equal(status, 100);
}

/* What somebody says will come, and does not, keeps nobody out. */
static void test_httpd_announced_bodies_take_no_room(void **state)
{
    World *world = *state;
    int held[20];

    start(world);
    for (guint i = 0; i < G_N_ELEMENTS(held); i++) {
        g_autofree char *head =
            g_strdup_printf("POST / HTTP/1.1\r\n" HOST
                            "Holder: %u\r\nContent-Length: 500\r\nExpect: 100-continue\r\n\r\n",
                            i % 4 + 1);
        held[i] = http_connect(world->port, "127.0.0.1");
        http_send(held[i], head, -1);
        g_autofree char *answer = http_receive(held[i], FALSE);
        assert_int_equal(http_status(answer), 100);
    }
    assert_int_equal(ask_room(world, "9", 400), 100);
    for (guint i = 0; i < G_N_ELEMENTS(held); i++)
        close(held[i]);
}

/* Who holds the room and sends no more makes place for who would; long before a body's time is over. */
static void test_httpd_makes_room_for_bodies(void **state)
{
    World *world = *state;
    int held[2];
    guint status = 503;

    world->options.limits.body_seconds = 3600;
    start(world);
    held[0] = hold_body(world, "1", 491);
    held[1] = hold_body(world, "2", 491);
    wait_for_no_room(world, "9", 400);
    for (guint i = 0; status == 503 && i < 40 * CONNECTION_PRESSED_BODY_SECONDS; i++) {
        status = ask_room(world, "9", 400);
        g_usleep(50000);
    }
    assert_int_equal(status, 100);
    for (guint i = 0; i < G_N_ELEMENTS(held); i++)
        close(held[i]);
}

static int ask(const World *world, const char *path, guint holder)
{
    g_autofree char *head =
        g_strdup_printf("GET %s HTTP/1.1\r\n" HOST "Holder: %u\r\n\r\n", path, holder);
    int fd = http_connect(world->port, "127.0.0.1");

    http_send(fd, head, -1);
    return fd;
}

/* Asks for what is large and reads no more than its status. */
static guint ask_large(const World *world, guint holder, int *fd)
{
    char head[16] = "";

    *fd = ask(world, "/large", holder);
    assert_int_equal(recv(*fd, head, sizeof head - 1, MSG_WAITALL), sizeof head - 1);
    return http_status(head);
}

static void test_httpd_bounds_answers_of_a_holder(void **state)
{
    World *world = *state;
    static const struct {
        guint holder, status;
    } asked[] = {{1, 200}, {1, 200}, {1, 503}, {2, 200}, {0, 200}, {2, 503}, {3, 503}, {0, 503}};
    int fds[G_N_ELEMENTS(asked)], again;

    world->options.answers_max = 4 * LARGE;
    start(world);
    for (guint i = 0; i < G_N_ELEMENTS(asked); i++)
        assert_int_equal(ask_large(world, asked[i].holder, &fds[i]), asked[i].status);
    close(fds[0]);
    while (ask_large(world, 1, &again) != 200)
        close(again);
    close(again);
    for (guint i = 1; i < G_N_ELEMENTS(asked); i++)
        close(fds[i]);
}

static void wait_for_answers(const int *fds, guint count, guint wanted)
{
    guint answered = 0;

    for (guint i = 0; answered < wanted && i < 3000; i++) {
        g_usleep(10000);
        answered = 0;
        for (guint j = 0; j < count; j++) {
            GPollFD one = {.fd = fds[j], .events = G_IO_IN};
            answered += g_poll(&one, 1, 0) == 1;
        }
    }
    assert_int_equal(answered, wanted);
}

/* However much one asks, another finds a place to wait. */
static void test_httpd_bounds_waiting_of_a_holder(void **state)
{
    World *world = *state;
    int fds[2][6], busy;

    world->options.workers = 1;
    world->options.workers_backlog = 8;
    start(world);
    g_mutex_lock(&world->gate);
    busy = ask(world, "/late", 1);
    while (atomic_load(&world->waiting) == 0)
        g_usleep(1000);
    for (guint holder = 0; holder < 2; holder++) {
        for (guint i = 0; i < 6; i++)
            fds[holder][i] = ask(world, "/late", holder + 1);
        wait_for_answers(fds[holder], 6, 2);
    }
    g_mutex_unlock(&world->gate);
    for (guint holder = 0; holder < 2; holder++) {
        guint good = 0;
        for (guint i = 0; i < 6; i++) {
            g_autofree char *answer = http_receive(fds[holder][i], FALSE);
            good += http_status(answer) == 200;
            assert_true(http_status(answer) == 200 || http_status(answer) == 503);
            close(fds[holder][i]);
        }
        assert_int_equal(good, 4);
    }
    close(busy);
}

static gpointer open_gate(gpointer data)
{
    World *world = data;

    g_usleep(300000);
    g_mutex_unlock(&world->gate);
    return NULL;
}

/* What a worker has begun gets its answer, and what only waits for one is not begun. */
static void test_httpd_stop_begins_nothing_more(void **state)
{
    World *world = *state;
    int fds[5];
    guint good = 0, refused = 0;

    world->options.workers = 1;
    start(world);
    g_mutex_lock(&world->gate);
    for (guint i = 0; i < G_N_ELEMENTS(fds); i++)
        fds[i] = ask(world, "/late", i);
    while (atomic_load(&world->waiting) == 0)
        g_usleep(1000);
    g_usleep(100000); /* for the others to come */
    GThread *opener = g_thread_new("opener", open_gate, world);
    httpd_stop(g_steal_pointer(&world->httpd), 0);
    g_thread_join(opener);
    for (guint i = 0; i < G_N_ELEMENTS(fds); i++) {
        g_autofree char *answer = http_receive(fds[i], FALSE);
        good += http_status(answer) == 200;
        refused += http_status(answer) == 503;
        close(fds[i]);
    }
    assert_int_equal(good, 1);
    assert_int_equal(refused, G_N_ELEMENTS(fds) - 1);
    assert_int_equal(world->waiting, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_httpd_bounds_bodies_of_a_holder),  TEST(test_httpd_bounds_answers_of_a_holder),
        TEST(test_httpd_bounds_waiting_of_a_holder), TEST(test_httpd_announced_bodies_take_no_room),
        TEST(test_httpd_makes_room_for_bodies),      TEST(test_httpd_stop_begins_nothing_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
