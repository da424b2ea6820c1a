/* SPDX-License-Identifier: MIT */
#include "lib/mime/strip_reply.h"

#include <string.h>

#include "lib/mime/reply_mark.h"

#define BLOCK_LINES 10     /* quoted lines that are cut wherever they stand */
#define LINES_MAX   100000 /* that are looked at; who writes more is a machine */

/* A text in lines, each of which stays or is cut. */
typedef struct {
    char **lines;
    guint count; /* LINES_MAX at most: the last is all that is left */
    gboolean *cut;
} Draft;

void stripped_reply_clear(StrippedReply *stripped)
{
    g_clear_pointer(&stripped->text, g_free);
    g_clear_pointer(&stripped->replies, g_free);
}

static void cut(Draft *draft, guint from, guint to)
{
    for (guint i = from; i < to; i++)
        draft->cut[i] = TRUE;
}

static gboolean is_said_before(const Draft *draft, guint at)
{
    for (guint i = 0; i < at; i++)
        if (!draft->cut[i] && !reply_line_is_blank(draft->lines[i]))
            return TRUE;
    return FALSE;
}

/* Whether quoted lines follow, and then others: the answer stands below, or between. */
static gboolean is_answered_below(const Draft *draft, guint at)
{
    gboolean quoted = FALSE;

    for (; at < draft->count; at++) {
        const char *line = draft->lines[at];
        if (reply_line_is_quoted(line))
            quoted = TRUE;
        else if (!reply_line_is_blank(line))
            return quoted;
    }
    return FALSE;
}

/* Cuts at the marks. */
static void cut_marked(Draft *draft)
{
    gboolean below = FALSE;

    for (guint i = 0; i < draft->count; i++) {
        guint lines = 0;
        ReplyMark mark = reply_mark(draft->lines, draft->count, i, &lines);
        if (below && reply_line_is_quoted(draft->lines[i])) {
            draft->cut[i] = TRUE;
        } else if (mark == REPLY_MARK_ATTRIBUTION && !below && !is_said_before(draft, i) &&
                   is_answered_below(draft, i + lines)) {
            below = TRUE;
            cut(draft, i, i + lines);
            i += lines - 1;
        } else if (mark != REPLY_MARK_NONE) {
            cut(draft, i, draft->count);
            return;
        }
    }
}

static void cut_blocks(Draft *draft)
{
    guint begin = 0;

    for (guint i = 0; i <= draft->count; i++) {
        if (i < draft->count && !draft->cut[i] && reply_line_is_quoted(draft->lines[i]))
            continue;
        if (i - begin >= BLOCK_LINES)
            cut(draft, begin, i);
        begin = i + 1;
    }
}

/* A quote at the end answers nothing, with the line above it that says whose it is. */
static void cut_last_quote(Draft *draft)
{
    guint end = draft->count, begin, i;

    while (end > 0 && (draft->cut[end - 1] || reply_line_is_blank(draft->lines[end - 1])))
        end--;
    for (i = begin = end; i > 0 && !draft->cut[i - 1]; i--)
        if (reply_line_is_quoted(draft->lines[i - 1]))
            begin = i - 1;
        else if (!reply_line_is_blank(draft->lines[i - 1]))
            break;
    if (begin == end || !is_said_before(draft, begin))
        return;
    cut(draft, i > 0 && reply_line_may_attribute(draft->lines[i - 1]) ? i - 1 : begin, end);
}

/* The lines that stay, or those that do not. */
static char *join(const Draft *draft, gboolean wanted)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < draft->count; i++)
        if (draft->cut[i] == wanted)
            g_string_append_c(g_string_append(text, draft->lines[i]), '\n');
    return g_strstrip(g_string_free(text, FALSE));
}

/* Without CR. */
static char *copy(const char *text)
{
    char *plain = g_strdup(text), *out = plain;

    for (const char *p = text; *p; p++)
        if (*p != '\r')
            *out++ = *p;
    *out = '\0';
    return plain;
}

/* Cuts the text itself into lines. */
static GPtrArray *split(char *text)
{
    GPtrArray *lines = g_ptr_array_new();
    char *next = text;

    while (next && lines->len < LINES_MAX) {
        g_ptr_array_add(lines, next);
        next = lines->len < LINES_MAX ? strchr(next, '\n') : NULL;
        if (next)
            *next++ = '\0';
    }
    return lines;
}

void strip_reply(const char *text, StrippedReply *stripped)
{
    g_autofree char *plain = copy(text);
    g_autoptr(GPtrArray) lines = split(plain);
    g_autofree gboolean *flags = g_new0(gboolean, lines->len);
    Draft draft = {.lines = (char **)lines->pdata, .count = lines->len, .cut = flags};

    cut_marked(&draft);
    cut_blocks(&draft);
    cut_last_quote(&draft);
    stripped->text = join(&draft, FALSE);
    stripped->replies = join(&draft, TRUE);
    if (!*stripped->replies)
        g_clear_pointer(&stripped->replies, g_free);
}
