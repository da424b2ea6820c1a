/* SPDX-License-Identifier: MIT */
#include "lib/mailauth/spf.h"

#include <string.h>

#include "lib/base/address.h"
#include "lib/base/error.h"
#include "lib/mailauth/published_record.h"

typedef struct {
    const char *domain;
    SpfLookup lookup;
    gpointer data;
    guint lookups;
    char *why; /* of BROKEN and UNREAD */
} Walk;

/* What a record says of mail that the domain passes. */
typedef enum {
    PASSED,
    REFUSED, /* another qualifier than + */
    UNMENTIONED,
    BEFORE_ALL, /* not mentioned before `all' */
    BROKEN,     /* an error for receivers */
    UNREAD,
} Outcome;

static Outcome walk_record(Walk *walk, const char *text);

static Outcome broken(Walk *walk, const char *name, const char *what)
{
    walk->why = g_strconcat(name, what, NULL);
    return BROKEN;
}

/* What follows a word in a term, in any case; NULL: the term begins otherwise. */
static const char *after(const char *term, const char *word)
{
    gsize length = strlen(word);

    return g_ascii_strncasecmp(term, word, length) == 0 ? term + length : NULL;
}

static char read_qualifier(const char **term)
{
    return **term && strchr("+-~?", **term) ? *(*term)++ : '+';
}

/* Whether receivers ask the DNS for a mechanism. */
static gboolean asks(const char *term)
{
    static const char *const words[] = {"include", "a", "mx", "ptr", "exists"};

    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        const char *rest = after(term, words[i]);
        if (rest && (*rest == '\0' || strchr(":/", *rest)))
            return TRUE;
    }
    return FALSE;
}

static gboolean names(const char *found, const char *domain)
{
    gsize length = strlen(domain);

    return found && g_ascii_strncasecmp(found, domain, length) == 0 &&
           (found[length] == '\0' || g_str_equal(found + length, "."));
}

static gboolean count(Walk *walk)
{
    if (walk->lookups++ < SPF_LOOKUPS_MAX)
        return TRUE;
    if (!walk->why)
        walk->why = g_strdup("it needs more than 10 DNS look-ups, which is an error (RFC 7208)");
    return FALSE;
}

/* Whether the record passes the domain by naming it; then what stands before is not followed, but counted. */
static gboolean names_itself(char **terms, const char *domain, guint *lookups)
{
    gboolean redirects = FALSE;

    *lookups = 0;
    for (guint i = 1; terms[i]; i++) {
        const char *term = terms[i];
        char qualifier = read_qualifier(&term);
        *lookups += asks(term);
        if (g_ascii_strcasecmp(term, "all") == 0)
            return FALSE;
        if (names(after(term, "include:"), domain))
            return qualifier == '+';
        redirects |= names(after(term, "redirect="), domain);
    }
    *lookups += redirects;
    return redirects;
}

static const char *only_policy(const GPtrArray *records, gboolean *several)
{
    const char *found = NULL;

    for (guint i = 0; records && i < records->len; i++) {
        if (!published_is_spf(records->pdata[i]))
            continue;
        *several = found != NULL;
        if (*several)
            return NULL;
        found = records->pdata[i];
    }
    return found;
}

static Outcome walk_name(Walk *walk, const char *text)
{
    g_autofree char *spelt = g_strndup(text, strlen(text) - g_str_has_suffix(text, "."));
    g_autofree char *name = address_domain_form(spelt);
    g_autoptr(GError) error = NULL;
    gboolean several = FALSE;

    if (strchr(text, '%'))
        return UNMENTIONED;
    if (!name)
        return broken(walk, text, " is no domain");
    g_autoptr(GPtrArray) records = walk->lookup(name, walk->data, &error);
    if (error && !g_error_matches(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND)) {
        walk->why = g_strdup_printf("%s: %s", name, error->message);
        return UNREAD;
    }
    const char *policy = only_policy(records, &several);
    if (several)
        return broken(walk, name, " has several SPF records, which is an error (RFC 7208)");
    if (!policy)
        return broken(walk, name, " has no SPF record, which is an error (RFC 7208)");
    if (strlen(policy) > PUBLISHED_TEXT_MAX)
        return broken(walk, name, " has a record that is longer than 4096 octets");
    return walk_record(walk, policy);
}

/* Whether the term decides; what an include does not pass it does not match (section 5.2). */
static gboolean walk_include(Walk *walk, const char *name, char qualifier, Outcome *outcome)
{
    *outcome = names(name, walk->domain) ? PASSED : walk_name(walk, name);
    if (*outcome == PASSED && qualifier != '+')
        *outcome = REFUSED;
    else if (*outcome == REFUSED || *outcome == UNMENTIONED || *outcome == BEFORE_ALL)
        return FALSE;
    return TRUE;
}

static Outcome walk_terms(Walk *walk, char **terms)
{
    const char *redirect = NULL;
    Outcome outcome;

    for (guint i = 1; terms[i]; i++) {
        const char *term = terms[i], *name;
        char qualifier = read_qualifier(&term);
        if (g_ascii_strcasecmp(term, "all") == 0)
            return BEFORE_ALL;
        if ((name = after(term, "redirect="))) {
            redirect = name;
            continue;
        }
        if (asks(term) && !count(walk))
            return BROKEN;
        if ((name = after(term, "include:")) && walk_include(walk, name, qualifier, &outcome))
            return outcome;
    }
    if (!redirect)
        return UNMENTIONED;
    return count(walk) ? walk_name(walk, redirect) : BROKEN;
}

static Outcome walk_record(Walk *walk, const char *text)
{
    g_auto(GStrv) terms = g_strsplit_set(text, " \t", -1);
    guint lookups;

    if (!names_itself(terms, walk->domain, &lookups))
        return walk_terms(walk, terms);
    while (lookups-- > 0)
        if (!count(walk))
            return BROKEN;
    return PASSED;
}

SpfVerdict spf_covers(const char *text, const char *domain, SpfLookup lookup, gpointer data,
                      char **why)
{
    static const char *const words[] = {
        [REFUSED] = "it includes the return-path domain, but not as a pass",
        [UNMENTIONED] = "it does not include the return-path domain",
        [BEFORE_ALL] = "it does not include the return-path domain before `all'",
    };
    Walk walk = {.domain = domain, .lookup = lookup, .data = data};
    Outcome outcome;

    if (strlen(text) > PUBLISHED_TEXT_MAX)
        outcome = broken(&walk, "", "the record is longer than 4096 octets");
    else if (!published_is_spf(text))
        outcome = broken(&walk, "", "it is no SPF record");
    else
        outcome = walk_record(&walk, text);
    if (outcome == PASSED)
        return SPF_COVERS;
    *why = walk.why                        ? walk.why
           : outcome < G_N_ELEMENTS(words) ? g_strdup(words[outcome])
                                           : g_strdup("it cannot be read");
    return outcome == UNREAD ? SPF_UNKNOWN : SPF_DIFFERS;
}
