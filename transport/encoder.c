/* SPDX-License-Identifier: MIT */
#include "transport/encoder.h"

#include <string.h>

#include "lib/mime/transfer.h"

#define PIECE       65536
#define LINE_OCTETS 45 /* of a line of base64 */

struct Encoder {
    gboolean form;
    EncoderSink sink;
    gpointer context;
    GError *error;
    GString *piece;
    gboolean first;           /* nothing has been said where we are */
    const char *list;         /* NULL: not in one */
    guint index;              /* of the record in it */
    guchar line[LINE_OCTETS]; /* octets that make no line of base64 yet */
    gsize have;
};

Encoder *encoder_new(gboolean form, EncoderSink sink, gpointer context)
{
    Encoder *encoder = g_new0(Encoder, 1);

    *encoder = (Encoder){.form = form,
                         .sink = sink,
                         .context = context,
                         .piece = g_string_sized_new(PIECE / 16),
                         .first = TRUE};
    if (!form)
        g_string_append_c(encoder->piece, '{');
    return encoder;
}

void encoder_free(Encoder *encoder)
{
    if (!encoder)
        return;
    g_clear_error(&encoder->error);
    g_string_free(encoder->piece, TRUE);
    g_free(encoder);
}

static void hand_over(Encoder *encoder)
{
    if (!encoder->error)
        encoder->sink(encoder->piece->str, encoder->piece->len, encoder->context, &encoder->error);
    g_string_truncate(encoder->piece, 0);
}

static void put(Encoder *encoder, const char *octets, gsize length)
{
    g_string_append_len(encoder->piece, octets, (gssize)length);
    if (encoder->piece->len >= PIECE)
        hand_over(encoder);
}

static void put_text(Encoder *encoder, const char *text)
{
    put(encoder, text, strlen(text));
}

/* Octets that stand for themselves in a form's value. */
static gboolean is_plain(guchar octet)
{
    return g_ascii_isalnum(octet) || (octet && strchr("*-._", octet));
}

static void escape_form(Encoder *encoder, const char *octets, gsize length)
{
    static const char hex[] = "0123456789ABCDEF";

    for (gsize i = 0; i < length; i++) {
        guchar octet = (guchar)octets[i];
        const char escaped[] = {'%', hex[octet >> 4], hex[octet & 15]};
        if (octet == ' ')
            put(encoder, "+", 1);
        else if (is_plain(octet))
            put(encoder, octets + i, 1);
        else
            put(encoder, escaped, sizeof escaped);
    }
}

static void escape_json(Encoder *encoder, const char *octets, gsize length)
{
    for (gsize i = 0; i < length; i++) {
        guchar octet = (guchar)octets[i];
        char escaped[8];
        gsize plain = i;
        while (plain < length && (guchar)octets[plain] >= ' ' && octets[plain] != '"' &&
               octets[plain] != '\\')
            plain++;
        if (plain > i) {
            put(encoder, octets + i, plain - i);
            i = plain - 1;
            continue;
        }
        if (octet == '\n')
            put(encoder, "\\n", 2);
        else if (octet == '"' || octet == '\\')
            put(encoder, octet == '"' ? "\\\"" : "\\\\", 2);
        else
            put(encoder, escaped, (gsize)g_snprintf(escaped, sizeof escaped, "\\u%04x", octet));
    }
}

static void escape(Encoder *encoder, const char *octets, gsize length)
{
    (encoder->form ? escape_form : escape_json)(encoder, octets, length);
}

static void name_it(Encoder *encoder, const char *name)
{
    g_autofree char *whole =
        encoder->form && encoder->list
            ? g_strdup_printf("%s[%u][%s]", encoder->list, encoder->index, name)
            : g_strdup(name);

    if (!encoder->first)
        put(encoder, encoder->form ? "&" : ",", 1);
    encoder->first = FALSE;
    if (!encoder->form)
        put(encoder, "\"", 1);
    escape(encoder, whole, strlen(whole));
    if (!encoder->form)
        put(encoder, "\":", 2);
}

/* What has no quotes in JSON. */
static void put_bare(Encoder *encoder, const char *name, const char *text)
{
    name_it(encoder, name);
    if (encoder->form)
        put(encoder, "=", 1);
    put_text(encoder, text);
}

static void put_null(Encoder *encoder, const char *name)
{
    name_it(encoder, name);
    if (!encoder->form)
        put_text(encoder, "null");
}

void encoder_text(Encoder *encoder, const char *name, const char *text)
{
    if (!text) {
        put_null(encoder, name);
        return;
    }
    name_it(encoder, name);
    put(encoder, encoder->form ? "=" : "\"", 1);
    escape(encoder, text, strlen(text));
    if (!encoder->form)
        put(encoder, "\"", 1);
}

void encoder_texts(Encoder *encoder, const char *name, const GPtrArray *texts)
{
    if (!texts) {
        put_null(encoder, name);
        return;
    }
    if (!encoder->form) {
        name_it(encoder, name);
        put(encoder, "[", 1);
    }
    for (guint i = 0; i < texts->len; i++) {
        const char *text = texts->pdata[i];
        if (encoder->form) {
            encoder_text(encoder, name, text);
            continue;
        }
        put_text(encoder, i > 0 ? ",\"" : "\"");
        escape(encoder, text, strlen(text));
        put(encoder, "\"", 1);
    }
    if (!encoder->form)
        put(encoder, "]", 1);
}

void encoder_number(Encoder *encoder, const char *name, guint64 number)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, number);

    put_bare(encoder, name, text);
}

void encoder_seconds(Encoder *encoder, const char *name, gint64 seconds)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT ".0", seconds);

    put_bare(encoder, name, text);
}

void encoder_truth(Encoder *encoder, const char *name, gboolean truth)
{
    put_bare(encoder, name, truth ? "true" : "false");
}

void encoder_octets(Encoder *encoder, const char *name)
{
    name_it(encoder, name);
    put(encoder, encoder->form ? "=" : "\"", 1);
}

static void put_line(Encoder *encoder, const guchar *octets, gsize length)
{
    char line[TRANSFER_BASE64_ROOM];
    gsize n = transfer_base64_line(octets, length, line);

    line[n++] = '\n';
    escape(encoder, line, n);
}

void encoder_octets_add(Encoder *encoder, const void *octets, gsize length)
{
    const guchar *at = octets, *end = at + length;

    while (at < end && !encoder->error) {
        if (encoder->have == 0 && end - at >= LINE_OCTETS) {
            put_line(encoder, at, LINE_OCTETS);
            at += LINE_OCTETS;
            continue;
        }
        gsize n = MIN(LINE_OCTETS - encoder->have, (gsize)(end - at));
        memcpy(encoder->line + encoder->have, at, n);
        encoder->have += n;
        at += n;
        if (encoder->have == LINE_OCTETS) {
            put_line(encoder, encoder->line, LINE_OCTETS);
            encoder->have = 0;
        }
    }
}

void encoder_octets_end(Encoder *encoder)
{
    if (encoder->have > 0)
        put_line(encoder, encoder->line, encoder->have);
    encoder->have = 0;
    if (!encoder->form)
        put(encoder, "\"", 1);
}

void encoder_list(Encoder *encoder, const char *name)
{
    if (!encoder->form) {
        name_it(encoder, name);
        put(encoder, "[", 1);
    }
    encoder->list = name;
    encoder->index = 0;
}

void encoder_record(Encoder *encoder)
{
    if (encoder->form)
        return;
    put_text(encoder, encoder->index > 0 ? ",{" : "{");
    encoder->first = TRUE;
}

void encoder_record_end(Encoder *encoder)
{
    encoder->index++;
    if (encoder->form)
        return;
    put(encoder, "}", 1);
    encoder->first = FALSE;
}

void encoder_list_end(Encoder *encoder)
{
    encoder->list = NULL;
    if (!encoder->form)
        put(encoder, "]", 1);
}

gboolean encoder_end(Encoder *encoder, GError **error)
{
    if (!encoder->form)
        put(encoder, "}", 1);
    hand_over(encoder);
    if (!encoder->error)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&encoder->error));
    return FALSE;
}
