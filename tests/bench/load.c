/* SPDX-License-Identifier: MIT */
#include "tests/bench/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS       64
#define PIECE        16384
#define STUCK_US     (120 * G_USEC_PER_SEC) /* an answer that takes longer ends the run */
#define LOOK_MS      1000
#define PER_MILLI    1000.0
#define LINE_LENGTH  72
#define LINES_A_LINK 10

#define FAILED_MAX 1000 /* more is a broken server, not a measurement */

typedef struct {
    const LoadPlan *plan;
    const LoadProtocol *protocol;
    gpointer context;
    int poll;
    guint begun, failed, open;
    gint64 start_us, last_us;
    GArray *times; /* of guint32, microseconds */
} Load;

gboolean load_plan_check(const LoadPlan *plan)
{
    if (plan->links >= 1 && plan->links <= LOAD_LINKS_MAX && plan->requests >= 1 &&
        plan->requests <= LOAD_REQUESTS_MAX && plan->seconds >= 1 &&
        plan->seconds <= LOAD_SECONDS_MAX && plan->rate >= 0 &&
        (plan->rate == 0 || plan->links == 1))
        return TRUE;
    fprintf(stderr,
            "at most %d connections, %d requests and %d seconds, and one of each; a rate with one "
            "connection\n",
            LOAD_LINKS_MAX, LOAD_REQUESTS_MAX, LOAD_SECONDS_MAX);
    return FALSE;
}

static gboolean may_begin(const Load *load)
{
    return load->begun < (guint)load->plan->requests && load->failed <= FAILED_MAX &&
           g_get_monotonic_time() - load->start_us < (gint64)load->plan->seconds * G_USEC_PER_SEC;
}

static void watch(Load *load, LoadLink *link, int operation, guint32 events)
{
    struct epoll_event event = {.events = events, .data.ptr = link};

    epoll_ctl(load->poll, operation, link->fd, &event);
}

static void fail(Load *load, LoadLink *link)
{
    load->failed += link->asking;
    link->asking = FALSE;
}

/* Sends what there is; the rest when the socket takes more. FALSE: the connection is broken. */
static gboolean flush(Load *load, LoadLink *link)
{
    while (link->sent < link->out->len) {
        ssize_t n = send(link->fd, link->out->str + link->sent, link->out->len - link->sent, 0);
        if (n < 0 && errno == EAGAIN) {
            watch(load, link, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
            return TRUE;
        }
        if (n < 0)
            return FALSE;
        link->sent += (gsize)n;
    }
    g_string_truncate(link->out, 0);
    link->sent = 0;
    return TRUE;
}

/* With a rate there is one connection, so nobody else waits meanwhile. */
static void keep_rate(const Load *load)
{
    if (load->plan->rate == 0)
        return;
    gint64 due = load->start_us + (gint64)load->begun * G_USEC_PER_SEC / load->plan->rate;
    gint64 wait = due - g_get_monotonic_time();
    if (wait > 0)
        g_usleep((gulong)wait);
}

static void begin(Load *load, LoadLink *link)
{
    keep_rate(load);
    link->asking = TRUE;
    link->number = ++load->begun;
    link->begun_us = g_get_monotonic_time();
}

/* Opens the connection; without reuse the request begins with it. */
static void dial(Load *load, LoadLink *link)
{
    if (!load->plan->reuse)
        begin(load, link);
    link->state = 0;
    link->sent = 0;
    g_string_truncate(link->out, 0);
    g_string_truncate(link->in, 0);
    link->fd = load->protocol->dial(load->context);
    if (link->fd < 0) {
        fail(load, link);
        return;
    }
    load->open++;
    watch(load, link, EPOLL_CTL_ADD, EPOLLIN);
    if (load->protocol->greet(link, load->context)) {
        if (load->plan->reuse)
            begin(load, link);
        load->protocol->ask(link, load->context);
    }
    flush(load, link);
}

static void hang_up(Load *load, LoadLink *link)
{
    fail(load, link);
    close(link->fd);
    link->fd = -1;
    load->open--;
    /* A server that refuses to talk at all ends this: FAILED_MAX. */
    while (link->fd < 0 && may_begin(load))
        dial(load, link);
}

static void finish(Load *load, LoadLink *link, gboolean good)
{
    load->last_us = g_get_monotonic_time();
    if (good) {
        guint32 time = (guint32)(load->last_us - link->begun_us);
        g_array_append_val(load->times, time);
    } else {
        load->failed++;
    }
    link->asking = FALSE;
}

/* What comes after an answer. FALSE: the connection is to be closed. */
static gboolean go_on(Load *load, LoadLink *link)
{
    if (load->plan->reuse && may_begin(load)) {
        begin(load, link);
        load->protocol->ask(link, load->context);
        return TRUE;
    }
    if (!load->protocol->leave)
        return FALSE;
    load->protocol->leave(link, load->context);
    return TRUE;
}

static gboolean take(Load *load, LoadLink *link)
{
    gsize length;

    while ((length = load->protocol->whole(link->in->str, link->in->len)) > 0) {
        LoadStep step = load->protocol->take(link, link->in->str, length, load->context);
        g_string_erase(link->in, 0, (gssize)length);
        if (step == LOAD_CLOSE)
            return FALSE;
        if (link->asking && step != LOAD_MORE) {
            finish(load, link, step == LOAD_ANSWERED);
            if (!go_on(load, link))
                return FALSE;
        } else if (!link->asking && step == LOAD_ANSWERED && !go_on(load, link)) {
            return FALSE; /* the connection's own opening is done */
        }
    }
    return link->in->len < LOAD_ANSWER_MAX && flush(load, link);
}

static gboolean on_event(Load *load, LoadLink *link, guint32 events)
{
    char piece[PIECE];

    if (events & EPOLLOUT) {
        watch(load, link, EPOLL_CTL_MOD, EPOLLIN);
        if (!flush(load, link))
            return FALSE;
    }
    if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        return TRUE;
    ssize_t n = recv(link->fd, piece, sizeof piece, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return TRUE;
    if (n <= 0)
        return FALSE;
    g_string_append_len(link->in, piece, n);
    return take(load, link);
}

static void run(Load *load)
{
    struct epoll_event events[EVENTS];
    gint64 heard = g_get_monotonic_time();

    while (load->open > 0) {
        int n = epoll_wait(load->poll, events, EVENTS, LOOK_MS);
        gint64 now = g_get_monotonic_time();
        if (n > 0)
            heard = now;
        else if (now - heard > STUCK_US)
            return;
        for (int i = 0; i < n; i++)
            if (!on_event(load, events[i].data.ptr, events[i].events))
                hang_up(load, events[i].data.ptr);
    }
}

static gint compare(gconstpointer a, gconstpointer b)
{
    guint32 x = *(const guint32 *)a, y = *(const guint32 *)b;

    return x < y ? -1 : x > y;
}

/* In milliseconds; 0 when there is none. */
static double quantile(const GArray *times, double part)
{
    if (times->len == 0)
        return 0;
    guint at = MIN((guint)(part * (double)times->len), times->len - 1);
    return g_array_index(times, guint32, at) / PER_MILLI;
}

static double own_cpu(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / G_USEC_PER_SEC;
}

static void print(const Load *load)
{
    double seconds = (double)(load->last_us - load->start_us) / G_USEC_PER_SEC;

    g_array_sort(load->times, compare);
    printf("{\"done\": %u, \"failed\": %u, \"seconds\": %.3f, \"rate\": %.1f, \"p50_ms\": %.3f, "
           "\"p90_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, \"cpu_seconds\": %.3f}\n",
           load->times->len, load->failed, seconds,
           seconds > 0 ? (double)load->times->len / seconds : 0, quantile(load->times, 0.5),
           quantile(load->times, 0.9), quantile(load->times, 0.99), quantile(load->times, 1),
           own_cpu());
}

int load_run(const LoadPlan *plan, const LoadProtocol *protocol, gpointer context)
{
    Load load = {.plan = plan, .protocol = protocol, .context = context};
    g_autofree LoadLink *links = g_new0(LoadLink, plan->links);

    signal(SIGPIPE, SIG_IGN);
    load.poll = epoll_create1(EPOLL_CLOEXEC);
    load.times = g_array_new(FALSE, FALSE, sizeof(guint32));
    load.start_us = load.last_us = g_get_monotonic_time();
    for (int i = 0; i < plan->links; i++) {
        links[i].fd = -1;
        links[i].out = g_string_new(NULL);
        links[i].in = g_string_new(NULL);
        if (may_begin(&load))
            dial(&load, &links[i]);
    }
    run(&load);
    print(&load);
    for (int i = 0; i < plan->links; i++) {
        load.failed += links[i].asking;
        g_string_free(links[i].out, TRUE);
        g_string_free(links[i].in, TRUE);
    }
    guint done = load.times->len;
    g_array_unref(load.times);
    close(load.poll);
    return done > 0 ? 0 : 1;
}

char *load_text(int size, gboolean html)
{
    static const char *const words[] = {
        "the",   "order",  "of",    "your",     "account", "invoice", "please", "find",   "below",
        "we",    "have",   "sent",  "delivery", "number",  "and",     "with",   "from",   "to",
        "on",    "thank",  "you",   "receipt",  "total",   "amount",  "date",   "this",   "month",
        "reset", "secure", "login", "update",   "service", "team",    "kind",   "regards"};
    GString *body = g_string_sized_new((gsize)size + 128);
    gsize line = 0;
    guint32 state = 1;
    guint lines = 0;

    while (body->len < (gsize)size) {
        state = state * 1664525u + 1013904223u;
        const char *word = words[(state >> 16) % G_N_ELEMENTS(words)];
        if (body->len - line + strlen(word) > LINE_LENGTH) {
            g_string_append(body, "\r\n");
            if (html && ++lines % LINES_A_LINK == 0)
                g_string_append_printf(body,
                                       "<p><a href=\"https://shop.test/article/%u?from=mail&amp;"
                                       "to=%u\">more</a></p>\r\n",
                                       lines, state >> 16);
            line = body->len;
        }
        g_string_append_printf(body, "%s%u ", word, state >> 28);
    }
    return g_string_free(body, FALSE);
}

gboolean load_server(const char *text, struct sockaddr_in *address)
{
    const char *colon = strrchr(text, ':');
    guint64 port;

    if (!colon || !g_ascii_string_to_unsigned(colon + 1, 10, 1, 65535, &port, NULL))
        return FALSE;
    g_autofree char *host = g_strndup(text, (gsize)(colon - text));
    address->sin_family = AF_INET;
    address->sin_port = htons((guint16)port);
    return inet_pton(AF_INET, host, &address->sin_addr) == 1;
}

int load_dial(const struct sockaddr_in *address)
{
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0) {
        close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}
