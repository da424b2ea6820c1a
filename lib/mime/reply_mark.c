/* SPDX-License-Identifier: MIT */
#include "lib/mime/reply_mark.h"

#include <string.h>

#define DEVICE_LINE_MAX 100
#define HYPHENS_MAX     10
#define UNDERSCORES     18
#define NO_BREAK_SPACE  "\xc2\xa0"
#define WIDE_COLON      "\xef\xbc\x9a"

typedef enum { END, INNER } Place;

typedef struct {
    const char *begin, *verb;
    Place place;
} Attribution;

static const Attribution attributions[] = {
#define ATTRIBUTION(begin, verb, place) {begin, verb, place},
#define ORIGINAL(words)
#define HEADERS(from, date)
#define DEVICE(words)
#include "lib/mime/reply_phrase.def"
#undef ATTRIBUTION
#undef ORIGINAL
};

static const char *const originals[] = {
#define ATTRIBUTION(begin, verb, place)
#define ORIGINAL(words) words,
#include "lib/mime/reply_phrase.def"
#undef ORIGINAL
#undef HEADERS
};

static const struct {
    const char *from, *date;
} headers[] = {
#define ORIGINAL(words)
#define HEADERS(from, date) {from, date},
#include "lib/mime/reply_phrase.def"
#undef HEADERS
#undef DEVICE
};

static const char *const devices[] = {
#define HEADERS(from, date)
#define DEVICE(words) words,
#include "lib/mime/reply_phrase.def"
#undef ATTRIBUTION
#undef ORIGINAL
#undef HEADERS
#undef DEVICE
};

/* Without quote marks and blanks before it. */
static const char *inside(const char *line)
{
    return line + strspn(line, "> \t");
}

gboolean reply_line_is_quoted(const char *line)
{
    return line[strspn(line, " \t")] == '>';
}

gboolean reply_line_is_blank(const char *line)
{
    return line[strspn(line, " \t")] == '\0';
}

/* Takes a colon and blanks off the end. FALSE: there is no colon. */
static gboolean chop_colon(const char *text, gsize *length)
{
    gsize left = *length;

    while (left > 0 && (text[left - 1] == ' ' || text[left - 1] == '\t'))
        left--;
    if (left > 0 && text[left - 1] == ':')
        left--;
    else if (left >= strlen(WIDE_COLON) &&
             memcmp(text + left - strlen(WIDE_COLON), WIDE_COLON, strlen(WIDE_COLON)) == 0)
        left -= strlen(WIDE_COLON);
    else
        return FALSE;
    while (left > 0 && text[left - 1] == ' ')
        left--;
    if (left >= 2 && memcmp(text + left - 2, NO_BREAK_SPACE, 2) == 0)
        left -= 2;
    *length = left;
    return TRUE;
}

/* A year, or a time. */
static gboolean has_date(const char *text)
{
    for (const char *p = text; *p; p++) {
        if (!g_ascii_isdigit(*p))
            continue;
        if ((g_str_has_prefix(p, "20") || g_str_has_prefix(p, "19")) && g_ascii_isdigit(p[2]) &&
            g_ascii_isdigit(p[3]))
            return TRUE;
        if ((p[1] == ':' || p[1] == '.') && g_ascii_isdigit(p[2]) && g_ascii_isdigit(p[3]))
            return TRUE;
    }
    return FALSE;
}

gboolean reply_line_may_attribute(const char *line)
{
    gsize length = strlen(line);

    return length <= REPLY_ATTRIBUTION_OCTETS && chop_colon(line, &length) &&
           (strchr(line, '@') || has_date(line));
}

/* What is known of a text that may be an attribution. */
typedef struct {
    const char *text;
    gsize length;       /* up to the colon */
    gboolean paragraph; /* it begins one */
    gboolean date, address, quote;
} Claim;

static gboolean attributes(const Attribution *form, const Claim *claim)
{
    gsize begin = strlen(form->begin), verb = strlen(form->verb);

    if (strncmp(claim->text, form->begin, begin) != 0 || claim->length < begin + verb)
        return FALSE;
    if (begin == 0 ? !(claim->paragraph && claim->date && claim->address)
                   : !(claim->date || claim->address || claim->quote))
        return FALSE;
    if (form->place == END)
        return memcmp(claim->text + claim->length - verb, form->verb, verb) == 0;
    const char *found = strstr(claim->text, form->verb);
    return found && found + verb <= claim->text + claim->length;
}

/* Whether a quote comes next, behind two blank lines at most. */
static gboolean is_quote_next(char *const *text, guint count, guint at)
{
    for (guint i = at; i < count && i < at + 3; i++)
        if (!reply_line_is_blank(text[i]))
            return reply_line_is_quoted(text[i]);
    return FALSE;
}

static gboolean any_attributes(Claim *claim)
{
    claim->date = has_date(claim->text);
    claim->address = strchr(claim->text, '@') != NULL;
    for (guint i = 0; i < G_N_ELEMENTS(attributions); i++)
        if (attributes(&attributions[i], claim))
            return TRUE;
    return FALSE;
}

/* Lines of an attribution that begins there; 0: none does. A mail program breaks it where it is too long. */
static guint attribution_lines(char *const *text, guint count, guint at)
{
    gboolean paragraph = at == 0 || reply_line_is_blank(inside(text[at - 1]));
    g_autoptr(GString) whole = g_string_new(NULL);

    for (guint i = 0; i < REPLY_ATTRIBUTION_LINES && at + i < count; i++) {
        const char *line = inside(text[at + i]);
        gsize length = strlen(line);
        if (length == 0 || whole->len + length > REPLY_ATTRIBUTION_OCTETS)
            return 0;
        if (i > 0)
            g_string_append_c(whole, ' ');
        g_string_append_len(whole, line, (gssize)length);
        Claim claim = {.text = whole->str,
                       .length = whole->len,
                       .paragraph = paragraph,
                       .quote = is_quote_next(text, count, at + i + 1)};
        if (chop_colon(whole->str, &claim.length) && any_attributes(&claim))
            return i + 1;
    }
    return 0;
}

static gboolean is_run(const char *text, char octet, gsize least)
{
    char set[] = {octet, '\0'};

    return strspn(text, set) >= least;
}

/* "-- " and its like. */
static gboolean is_signature(const char *line)
{
    gsize hyphens = strspn(line, "-");

    return hyphens >= 2 && hyphens <= HYPHENS_MAX && strcmp(line + hyphens, " ") == 0;
}

/* "-----Original Message-----" in any language. */
static gboolean is_original(const char *line)
{
    gsize length = strlen(line);

    while (length > 0 && (line[length - 1] == ' ' || line[length - 1] == '\t'))
        length--;
    if (length > REPLY_ATTRIBUTION_OCTETS || strspn(line, "-_") < 2 || length < 4 ||
        !strchr("-_", line[length - 1]) || !strchr("-_", line[length - 2]))
        return FALSE;
    const char *words = line + strspn(line, "-_ ");
    for (guint i = 0; i < G_N_ELEMENTS(originals); i++) {
        gsize n = strlen(originals[i]);
        if (strncmp(words, originals[i], n) == 0 && words[n + strspn(words + n, "-_ \t")] == '\0')
            return TRUE;
    }
    return FALSE;
}

/* "=== Please reply above this line ===" */
static gboolean is_above(const char *line)
{
    return *line && strchr("=-#*_", *line) && strlen(line) <= REPLY_ATTRIBUTION_OCTETS &&
           (strstr(line, "above this line") || strstr(line, "oberhalb dieser Linie"));
}

/* "Name:", "*Name:*" and "Name :" of a header that was copied. */
static gboolean is_field(const char *line, const char *name)
{
    gsize n = strlen(name);

    line = inside(line);
    line += strspn(line, "*");
    if (strncmp(line, name, n) != 0)
        return FALSE;
    line += n;
    line += strspn(line, " *");
    if (g_str_has_prefix(line, NO_BREAK_SPACE))
        line += strlen(NO_BREAK_SPACE);
    return *line == ':' || g_str_has_prefix(line, WIDE_COLON);
}

/* The date stands in one of the next lines, as the first may be broken or be followed by another address. */
static gboolean is_header(char *const *text, guint count, guint at)
{
    for (guint i = 0; i < G_N_ELEMENTS(headers); i++) {
        if (!is_field(text[at], headers[i].from))
            continue;
        for (guint k = at + 1; k < count && k <= at + 2; k++)
            if (is_field(text[k], headers[i].date))
                return TRUE;
    }
    return FALSE;
}

/* The first of the table is Postal's and may stand anywhere. */
static gboolean is_device(char *const *text, guint count, guint at)
{
    const char *line = inside(text[at]);
    gboolean alone = (at == 0 || reply_line_is_blank(text[at - 1])) &&
                     (at + 1 == count || reply_line_is_blank(text[at + 1]));

    if (g_str_has_prefix(line, devices[0]))
        return TRUE;
    if (!alone || strlen(line) > DEVICE_LINE_MAX)
        return FALSE;
    for (guint i = 1; i < G_N_ELEMENTS(devices); i++)
        if (g_str_has_prefix(line, devices[i]))
            return TRUE;
    return FALSE;
}

ReplyMark reply_mark(char *const *text, guint count, guint at, guint *lines)
{
    const char *line = inside(text[at]);

    if (!*line)
        return REPLY_MARK_NONE;
    if (is_signature(text[at]) || is_original(line) || is_above(line) ||
        is_run(line, '_', UNDERSCORES) || is_header(text, count, at) || is_device(text, count, at))
        return REPLY_MARK_END;
    *lines = attribution_lines(text, count, at);
    return *lines > 0 ? REPLY_MARK_ATTRIBUTION : REPLY_MARK_NONE;
}
