/* SPDX-License-Identifier: MIT */
/*
 * Postfix's words about a delivery (smtp(8)), and bare replies:
 *
 *     host H[IP] said: REPLY (in reply to COMMAND command)
 *     host H[IP] refused to talk to me: REPLY
 *     SASL authentication failed; server H[IP] said: REPLY
 *     TLS is required, but host H[IP] refused to start TLS: REPLY
 *     delivery temporarily suspended: any of these
 */
#include <string.h>

#include "lib/wire/reply.h"

#define TAIL_MAX 64

static const char suspended[] = "delivery temporarily suspended: ";
static const char in_reply[] = " (in reply to ";

static const struct {
    const char *start; /* before the host's name */
    const char *mark;  /* before the reply */
    ReplyStage stage;
} forms[] = {
    {"host ", " said: ", REPLY_STAGE_UNKNOWN},
    {"host ", " refused to talk to me: ", REPLY_STAGE_CONNECT},
    {"SASL authentication failed; server ", " said: ", REPLY_STAGE_AUTH},
    {"TLS is required, but host ", " refused to start TLS: ", REPLY_STAGE_STARTTLS},
};

static const struct {
    const char *name;
    const char *words;
} stages[REPLY_STAGE_COUNT] = {
#define X(ID, name, words) {name, words},
#include "lib/wire/reply_stage.def"
#undef X
};

const char *reply_stage_name(ReplyStage stage)
{
    return stages[stage].name;
}

gboolean reply_stage_parse(const char *name, ReplyStage *stage)
{
    for (guint i = 0; i < REPLY_STAGE_COUNT; i++)
        if (g_str_equal(stages[i].name, name)) {
            *stage = (ReplyStage)i;
            return TRUE;
        }
    return FALSE;
}

static gboolean starts(ReplyText text, const char *with)
{
    gsize n = strlen(with);
    return text.length >= n && memcmp(text.data, with, n) == 0;
}

static ReplyText skip(ReplyText text, gsize n)
{
    return (ReplyText){text.data + n, text.length - n};
}

/* The stage that words begin with the name of. */
static ReplyStage find_stage(ReplyText words)
{
    for (guint i = 1; i < REPLY_STAGE_COUNT; i++) {
        g_auto(GStrv) names = g_strsplit(stages[i].words, "|", -1);
        for (char **name = names; *name; name++)
            if (starts(words, *name))
                return (ReplyStage)i;
    }
    return REPLY_STAGE_UNKNOWN;
}

/* Takes " (in reply to COMMAND command)" off the end. */
static void take_tail(ReplyText *text, Reply *reply)
{
    gsize n = strlen(in_reply);

    for (gsize from = text->length - MIN(text->length, TAIL_MAX); from + n < text->length; from++)
        if (starts(skip(*text, from), in_reply)) {
            reply->stage = find_stage(skip(*text, from + n));
            text->length = from;
            return;
        }
}

static void set_relay(Reply *reply, const char *data, gsize length)
{
    const char *bracket = memchr(data, '[', length);

    reply->relay = (ReplyText){data, bracket ? (gsize)(bracket - data) : length};
}

/* What a host said, in one of the forms; FALSE, and text untouched: none. The mark that stands first counts. */
static gboolean take_form(ReplyText *text, Reply *reply)
{
    const char *first = NULL;
    ReplyText said = {NULL, 0};

    for (gsize i = 0; i < G_N_ELEMENTS(forms); i++) {
        if (!starts(*text, forms[i].start))
            continue;
        ReplyText rest = skip(*text, strlen(forms[i].start));
        gsize n = strlen(forms[i].mark);
        const char *mark = memmem(rest.data, MIN(rest.length, REPLY_TEXT_MAX), forms[i].mark, n);
        if (!mark || (first && first < mark))
            continue;
        first = mark;
        said = skip(rest, (gsize)(mark - rest.data) + n);
        reply->stage = forms[i].stage;
        set_relay(reply, rest.data, (gsize)(mark - rest.data));
    }
    if (!first)
        return FALSE;
    *text = said;
    return TRUE;
}

/* Digits that are no part of a longer number: how many, up to three; the number is put at *number. */
static gsize take_number(ReplyText text, guint *number)
{
    gsize n = 0;

    for (*number = 0; n < text.length && g_ascii_isdigit(text.data[n]); n++) {
        if (n == 3)
            return 0;
        *number = *number * 10 + (guint)(text.data[n] - '0');
    }
    return n;
}

/* "C.S.D" at the start. */
static gboolean parse_status(ReplyText text, guint status[3])
{
    guint found[3];

    for (guint i = 0; i < 3; i++) {
        gsize n = take_number(text, &found[i]);
        if (n == 0 || (i < 2 && (n == text.length || text.data[n] != '.')))
            return FALSE;
        text = skip(text, i < 2 ? n + 1 : n);
    }
    if (found[0] != 2 && found[0] != 4 && found[0] != 5)
        return FALSE;
    memcpy(status, found, sizeof(found));
    return TRUE;
}

/* The basic code, and the enhanced one behind it or, as qmail writes it, anywhere behind a "#". */
static void read_codes(ReplyText text, Reply *reply)
{
    guint code;
    gsize n = take_number(text, &code);

    if (n != 3 || code < 200 || code > 599 ||
        (text.length > 3 && text.data[3] != ' ' && text.data[3] != '-'))
        return;
    reply->code = code;
    ReplyText rest = skip(text, 3);
    while (rest.length > 0 && strchr(" -#([", rest.data[0]) && rest.data[0])
        rest = skip(rest, 1);
    if (parse_status(rest, reply->status))
        return;
    while (rest.length > 0) {
        const char *mark = memchr(rest.data, '#', rest.length);
        if (!mark || parse_status(skip(rest, (gsize)(mark - rest.data) + 1), reply->status))
            return;
        rest = skip(rest, (gsize)(mark - rest.data) + 1);
    }
}

void reply_read(const char *text, gsize length, Reply *reply)
{
    ReplyText rest = {text, length};

    *reply = (Reply){0};
    if (starts(rest, suspended))
        rest = skip(rest, strlen(suspended));
    gboolean said = take_form(&rest, reply);
    if (said)
        take_tail(&rest, reply);
    rest.length = MIN(rest.length, REPLY_TEXT_MAX);
    read_codes(rest, reply);
    reply->text = rest;
    reply->own = !said && reply->code == 0;
}

void reply_add_status(Reply *reply, const char *dsn)
{
    const ReplyText text = {dsn, strlen(dsn)};

    if (reply->status[0] == 0)
        parse_status(text, reply->status);
}

void reply_add_relay(Reply *reply, const char *relay)
{
    if (relay[0] && !g_str_equal(relay, "none"))
        set_relay(reply, relay, strlen(relay));
}
