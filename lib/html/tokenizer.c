/* SPDX-License-Identifier: MIT */
/*
 * The states of the standard, gathered by what they look for:
 *
 *     text ──"<"──▶ tag open ──letter──▶ tag ──▶ attributes ──">"──▶ text
 *                      ├──"!" "?" "/"──▶ comment or bogus comment ──▶ text
 *                      └──anything else: "<" is text
 *     After some start tags text goes on to the end tag of the same name, whatever stands between.
 */
#include "lib/html/tokenizer.h"

#include <string.h>

typedef enum {
    MODE_DATA,
    MODE_ELEMENT, /* RCDATA and raw text: to the end tag of the element */
    MODE_SCRIPT,
    MODE_PLAIN, /* to the end */
} Mode;

struct HtmlTokenizer {
    const char *text;
    gsize length;
    gsize at; /* what comes next */
    Mode mode;
    HtmlRange element; /* whose end tag MODE_ELEMENT waits for */
    gboolean foreign;
    HtmlToken token;
};

/* X(name, mode): what follows such a start tag. noscript is a tag like others where nothing runs scripts, as in mail. */
static const struct {
    const char *name;
    Mode mode;
} modes[] = {
    {"title", MODE_ELEMENT},    {"textarea", MODE_ELEMENT}, {"style", MODE_ELEMENT},
    {"xmp", MODE_ELEMENT},      {"iframe", MODE_ELEMENT},   {"noembed", MODE_ELEMENT},
    {"noframes", MODE_ELEMENT}, {"script", MODE_SCRIPT},    {"plaintext", MODE_PLAIN},
};

HtmlTokenizer *html_tokenizer_new(const char *text, gsize length)
{
    HtmlTokenizer *tokenizer = g_new0(HtmlTokenizer, 1);

    tokenizer->text = text;
    tokenizer->length = length;
    return tokenizer;
}

void html_tokenizer_free(HtmlTokenizer *tokenizer)
{
    g_free(tokenizer);
}

void html_tokenizer_set_foreign(HtmlTokenizer *tokenizer, gboolean foreign)
{
    tokenizer->foreign = foreign;
    if (foreign)
        tokenizer->mode = MODE_DATA;
}

gboolean html_tokenizer_is_opaque(const HtmlTokenizer *tokenizer)
{
    return tokenizer->mode != MODE_DATA;
}

gboolean html_range_is(const char *text, HtmlRange range, const char *word)
{
    return strlen(word) == range.length &&
           g_ascii_strncasecmp(text + range.at, word, range.length) == 0;
}

static gboolean is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* The octet at a place; behind the end NUL, which ends nothing. */
static char octet(const HtmlTokenizer *tokenizer, gsize at)
{
    return at < tokenizer->length ? tokenizer->text[at] : '\0';
}

static gboolean starts(const HtmlTokenizer *tokenizer, gsize at, const char *word)
{
    gsize length = strlen(word);

    return tokenizer->length - at >= length &&
           g_ascii_strncasecmp(tokenizer->text + at, word, length) == 0;
}

/* Where the octet is next, from at on; the length when nowhere. */
static gsize find(const HtmlTokenizer *tokenizer, gsize at, char c)
{
    const char *found =
        at < tokenizer->length ? memchr(tokenizer->text + at, c, tokenizer->length - at) : NULL;

    return found ? (gsize)(found - tokenizer->text) : tokenizer->length;
}

/* One token from begin to end, which is where the next begins. */
static const HtmlToken *tell(HtmlTokenizer *tokenizer, HtmlKind kind, gsize begin, gsize end)
{
    HtmlToken *token = &tokenizer->token;

    token->kind = kind;
    token->range = (HtmlRange){begin, end - begin};
    tokenizer->at = end;
    return token;
}

/* Behind the octet at which a comment or the like ends. */
static gsize behind(const HtmlTokenizer *tokenizer, gsize at)
{
    return MIN(at + 1, tokenizer->length);
}

/* Where a comment ends whose "<!--" ends at at. */
static gsize comment_end(const HtmlTokenizer *tokenizer, gsize at)
{
    if (octet(tokenizer, at) == '>')
        return at + 1;
    if (starts(tokenizer, at, "->"))
        return at + 2;
    for (gsize dash = find(tokenizer, at, '-'); dash < tokenizer->length;
         dash = find(tokenizer, dash + 1, '-')) {
        if (starts(tokenizer, dash, "-->"))
            return dash + 3;
        if (starts(tokenizer, dash, "--!>"))
            return dash + 4;
    }
    return tokenizer->length;
}

static gsize cdata_end(const HtmlTokenizer *tokenizer, gsize at)
{
    for (gsize bracket = find(tokenizer, at, ']'); bracket < tokenizer->length;
         bracket = find(tokenizer, bracket + 1, ']'))
        if (starts(tokenizer, bracket, "]]>"))
            return bracket + 3;
    return tokenizer->length;
}

/* "<!" at begin. What stands in CDATA is characters, but no link can be there. */
static const HtmlToken *declaration(HtmlTokenizer *tokenizer, gsize begin)
{
    gsize at = begin + 2;

    if (starts(tokenizer, at, "--"))
        return tell(tokenizer, HTML_COMMENT, begin, comment_end(tokenizer, at + 2));
    if (tokenizer->foreign && at < tokenizer->length && tokenizer->length - at >= 7 &&
        memcmp(tokenizer->text + at, "[CDATA[", 7) == 0)
        return tell(tokenizer, HTML_COMMENT, begin, cdata_end(tokenizer, at + 7));
    return tell(tokenizer, HTML_COMMENT, begin, behind(tokenizer, find(tokenizer, at, '>')));
}

static gsize skip_spaces(const HtmlTokenizer *tokenizer, gsize at)
{
    while (at < tokenizer->length && is_space(tokenizer->text[at]))
        at++;
    return at;
}

static gboolean has_attribute(const HtmlTokenizer *tokenizer, HtmlRange name)
{
    const HtmlToken *token = &tokenizer->token;

    for (guint i = 0; i < token->n_attributes; i++) {
        HtmlRange other = token->attributes[i].name;
        if (other.length == name.length &&
            g_ascii_strncasecmp(tokenizer->text + other.at, tokenizer->text + name.at,
                                name.length) == 0)
            return TRUE;
    }
    return FALSE;
}

/* The value behind a "=", from at on; returns where it ends, past its quote. */
static gsize value(const HtmlTokenizer *tokenizer, gsize at, HtmlAttribute *attribute)
{
    at = skip_spaces(tokenizer, at);
    char quote = octet(tokenizer, at);
    gsize end;

    if (quote == '"' || quote == '\'') {
        end = find(tokenizer, at + 1, quote);
        attribute->quote = quote;
        attribute->value = (HtmlRange){at + 1, end - at - 1};
        return end < tokenizer->length ? end + 1 : end;
    }
    for (end = at; end < tokenizer->length; end++)
        if (is_space(tokenizer->text[end]) || tokenizer->text[end] == '>')
            break;
    attribute->value = (HtmlRange){at, end - at};
    return end;
}

/* One attribute, from the first octet of its name on; returns where it ends. A "=" at the begin is part of
 * the name. */
static gsize attribute(HtmlTokenizer *tokenizer, gsize at)
{
    HtmlToken *token = &tokenizer->token;
    HtmlAttribute found = {.name.at = at};
    gsize end = at + 1;

    while (end < tokenizer->length && !is_space(tokenizer->text[end]) &&
           tokenizer->text[end] != '/' && tokenizer->text[end] != '>' &&
           tokenizer->text[end] != '=')
        end++;
    found.name.length = end - at;
    gsize equals = skip_spaces(tokenizer, end);
    if (octet(tokenizer, equals) == '=')
        end = value(tokenizer, equals + 1, &found);
    if (token->n_attributes < HTML_ATTRIBUTES_MAX) {
        found.repeated = has_attribute(tokenizer, found.name);
        token->attributes[token->n_attributes++] = found;
    }
    return end;
}

static void set_mode(HtmlTokenizer *tokenizer)
{
    const HtmlToken *token = &tokenizer->token;

    if (tokenizer->foreign)
        return;
    for (guint i = 0; i < G_N_ELEMENTS(modes); i++)
        if (html_range_is(tokenizer->text, token->name, modes[i].name)) {
            tokenizer->mode = modes[i].mode;
            tokenizer->element = token->name;
        }
}

/* A tag whose name begins at at; begin is its "<". One that does not end is dropped, with all that follows. */
static const HtmlToken *tag(HtmlTokenizer *tokenizer, HtmlKind kind, gsize begin, gsize at)
{
    HtmlToken *token = &tokenizer->token;
    gsize end = at;

    token->n_attributes = 0;
    token->self_closing = FALSE;
    while (end < tokenizer->length && !is_space(tokenizer->text[end]) &&
           tokenizer->text[end] != '/' && tokenizer->text[end] != '>')
        end++;
    token->name = (HtmlRange){at, end - at};
    while ((end = skip_spaces(tokenizer, end)) < tokenizer->length) {
        if (tokenizer->text[end] == '>') {
            if (kind == HTML_START_TAG)
                set_mode(tokenizer);
            return tell(tokenizer, kind, begin, end + 1);
        }
        token->self_closing = tokenizer->text[end] == '/' && octet(tokenizer, end + 1) == '>';
        end = tokenizer->text[end] == '/' ? end + 1 : attribute(tokenizer, end);
    }
    return tell(tokenizer, HTML_END, begin, tokenizer->length);
}

/* What begins with a "<" that is not text; NULL: it is text. */
static const HtmlToken *markup(HtmlTokenizer *tokenizer, gsize begin)
{
    char next = octet(tokenizer, begin + 1), third = octet(tokenizer, begin + 2);

    if (g_ascii_isalpha(next))
        return tag(tokenizer, HTML_START_TAG, begin, begin + 1);
    if (next == '!')
        return declaration(tokenizer, begin);
    if (next == '/' && g_ascii_isalpha(third))
        return tag(tokenizer, HTML_END_TAG, begin, begin + 2);
    if (next == '?' || (next == '/' && begin + 2 < tokenizer->length))
        return tell(tokenizer, HTML_COMMENT, begin,
                    behind(tokenizer, find(tokenizer, begin + 1, '>')));
    return NULL;
}

/* Whether name ends here: what ends a tag's name follows. */
static gboolean is_tag_at(const HtmlTokenizer *tokenizer, gsize at, const char *name, gsize length)
{
    char end = octet(tokenizer, at + length);

    return at + length < tokenizer->length &&
           g_ascii_strncasecmp(tokenizer->text + at, name, length) == 0 &&
           (is_space(end) || end == '/' || end == '>');
}

/* Where the end tag of the element begins. */
static gsize element_end(const HtmlTokenizer *tokenizer)
{
    const char *name = tokenizer->text + tokenizer->element.at;
    gsize at = find(tokenizer, tokenizer->at, '<');

    while (at < tokenizer->length &&
           !(octet(tokenizer, at + 1) == '/' &&
             is_tag_at(tokenizer, at + 2, name, tokenizer->element.length)))
        at = find(tokenizer, at + 1, '<');
    return at;
}

/* The same for a script, in which a comment may hide an end tag, and a script tag in the comment unhides it. */
static gsize script_end(const HtmlTokenizer *tokenizer)
{
    enum { PLAIN, ESCAPED, TWICE } depth = PLAIN;
    gsize at = tokenizer->at;

    for (; at < tokenizer->length; at++) {
        char c = tokenizer->text[at];
        if (c == '-' && depth != PLAIN && starts(tokenizer, at, "-->"))
            depth = PLAIN;
        if (c != '<')
            continue;
        if (depth == PLAIN && starts(tokenizer, at, "<!--")) {
            depth = ESCAPED;
            at += 1; /* its dashes may be those of "-->" */
        } else if (depth == ESCAPED && is_tag_at(tokenizer, at + 1, "script", 6)) {
            depth = TWICE;
        } else if (octet(tokenizer, at + 1) == '/' && is_tag_at(tokenizer, at + 2, "script", 6)) {
            if (depth != TWICE)
                return at;
            depth = ESCAPED;
        }
    }
    return tokenizer->length;
}

/* Text up to where the element's end tag begins. */
static gsize opaque_end(HtmlTokenizer *tokenizer)
{
    gsize end = tokenizer->mode == MODE_PLAIN    ? tokenizer->length
                : tokenizer->mode == MODE_SCRIPT ? script_end(tokenizer)
                                                 : element_end(tokenizer);

    if (tokenizer->mode != MODE_PLAIN)
        tokenizer->mode = MODE_DATA;
    return end;
}

const HtmlToken *html_tokenizer_next(HtmlTokenizer *tokenizer)
{
    gsize begin = tokenizer->at, at = begin;

    if (begin >= tokenizer->length)
        return tell(tokenizer, HTML_END, tokenizer->length, tokenizer->length);
    if (tokenizer->mode != MODE_DATA) {
        at = opaque_end(tokenizer);
        if (at > begin)
            return tell(tokenizer, HTML_TEXT, begin, at);
    }
    while ((at = find(tokenizer, at, '<')) < tokenizer->length) {
        if (at > begin) {
            char next = octet(tokenizer, at + 1);
            if (g_ascii_isalpha(next) || next == '!' || next == '?' ||
                (next == '/' && at + 2 < tokenizer->length))
                return tell(tokenizer, HTML_TEXT, begin, at);
        } else {
            const HtmlToken *token = markup(tokenizer, at);
            if (token)
                return token;
        }
        at++;
    }
    return tell(tokenizer, HTML_TEXT, begin, tokenizer->length);
}
