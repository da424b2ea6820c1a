/* SPDX-License-Identifier: MIT */
#include "lib/httpd/httpd.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "tests/lib/http_client.h"
#include "tests/lib/testing.h"

#define BODY_MAX 100000
#define HOST     "Host: t.example\r\n"
#define LARGE    (32 * 1024 * 1024) /* more than sockets hold */

/* A server of which each test may change the options before it is started. */
typedef struct {
    HttpdOptions options;
    Proxies *proxies;
    Httpd *httpd;
    guint16 port;
    GMutex gate; /* whoever asks for /wait waits for it */
    _Atomic guint released, waiting, logged;
} World;

/* What came, so that a test sees all of it. */
static void echo(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    const char *field = httpd_field(request, "x-test");
    g_autofree char *text =
        g_strdup_printf("%s|%s|%s|%s|%s|%s|%u", request->method, request->path,
                        request->query ? request->query : "-", request->host, request->client,
                        field ? field : "-", request->body ? request->body->len : 0);
    g_autoptr(GBytes) body = g_bytes_new(text, strlen(text));

    (void)context;
    httpd_answer(answer, 200, "text/plain", body);
    assert_true(httpd_answer_field(answer, "X-Good", "a b\tc"));
    assert_false(httpd_answer_field(answer, "X-Bad", "a\r\nX-Split: yes"));
    assert_false(httpd_answer_field(answer, "X-Bad", "a\x7f"));
    assert_false(httpd_answer_field(answer, "X Bad", "a"));
    assert_false(httpd_answer_field(answer, "", "a"));
}

static void answer_nothing(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    (void)request;
    (void)answer;
    (void)context;
}

static void wait_at_gate(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    World *world = context;

    (void)request;
    atomic_fetch_add(&world->waiting, 1);
    g_mutex_lock(&world->gate);
    g_mutex_unlock(&world->gate);
    httpd_answer_text(answer, 200, "went through\n");
}

static void answer_large(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    g_autofree char *text = g_strnfill(LARGE, 'x');
    g_autoptr(GBytes) body = g_bytes_new_take(g_steal_pointer(&text), LARGE);

    (void)request;
    (void)context;
    httpd_answer(answer, 200, "text/plain", body);
}

static gboolean take_piece(HttpdRequest *request, const char *octets, gsize length,
                           gpointer context)
{
    GString *sum = request->state;

    (void)context;
    if (!sum)
        request->state = sum = g_string_new(NULL);
    g_string_append_len(sum, octets, (gssize)length);
    return sum->len < 10 || memcmp(sum->str, "stop", 4) != 0;
}

static void answer_taken(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    GString *sum = request->state;
    g_autofree char *text = g_strdup_printf("took %zu", sum ? sum->len : 0);
    g_autoptr(GBytes) body = g_bytes_new(text, strlen(text));

    (void)context;
    httpd_answer(answer, 200, "text/plain", body);
}

static void release(HttpdRequest *request, gpointer context)
{
    World *world = context;

    if (request->state)
        g_string_free(request->state, TRUE);
    atomic_fetch_add(&world->released, 1);
}

static void word(guint status, HttpdAnswer *answer)
{
    httpd_answer_text(answer, status, status == 413 ? "too much, alas\n" : "alas\n");
}

static const HttpdRoute *find_route(HttpdRequest *request, gpointer context)
{
    static const HttpdRoute plain = {.answer = echo};
    static const HttpdRoute post = {.body_max = BODY_MAX, .answer = echo};
    static const HttpdRoute stream = {
        .body_max = BODY_MAX, .take = take_piece, .answer = answer_taken, .release = release};
    static const HttpdRoute over = {
        .body_max = LARGE, .take = take_piece, .answer = answer_taken, .release = release};
    static const HttpdRoute gate = {.blocks = TRUE, .answer = wait_at_gate};
    static const HttpdRoute aside = {.aside = 1, .answer = wait_at_gate};
    static const HttpdRoute beyond = {.aside = 2, .answer = echo};
    static const HttpdRoute busy = {.blocks = TRUE, .answer = echo};
    static const HttpdRoute large = {.answer = answer_large};
    static const HttpdRoute nothing = {.answer = answer_nothing};
    static const HttpdRoute worded = {.body_max = 5, .answer = answer_nothing, .refused = word};

    (void)context;
    return g_str_equal(request->path, "/post")      ? &post
           : g_str_equal(request->path, "/stream")  ? &stream
           : g_str_equal(request->path, "/over")    ? &over
           : g_str_equal(request->path, "/wait")    ? &gate
           : g_str_equal(request->path, "/aside")   ? &aside
           : g_str_equal(request->path, "/beyond")  ? &beyond
           : g_str_equal(request->path, "/busy")    ? &busy
           : g_str_equal(request->path, "/large")   ? &large
           : g_str_equal(request->path, "/nothing") ? &nothing
           : g_str_equal(request->path, "/worded")  ? &worded
                                                    : &plain;
}

static void count_log(const HttpdRequest *request, guint status, guint64 octets, gint64 us,
                      gpointer context)
{
    World *world = context;

    assert_non_null(request->path);
    assert_true((status == 0 || status >= 200) && octets <= LARGE && us >= 0);
    if (status > 0)
        atomic_fetch_add(&world->logged, 1);
}

static void start(World *world)
{
    static const char *const single[] = {"X-Key", "X-Other", NULL};
    const HttpdSite site = {
        .route = find_route, .log = count_log, .single = single, .context = world};
    g_autoptr(GError) error = NULL;

    world->options.proxies = world->proxies;
    world->httpd = httpd_new(&world->options, &site);
    gboolean listening = httpd_listen(world->httpd, http_listen(&world->port), FALSE, &error);
    assert_no_error(error);
    assert_true(listening);
}

static int set_up(void **state)
{
    World *world = g_new0(World, 1);

    world->options = httpd_defaults;
    world->options.threads = 2;
    world->options.workers = 2;
    world->proxies = proxies_read("127.9.9.0/24", PROXIES_X_FORWARDED_FOR, NULL);
    g_mutex_init(&world->gate);
    *state = world;
    return 0;
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

static char *filled(const char *head, gsize length)
{
    g_autofree char *body = g_strnfill(length, 'x');

    return g_strconcat(head, body, NULL);
}

static void test_httpd_answers(void **state)
{
    World *world = *state;
    static const struct {
        const char *request, *wanted;
    } cases[] = {
        {"GET /a?b=c HTTP/1.1\r\n" HOST "\r\n", "GET|/a|b=c|t.example|127.0.0.1|-|0"},
        {"GET /%2e%00 HTTP/1.1\r\n" HOST "X-Test: 1\r\nx-test: 2\r\n\r\n",
         "GET|/%2e%00|-|t.example|127.0.0.1|1|0"},
        {"GET / HTTP/1.1\r\n" HOST "X-Other: a\r\nX-Key: a\r\nX: c\r\nX: d\r\n\r\n",
         "GET|/|-|t.example|127.0.0.1|-|0"},
        {"GET http://Other.Example:80/a HTTP/1.1\r\n" HOST "\r\n",
         "GET|/a|-|other.example|127.0.0.1|-|0"},
        {"GET / HTTP/1.0\r\n\r\n", "GET|/|-||127.0.0.1|-|0"},
        {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS|*|-|t.example|127.0.0.1|-|0"},
        {"BREW / HTTP/1.1\r\n" HOST "\r\n", "BREW|/|-|t.example|127.0.0.1|-|0"},
        /* Not from a listed proxy. */
        {"GET / HTTP/1.1\r\n" HOST "X-Forwarded-For: 203.0.113.9\r\n\r\n",
         "GET|/|-|t.example|127.0.0.1|-|0"},
        {"POST /post HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello",
         "POST|/post|-|t.example|127.0.0.1|-|5"},
        {"GET /a HTTP/1.1\r\n" HOST "Empty:\r\nX-Test: \t 1\r\nTight:1\r\n\r\n",
         "GET|/a|-|t.example|127.0.0.1|1|0"},
        {"PUT /post HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
         "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n",
         "PUT|/post|-|t.example|127.0.0.1|-|7"},
        {"POST /post HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n",
         "POST|/post|-|t.example|127.0.0.1|-|0"},
        /* A body that nobody wants, and is small. */
        {"POST /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello",
         "POST|/a|-|t.example|127.0.0.1|-|0"},
        {"POST /stream HTTP/1.1\r\n" HOST "Content-Length: 12\r\n\r\nhello, world", "took 12"},
        {"POST /stream HTTP/1.1\r\n" HOST "Content-Length: 12\r\n\r\nstop, please", "took 12"},
        {"GET /wait HTTP/1.1\r\n" HOST "\r\n", "went through\n"},
    };

    start(world);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *answer = http_ask(world->port, cases[i].request);
        assert_int_equal(http_status(answer), 200);
        assert_string_equal(strstr(answer, "\r\n\r\n") + 4, cases[i].wanted);
        assert_null(strstr(answer, "Server:"));
        assert_null(strstr(answer, "Split"));
    }
    httpd_stop(g_steal_pointer(&world->httpd), 5);
    assert_int_equal(world->released, 2);
    assert_int_equal(world->logged, G_N_ELEMENTS(cases));
}

static void test_httpd_refuses(void **state)
{
    World *world = *state;
    g_autofree char *long_field =
        g_strdup_printf("GET / HTTP/1.1\r\n" HOST "X: %0*d\r\n\r\n", 17000, 1);
    g_autofree char *huge_field =
        g_strdup_printf("GET / HTTP/1.1\r\n" HOST "X: %0*d\r\n\r\n", 60000, 1);
    g_autofree char *long_line = g_strdup_printf("GET /%0*d HTTP/1.1\r\n" HOST "\r\n", 17000, 1);
    g_autofree char *body = filled(
        "POST /post HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n186a1\r\n", BODY_MAX + 1);
    g_autofree char *too_large = g_strconcat(body, "\r\n0\r\n\r\n", NULL);
    g_autofree char *endless =
        filled("POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nfffff\r\n", 0xfffff);
    const struct {
        const char *request;
        guint wanted;
    } cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "X-Key: a\r\nX-Key: a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "X-Other: a\r\nX-Key: a\r\nx-other: b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        {"GET a HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET /a b HTTP/1.1\r\n" HOST "\r\n", 0},
        {"GET ftp://t.example/ HTTP/1.1\r\n" HOST "\r\n", 400},
        {"CONNECT t.example:443 HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET http://a@b/ HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET /#x HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET / HTTP/2.0\r\n" HOST "\r\n", 505},
        {"nonsense\r\n\r\n", 0},
        {"POST /post HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400},
        {"POST /post HTTP/1.1\r\n" HOST "Content-Length: 1 1\r\n\r\n", 400},
        {"POST /post HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
        {"POST /post HTTP/1.1\r\n" HOST
         "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400},
        {"POST /post HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
        {"POST /post HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n", 501},
        {"POST /post HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
        {"POST /post HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        /* What two programs could read in two ways. */
        {"POST /post HTTP/1.1\r\n" HOST "Content-Length : 2\r\n\r\nab", 400},
        {"POST /post HTTP/1.1\r\n" HOST "Content-Length\t: 2\r\n\r\nab", 400},
        {"POST /post HTTP/1.1\r\n" HOST
         "Content-Length: 2\r\nTransfer-Encoding : chunked\r\n\r\nab",
         400},
        {"POST /post HTTP/1.1\r\n" HOST "Content-Length:\r\n 2\r\n\r\nab", 400},
        {"POST /post HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400},
        {"POST /post HTTP/1.1\r\n" HOST "X: y\r\n Transfer-Encoding: chunked\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "X-Te:\r\n\tst\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "X-Test: a\r\n b\r\n c\r\nY: z\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST ": x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST ":\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n: x\r\n" HOST "\r\n", 400},
        {"GET / HTTP/1.1\r\n X: y\r\n" HOST "\r\n", 400},
        {"GET / HTTP/1.1\n" HOST "\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: t.example\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "X: y\nZ: y\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "X(Y): x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "X: a\rContent-Length: 5\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "X: a\x01\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "X: a\x7f\r\n\r\n", 400},
        {"POST /post HTTP/1.1\r\n" HOST "Content-Length: 100001\r\nExpect: 100-continue\r\n\r\n",
         413},
        {"POST /post HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n", 413},
        {"POST /a HTTP/1.1\r\n" HOST "Content-Length: 10000000\r\n\r\n", 413},
        {too_large, 413},
        {endless, 0},
        {long_field, 431},
        {huge_field, 431},
        {long_line, 431},
        {"GET /nothing HTTP/1.1\r\n" HOST "\r\n", 500},
    };

    start(world);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *answer = http_ask(world->port, cases[i].request);
        if (http_status(answer) != cases[i].wanted)
            fail_msg("case %u (%.40s): %s", i, cases[i].request, answer);
    }
}

static void test_httpd_refused_in_words_of_the_route(void **state)
{
    static const struct {
        const char *request, *wanted;
        guint status;
    } cases[] = {
        {"POST /worded HTTP/1.1\r\n" HOST "Content-Length: 6\r\n\r\nhello!",
         "\r\n\r\ntoo much, alas\n", 413},
        {"POST /worded HTTP/1.1\r\n" HOST
         "Transfer-Encoding: chunked\r\n\r\n6\r\nhello!\r\n0\r\n\r\n",
         "\r\n\r\ntoo much, alas\n", 413},
        {"POST /worded HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", "\r\n\r\nalas\n", 500},
        {"POST /worded HTTP/1.1\r\n" HOST "Bad Field: x\r\nContent-Length: 0\r\n\r\n",
         "\r\n\r\nBad Request\n", 400},
    };
    World *world = *state;

    start(world);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *answer = http_ask(world->port, cases[i].request);
        if (http_status(answer) != cases[i].status || !strstr(answer, cases[i].wanted))
            fail_msg("case %u: %s", i, answer);
    }
}

static void test_httpd_keeps_connections(void **state)
{
    World *world = *state;
    static const char request[] = "HEAD /a HTTP/1.1\r\n" HOST "\r\n";

    start(world);
    int fd = http_connect(world->port, "127.0.0.1");
    for (guint i = 0; i < 3; i++) {
        http_send(fd, request, -1);
        g_autofree char *answer = http_receive(fd, TRUE);
        assert_int_equal(http_status(answer), 200);
        assert_non_null(strstr(answer, "Content-Length: 33\r\n"));
    }
    /* Two at once, and one octet by octet. */
    http_send(fd, "GET /a HTTP/1.1\r\n" HOST "\r\nGET /b HTTP/1.1\r\n" HOST "\r\n", -1);
    for (guint i = 0; i < 2; i++) {
        g_autofree char *answer = http_receive(fd, FALSE);
        assert_non_null(strstr(answer, i == 0 ? "|/a|" : "|/b|"));
    }
    /* A body that is refused is no request. */
    g_autofree char *refused =
        filled("POST /post HTTP/1.1\r\n" HOST "Content-Length: 100001\r\n\r\n", BODY_MAX + 1);
    http_send(fd, refused, -1);
    g_autofree char *refusal = http_receive(fd, FALSE);
    assert_int_equal(http_status(refusal), 413);
    for (const char *octet = request; *octet; octet++)
        http_send(fd, octet, 1);
    g_autofree char *answer = http_receive(fd, TRUE);
    assert_int_equal(http_status(answer), 200);
    close(fd);
}

static void test_httpd_client_is_what_a_proxy_says(void **state)
{
    World *world = *state;

    start(world);
    int fd = http_connect(world->port, "127.9.9.9");
    http_send(fd,
              "GET / HTTP/1.1\r\n" HOST
              "X-Forwarded-For: 127.9.9.1\r\nForwarded: for=192.0.2.66\r\n"
              "X-Forwarded-For: 203.0.113.9, 127.9.9.8\r\n\r\n",
              -1);
    g_autofree char *answer = http_receive(fd, FALSE);
    assert_non_null(strstr(answer, "|203.0.113.9|"));
    close(fd);
}

static void test_httpd_serves_a_unix_socket(void **state)
{
    World *world = *state;
    g_autofree char *dir = g_dir_make_tmp("outrider-httpd-XXXXXX", NULL);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    proxies_free(world->proxies);
    world->proxies = proxies_read("unix", PROXIES_X_FORWARDED_FOR, NULL);
    start(world);
    g_snprintf(address.sun_path, sizeof address.sun_path, "%s/http", dir);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_true(httpd_listen(world->httpd, listener, FALSE, NULL));
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    http_send(fd, "GET / HTTP/1.1\r\n" HOST "X-Forwarded-For: 203.0.113.9\r\n\r\n", -1);
    g_autofree char *answer = http_receive(fd, FALSE);
    assert_non_null(strstr(answer, "|203.0.113.9|"));
    close(fd);
    unlink(address.sun_path);
    rmdir(dir);
}

static void test_httpd_cuts_the_slow(void **state)
{
    World *world = *state;
    int slow[50], late = 0;
    ConnectionCounts counts;

    world->options.limits.head_seconds = 1;
    world->options.limits.idle_seconds = 1;
    start(world);
    for (guint i = 0; i < G_N_ELEMENTS(slow); i++) {
        slow[i] = http_connect(world->port, "127.0.0.1");
        http_send(slow[i], "GET / HTTP/1.1\r\nX: ", i % 2 ? 17 : 0);
    }
    /* An octet now and then does not help. */
    for (guint i = 0; late < (int)G_N_ELEMENTS(slow) && i < 300; i++) {
        for (guint j = 0; j < G_N_ELEMENTS(slow); j++)
            late += slow[j] >= 0 && j % 2 && !http_send(slow[j], "X", 1);
        g_autofree char *answer = http_ask(world->port, "GET / HTTP/1.1\r\n" HOST "\r\n");
        assert_int_equal(http_status(answer), 200);
        httpd_count(world->httpd, &counts);
        if (counts.cut >= G_N_ELEMENTS(slow))
            break;
        g_usleep(100000);
    }
    for (guint i = 0; i < G_N_ELEMENTS(slow); i++) {
        assert_true(http_is_closed(slow[i]));
        close(slow[i]);
    }
    httpd_count(world->httpd, &counts);
    assert_true(counts.cut >= G_N_ELEMENTS(slow));
}

static void test_httpd_cuts_slow_bodies_and_idlers(void **state)
{
    World *world = *state;

    world->options.limits.body_seconds = 1;
    world->options.limits.idle_seconds = 1;
    start(world);
    int body = http_connect(world->port, "127.0.0.1"),
        idle = http_connect(world->port, "127.0.0.1");
    /* What is announced buys no time. */
    http_send(body, "POST /post HTTP/1.1\r\n" HOST "Content-Length: 100000\r\n\r\nhell", -1);
    http_send(idle, "GET / HTTP/1.1\r\n" HOST "\r\n", -1);
    g_autofree char *answer = http_receive(idle, FALSE);
    assert_int_equal(http_status(answer), 200);
    assert_true(http_is_closed(idle));
    assert_true(http_is_closed(body));
    close(idle);
    close(body);
}

/* Neither what came of a body, nor what is to go of an answer. */
static void test_httpd_octets_buy_no_silence(void **state)
{
    World *world = *state;
    ConnectionCounts counts = {0};
    g_autofree char *head =
        g_strdup_printf("POST /over HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n", LARGE);
    g_autofree char *request = filled(head, LARGE - 1);

    world->options.limits.body_seconds = world->options.limits.answer_seconds = 1;
    start(world);
    const int writer = http_connect(world->port, "127.0.0.1"),
              reader = http_connect(world->port, "127.0.0.1");
    assert_true(http_send(writer, request, -1));
    http_send(reader, "GET /large HTTP/1.1\r\n" HOST "\r\n", -1);
    for (guint i = 0; counts.cut < 2 && i < 600; i++, g_usleep(100000))
        httpd_count(world->httpd, &counts);
    close(writer);
    close(reader);
    assert_int_equal(counts.cut, 2);
}

/* The end of a connection may come together with its last octets. */
static void test_httpd_sees_who_leaves_amid_a_request(void **state)
{
    static const char *const parts[] = {
        "GET / HT", "GET / HTTP/1.1\r\nHos",
        "POST /post HTTP/1.1\r\n" HOST "Content-Length: 100000\r\n\r\n",
        "POST /post HTTP/1.1\r\n" HOST "Content-Length: 100000\r\n\r\nhell",
        "POST /post HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n4\r\nhell\r\n"};
    World *world = *state;
    ConnectionCounts counts = {0};

    world->options.limits.head_seconds = world->options.limits.body_seconds = 3600;
    start(world);
    for (guint i = 0; i < 250; i++) {
        int fd = http_connect(world->port, "127.0.0.1");
        http_send(fd, parts[i % G_N_ELEMENTS(parts)], -1);
        close(fd);
    }
    for (guint i = 0; (counts.accepted < 250 || counts.open > 0) && i < 600; i++, g_usleep(100000))
        httpd_count(world->httpd, &counts);
    assert_int_equal(counts.open, 0);
    assert_int_equal(counts.cut, 0);
}

static void test_httpd_bounds_connections_of_an_address(void **state)
{
    World *world = *state;
    int held[3], other, proxied[4];
    ConnectionCounts counts = {0};

    world->options.limits.per_address = G_N_ELEMENTS(held);
    start(world);
    for (guint i = 0; i < G_N_ELEMENTS(held); i++)
        held[i] = http_connect(world->port, "127.0.0.1");
    for (guint i = 0; counts.open < G_N_ELEMENTS(held) && i < 300; i++) {
        httpd_count(world->httpd, &counts);
        g_usleep(10000);
    }
    int extra = http_connect(world->port, "127.0.0.1");
    assert_true(http_is_closed(extra));
    other = http_connect(world->port, "127.0.0.2");
    http_send(other, "GET / HTTP/1.1\r\n" HOST "\r\n", -1);
    g_autofree char *answer = http_receive(other, FALSE);
    assert_int_equal(http_status(answer), 200);
    for (guint i = 0; i < G_N_ELEMENTS(proxied); i++) {
        proxied[i] = http_connect(world->port, "127.9.9.9");
        http_send(proxied[i], "GET / HTTP/1.1\r\n" HOST "\r\n", -1);
        g_autofree char *through = http_receive(proxied[i], FALSE);
        assert_int_equal(http_status(through), 200);
    }
    httpd_count(world->httpd, &counts);
    assert_int_equal(counts.turned_away, 1);
    for (guint i = 0; i < G_N_ELEMENTS(held); i++)
        close(held[i]);
    for (guint i = 0; i < G_N_ELEMENTS(proxied); i++)
        close(proxied[i]);
    close(extra);
    close(other);
}

/* Those that say nothing make room. */
static void test_httpd_makes_room_when_pressed(void **state)
{
    World *world = *state;
    int held[8];
    guint status = 0;

    world->options.limits.connections = G_N_ELEMENTS(held);
    start(world);
    for (guint i = 0; i < G_N_ELEMENTS(held); i++)
        held[i] = http_connect(world->port, "127.0.0.1");
    for (guint i = 0; status != 200 && i < 300; i++) {
        g_autofree char *answer = http_ask(world->port, "GET / HTTP/1.1\r\n" HOST "\r\n");
        status = http_status(answer);
        g_usleep(50000);
    }
    assert_int_equal(status, 200);
    for (guint i = 0; i < G_N_ELEMENTS(held); i++)
        close(held[i]);
}

static void test_httpd_bounds_bodies_in_memory(void **state)
{
    World *world = *state;
    g_autofree char *small =
        filled("POST /post HTTP/1.1\r\n" HOST "Content-Length: 900\r\n\r\n", 900);
    g_autofree char *chunked =
        filled("POST /post HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3e9\r\n", 1001);

    world->options.bodies_max = 1000;
    start(world);
    for (guint i = 0; i < 5; i++) {
        g_autofree char *answer = http_ask(world->port, small);
        assert_int_equal(http_status(answer), 200);
    }
    g_autofree char *large =
        http_ask(world->port, "POST /post HTTP/1.1\r\n" HOST
                              "Content-Length: 1001\r\nExpect: 100-continue\r\n\r\n");
    assert_true(http_status(large) == 503 || http_status(large) == 100);
    int fd = http_connect(world->port, "127.0.0.1");
    http_send(fd, chunked, -1);
    http_send(fd, "\r\n0\r\n\r\n", -1);
    g_autofree char *answer = http_receive(fd, FALSE);
    assert_int_equal(http_status(answer), 503);
    assert_non_null(strstr(answer, "Retry-After: 5\r\n"));
    close(fd);
}

static void test_httpd_blocking_routes_hold_up_nobody(void **state)
{
    World *world = *state;
    int waiting[6];
    guint served = 0, refused = 0;

    world->options.workers = 2;
    world->options.workers_backlog = 2;
    start(world);
    g_mutex_lock(&world->gate);
    for (guint i = 0; i < G_N_ELEMENTS(waiting); i++) {
        waiting[i] = http_connect(world->port, "127.0.0.1");
        http_send(waiting[i], "GET /wait HTTP/1.1\r\n" HOST "\r\n", -1);
    }
    for (guint i = 0; i < 20; i++) {
        g_autofree char *answer = http_ask(world->port, "GET / HTTP/1.1\r\n" HOST "\r\n");
        assert_int_equal(http_status(answer), 200);
    }
    g_mutex_unlock(&world->gate);
    for (guint i = 0; i < G_N_ELEMENTS(waiting); i++) {
        g_autofree char *answer = http_receive(waiting[i], FALSE);
        served += http_status(answer) == 200;
        refused += http_status(answer) == 503;
        close(waiting[i]);
    }
    assert_int_equal(served + refused, G_N_ELEMENTS(waiting));
    assert_true(served >= 2 && refused >= 1);
}

/* However many wait for what is away, who needs it not is answered. */
static void test_httpd_routes_aside_do_not_stop_others(void **state)
{
    World *world = *state;
    static const char *const others[] = {"GET /busy HTTP/1.1\r\n" HOST "\r\n",
                                         "GET /beyond HTTP/1.1\r\n" HOST "\r\n"};
    int waiting[6];
    guint served = 0, refused = 0;

    world->options.aside_workers[0] = world->options.aside_workers[1] = 2;
    world->options.aside_backlog = 2;
    start(world);
    g_mutex_lock(&world->gate);
    for (guint i = 0; i < G_N_ELEMENTS(waiting); i++) {
        waiting[i] = http_connect(world->port, "127.0.0.1");
        http_send(waiting[i], "GET /aside HTTP/1.1\r\n" HOST "\r\n", -1);
    }
    while (atomic_load(&world->waiting) < 2)
        g_usleep(1000);
    for (guint i = 0; i < 20; i++) {
        g_autofree char *answer = http_ask(world->port, others[i % G_N_ELEMENTS(others)]);
        assert_int_equal(http_status(answer), 200);
    }
    g_mutex_unlock(&world->gate);
    for (guint i = 0; i < G_N_ELEMENTS(waiting); i++) {
        g_autofree char *answer = http_receive(waiting[i], FALSE);
        served += http_status(answer) == 200;
        refused += http_status(answer) == 503;
        close(waiting[i]);
    }
    assert_int_equal(served + refused, G_N_ELEMENTS(waiting));
    assert_true(served >= 2 && refused >= 1);
}

static guint ask_large(const World *world, int *fd)
{
    char head[16] = "";

    *fd = http_connect(world->port, "127.0.0.1");
    http_send(*fd, "GET /large HTTP/1.1\r\n" HOST "\r\n", -1);
    assert_int_equal(recv(*fd, head, sizeof head - 1, MSG_WAITALL), sizeof head - 1);
    return http_status(head);
}

static void test_httpd_bounds_large_answers_in_memory(void **state)
{
    World *world = *state;
    int first, second, third;

    world->options.answers_max = LARGE + LARGE / 2;
    start(world);
    assert_int_equal(ask_large(world, &first), 200); /* and does not read it */
    assert_int_equal(ask_large(world, &second), 503);
    g_autofree char *small = http_ask(world->port, "GET / HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(http_status(small), 200);
    close(first);
    while (ask_large(world, &third) != 200)
        close(third);
    close(second);
    close(third);
}

static gpointer open_gate(gpointer data)
{
    World *world = data;

    g_usleep(200000);
    g_mutex_unlock(&world->gate);
    return NULL;
}

/* What is under way gets its answer; who only waits is cut. */
static void test_httpd_stop_ends_in_order(void **state)
{
    World *world = *state;

    start(world);
    g_mutex_lock(&world->gate);
    int busy = http_connect(world->port, "127.0.0.1"),
        idle = http_connect(world->port, "127.0.0.1");
    http_send(busy, "GET /wait HTTP/1.1\r\n" HOST "\r\n", -1);
    while (atomic_load(&world->waiting) == 0)
        g_usleep(1000);
    GThread *opener = g_thread_new("opener", open_gate, world);
    httpd_stop(g_steal_pointer(&world->httpd), 10);
    g_thread_join(opener);
    g_autofree char *answer = http_receive(busy, FALSE);
    assert_int_equal(http_status(answer), 200);
    assert_non_null(strstr(answer, "Connection: close\r\n"));
    assert_true(http_is_closed(busy));
    assert_true(http_is_closed(idle));
    close(busy);
    close(idle);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_httpd_answers),
        TEST(test_httpd_refuses),
        TEST(test_httpd_refused_in_words_of_the_route),
        TEST(test_httpd_keeps_connections),
        TEST(test_httpd_client_is_what_a_proxy_says),
        TEST(test_httpd_serves_a_unix_socket),
        TEST(test_httpd_cuts_the_slow),
        TEST(test_httpd_cuts_slow_bodies_and_idlers),
        TEST(test_httpd_octets_buy_no_silence),
        TEST(test_httpd_sees_who_leaves_amid_a_request),
        TEST(test_httpd_bounds_connections_of_an_address),
        TEST(test_httpd_makes_room_when_pressed),
        TEST(test_httpd_bounds_bodies_in_memory),
        TEST(test_httpd_blocking_routes_hold_up_nobody),
        TEST(test_httpd_routes_aside_do_not_stop_others),
        TEST(test_httpd_bounds_large_answers_in_memory),
        TEST(test_httpd_stop_ends_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
