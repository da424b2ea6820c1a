/* SPDX-License-Identifier: MIT */
#include "lib/httpd/httpd.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/httpd/exchange.h"
#include "lib/httpd/target.h"

#define THREADS_MAX  4
#define LAST_SECONDS 2 /* for answers to what was under way for longer than it should be */
#define STACK_SIZE   (256 * 1024)
#define TLS_PRIORITIES                                                                             \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-SHA1:%SERVER_PRECEDENCE:%NO_TICKETS"

const HttpdOptions httpd_defaults = {
    .workers_backlog = 1024,
    .aside_backlog = 1024,
    .head_max = 16 * 1024,
    .answer_head_max = 8 * 1024,
    .bodies_max = 64 * 1024 * 1024,
    .answers_max = 256 * 1024 * 1024,
    .limits = {.connections = 4096,
               .per_address = 256,
               .idle_seconds = 60,
               .head_seconds = 20,
               .body_seconds = 30,
               .answer_seconds = 30},
};

static void stop_daemon(gpointer daemon)
{
    MHD_stop_daemon(daemon);
}

static void begin_crew(Httpd *httpd, Crew *crew, guint workers, guint backlog)
{
    room_begin(&crew->waiting, backlog);
    if (workers > 0)
        crew->threads = g_thread_pool_new(exchange_work, httpd, (int)workers, FALSE, NULL);
}

Httpd *httpd_new(const HttpdOptions *options, const HttpdSite *site)
{
    Httpd *httpd = g_new0(Httpd, 1);
    struct rlimit files;

    httpd->options = *options;
    httpd->site = *site;
    if (httpd->options.threads == 0)
        httpd->options.threads = MIN(g_get_num_processors(), THREADS_MAX);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        httpd->options.limits.connections =
            (guint)MIN(options->limits.connections, files.rlim_cur > 2 * HTTPD_FILES_KEPT
                                                        ? files.rlim_cur - HTTPD_FILES_KEPT
                                                        : HTTPD_FILES_KEPT);
    g_mutex_init(&httpd->mutex);
    httpd->connections = connections_new(&httpd->options.limits, options->proxies);
    room_begin(&httpd->bodies, options->bodies_max);
    room_begin(&httpd->answers, options->answers_max);
    httpd->daemons = g_ptr_array_new_with_free_func(stop_daemon);
    begin_crew(httpd, &httpd->crews[0], options->workers, options->workers_backlog);
    for (guint i = 0; i < HTTPD_ASIDE; i++)
        begin_crew(httpd, &httpd->crews[1 + i], options->aside_workers[i], options->aside_backlog);
    return httpd;
}

gboolean httpd_load_certificates(Httpd *httpd, const char *directory, GPtrArray *wrong,
                                 GError **error)
{
    CertificateSet *set = certificate_set_load(directory, httpd->certificates, wrong, error);

    if (!set)
        return FALSE;
    g_mutex_lock(&httpd->mutex);
    CertificateSet *elder = httpd->certificates;
    httpd->certificates = set;
    g_mutex_unlock(&httpd->mutex);
    certificate_set_free(elder);
    return TRUE;
}

/* As gnutls_certificate_retrieve_function2 wants it: what is handed out lasts as long as the connection. */
static int choose_certificate(gnutls_session_t session, const gnutls_datum_t *authorities,
                              int authorities_count, const gnutls_pk_algorithm_t *algorithms,
                              int algorithms_count, gnutls_pcert_st **chain, unsigned *length,
                              gnutls_privkey_t *key)
{
    struct MHD_Connection *connection = gnutls_session_get_ptr(session);
    Connection *peer = exchange_peer(connection);
    Httpd *httpd = peer->server;
    char name[TARGET_HOST_MAX + 2];
    size_t size = sizeof name;
    unsigned kind = GNUTLS_NAME_DNS;

    (void)authorities;
    (void)authorities_count;
    (void)algorithms;
    (void)algorithms_count;
    gboolean named = gnutls_server_name_get(session, name, &size, &kind, 0) == GNUTLS_E_SUCCESS &&
                     kind == GNUTLS_NAME_DNS;
    /* A handshake may ask twice (RFC 8446 §4.1.4). */
    if (!peer->certificate) {
        g_mutex_lock(&httpd->mutex);
        peer->certificate = certificate_set_find(httpd->certificates, named ? name : NULL);
        g_mutex_unlock(&httpd->mutex);
    }
    if (!peer->certificate)
        return -1;
    *chain = peer->certificate->chain;
    *length = peer->certificate->length;
    *key = peer->certificate->key;
    return 0;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    Httpd *httpd = cls;

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        connection_close(*context);
        return;
    }
    Connection *peer = connection_open(
        httpd->connections,
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr,
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION) != NULL);
    peer->server = httpd;
    *context = peer;
}

static enum MHD_Result on_accept(void *cls, const struct sockaddr *address, socklen_t length)
{
    (void)length;
    return connections_admit(((Httpd *)cls)->connections, address) ? MHD_YES : MHD_NO;
}

/* Paths and queries stay as they were sent. */
static size_t leave_escaped(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    return strlen(text);
}

static struct MHD_Daemon *start_daemon(Httpd *httpd, int fd, gboolean tls)
{
    const HttpdOptions *options = &httpd->options;
    const struct MHD_OptionItem secure[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(guintptr)TLS_PRIORITIES},
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)choose_certificate},
        {MHD_OPTION_END, 0, NULL},
    };
    const struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};

    /* The library divides its limit among the threads; ours is the one that counts. */
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME |
            MHD_USE_ITC | (tls ? MHD_USE_TLS : 0),
        0, on_accept, httpd, exchange_step, httpd, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_THREAD_POOL_SIZE, options->threads, MHD_OPTION_THREAD_STACK_SIZE,
        (size_t)STACK_SIZE, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)options->head_max + options->answer_head_max, MHD_OPTION_CONNECTION_LIMIT,
        (options->limits.connections + 1) * options->threads, MHD_OPTION_CONNECTION_TIMEOUT, 0u,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_URI_LOG_CALLBACK,
        exchange_line, httpd, MHD_OPTION_NOTIFY_COMPLETED, exchange_over, httpd,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, httpd, MHD_OPTION_ARRAY, tls ? secure : plain,
        MHD_OPTION_END);
}

gboolean httpd_listen(Httpd *httpd, int fd, gboolean tls, GError **error)
{
    g_assert(!tls || httpd->certificates);
    struct MHD_Daemon *daemon = start_daemon(httpd, fd, tls);

    if (!daemon) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                    "the HTTP library does not serve the socket: %s", g_strerror(errno));
        return FALSE;
    }
    g_ptr_array_add(httpd->daemons, daemon);
    return TRUE;
}

void httpd_count(Httpd *httpd, ConnectionCounts *counts)
{
    connections_count(httpd->connections, counts);
}

void httpd_stop(Httpd *httpd, guint seconds)
{
    if (!httpd)
        return;
    /* MHD_quiesce_daemon would end the process when a thread of the library, just awake, takes the socket away at the same time. */
    connections_end(httpd->connections);
    connections_await(httpd->connections, seconds);
    g_mutex_lock(&httpd->mutex);
    httpd->stopped = TRUE;
    g_mutex_unlock(&httpd->mutex);
    /* A request that waits for a worker is suspended, and the library cannot end before it is resumed. */
    for (guint i = 0; i < G_N_ELEMENTS(httpd->crews); i++)
        if (httpd->crews[i].threads)
            g_thread_pool_free(httpd->crews[i].threads, FALSE, TRUE);
    connections_await(httpd->connections, LAST_SECONDS);
    g_ptr_array_unref(httpd->daemons);
    connections_free(httpd->connections);
    for (guint i = 0; i < G_N_ELEMENTS(httpd->crews); i++)
        room_end(&httpd->crews[i].waiting);
    room_end(&httpd->bodies);
    room_end(&httpd->answers);
    certificate_set_free(httpd->certificates);
    g_mutex_clear(&httpd->mutex);
    g_free(httpd);
}
