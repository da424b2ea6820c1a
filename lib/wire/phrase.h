/* SPDX-License-Identifier: MIT */
/*
 * Purpose: many phrases looked for in one text at once: texts become words, and a phrase is words in a row.
 *     A word is letters and digits, in any case; octets above 127 are letters. What is digits only (codes, IPv4
 *     addresses) is passed over, and a mail address is the one word "@": who writes to spam@example.com is told
 *     nothing about spam. Between words anything may stand.
 *     In a phrase "..." is a gap: up to PHRASE_GAP_MAX words; and "|" begins another phrase.
 * Used by: lib/wire/reply.c.
 * May touch: nothing.
 * Threads: a set that is no longer added to may be used by any.
 * Limits: of a text PHRASE_TEXT_MAX octets are looked at; words over PHRASE_WORD_MAX octets are like no other.
 */
#pragma once

#include <glib.h>

#define PHRASE_TEXT_MAX  1000
#define PHRASE_WORD_MAX  31
#define PHRASE_WORDS_MAX 12
#define PHRASE_GAP_MAX   6

typedef struct PhraseSet PhraseSet;

/* Where a phrase stands in the text, in octets; end 0: nowhere. */
typedef struct {
    guint16 start, end;
} PhraseHit;

PhraseSet *phrase_set_new(void);
void phrase_set_free(PhraseSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PhraseSet, phrase_set_free)

/* Adds the phrases of an owner, which is a number; "" adds none. A phrase that could never be found (without
 * words, with a gap at an end, with a word of digits or one that is too long) is a bug and aborts. */
void phrase_set_add(PhraseSet *set, guint owner, const char *phrases);

/* Sets hits[owner] for each owner that has a phrase in the text, to where the first of them stands; the others
 * stay as they are. hits must have room for every owner and be zero. */
void phrase_set_find(const PhraseSet *set, const char *text, gsize length, PhraseHit *hits);
