/* SPDX-License-Identifier: MIT */
#include "lib/tracking/text_part.h"

#include <string.h>

#include "lib/base/splice.h"
#include "lib/tracking/target.h"

#define MARK     "+notrack"
#define TRAILING ".,;:!?'" /* what writers put behind a URL */

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

/* White space, double quotes, and the punctuation of scripts whose words no URL of today has. */
static gboolean ends_any_url(gunichar c)
{
    return g_unichar_isspace(c) || c == 0xab || c == 0xbb || (c >= 0x201c && c <= 0x201f) ||
           (c >= 0x3000 && c <= 0x303f) || (c >= 0xff00 && c <= 0xffef && g_unichar_ispunct(c));
}

/* A character beyond ASCII ends a URL for sure, or together with what is behind it, such as dots or a dash before white space. */
static void end_beyond_ascii(const Draft *draft, gsize at, Found *found)
{
    const char *p = draft->text + at;
    gunichar c =
        draft->utf8 ? g_utf8_get_char_validated(p, (gssize)(draft->length - at)) : (gunichar)-1;

    if (c >= 0x110000)
        found->unclear = TRUE;
    else if (ends_any_url(c))
        found->run = at;
    else if (!g_unichar_ispunct(c) ||
             !ends_run(octet(draft, at + (gsize)g_unichar_to_utf8(c, NULL))))
        found->unclear = TRUE;
}

/* Where the run ends that at is in. *known is the end of the one before, which may be the same: each octet is looked at
 * once, however many URLs stand in a run. */
static gsize run_end(const Draft *draft, gsize at, gsize *known)
{
    if (at >= *known)
        for (*known = at; !ends_run(octet(draft, *known));)
            ++*known;
    return *known;
}

/* From behind "://" to the first octet that is no part of a URL, or a bracket that closes what the URL did not open. */
static void find_end(const Draft *draft, gsize at, Found *found)
{
    int depth = 0;

    for (; at < found->run; at++) {
        char c = octet(draft, at);
        if (c & 0x80)
            end_beyond_ascii(draft, at, found);
        if ((c & 0x80) || is_in(c, "`|\\^") || (is_in(c, ")]}") && depth == 0))
            break;
        depth += is_in(c, "([{") - is_in(c, ")]}");
        if (is_in(c, ",;") && draft->length - at > 4 &&
            g_ascii_strncasecmp(draft->text + at + 1, "http", 4) == 0)
            found->unclear = TRUE;
    }
    found->end = at;
    if (depth > 0)
        found->unclear = TRUE;
}

/* Takes off what does not belong to it, and looks at what is behind it. */
static void trim_end(const Draft *draft, gsize least, Found *found)
{
    char before = found->begin > 0 ? draft->text[found->begin - 1] : '\0';

    while (found->end > least && is_in(draft->text[found->end - 1], TRAILING))
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
    found->unclear = octet(draft, at) != '>' || is_in(octet(draft, at - 1), TRAILING);
}

static Found find_url(const Draft *draft, gsize begin, gsize rest, gsize *known)
{
    Found found = {.begin = begin};
    char closer = closer_before(draft, begin);

    if (closer == '>') {
        find_in_angles(draft, rest, &found);
        return found;
    }
    found.run = run_end(draft, rest, known);
    find_end(draft, rest, &found);
    if (closer && closer != '\'' && octet(draft, found.end) == closer)
        found.run = found.end;
    trim_end(draft, rest, &found);
    /* RFC 3676 with DelSp: the next line goes on with the same word. */
    if (draft->flows_closed && octet(draft, found.run) == ' ' &&
        is_in(octet(draft, found.run + 1), "\r\n"))
        found.unclear = TRUE;
    return found;
}

/* Returns where to look on. */
static gsize take_url(Draft *draft, gsize begin, gsize rest, gsize *known)
{
    Found found = find_url(draft, begin, rest, known);
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
    gsize at = 0, known = 0, begin;
    const char *found;

    while (!draft->too_many && (found = memmem(draft->text + at, draft->length - at, "://", 3))) {
        at = (gsize)(found - draft->text);
        at = scheme_before(draft, at, &begin) ? take_url(draft, begin, at + 3, &known) : at + 3;
    }
}
