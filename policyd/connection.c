/* SPDX-License-Identifier: MIT */
#include "policyd/connection.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

struct Listener {
    struct evconnlistener *accepting;
    const Protocol *protocol;
    gpointer context;
    GHashTable *connections;
};

struct Connection {
    Listener *listener;
    struct bufferevent *stream;
    gpointer state;
};

static guint connection_count;

/* Leaves descriptors for the replicas, the journal and the log. */
static guint connection_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < 128)
        return 32;
    return (guint)MIN(limit.rlim_cur - 64, CONNECTION_MAX);
}

static void connection_free(gpointer data)
{
    Connection *connection = data;

    if (connection->listener->protocol->closed)
        connection->listener->protocol->closed(connection->state);
    bufferevent_free(connection->stream);
    g_free(connection);
    connection_count--;
}

static void drop(Connection *connection)
{
    g_hash_table_remove(connection->listener->connections, connection);
}

void connection_send(Connection *connection, const GString *out)
{
    bufferevent_write(connection->stream, out->str, out->len);
}

gboolean connection_is_from(const Connection *connection, const char *const *users)
{
    struct ucred peer;
    socklen_t length = sizeof peer;

    if (getsockopt(bufferevent_getfd(connection->stream), SOL_SOCKET, SO_PEERCRED, &peer, &length) <
        0)
        return FALSE;
    if (peer.uid == 0 || peer.uid == geteuid())
        return TRUE;
    for (; *users; users++) {
        const struct passwd *user = getpwnam(*users);
        if (user && user->pw_uid == peer.uid)
            return TRUE;
    }
    return FALSE;
}

static void set_timeout(Connection *connection, gboolean begun)
{
    struct timeval idle = {.tv_sec = begun ? CONNECTION_REQUEST_SECONDS
                                           : connection->listener->protocol->idle_seconds};
    struct timeval write = {.tv_sec = CONNECTION_REQUEST_SECONDS};

    bufferevent_set_timeouts(connection->stream, &idle, &write);
}

static void on_read(struct bufferevent *stream, void *data)
{
    Connection *connection = data;
    const Protocol *protocol = connection->listener->protocol;
    struct evbuffer *input = bufferevent_get_input(stream);
    g_autoptr(GString) out = g_string_new(NULL);
    gssize used = 0;

    for (;;) {
        gsize length = MIN(evbuffer_get_length(input), protocol->request_max);
        if (length == 0)
            break;
        const char *text = (const char *)evbuffer_pullup(input, (ev_ssize_t)length);
        used = text ? protocol->take(connection, connection->state, text, length, out) : -1;
        if (used <= 0)
            break;
        evbuffer_drain(input, (gsize)used);
    }
    gsize waiting = evbuffer_get_length(bufferevent_get_output(stream)) + out->len;
    if (used < 0 || waiting > CONNECTION_OUTPUT_MAX) {
        drop(connection);
        return;
    }
    connection_send(connection, out);
    set_timeout(connection, evbuffer_get_length(input) > 0);
}

static void on_event(struct bufferevent *stream, short what, void *data)
{
    (void)stream;
    (void)what;
    drop(data);
}

static void on_accept(struct evconnlistener *accepting, evutil_socket_t fd,
                      struct sockaddr *address, int length, void *data)
{
    Listener *listener = data;
    g_autoptr(GString) out = g_string_new(NULL);

    (void)address;
    (void)length;
    if (connection_count >= connection_limit()) {
        close(fd);
        return;
    }
    Connection *connection = g_new0(Connection, 1);
    connection->listener = listener;
    connection->stream =
        bufferevent_socket_new(evconnlistener_get_base(accepting), fd, BEV_OPT_CLOSE_ON_FREE);
    connection_count++;
    g_hash_table_add(listener->connections, connection);
    connection->state = listener->protocol->open
                            ? listener->protocol->open(connection, listener->context, out)
                            : listener->context;
    bufferevent_setcb(connection->stream, on_read, NULL, on_event, connection);
    bufferevent_setwatermark(connection->stream, EV_READ, 0, listener->protocol->request_max);
    set_timeout(connection, FALSE);
    bufferevent_enable(connection->stream, EV_READ | EV_WRITE);
    connection_send(connection, out);
}

Listener *listener_new(struct event_base *base, int fd, const Protocol *protocol, gpointer context)
{
    Listener *listener = g_new0(Listener, 1);

    listener->protocol = protocol;
    listener->context = context;
    listener->connections = g_hash_table_new_full(NULL, NULL, connection_free, NULL);
    listener->accepting = evconnlistener_new(base, on_accept, listener,
                                             LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    return listener;
}

void listener_free(Listener *listener)
{
    if (!listener)
        return;
    if (listener->accepting)
        evconnlistener_free(listener->accepting);
    g_hash_table_unref(listener->connections);
    g_free(listener);
}
