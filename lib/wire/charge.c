/* SPDX-License-Identifier: MIT */
#include "lib/wire/charge.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/base/id.h"

#define WORDS_MAX  (CHARGE_SHARES_MAX + 4)
#define DOMAIN_MAX 253
#define NODE_MAX   255
#define NO_DOMAIN  "-"

static const struct {
    const char *word;
    const char *arguments;
} verbs[] = {
#define X(NAME, word, arguments) {word, arguments},
    CHARGE_VERBS(X)
#undef X
};

void charge_request_clear(ChargeRequest *request)
{
    g_clear_pointer(&request->domain, g_free);
}

static gboolean invalid(GError **error, const char *why)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "limit request: %s", why);
    return FALSE;
}

static gboolean take_id(const char *word, guint64 least, guint32 *id)
{
    guint64 number;

    if (!g_ascii_string_to_unsigned(word, 10, least, G_MAXUINT32, &number, NULL))
        return FALSE;
    *id = (guint32)number;
    return TRUE;
}

/* Any octets but control characters and upper case: what is no domain has no limit. */
static gboolean take_domain(const char *word, ChargeRequest *request)
{
    gsize length = strlen(word);

    if (length < 1 || length > DOMAIN_MAX)
        return FALSE;
    for (const char *p = word; *p; p++)
        if (g_ascii_iscntrl(*p) || g_ascii_isupper(*p))
            return FALSE;
    if (strcmp(word, NO_DOMAIN) != 0)
        request->domain = g_strdup(word);
    return TRUE;
}

/* Of what only the worker asks and tells. */
static gboolean take_usage_word(char kind, const char *word, ChargeRequest *request)
{
    guint64 number;

    switch (kind) {
    case 'I':
        return g_ascii_string_to_unsigned(word, 10, 0, G_MAXUINT64, &request->mark.instance, NULL);
    case 'Q':
        return g_ascii_string_to_unsigned(word, 10, 0, G_MAXUINT64, &request->mark.sequence, NULL);
    case 'O':
        return take_id(word, 1, &request->node) && request->node <= NODE_MAX;
    case 'P':
        return limit_period_read(word, &request->period);
    case 'R':
        return take_id(word, 0, &request->resets);
    case 'A':
        if (!g_ascii_string_to_unsigned(word, 10, 0, USAGE_AGE_MAX, &number, NULL))
            return FALSE;
        request->slots.age_us = (gint64)number;
        return TRUE;
    default:
        return usage_slots_parse(word, &request->slots);
    }
}

static gboolean refuse_word(char kind, GError **error)
{
    static const struct {
        char kind;
        const char *why;
    } refusals[] = {
        {'I', "instance: a number of 64 bits"},
        {'Q', "sequence: a number of 64 bits"},
        {'O', "node: a number from 1 to 255"},
        {'P', "period: second, minute, hour or day"},
        {'R', "resets: a number of 32 bits"},
        {'A', "age: microseconds of at most 30 days"},
        {'S', "slots: up to 61 numbers with commas, the last not 0, or -"},
    };
    guint i = 0;

    while (refusals[i].kind != kind)
        i++;
    return invalid(error, refusals[i].why);
}

static gboolean take_word(char kind, const char *word, guint number, ChargeRequest *request,
                          GError **error)
{
    guint32 *numbers[] = {&request->organization, &request->server, &request->credential};

    switch (kind) {
    case 'M':
        return id_parse(word, &request->message) || invalid(error, "no such message id");
    case 'N':
        return (number < G_N_ELEMENTS(numbers) && take_id(word, 0, numbers[number])) ||
               invalid(error, "an id must be a number");
    case 'L':
        return take_id(word, 1, &request->limit) || invalid(error, "no such limit");
    case 'D':
        return take_domain(word, request) ||
               invalid(error, "a domain has 1 to 253 octets in lower case");
    default:
        return take_usage_word(kind, word, request) || refuse_word(kind, error);
    }
}

static gboolean take_line(const char *line, ChargeRequest *request, GError **error)
{
    g_auto(GStrv) words = g_strsplit(line, " ", WORDS_MAX);

    for (guint verb = 0; words[0] && verb < G_N_ELEMENTS(verbs); verb++) {
        const char *arguments = verbs[verb].arguments;
        if (strcmp(words[0], verbs[verb].word) != 0)
            continue;
        if (g_strv_length(words) != strlen(arguments) + 1)
            return invalid(error, "wrong number of words");
        request->verb = (ChargeVerb)verb;
        for (guint i = 0; arguments[i]; i++)
            if (!take_word(arguments[i], words[i + 1], i - 1, request, error))
                return FALSE;
        return TRUE;
    }
    return invalid(error, "no such verb");
}

gssize charge_request_parse(const char *data, gsize length, ChargeRequest *request, GError **error)
{
    g_auto(ChargeRequest) parsed = {0};
    const char *end = memchr(data, '\n', MIN(length, CHARGE_LINE_MAX));

    if (!end && length < CHARGE_LINE_MAX)
        return 0;
    if (!end) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_TOO_LARGE,
                    "limit request: more than %d octets", CHARGE_LINE_MAX);
        return -1;
    }
    g_autofree char *line = g_strndup(data, (gsize)(end - data));
    if (strlen(line) != (gsize)(end - data)) {
        invalid(error, "NUL");
        return -1;
    }
    if (!take_line(line, &parsed, error))
        return -1;
    *request = parsed;
    parsed.domain = NULL;
    return end - data + 1;
}

static void append_number(GString *out, guint64 number)
{
    g_string_append_printf(out, "%" G_GUINT64_FORMAT, number);
}

static void append_usage_word(GString *out, char kind, const ChargeRequest *request)
{
    switch (kind) {
    case 'I':
        append_number(out, request->mark.instance);
        break;
    case 'Q':
        append_number(out, request->mark.sequence);
        break;
    case 'O':
        append_number(out, request->node);
        break;
    case 'P':
        g_string_append(out, limit_period_word(request->period));
        break;
    case 'R':
        append_number(out, request->resets);
        break;
    case 'A':
        append_number(out, (guint64)request->slots.age_us);
        break;
    default:
        usage_slots_append(out, &request->slots);
    }
}

void charge_request_append(GString *out, const ChargeRequest *request)
{
    const guint32 numbers[] = {request->organization, request->server, request->credential};
    guint number = 0;

    g_string_append(out, verbs[request->verb].word);
    for (const char *kind = verbs[request->verb].arguments; *kind; kind++) {
        g_string_append_c(out, ' ');
        if (*kind == 'M')
            append_number(out, request->message);
        else if (*kind == 'N')
            append_number(out, numbers[number++ % G_N_ELEMENTS(numbers)]);
        else if (*kind == 'L')
            append_number(out, request->limit);
        else if (*kind == 'D')
            g_string_append(out, request->domain ? request->domain : NO_DOMAIN);
        else
            append_usage_word(out, *kind, request);
    }
    g_string_append_c(out, '\n');
}

static gboolean strange(GError **error)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_CORRUPT,
                "policyd: not an answer about limits");
    return FALSE;
}

/* WAIT: -1, or a number. */
static gboolean take_wait(const char *word, gint64 *wait_us)
{
    return g_ascii_string_to_signed(word, 10, -1, G_MAXINT64, wait_us, NULL);
}

gboolean charge_verdict_parse(const char *line, ChargeVerdict *verdict, GError **error)
{
    g_auto(GStrv) words = g_strsplit(line, " ", WORDS_MAX);
    ChargeVerdict parsed = {0};

    if (strcmp(line, "ok") == 0) {
        *verdict = parsed;
        return TRUE;
    }
    if (g_strv_length(words) != 8 || strcmp(words[0], "full") != 0 ||
        !take_id(words[1], 1, &parsed.limit) || !limit_action_read(words[2], &parsed.action) ||
        !limit_subject_read(words[3], &parsed.subject) || !take_id(words[4], 0, &parsed.max) ||
        !limit_period_read(words[5], &parsed.period) ||
        !g_ascii_string_to_unsigned(words[6], 10, 0, G_MAXUINT64, &parsed.count, NULL) ||
        !take_wait(words[7], &parsed.wait_us))
        return strange(error);
    *verdict = parsed;
    return TRUE;
}

void charge_verdict_append(GString *out, const ChargeVerdict *verdict)
{
    if (verdict->limit == 0)
        g_string_append(out, "ok\n");
    else
        g_string_append_printf(
            out, "full %u %s %s %u %s %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT "\n", verdict->limit,
            limit_action_word(verdict->action), limit_subject_word(verdict->subject), verdict->max,
            limit_period_word(verdict->period), verdict->count, verdict->wait_us);
}

static char *subject_text(const ChargeVerdict *verdict, const char *organization,
                          const char *server, const char *domain)
{
    switch (verdict->subject) {
    case LIMIT_ORGANIZATION:
        return g_strdup_printf("organization %s", organization);
    case LIMIT_SERVER:
        return g_strdup_printf("server %s/%s", organization, server);
    case LIMIT_CREDENTIAL:
        return g_strdup("this credential");
    case LIMIT_DOMAIN:
        return g_strdup_printf("recipients at %s", domain);
    default:
        return g_strdup("this user");
    }
}

char *charge_verdict_text(const ChargeVerdict *verdict, const char *organization,
                          const char *server, const char *domain)
{
    g_autofree char *subject = subject_text(verdict, organization, server, domain);

    return g_strdup_printf("Limit of %u message%s per %s for %s is reached (limit %u)",
                           verdict->max, verdict->max == 1 ? "" : "s",
                           limit_period_word(verdict->period), subject, verdict->limit);
}

char *charge_verdict_reason(const ChargeVerdict *verdict, const char *text)
{
    gint64 seconds = (verdict->wait_us + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC;

    return verdict->wait_us < 0
               ? g_strdup_printf("%s: %" G_GUINT64_FORMAT " counted", text, verdict->count)
               : g_strdup_printf("%s: %" G_GUINT64_FORMAT " counted, room in %" G_GINT64_FORMAT
                                 " s",
                                 text, verdict->count, seconds);
}

static gboolean take_share(const char *word, ChargeCount *count)
{
    g_auto(GStrv) sides = g_strsplit(word, "=", 3);
    ChargeShare *share = &count->shares[count->n];

    if (count->n >= CHARGE_SHARES_MAX || g_strv_length(sides) != 2 ||
        !take_id(sides[0], 1, &share->node) || share->node > NODE_MAX ||
        !g_ascii_string_to_unsigned(sides[1], 10, 0, G_MAXUINT64, &share->count, NULL))
        return FALSE;
    count->n++;
    return TRUE;
}

gboolean charge_count_parse(const char *line, ChargeCount *count, GError **error)
{
    g_auto(GStrv) words = g_strsplit(line, " ", WORDS_MAX);
    ChargeCount parsed = {0};

    if (strcmp(line, CHARGE_NONE) == 0) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND,
                    "policyd does not know this limit (yet)");
        return FALSE;
    }
    if (g_strv_length(words) < 3 || strcmp(words[0], "count") != 0 ||
        !g_ascii_string_to_unsigned(words[1], 10, 0, G_MAXUINT64, &parsed.count, NULL) ||
        !take_wait(words[2], &parsed.wait_us))
        return strange(error);
    for (char **word = words + 3; *word; word++)
        if (!take_share(*word, &parsed))
            return strange(error);
    *count = parsed;
    return TRUE;
}

void charge_count_append(GString *out, const ChargeCount *count)
{
    g_string_append_printf(out, "count %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT, count->count,
                           count->wait_us);
    for (guint i = 0; i < count->n; i++)
        g_string_append_printf(out, " %u=%" G_GUINT64_FORMAT, count->shares[i].node,
                               count->shares[i].count);
    g_string_append_c(out, '\n');
}
