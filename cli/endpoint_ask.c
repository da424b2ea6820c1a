/* SPDX-License-Identifier: MIT */
#include "cli/endpoint_ask.h"

#include <gio/gunixsocketaddress.h>

#include "lib/base/error.h"
#include "lib/wire/smtp_reply.h"

static gboolean unavailable(GError **error, const char *place, const char *why)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "%s: %s", place, why);
    return FALSE;
}

static GSocketConnection *open_link(const char *place, guint16 port, GError **error)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GSocketAddress) address = place[0] == '/'
                                            ? g_unix_socket_address_new(place)
                                            : g_inet_socket_address_new_from_string(place, port);
    g_autoptr(GError) why = NULL;

    g_socket_client_set_timeout(client, ENDPOINT_ASK_SECONDS);
    g_socket_client_set_enable_proxy(client, FALSE);
    if (!address) {
        unavailable(error, place, "is no address");
        return NULL;
    }
    GSocketConnection *link =
        g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), NULL, &why);
    if (!link)
        unavailable(error, place, why->message);
    return link;
}

/* A reply of the host; REFUSED unless it is 2xx. */
static gboolean take(GSocketConnection *link, const char *place, SmtpReply *reply, GError **error)
{
    GInputStream *in = g_io_stream_get_input_stream(G_IO_STREAM(link));
    g_autoptr(GByteArray) got = g_byte_array_new();
    g_autoptr(GError) why = NULL;
    gssize used = 0;

    while (used == 0) {
        guint8 chunk[1024];
        gssize n = g_input_stream_read(in, chunk, sizeof(chunk), NULL, &why);
        if (n <= 0)
            return unavailable(error, place, why ? why->message : "it hung up");
        g_byte_array_append(got, chunk, (guint)n);
        used = smtp_reply_read((const char *)got->data, got->len, reply, error);
    }
    if (used < 0)
        return FALSE;
    if (reply->code / 100 == 2)
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED, "%s said: %u %s", place, reply->code,
                reply->text);
    return FALSE;
}

static gboolean say(GSocketConnection *link, const char *place, const char *line, GError **error)
{
    GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(link));
    g_autoptr(GError) why = NULL;

    return g_output_stream_printf(out, NULL, NULL, &why, "%s\r\n", line) ||
           unavailable(error, place, why->message);
}

char *endpoint_ask(const char *place, guint16 port, gboolean lmtp, const char *hostname,
                   GError **error)
{
    g_autoptr(GSocketConnection) link = open_link(place, port, error);
    g_autofree char *hello = g_strdup_printf("%s %s", lmtp ? "LHLO" : "EHLO", hostname);
    g_auto(SmtpReply) greeting = {0};
    g_auto(SmtpReply) answer = {0};

    if (!link || !take(link, place, &greeting, error) || !say(link, place, hello, error) ||
        !take(link, place, &answer, error))
        return NULL;
    say(link, place, "QUIT", NULL);
    return g_strdup_printf("%u %s", greeting.code, greeting.text);
}
