/* SPDX-License-Identifier: MIT */
#include "lib/submission/smtp_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/wire/smtp_reply.h"

#define HELLO "EHLO outrider-inject.invalid\r\n"
#define PIECE (64 * 1024)

typedef struct {
    int fd;
    GString *in;
    gint64 idle_since; /* monotonic, microseconds */
} SmtpLink;

struct SmtpPool {
    guint16 port;
    GMutex mutex;
    GQueue idle; /* of SmtpLink, the last used first */
};

static void link_close(SmtpLink *link)
{
    if (!link)
        return;
    close(link->fd);
    g_string_free(link->in, TRUE);
    g_free(link);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SmtpLink, link_close)

SmtpPool *smtp_pool_new(guint16 port)
{
    SmtpPool *pool = g_new0(SmtpPool, 1);

    pool->port = port;
    g_mutex_init(&pool->mutex);
    g_queue_init(&pool->idle);
    return pool;
}

void smtp_pool_free(SmtpPool *pool)
{
    if (!pool)
        return;
    g_queue_clear_full(&pool->idle, (GDestroyNotify)link_close);
    g_mutex_clear(&pool->mutex);
    g_free(pool);
}

static gboolean away(GError **error, const char *why)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "Postfix's listener: %s", why);
    return FALSE;
}

static gboolean put(const SmtpLink *link, const char *data, gsize length, GError **error)
{
    while (length > 0) {
        gssize sent = send(link->fd, data, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return away(error, g_strerror(errno));
        data += sent;
        length -= (gsize)sent;
    }
    return TRUE;
}

/* The next reply, of any code. */
static gboolean get(SmtpLink *link, SmtpReply *reply, GError **error)
{
    char data[4096];

    smtp_reply_clear(reply);
    for (;;) {
        gssize used = smtp_reply_read(link->in->str, link->in->len, reply, error);
        if (used < 0)
            return FALSE;
        if (used > 0) {
            g_string_erase(link->in, 0, used);
            return TRUE;
        }
        gssize got = recv(link->fd, data, sizeof data, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return away(error, got ? g_strerror(errno) : "it closed the connection");
        g_string_append_len(link->in, data, got);
    }
}

/* FALSE also when the reply has another code's class than wanted ('2', '3'): UNAVAILABLE, or REFUSED for 5xx. */
static gboolean expect(SmtpLink *link, char wanted, SmtpReply *reply, GError **error)
{
    if (!get(link, reply, error))
        return FALSE;
    if (reply->code / 100 == (guint)(wanted - '0'))
        return TRUE;
    g_autofree char *fit = smtp_reply_fit(reply->text, SMTP_LINE_MAX);
    g_autofree char *valid = g_utf8_make_valid(fit, -1);
    g_set_error(error, OUTRIDER_ERROR,
                reply->code >= 500 ? OUTRIDER_ERROR_REFUSED : OUTRIDER_ERROR_UNAVAILABLE, "%u %s",
                reply->code, valid);
    return FALSE;
}

static int connect_to(guint16 port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = SMTP_LINK_SECONDS};
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0 &&
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
        connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    int why = errno;
    if (fd >= 0)
        close(fd);
    errno = why;
    return -1;
}

static SmtpLink *link_open(guint16 port, GError **error)
{
    g_auto(SmtpReply) reply = {0};
    int fd = connect_to(port);

    if (fd < 0) {
        away(error, g_strerror(errno));
        return NULL;
    }
    g_autoptr(SmtpLink) link = g_new0(SmtpLink, 1);
    link->fd = fd;
    link->in = g_string_new(NULL);
    if (!expect(link, '2', &reply, error) || !put(link, HELLO, strlen(HELLO), error) ||
        !expect(link, '2', &reply, error))
        return NULL;
    return g_steal_pointer(&link);
}

/* NULL: none that is young enough. */
static SmtpLink *take_idle(SmtpPool *pool)
{
    gint64 eldest = g_get_monotonic_time() - SMTP_LINK_IDLE_SECONDS * G_USEC_PER_SEC;
    SmtpLink *found = NULL;

    g_mutex_lock(&pool->mutex);
    for (SmtpLink *last; (last = g_queue_peek_tail(&pool->idle)) && last->idle_since < eldest;)
        link_close(g_queue_pop_tail(&pool->idle));
    found = g_queue_pop_head(&pool->idle);
    g_mutex_unlock(&pool->mutex);
    return found;
}

static void give_back(SmtpPool *pool, SmtpLink *link)
{
    link->idle_since = g_get_monotonic_time();
    g_mutex_lock(&pool->mutex);
    g_queue_push_head(&pool->idle, link);
    SmtpLink *spare =
        g_queue_get_length(&pool->idle) > SMTP_LINK_IDLE_MAX ? g_queue_pop_tail(&pool->idle) : NULL;
    g_mutex_unlock(&pool->mutex);
    link_close(spare);
}

static gboolean is_eight_bit(const GString *text)
{
    for (gsize i = 0; i < text->len; i++)
        if ((guchar)text->str[i] >= 0x80)
            return TRUE;
    return FALSE;
}

static gboolean needs_utf8(const SmtpMail *mail)
{
    gboolean ascii = g_str_is_ascii(mail->mail_from);

    for (guint i = 0; i < mail->rcpts->len && ascii; i++)
        ascii = g_str_is_ascii(mail->rcpts->pdata[i]);
    return !ascii;
}

/* Up to the reply to DATA. On FALSE Postfix has nothing: the link is to be closed, which ends the transaction. */
static gboolean begin(SmtpLink *link, const SmtpMail *mail, GError **error)
{
    gboolean eight = is_eight_bit(mail->head) || is_eight_bit(mail->body);
    g_autoptr(GString) commands = g_string_new(NULL);
    g_auto(SmtpReply) reply = {0};

    g_string_append_printf(commands, "MAIL FROM:<%s>%s%s\r\n", mail->mail_from,
                           eight ? " BODY=8BITMIME" : "", needs_utf8(mail) ? " SMTPUTF8" : "");
    for (guint i = 0; i < mail->rcpts->len; i++)
        g_string_append_printf(commands, "RCPT TO:<%s>\r\n", (char *)mail->rcpts->pdata[i]);
    g_string_append(commands, "DATA\r\n");
    if (!put(link, commands->str, commands->len, error))
        return FALSE;
    for (guint i = 0; i <= mail->rcpts->len; i++)
        if (!expect(link, '2', &reply, error))
            return FALSE;
    return expect(link, '3', &reply, error);
}

/* With another dot before each that begins a line. */
static gboolean put_lines(const SmtpLink *link, const GString *text, GError **error)
{
    g_autoptr(GString) piece = g_string_sized_new(PIECE + 1024);

    for (gsize at = 0; at < text->len;) {
        const char *line = text->str + at;
        const char *lf = memchr(line, '\n', text->len - at);
        gsize size = lf ? (gsize)(lf - line) + 1 : text->len - at;
        if (*line == '.')
            g_string_append_c(piece, '.');
        g_string_append_len(piece, line, (gssize)size);
        at += size;
        if (piece->len >= PIECE || at == text->len) {
            if (!put(link, piece->str, piece->len, error))
                return FALSE;
            g_string_truncate(piece, 0);
        }
    }
    return TRUE;
}

/* From the message's end on until its reply nobody knows what became of it. */
static gboolean finish(SmtpLink *link, const SmtpMail *mail, SmtpReply *reply, GError **error)
{
    g_autoptr(GError) broken = NULL;

    if (!put_lines(link, mail->head, error) || !put_lines(link, mail->body, error))
        return FALSE;
    if (put(link, ".\r\n", 3, &broken) && expect(link, '2', reply, &broken))
        return TRUE;
    if (reply->code)
        g_propagate_error(error, g_steal_pointer(&broken));
    else
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNKNOWN_RESULT, "%s", broken->message);
    return FALSE;
}

/* A kept link may have been closed meanwhile: then a new one is tried, as Postfix has nothing yet. */
static SmtpLink *begin_somewhere(SmtpPool *pool, const SmtpMail *mail, GError **error)
{
    g_autoptr(SmtpLink) link = take_idle(pool);

    if (link && begin(link, mail, NULL))
        return g_steal_pointer(&link);
    g_clear_pointer(&link, link_close);
    link = link_open(pool->port, error);
    return link && begin(link, mail, error) ? g_steal_pointer(&link) : NULL;
}

char *smtp_pool_send(SmtpPool *pool, const SmtpMail *mail, GError **error)
{
    g_autoptr(SmtpLink) link = begin_somewhere(pool, mail, error);
    g_auto(SmtpReply) reply = {0};

    if (!link || !finish(link, mail, &reply, error))
        return NULL;
    char *queue_id = smtp_reply_queue_id(&reply);
    give_back(pool, g_steal_pointer(&link));
    return queue_id ? queue_id : g_strdup("");
}
