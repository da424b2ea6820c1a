/* SPDX-License-Identifier: MIT */
/* Whose bodies may be in memory, and for how long. */
#include <unistd.h>

#include "lib/httpd/httpd.h"
#include "tests/lib/http_client.h"
#include "tests/lib/testing.h"

#define HOST "Host: t.example\r\n"
#define ROOM 1000

typedef struct {
    HttpdOptions options;
    Proxies *proxies;
    Httpd *httpd;
    guint16 port;
} World;

static void answer(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    (void)request;
    (void)context;
    httpd_answer_text(answer, 200, "ok\n");
}

static const HttpdRoute *find_route(HttpdRequest *request, gpointer context)
{
    static const HttpdRoute all = {.body_max = ROOM, .answer = answer};

    (void)context;
    request->holder = (guint)g_ascii_strtoull(httpd_field(request, "Holder"), NULL, 10);
    return &all;
}

static int set_up(void **state)
{
    World *world = g_new0(World, 1);

    world->options = httpd_defaults;
    world->options.bodies_max = ROOM;
    world->options.proxies = world->proxies = proxies_read("", PROXIES_X_FORWARDED_FOR, NULL);
    *state = world;
    return 0;
}

static void start(World *world)
{
    static const HttpdSite site = {.route = find_route};

    world->httpd = httpd_new(&world->options, &site);
    assert_true(httpd_listen(world->httpd, http_listen(&world->port), FALSE, NULL));
}

static int tear_down(void **state)
{
    World *world = *state;

    httpd_stop(world->httpd, 5);
    proxies_free(world->proxies);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_httpd_bounds_bodies_of_a_holder),
        TEST(test_httpd_announced_bodies_take_no_room),
        TEST(test_httpd_makes_room_for_bodies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
