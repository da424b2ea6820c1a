/* SPDX-License-Identifier: MIT */
/* Against a host of sockets in this process; tests/transport/test_pipe_http has hosts of every kind, TLS among them. */
#include "lib/http/http.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/network_list.h"
#include "tests/lib/testing.h"

#define REQUEST_ROOM 200000
#define BODY         "{\"a\":1}"

/* Answers each connection's requests with one text, or hangs up. */
typedef struct {
    int listener;
    guint16 port;
    const char *answer; /* NULL: none */
    guint requests;     /* that are answered per connection */
    GThread *thread;
    GMutex lock;
    GString *seen; /* of all requests */
    guint connections;
} Host;

static gsize wanted_length(const char *request)
{
    const char *end = strstr(request, "\r\n\r\n");
    const char *field = strstr(request, "Content-Length: ");

    if (!end)
        return G_MAXSIZE;
    return (gsize)(end + 4 - request) + (field ? (gsize)g_ascii_strtoull(field + 16, NULL, 10) : 0);
}

static gboolean read_request(Host *host, int fd)
{
    g_autofree char *text = g_malloc0(REQUEST_ROOM + 1);
    gsize have = 0;
    gssize n = 1;

    while (have < wanted_length(text) && n > 0 && have < REQUEST_ROOM) {
        n = recv(fd, text + have, REQUEST_ROOM - have, 0);
        have += n > 0 ? (gsize)n : 0;
    }
    g_mutex_lock(&host->lock);
    g_string_append_len(host->seen, text, (gssize)have);
    g_mutex_unlock(&host->lock);
    return n > 0;
}

static gpointer serve(gpointer data)
{
    Host *host = data;
    int fd;

    while ((fd = accept(host->listener, NULL, NULL)) >= 0) {
        host->connections++;
        for (guint i = 0; i < host->requests && read_request(host, fd); i++)
            if (host->answer)
                send(fd, host->answer, strlen(host->answer), MSG_NOSIGNAL);
        close(fd);
    }
    return NULL;
}

static void start(Host *host, const char *answer, guint requests)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;

    *host = (Host){.listener = socket(AF_INET, SOCK_STREAM, 0),
                   .answer = answer,
                   .requests = requests,
                   .seen = g_string_new(NULL)};
    g_mutex_init(&host->lock);
    assert_int_equal(bind(host->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(host->listener, 16), 0);
    assert_int_equal(getsockname(host->listener, (struct sockaddr *)&at, &length), 0);
    host->port = ntohs(at.sin_port);
    host->thread = g_thread_new("host", serve, host);
}

static void stop(Host *host)
{
    shutdown(host->listener, SHUT_RDWR);
    g_thread_join(host->thread);
    close(host->listener);
    g_string_free(host->seen, TRUE);
    g_mutex_clear(&host->lock);
}

static Http *open_http(const char *allow, GArray **networks)
{
    g_autoptr(GError) error = NULL;
    *networks = network_list_read(allow, &error);
    const HttpSettings settings = {.allow = *networks, .user_agent = "Test/1"};
    Http *http = http_new(&settings, &error);

    assert_no_error(error);
    return http;
}

static void ask(Http *http, const Host *host, HttpAnswer *answer)
{
    static const char *const fields[] = {"Content-Type: application/json", "X-Test: yes", NULL};
    g_autofree char *url = g_strdup_printf("http://127.0.0.1:%u/in?a=b", host->port);
    Source body = source_of(BODY, strlen(BODY));
    const HttpRequest request = {.url = url,
                                 .fields = fields,
                                 .body = &body,
                                 .seconds = 30,
                                 .connect_seconds = 30,
                                 .answer_max = 10};

    http_post(http, &request, answer);
}

static void test_http_post_answers(void **state)
{
    static const struct {
        const char *answer;
        HttpOutcome outcome;
        int status;
        const char *text;
        gint64 wait;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", HTTP_ANSWERED, 200, "ok", 0},
        {"HTTP/1.0 200 OK\r\n\r\nok", HTTP_ANSWERED, 200, "ok", 0},
        {"HTTP/1.1 204 Fine\r\n\r\n", HTTP_ANSWERED, 204, "", 0},
        {"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n0123456789abcdefghij", HTTP_ANSWERED, 200,
         "0123456789", 0},
        {"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf", HTTP_ANSWERED, 200, "half", 0},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Later\r\nContent-Length: 0\r\n\r\n",
         HTTP_ANSWERED, 202, "", 0},
        {"HTTP/1.1 302 Go\r\nLocation: http://example.com/\r\nContent-Length: 0\r\n\r\n",
         HTTP_ANSWERED, 302, "", 0},
        {"HTTP/1.1 429 No\r\nRetry-After: 17\r\nContent-Length: 0\r\n\r\n", HTTP_ANSWERED, 429, "",
         17},
        {"HTTP/1.1 503 No\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n", HTTP_ANSWERED, 503,
         "", 0},
        {"HTTP/1.1 503 No\r\nRetry-After: -5\r\nContent-Length: 0\r\n\r\n", HTTP_ANSWERED, 503, "",
         0},
        {"HTTP/1.1 200 OK\r\nContent-", HTTP_FAILED_BROKEN, 0, "", 0},
        {"HTTP/1.1 102 Wait\r\n\r\n", HTTP_FAILED_BROKEN, 0, "", 0},
        {"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n", HTTP_FAILED_BROKEN, 0, "", 0},
        {"HTTP/1.1 20", HTTP_FAILED_BROKEN, 0, "", 0},
        {"<html>", HTTP_FAILED_BROKEN, 0, "", 0},
        {"", HTTP_FAILED_BROKEN, 0, "", 0},
        {NULL, HTTP_FAILED_BROKEN, 0, "", 0},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GArray) allow = NULL;
        g_autoptr(Http) http = open_http("127.0.0.1", &allow);
        g_auto(HttpAnswer) answer = {0};
        Host host;
        start(&host, cases[i].answer, 1);
        ask(http, &host, &answer);
        if (answer.outcome != cases[i].outcome || answer.status != cases[i].status ||
            answer.wait != cases[i].wait || strcmp(answer.answer->str, cases[i].text) != 0)
            fail_msg("%s: outcome %d, status %d, %s, \"%s\"", cases[i].answer, answer.outcome,
                     answer.status, answer.detail, answer.answer->str);
        assert_true((answer.outcome == HTTP_ANSWERED) == (answer.detail == NULL));
        stop(&host);
    }
}

static void test_http_post_sends(void **state)
{
    static const char *const lines[] = {"POST /in?a=b HTTP/1.1\r\n",
                                        "\r\nUser-Agent: Test/1\r\n",
                                        "\r\nX-Test: yes\r\n",
                                        "\r\nContent-Length: 7\r\n",
                                        "\r\nContent-Type: application/json\r\n",
                                        "\r\n\r\n" BODY};
    static const char *const never[] = {"Expect",        "Accept-Encoding", "Cookie",
                                        "Authorization", "urlencoded",      "chunked"};
    g_autoptr(GArray) allow = NULL;
    g_autoptr(Http) http = open_http("127.0.0.1", &allow);
    g_auto(HttpAnswer) answer = {0};
    Host host;

    (void)state;
    start(&host, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1);
    ask(http, &host, &answer);
    assert_int_equal(answer.status, 200);
    for (guint i = 0; i < G_N_ELEMENTS(lines); i++)
        if (!strstr(host.seen->str, lines[i]))
            fail_msg("%s is not in %s", lines[i], host.seen->str);
    for (guint i = 0; i < G_N_ELEMENTS(never); i++)
        if (strstr(host.seen->str, never[i]))
            fail_msg("%s is in %s", never[i], host.seen->str);
    stop(&host);
}

/* One connection for two requests; when it was closed in between, the third goes over another. */
static void test_http_post_again(void **state)
{
    g_autoptr(GArray) allow = NULL;
    g_autoptr(Http) http = open_http("127.0.0.0/8", &allow);
    Host host;

    (void)state;
    start(&host, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 2);
    for (guint i = 0; i < 3; i++) {
        g_auto(HttpAnswer) answer = {0};
        ask(http, &host, &answer);
        assert_int_equal(answer.outcome, HTTP_ANSWERED);
    }
    assert_int_equal(host.connections, 2);
    g_clear_pointer(&http, http_free);
    stop(&host);
}

static void test_http_post_target_refused(void **state)
{
    static const char *const lists[] = {"", "127.0.0.2", "10.0.0.0/8", "::1"};
    Host host;

    (void)state;
    start(&host, "HTTP/1.1 200 OK\r\n\r\n", 1);
    for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autoptr(GArray) allow = NULL;
        g_autoptr(Http) http = open_http(lists[i], &allow);
        g_auto(HttpAnswer) answer = {0};
        ask(http, &host, &answer);
        assert_int_equal(answer.outcome, HTTP_FAILED_TARGET);
        assert_string_equal(http_failure_code(answer.outcome), "4.4.4");
    }
    assert_int_equal(host.connections, 0);
    stop(&host);
}

static void test_http_post_url_refused(void **state)
{
    static const char *const urls[] = {"", "http://a@127.0.0.1/", "ftp://127.0.0.1/", "x"};

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(urls); i++) {
        static const char *const fields[] = {NULL};
        g_autoptr(GArray) allow = NULL;
        g_autoptr(Http) http = open_http("127.0.0.1", &allow);
        g_auto(HttpAnswer) answer = {0};
        Source body = source_of("", 0);
        const HttpRequest request = {
            .url = urls[i], .fields = fields, .body = &body, .seconds = 1, .connect_seconds = 1};
        http_post(http, &request, &answer);
        assert_int_equal(answer.outcome, HTTP_FAILED_URL);
        assert_non_null(answer.detail);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http_post_answers),
        cmocka_unit_test(test_http_post_sends),
        cmocka_unit_test(test_http_post_again),
        cmocka_unit_test(test_http_post_target_refused),
        cmocka_unit_test(test_http_post_url_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
