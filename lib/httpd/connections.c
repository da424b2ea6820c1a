/* SPDX-License-Identifier: MIT */
#include "lib/httpd/connections.h"

#include <arpa/inet.h>
#include <linux/tcp.h> /* of TCP_INFO it knows more than netinet/tcp.h */
#include <stdatomic.h>
#include <string.h>

#define V6_PREFIX_OCTETS 8
#define FOREVER          G_MAXUINT

struct Connections {
    const ConnectionLimits *limits;
    const Proxies *proxies;
    GThread *watcher;
    _Atomic gboolean ending;
    _Atomic gint64 bodies_pressed_until; /* monotonic */

    GMutex mutex;  /* guards what follows; no socket is closed while it is held */
    GCond changed; /* stopping, or the last one is closed */
    gboolean stopping;
    GQueue open;
    GHashTable *by_source; /* GBytes -> number */
    ConnectionCounts counts;
};

/* "" and zeros for a UNIX socket's; IPv4-mapped addresses as IPv4. */
static void write_peer(const struct sockaddr *address, char peer[INET6_ADDRSTRLEN],
                       guint8 octets[NETWORK_OCTETS])
{
    peer[0] = '\0';
    memset(octets, 0, NETWORK_OCTETS);
    if (!address || !network_socket_address(address, octets))
        return;
    g_autofree char *text = network_address_text(octets);
    g_strlcpy(peer, text, INET6_ADDRSTRLEN);
}

/* What counts as one address: of IPv6 a /64. */
static GBytes *source_key(const guint8 octets[NETWORK_OCTETS], const char *peer)
{
    return g_bytes_new(octets, strchr(peer, ':') ? V6_PREFIX_OCTETS : NETWORK_OCTETS);
}

static guint count_of(Connections *connections, GBytes *source)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(connections->by_source, source));
}

static void set_count(Connections *connections, GBytes *source, guint count)
{
    if (count > 0)
        g_hash_table_replace(connections->by_source, g_bytes_ref(source), GUINT_TO_POINTER(count));
    else
        g_hash_table_remove(connections->by_source, source);
}

/* With the mutex held. */
static gboolean is_past(const Connections *connections, const Connection *connection, gint64 now)
{
    gint64 allowed = atomic_load(&connection->allowed_seconds);
    gboolean waiting = atomic_load(&connection->phase) <= CONNECTION_HEAD;
    gboolean pressed = connections->open.length > connections->limits->connections / 4 * 3 ||
                       (atomic_load(&connection->phase) == CONNECTION_BODY &&
                        now < atomic_load(&connections->bodies_pressed_until));

    if (allowed == FOREVER)
        return FALSE;
    if (waiting && atomic_load(&connections->ending))
        allowed = 0;
    else if (pressed)
        allowed =
            MIN(allowed, waiting ? CONNECTION_PRESSED_SECONDS : CONNECTION_PRESSED_BODY_SECONDS);
    allowed += (gint64)(atomic_load(&connection->octets) / CONNECTION_OCTETS_PER_SECOND);
    return now - atomic_load(&connection->since_us) >= allowed * G_TIME_SPAN_SECOND;
}

/* With the mutex held. Whether its client ended its side a while ago, amid what it had to say: the library may never hear of an end
 * that comes together with the octets before it. */
static gboolean is_left(Connection *connection, gint64 now)
{
    char octet;

    if (atomic_load(&connection->allowed_seconds) == FOREVER ||
        atomic_load(&connection->phase) > CONNECTION_BODY ||
        recv(connection->fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) != 0) {
        connection->left_us = 0;
        return FALSE;
    }
    /* What the library has read it may still be at. */
    if (connection->left_us <= atomic_load(&connection->since_us))
        connection->left_us = now;
    return now - connection->left_us >= G_TIME_SPAN_SECOND;
}

/* Its begin moves on, never past this moment: what moved in a burst does not buy hours of silence. */
void connection_moved(Connection *connection, guint64 octets)
{
    gint64 bought = (gint64)(octets * G_USEC_PER_SEC / CONNECTION_OCTETS_PER_SECOND);
    gint64 since = atomic_load(&connection->since_us);

    /* Unless it has entered another phase meanwhile. */
    atomic_compare_exchange_strong(&connection->since_us, &since,
                                   MIN(since + bought, g_get_monotonic_time()));
}

/* With the mutex held. What the client has taken of an answer counts, where TCP tells, and not what is to go. */
static void look_at_answer(Connection *connection)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;

    if (atomic_load(&connection->phase) != CONNECTION_ANSWER ||
        getsockopt(connection->fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
        return;
    atomic_store(&connection->octets, 0);
    connection_moved(connection, info.tcpi_bytes_acked - connection->acked);
    connection->acked = info.tcpi_bytes_acked;
}

static gpointer watch(gpointer data)
{
    Connections *connections = data;

    g_mutex_lock(&connections->mutex);
    while (!connections->stopping) {
        gint64 now = g_get_monotonic_time();
        for (GList *link = connections->open.head; link; link = link->next) {
            Connection *connection = link->data;
            look_at_answer(connection);
            gboolean past = is_past(connections, connection, now);
            if (!past && !is_left(connection, now))
                continue;
            atomic_store(&connection->allowed_seconds, FOREVER);
            connections->counts.cut += past;
            shutdown(connection->fd, SHUT_RDWR);
        }
        gint64 pause =
            atomic_load(&connections->ending) ? G_TIME_SPAN_MILLISECOND * 50 : G_TIME_SPAN_SECOND;
        g_cond_wait_until(&connections->changed, &connections->mutex, now + pause);
    }
    g_mutex_unlock(&connections->mutex);
    return NULL;
}

void connections_press_bodies(Connections *connections)
{
    atomic_store(&connections->bodies_pressed_until,
                 g_get_monotonic_time() + CONNECTION_PRESSED_BODY_SECONDS * G_TIME_SPAN_SECOND);
}

Connections *connections_new(const ConnectionLimits *limits, const Proxies *proxies)
{
    Connections *connections = g_new0(Connections, 1);

    connections->limits = limits;
    connections->proxies = proxies;
    g_mutex_init(&connections->mutex);
    g_cond_init(&connections->changed);
    g_queue_init(&connections->open);
    connections->by_source =
        g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
    connections->watcher = g_thread_new("connections", watch, connections);
    return connections;
}

void connections_free(Connections *connections)
{
    if (!connections)
        return;
    g_mutex_lock(&connections->mutex);
    connections->stopping = TRUE;
    g_cond_broadcast(&connections->changed);
    g_mutex_unlock(&connections->mutex);
    g_thread_join(connections->watcher);
    g_assert(connections->open.length == 0);
    g_hash_table_unref(connections->by_source);
    g_mutex_clear(&connections->mutex);
    g_cond_clear(&connections->changed);
    g_free(connections);
}

gboolean connections_admit(Connections *connections, const struct sockaddr *address)
{
    char peer[INET6_ADDRSTRLEN];
    guint8 octets[NETWORK_OCTETS];

    write_peer(address, peer, octets);
    gboolean counted =
        *peer && connections->limits->per_address > 0 && !proxies_has(connections->proxies, peer);
    g_autoptr(GBytes) source = source_key(octets, peer);
    g_mutex_lock(&connections->mutex);
    gboolean room = !atomic_load(&connections->ending) &&
                    connections->open.length < connections->limits->connections &&
                    (!counted || count_of(connections, source) < connections->limits->per_address);
    if (!room)
        connections->counts.turned_away++;
    g_mutex_unlock(&connections->mutex);
    return room;
}

Connection *connection_open(Connections *connections, int fd, const struct sockaddr *address,
                            gboolean secure)
{
    Connection *connection = g_new0(Connection, 1);

    connection->owner = connections;
    connection->fd = fd;
    connection->secure = secure;
    connection->link.data = connection;
    write_peer(address, connection->peer, connection->source);
    connection->trusted = proxies_has(connections->proxies, connection->peer);
    connection->counted = *connection->peer && !connection->trusted;
    connection_enter(connection, CONNECTION_HEAD, 0);
    g_autoptr(GBytes) source = source_key(connection->source, connection->peer);
    g_mutex_lock(&connections->mutex);
    g_queue_push_tail_link(&connections->open, &connection->link);
    if (connection->counted)
        set_count(connections, source, count_of(connections, source) + 1);
    connections->counts.accepted++;
    g_mutex_unlock(&connections->mutex);
    return connection;
}

void connection_close(Connection *connection)
{
    Connections *connections = connection->owner;
    g_autoptr(GBytes) source = source_key(connection->source, connection->peer);

    g_mutex_lock(&connections->mutex);
    g_queue_unlink(&connections->open, &connection->link);
    if (connection->counted)
        set_count(connections, source, count_of(connections, source) - 1);
    if (connections->open.length == 0)
        g_cond_broadcast(&connections->changed);
    g_mutex_unlock(&connections->mutex);
    certificate_release(connection->certificate);
    g_free(connection);
}

void connection_enter(Connection *connection, ConnectionPhase phase, guint64 octets)
{
    const ConnectionLimits *limits = connection->owner->limits;
    const guint allowed[] = {
        [CONNECTION_IDLE] = limits->idle_seconds,     [CONNECTION_HEAD] = limits->head_seconds,
        [CONNECTION_BODY] = limits->body_seconds,     [CONNECTION_WORK] = FOREVER,
        [CONNECTION_ANSWER] = limits->answer_seconds,
    };

    /* In this order the watcher never sees a new phase with an old time. */
    atomic_store(&connection->allowed_seconds, FOREVER);
    atomic_store(&connection->octets, octets);
    atomic_store(&connection->since_us, g_get_monotonic_time());
    atomic_store(&connection->phase, phase);
    if (phase != CONNECTION_WORK)
        atomic_store(&connection->allowed_seconds, allowed[phase]);
}

void connections_end(Connections *connections)
{
    atomic_store(&connections->ending, TRUE);
    g_mutex_lock(&connections->mutex);
    g_cond_broadcast(&connections->changed);
    g_mutex_unlock(&connections->mutex);
}

gboolean connections_ending(const Connections *connections)
{
    return atomic_load(&connections->ending);
}

gboolean connections_await(Connections *connections, guint seconds)
{
    gint64 until = g_get_monotonic_time() + seconds * G_TIME_SPAN_SECOND;
    gboolean waiting = TRUE;

    g_mutex_lock(&connections->mutex);
    while (connections->open.length > 0 && waiting)
        waiting = g_cond_wait_until(&connections->changed, &connections->mutex, until);
    gboolean none = connections->open.length == 0;
    g_mutex_unlock(&connections->mutex);
    return none;
}

void connections_count(Connections *connections, ConnectionCounts *counts)
{
    g_mutex_lock(&connections->mutex);
    *counts = connections->counts;
    counts->open = connections->open.length;
    g_mutex_unlock(&connections->mutex);
}
