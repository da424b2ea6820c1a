/* SPDX-License-Identifier: MIT */
#include "lib/wire/reply.h"

#include <string.h>

#define STAGE(ID)   (1u << REPLY_STAGE_##ID)
#define BEFORE_RCPT (STAGE(CONNECT) | STAGE(EHLO) | STAGE(STARTTLS) | STAGE(AUTH) | STAGE(MAIL))

/* Everything that is given must fit. */
typedef struct {
    const char *id;
    ReplyClass class;
    const char *phrases;        /* "": by the rest alone */
    const char *code;           /* "550"; an x is any digit; NULL: any, or none */
    const char *status;         /* "x.7.5xx": an x alone is any number; NULL: any, or none */
    guint stages;               /* STAGE() of each; 0: any */
    ReplyProvider provider;     /* UNKNOWN: any */
    gboolean own;               /* of Postfix's own words; else of what a host said */
    ReplyPermanence permanence; /* of a text without code */
} Rule;

static const Rule rules[] = {
#define X(ID, CLASS, WORDS, ...) {.id = #ID, .class = REPLY_##CLASS, .phrases = WORDS, __VA_ARGS__},
#include "lib/wire/reply_rule.def"
#undef X
};

static const struct {
    const char *pattern;
    ReplyClass class;
} statuses[] = {
#define X(pattern, CLASS) {pattern, REPLY_##CLASS},
#include "lib/wire/reply_status.def"
#undef X
};

static const struct {
    const char *name, *relays, *phrases;
} providers[REPLY_PROVIDER_COUNT] = {
    {"unknown", "", ""},
#define X(ID, name, relays, phrases) {name, relays, phrases},
#include "lib/wire/reply_provider.def"
#undef X
};

static const struct {
    const char *name, *meaning;
} classes[REPLY_CLASS_COUNT] = {
#define X(ID, name, meaning) {name, meaning},
#include "lib/wire/reply_class.def"
#undef X
};

static const char *const permanences[] = {"uncertain", "temporary", "permanent"};

/* Owners of phrases: the rules, then the providers. */
#define OWNERS (G_N_ELEMENTS(rules) + REPLY_PROVIDER_COUNT)

const char *reply_class_name(ReplyClass class)
{
    return classes[class].name;
}

const char *reply_class_meaning(ReplyClass class)
{
    return classes[class].meaning;
}

const char *reply_provider_name(ReplyProvider provider)
{
    return providers[provider].name;
}

const char *reply_permanence_name(ReplyPermanence permanence)
{
    return permanences[permanence];
}

static const PhraseSet *phrases(void)
{
    static PhraseSet *made;

    if (g_once_init_enter(&made)) {
        PhraseSet *set = phrase_set_new();
        for (guint i = 0; i < G_N_ELEMENTS(rules); i++)
            phrase_set_add(set, i, rules[i].phrases);
        for (guint i = 0; i < REPLY_PROVIDER_COUNT; i++)
            phrase_set_add(set, (guint)G_N_ELEMENTS(rules) + i, providers[i].phrases);
        g_once_init_leave(&made, set);
    }
    return made;
}

/* Whether the name is the domain or below it. */
static gboolean is_below(ReplyText name, const char *domain, gsize length)
{
    return name.length >= length &&
           g_ascii_strncasecmp(name.data + name.length - length, domain, length) == 0 &&
           (name.length == length || name.data[name.length - length - 1] == '.');
}

static gboolean has_relay(const char *relays, ReplyText name)
{
    while (*relays) {
        gsize n = strcspn(relays, " ");
        if (is_below(name, relays, n))
            return TRUE;
        relays += n + strspn(relays + n, " ");
    }
    return FALSE;
}

/* By the host that answered, else by how it speaks. */
static ReplyProvider find_provider(const Reply *reply, const PhraseHit *hits)
{
    for (guint i = 1; i < REPLY_PROVIDER_COUNT && reply->relay.length > 0; i++)
        if (has_relay(providers[i].relays, reply->relay))
            return (ReplyProvider)i;
    for (guint i = 1; i < REPLY_PROVIDER_COUNT && !reply->own; i++)
        if (hits[i].end)
            return (ReplyProvider)i;
    return REPLY_FROM_UNKNOWN;
}

/* The digit that says how it ended. */
static guint first_digit(const Reply *reply)
{
    return reply->code ? reply->code / 100 : reply->status[0];
}

static gboolean is_success(const Reply *reply)
{
    return first_digit(reply) == 2 || first_digit(reply) == 3;
}

static ReplyPermanence find_permanence(const Reply *reply)
{
    guint first = first_digit(reply);

    return first == 4 ? REPLY_TEMPORARY : first == 5 ? REPLY_PERMANENT : REPLY_UNCERTAIN;
}

/* The codes as they are written, so that a pattern can be laid upon them. */
typedef struct {
    char code[8];    /* "": none */
    char status[16]; /* "": none */
} Codes;

static Codes write_codes(const Reply *reply)
{
    Codes codes = {"", ""};

    if (reply->code)
        g_snprintf(codes.code, sizeof(codes.code), "%u", reply->code);
    if (reply->status[0])
        g_snprintf(codes.status, sizeof(codes.status), "%u.%u.%u", reply->status[0],
                   reply->status[1], reply->status[2]);
    return codes;
}

/* An x that stands alone between dots is any number, another one any digit. */
static gboolean fits(const char *pattern, const char *text)
{
    const char *start = pattern;

    for (; *pattern; pattern++) {
        gboolean alone = *pattern == 'x' && (pattern == start || pattern[-1] == '.') &&
                         (pattern[1] == '.' || pattern[1] == '\0');
        if (*pattern == 'x' ? !g_ascii_isdigit(*text) : *text != *pattern)
            return FALSE;
        text++;
        while (alone && g_ascii_isdigit(*text))
            text++;
    }
    return *text == '\0';
}

/* What may be said of the recipient at all. */
static gboolean may_be_address(const Reply *reply)
{
    const guint *status = reply->status;

    return reply->code != 421 && status[1] != 7 &&
           !(status[1] == 1 && (status[2] == 7 || status[2] == 8)) &&
           !(BEFORE_RCPT & (1u << reply->stage));
}

static gboolean rule_fits(const Rule *rule, const Reply *reply, const Codes *codes,
                          ReplyProvider provider)
{
    return rule->own == reply->own && (!rule->stages || (rule->stages & (1u << reply->stage))) &&
           (!rule->provider || rule->provider == provider) &&
           (!rule->code || fits(rule->code, codes->code)) &&
           (!rule->status || fits(rule->status, codes->status));
}

static gboolean find_rule(const Reply *reply, const Codes *codes, const PhraseHit *hits,
                          ReplyVerdict *verdict)
{
    gboolean address = may_be_address(reply);

    for (guint i = 0; i < G_N_ELEMENTS(rules); i++) {
        const Rule *rule = &rules[i];
        if ((*rule->phrases && !hits[i].end) || (rule->class == REPLY_ADDRESS && !address) ||
            !rule_fits(rule, reply, codes, verdict->provider))
            continue;
        verdict->class = rule->class;
        verdict->rule = rule->id;
        verdict->words =
            (ReplyText){reply->text.data + hits[i].start, (gsize)(hits[i].end - hits[i].start)};
        if (verdict->permanence == REPLY_UNCERTAIN)
            verdict->permanence = rule->permanence;
        return TRUE;
    }
    return FALSE;
}

static void find_status(const Reply *reply, const Codes *codes, ReplyVerdict *verdict)
{
    gboolean address = may_be_address(reply);

    for (guint i = 0; i < G_N_ELEMENTS(statuses); i++) {
        const char *pattern = statuses[i].pattern;
        if ((statuses[i].class == REPLY_ADDRESS && !address) ||
            !fits(pattern, pattern[1] == '.' ? codes->status : codes->code))
            continue;
        verdict->class = statuses[i].class;
        verdict->rule = pattern;
        return;
    }
}

void reply_classify(const Reply *reply, ReplyVerdict *verdict)
{
    PhraseHit hits[OWNERS] = {0};
    const Codes codes = write_codes(reply);

    *verdict = (ReplyVerdict){.rule = ""};
    phrase_set_find(phrases(), reply->text.data, reply->text.length, hits);
    verdict->provider = find_provider(reply, hits + G_N_ELEMENTS(rules));
    if (is_success(reply))
        return;
    verdict->permanence = find_permanence(reply);
    if (!find_rule(reply, &codes, hits, verdict))
        find_status(reply, &codes, verdict);
}

void reply_judge(const char *text, const char *dsn, const char *relay, ReplyVerdict *verdict)
{
    Reply reply;

    reply_read(text ? text : "", text ? strlen(text) : 0, &reply);
    reply_add_status(&reply, dsn ? dsn : "");
    reply_add_relay(&reply, relay ? relay : "");
    reply_classify(&reply, verdict);
}
