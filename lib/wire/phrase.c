/* SPDX-License-Identifier: MIT */
#include "lib/wire/phrase.h"

#include <string.h>

#define WORDS_MAX (PHRASE_TEXT_MAX / 2 + 1)

enum { WORD_UNKNOWN, WORD_GAP, WORD_FIRST };

typedef struct {
    guint owner;
    guint next; /* index + 1 of the next phrase that begins with the same word */
    guint count;
    guint16 words[PHRASE_WORDS_MAX];
} Phrase;

struct PhraseSet {
    GHashTable *words;  /* text to number */
    GArray *phrases;    /* Phrase */
    GArray *beginnings; /* guint: by word, index + 1 of the first phrase that begins with it */
};

/* A text on its way to words. run_end: up to there it is known that no mail address begins. */
typedef struct {
    const char *start, *at, *end, *run_end;
} Scan;

typedef struct {
    char text[PHRASE_WORD_MAX + 1]; /* lower case; "": too long */
    guint16 start, end;
} Word;

PhraseSet *phrase_set_new(void)
{
    PhraseSet *set = g_new0(PhraseSet, 1);
    guint none = 0;

    set->words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    set->phrases = g_array_new(FALSE, TRUE, sizeof(Phrase));
    set->beginnings = g_array_new(FALSE, TRUE, sizeof(guint));
    for (guint i = 0; i < WORD_FIRST; i++)
        g_array_append_val(set->beginnings, none);
    return set;
}

void phrase_set_free(PhraseSet *set)
{
    if (!set)
        return;
    g_hash_table_unref(set->words);
    g_array_unref(set->phrases);
    g_array_unref(set->beginnings);
    g_free(set);
}

static gboolean is_letter(char c)
{
    return g_ascii_isalnum(c) || (c & 0x80);
}

/* Of a local part as hosts write it, without quotes. */
static gboolean is_local(char c)
{
    return is_letter(c) || (c && strchr(".!#$%&'*+-/=?^_`{|}~", c));
}

static gboolean is_domain(char c)
{
    return is_letter(c) || (c && strchr(".-:[]_", c));
}

/* Whether a mail address begins here; takes it. */
static gboolean take_address(Scan *scan)
{
    const char *p = scan->at;

    if (p < scan->run_end)
        return FALSE;
    while (p < scan->end && is_local(*p))
        p++;
    scan->run_end = p;
    if (p == scan->at || p + 1 >= scan->end || *p != '@' || !is_domain(p[1]))
        return FALSE;
    for (p++; p < scan->end && is_domain(*p);)
        p++;
    scan->at = p;
    return TRUE;
}

/* FALSE: digits only. */
static gboolean take_letters(Scan *scan, Word *word)
{
    const char *from = scan->at;
    gboolean number = TRUE;

    while (scan->at < scan->end && is_letter(*scan->at))
        number = g_ascii_isdigit(*scan->at++) && number;
    gsize length = (gsize)(scan->at - from);
    if (length > PHRASE_WORD_MAX)
        length = 0;
    for (gsize i = 0; i < length; i++)
        word->text[i] = g_ascii_tolower(from[i]);
    word->text[length] = '\0';
    return !number;
}

static gboolean next_word(Scan *scan, Word *word)
{
    while (scan->at < scan->end) {
        const char *from = scan->at;
        gboolean taken = FALSE;
        if (take_address(scan)) {
            memcpy(word->text, "@", sizeof("@"));
            taken = TRUE;
        } else if (is_letter(*scan->at)) {
            taken = take_letters(scan, word);
        } else {
            scan->at++;
        }
        word->start = (guint16)(from - scan->start);
        word->end = (guint16)(scan->at - scan->start);
        if (taken)
            return TRUE;
    }
    return FALSE;
}

static guint16 intern(PhraseSet *set, const char *text)
{
    guint number = GPOINTER_TO_UINT(g_hash_table_lookup(set->words, text));
    guint none = 0;

    if (number)
        return (guint16)number;
    number = set->beginnings->len;
    g_assert(number <= G_MAXUINT16);
    g_array_append_val(set->beginnings, none);
    g_hash_table_insert(set->words, g_strdup(text), GUINT_TO_POINTER(number));
    return (guint16)number;
}

/* The words between two gaps. */
static void add_words(PhraseSet *set, Phrase *phrase, const char *text)
{
    gsize length = strlen(text);
    Scan scan = {text, text, text + length, text};
    guint before = phrase->count;
    Word word;

    if (phrase->count > 0)
        phrase->words[phrase->count++] = WORD_GAP;
    while (scan.at < scan.end) {
        g_assert(phrase->count < PHRASE_WORDS_MAX);
        if (*scan.at == '@') {
            scan.at++;
            phrase->words[phrase->count++] = intern(set, "@");
            continue;
        }
        if (!is_letter(*scan.at)) {
            scan.at++;
            continue;
        }
        gboolean good = take_letters(&scan, &word) && word.text[0];
        g_assert(good);
        phrase->words[phrase->count++] = intern(set, word.text);
    }
    g_assert(phrase->count > before + (before > 0));
}

static void add_phrase(PhraseSet *set, guint owner, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "...", -1);
    Phrase phrase = {.owner = owner};

    for (char **part = parts; *part; part++)
        add_words(set, &phrase, *part);
    g_assert(phrase.count > 0);
    guint *first = &g_array_index(set->beginnings, guint, phrase.words[0]);
    phrase.next = *first;
    *first = set->phrases->len + 1;
    g_array_append_val(set->phrases, phrase);
}

void phrase_set_add(PhraseSet *set, guint owner, const char *phrases)
{
    g_auto(GStrv) list = g_strsplit(phrases, "|", -1);

    for (char **phrase = list; *phrase; phrase++)
        add_phrase(set, owner, *phrase);
}

/* The words of a text. */
typedef struct {
    guint count;
    guint16 numbers[WORDS_MAX];
    PhraseHit places[WORDS_MAX];
} Text;

static void read_text(const PhraseSet *set, const char *data, gsize length, Text *text)
{
    Scan scan = {data, data, data + MIN(length, PHRASE_TEXT_MAX), data};
    Word word;

    text->count = 0;
    while (text->count < WORDS_MAX && next_word(&scan, &word)) {
        text->numbers[text->count] =
            (guint16)GPOINTER_TO_UINT(g_hash_table_lookup(set->words, word.text));
        text->places[text->count++] = (PhraseHit){word.start, word.end};
    }
}

/* Index of the last word of the phrase that begins at the word `at`; -1: it does not. A gap ends at the first
 * word that goes on. */
static int match(const Phrase *phrase, const Text *text, guint at)
{
    for (guint i = 1; i < phrase->count; i++) {
        guint last = at + 1;
        if (phrase->words[i] == WORD_GAP) {
            i++;
            last = at + 1 + PHRASE_GAP_MAX;
        }
        at++;
        while (at < text->count && at < last && text->numbers[at] != phrase->words[i])
            at++;
        if (at >= text->count || text->numbers[at] != phrase->words[i])
            return -1;
    }
    return (int)at;
}

void phrase_set_find(const PhraseSet *set, const char *text, gsize length, PhraseHit *hits)
{
    Text words;

    read_text(set, text, length, &words);
    for (guint at = 0; at < words.count; at++) {
        guint next = g_array_index(set->beginnings, guint, words.numbers[at]);
        while (next) {
            const Phrase *phrase = &g_array_index(set->phrases, Phrase, next - 1);
            int last = hits[phrase->owner].end ? -1 : match(phrase, &words, at);
            if (last >= 0)
                hits[phrase->owner] = (PhraseHit){words.places[at].start, words.places[last].end};
            next = phrase->next;
        }
    }
}
