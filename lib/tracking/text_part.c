/* SPDX-License-Identifier: MIT */
#include "lib/tracking/text_part.h"

#include <string.h>

#include "lib/base/splice.h"
#include "lib/tracking/target.h"

#define MARK "+notrack"

/* What stands around a URL and leaves no doubt about its end. */
static const char openers[] = "([{<\"'";
static const char closers[] = ")]}>\"'";

/* A URL that was found: octets [begin, end) of the text. */
typedef struct {
    gsize begin, end;
    gsize run;        /* where what may belong to it ends: at white space or the like */
    gboolean unclear; /* readers could disagree */
} Found;

static gboolean is_in(char c, const char *set)
{
    return c && strchr(set, c) != NULL;
}

/* The octet at a place; behind the end a line end. */
static char octet(const Draft *draft, gsize at)
{
    return at < draft->length ? draft->text[at] : '\n';
}

static gboolean ends_run(char c)
{
    return (guint8)c <= ' ' || c == 0x7f || is_in(c, "<>\"");
}

/* Where the scheme begins whose "://" is at at; FALSE: it is none of ours. */
static gboolean scheme_before(const Draft *draft, gsize at, gsize *begin)
{
    gsize mark = strlen(MARK);

    if (at >= mark && memcmp(draft->text + at - mark, MARK, mark) == 0)
        at -= mark;
    gsize n = at >= 5 && g_ascii_strncasecmp(draft->text + at - 5, "https", 5) == 0  ? 5
              : at >= 4 && g_ascii_strncasecmp(draft->text + at - 4, "http", 4) == 0 ? 4
                                                                                     : 0;
    *begin = at - n;
    return n > 0 && (*begin == 0 || (!g_ascii_isalnum(draft->text[*begin - 1]) &&
                                     !is_in(draft->text[*begin - 1], "+-._")));
}

/* The closer that belongs to what stands before the URL; 0: none does. */
static char closer_before(const Draft *draft, gsize begin)
{
    const char *opener =
        begin > 0 && draft->text[begin - 1] ? strchr(openers, draft->text[begin - 1]) : NULL;

    return opener ? closers[opener - openers] : '\0';
}

/* Whether a character beyond ASCII that is no part of any word ends the URL. */
static gboolean ends_clean(const Draft *draft, gsize at)
{
    gunichar c = draft->utf8
                     ? g_utf8_get_char_validated(draft->text + at, (gssize)(draft->length - at))
                     : (gunichar)-1;

    return c < 0x110000 && (g_unichar_isspace(c) || g_unichar_ispunct(c));
}

/* From behind "://" to the first octet that is no part of a URL, or a bracket that closes what the URL did not open. */
static void find_end(const Draft *draft, gsize at, Found *found)
{
    int depth = 0;

    for (;; at++) {
        char c = octet(draft, at);
        if (ends_run(c) || is_in(c, "`|\\^"))
            break;
        if (c & 0x80) {
            found->unclear = !ends_clean(draft, at);
            break;
        }
        if (is_in(c, ")]}") && depth == 0)
            break;
        depth += is_in(c, "([{") - is_in(c, ")]}");
        if (is_in(c, ",;") && draft->length - at > 4 &&
            g_ascii_strncasecmp(draft->text + at + 1, "http", 4) == 0)
            found->unclear = TRUE;
    }
    found->end = at;
    while (!ends_run(octet(draft, at)))
        at++;
    found->run = at;
    if (depth > 0)
        found->unclear = TRUE;
}

/* Takes off what writers put behind a URL. */
static void trim_end(const Draft *draft, gsize least, Found *found)
{
    char before = found->begin > 0 ? draft->text[found->begin - 1] : '\0';

    while (found->end > least && is_in(draft->text[found->end - 1], ".,;:!?'"))
        found->end--;
    while (found->end > least && is_in(before, "*_~") && draft->text[found->end - 1] == before)
        found->end--;
    if (found->end > least && is_in(draft->text[found->end - 1], "*~"))
        found->unclear = TRUE;
    if (before == '\'' && memchr(draft->text + least, '\'', found->end - least))
        found->unclear = TRUE;
    for (gsize at = found->end; at < found->run; at++)
        if (g_ascii_isalnum(draft->text[at]) || is_in(draft->text[at], "/%=&"))
            found->unclear = TRUE;
}

/* Between angle brackets all up to the closing one belongs to it. */
static void find_in_angles(const Draft *draft, gsize at, Found *found)
{
    while (!ends_run(octet(draft, at)))
        at++;
    found->end = found->run = at;
    found->unclear = octet(draft, at) != '>';
}

static Found find_url(const Draft *draft, gsize begin, gsize rest)
{
    Found found = {.begin = begin};
    char closer = closer_before(draft, begin);

    if (closer == '>') {
        find_in_angles(draft, rest, &found);
        return found;
    }
    find_end(draft, rest, &found);
    if (closer && closer != '\'' && octet(draft, found.end) == closer && !found.unclear)
        return found;
    trim_end(draft, rest, &found);
    /* RFC 3676 with DelSp: the next line goes on with the same word. */
    if (draft->flows_closed && octet(draft, found.run) == ' ' &&
        is_in(octet(draft, found.run + 1), "\r\n"))
        found.unclear = TRUE;
    return found;
}

/* Returns where to look on. */
static gsize take_url(Draft *draft, gsize begin, gsize rest)
{
    Found found = find_url(draft, begin, rest);
    const char *url = draft->text + begin;
    gsize length = found.end - begin;
    gboolean marked = target_marked(url, length) > 0;

    if (!draft->settings->clicks || !draft->settings->text_links)
        return found.run;
    if (marked || found.unclear) {
        draft_skip(draft, marked ? TRACKING_SKIP_OPTED_OUT : TRACKING_SKIP_UNCLEAR);
        return found.run;
    }
    g_autofree char *tracked = draft_link(draft, url, length, TRUE);
    if (tracked)
        splice_add(draft->splices, begin, found.end, g_string_new(tracked));
    return found.end;
}

void text_part_rewrite(Draft *draft)
{
    gsize at = 0, begin;
    const char *found;

    while (!draft->too_many && (found = memmem(draft->text + at, draft->length - at, "://", 3))) {
        at = (gsize)(found - draft->text);
        at = scheme_before(draft, at, &begin) ? take_url(draft, begin, at + 3) : at + 3;
    }
}
