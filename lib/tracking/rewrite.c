/* SPDX-License-Identifier: MIT */
#include "lib/tracking/rewrite.h"

#include <string.h>

#include "lib/base/splice.h"
#include "lib/mime/field.h"
#include "lib/mime/part.h"
#include "lib/mime/recode.h"
#include "lib/tracking/draft.h"
#include "lib/tracking/html_part.h"
#include "lib/tracking/text_part.h"

#define HTML  "text/html"
#define PLAIN "text/plain"
#define PGP   "-----BEGIN PGP "

/* Charsets in which ASCII octets are ASCII wherever markup or a URL can be; `*': and what begins so. */
static const char *const charsets[] = {
    "us-ascii", "utf-8",      "utf8",    "iso-8859-*", "windows-125*", "cp125*",
    "koi8-*",   "iso_8859-*", "latin1",  "shift_jis",  "euc-jp",       "euc-kr",
    "gb2312",   "gbk",        "gb18030", "big5",       "tis-620"};

static void free_link(gpointer data)
{
    TrackingLink *link = data;

    g_free(link->url);
    g_free(link);
}

void tracking_result_clear(TrackingResult *result)
{
    if (result->body)
        g_string_free(result->body, TRUE);
    if (result->links)
        g_ptr_array_unref(result->links);
    *result = (TrackingResult){0};
}

const char *tracking_skip_word(TrackingSkip skip)
{
    static const char *const words[] = {
#define X(name, word, meaning) word,
#include "lib/tracking/skip.def"
#undef X
    };

    return words[skip];
}

void tracking_read_wish(const GPtrArray *fields, TrackingSettings *settings)
{
    for (guint i = 0; i < fields->len; i++) {
        const MimeField *field = fields->pdata[i];
        gboolean amp = g_ascii_strcasecmp(field->name, "X-AMP") == 0;
        if (!amp && g_ascii_strcasecmp(field->name, "X-Outrider-Track") != 0)
            continue;
        g_autofree char *text = mime_field_text(field->value);
        gboolean all =
            amp ? g_ascii_strcasecmp(text, "skip") != 0 : g_ascii_strcasecmp(text, "all") == 0;
        settings->clicks &= all || (!amp && g_ascii_strcasecmp(text, "clicks") == 0);
        settings->opens &= all || (!amp && g_ascii_strcasecmp(text, "opens") == 0);
    }
}

static gboolean charset_is_known(const char *charset)
{
    for (guint i = 0; charset && i < G_N_ELEMENTS(charsets); i++)
        if (g_pattern_match_simple(charsets[i], charset))
            return TRUE;
    return !charset;
}

static gboolean is_text(const MimePart *part)
{
    return strcmp(part->type, HTML) == 0 || strcmp(part->type, PLAIN) == 0;
}

/* Why a part as a whole is not looked at; TRACKING_SKIP_COUNT: it is, or it is none that could be. */
static TrackingSkip reason_of_part(const MimePart *part)
{
    switch (part->standing) {
    case MIME_PART_FILE:
        return is_text(part) ? TRACKING_SKIP_FILE : TRACKING_SKIP_COUNT;
    case MIME_PART_SIGNED:
        return TRACKING_SKIP_SIGNED;
    case MIME_PART_ENCLOSED:
        return TRACKING_SKIP_ENCLOSED;
    case MIME_PART_UNCLEAR:
        return TRACKING_SKIP_HEADER;
    default:
        return is_text(part) && !charset_is_known(part->charset) ? TRACKING_SKIP_PART_CHARSET
                                                                 : TRACKING_SKIP_COUNT;
    }
}

static gboolean may_hold(const MimePart *part, const char *type)
{
    return part->standing == MIME_PART_SHOWN && strcmp(part->type, type) == 0;
}

/* Where the pixel goes: the last HTML part of the first alternative, else the first of all. */
static guint pixel_part(const GPtrArray *parts)
{
    guint first = G_MAXUINT, last = G_MAXUINT;

    for (guint i = 0; i < parts->len; i++) {
        const MimePart *part = parts->pdata[i];
        if (!may_hold(part, HTML))
            continue;
        if (first == G_MAXUINT)
            first = i;
        if (part->alternative == 1)
            last = i;
    }
    return last != G_MAXUINT ? last : first;
}

/* A part's text is decoded, rewritten and put back; nothing happens where nothing changes. */
static void rewrite_part(Draft *draft, const MimePart *part, const char *body, GArray *changes)
{
    const char *data = body + part->from;
    gsize length = part->to - part->from;

    /* Nothing decodes to less than a third. */
    if (length / 3 > TRACKING_TEXT_MAX) {
        draft_skip(draft, TRACKING_SKIP_SIZE);
        return;
    }
    g_autoptr(GString) text = recode_decode(part->encoding, data, length);
    if (!text || memmem(text->str, text->len, PGP, strlen(PGP))) {
        draft_skip(draft, text ? TRACKING_SKIP_PGP : TRACKING_SKIP_ENCODING);
        return;
    }
    if (text->len > TRACKING_TEXT_MAX) {
        draft_skip(draft, TRACKING_SKIP_SIZE);
        return;
    }
    g_autoptr(GArray) splices = splice_list_new();
    draft->text = text->str;
    draft->length = text->len;
    draft->utf8 = part->charset && g_pattern_match_simple("utf*8", part->charset);
    draft->flows_closed = part->flows_closed;
    draft->splices = splices;
    if (may_hold(part, HTML))
        html_part_rewrite(draft);
    else
        text_part_rewrite(draft);
    draft_unmark(draft);
    if (splices->len == 0)
        return;
    GString *changed = g_string_sized_new(length + length / 4);
    recode_splice(part->encoding, data, length, splices, changed);
    splice_add(changes, part->from, part->to, changed);
}

static void rewrite_parts(Draft *draft, const GPtrArray *parts, const char *body, gsize length)
{
    g_autoptr(GArray) changes = splice_list_new();
    guint pixel = draft->settings->opens ? pixel_part(parts) : G_MAXUINT;

    if (draft->settings->opens && pixel == G_MAXUINT)
        draft_skip(draft, TRACKING_SKIP_NO_HTML);
    for (guint i = 0; i < parts->len && !draft->too_many; i++) {
        const MimePart *part = parts->pdata[i];
        TrackingSkip why = reason_of_part(part);
        draft->part = i;
        draft->wants_pixel = i == pixel;
        if (why != TRACKING_SKIP_COUNT)
            draft_skip(draft, why);
        else if (may_hold(part, HTML) || may_hold(part, PLAIN))
            rewrite_part(draft, part, body, changes);
    }
    if (changes->len == 0 || draft->too_many)
        return;
    draft->result->body = g_string_sized_new(length + length / 4);
    splice_join(changes, body, 0, length, draft->result->body);
    draft->result->growth = (gssize)draft->result->body->len - (gssize)length;
}

static void start_over(TrackingResult *result)
{
    tracking_result_clear(result);
    result->links = g_ptr_array_new_with_free_func(free_link);
}

void tracking_rewrite(const GPtrArray *fields, const char *body, gsize length,
                      const TrackingSettings *settings, TrackingMakeToken make, gpointer data,
                      TrackingResult *result)
{
    g_autoptr(GPtrArray) parts = mime_parts(fields, body, length, NULL);
    Draft draft = {.settings = settings, .make = make, .data = data, .result = result};

    *result = (TrackingResult){0};
    start_over(result);
    if (!parts) {
        draft_skip(&draft, TRACKING_SKIP_STRUCTURE);
        return;
    }
    rewrite_parts(&draft, parts, body, length);
    if (!draft.too_many && !result->skipped[TRACKING_SKIP_SIZE])
        return;
    /* Marks go even so. */
    TrackingSettings none = *settings;
    TrackingSkip why = draft.too_many ? TRACKING_SKIP_LINKS : TRACKING_SKIP_SIZE;
    none.clicks = none.opens = FALSE;
    draft.settings = &none;
    draft.too_many = FALSE;
    draft.ordinal = 0;
    start_over(result);
    rewrite_parts(&draft, parts, body, length);
    memset(result->skipped, 0, sizeof result->skipped);
    draft_skip(&draft, why);
}
