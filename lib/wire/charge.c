/* SPDX-License-Identifier: MIT */
#include "lib/wire/charge.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/base/id.h"

#define WORDS_MAX  10
#define DOMAIN_MAX 253
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

static gboolean take_word(char kind, const char *word, guint number, ChargeRequest *request,
                          GError **error)
{
    guint32 *numbers[] = {&request->organization, &request->server, &request->credential};

    switch (kind) {
    case 'M':
        return id_parse(word, &request->message) || invalid(error, "no such message id");
    case 'N':
        return take_id(word, 0, numbers[number]) || invalid(error, "an id must be a number");
    case 'L':
        return take_id(word, 1, &request->limit) || invalid(error, "no such limit");
    default:
        return take_domain(word, request) ||
               invalid(error, "a domain has 1 to 253 octets in lower case");
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

void charge_request_append(GString *out, const ChargeRequest *request)
{
    const guint32 numbers[] = {request->organization, request->server, request->credential};

    g_string_append(out, verbs[request->verb].word);
    for (const char *kind = verbs[request->verb].arguments; *kind; kind++) {
        if (*kind == 'M')
            g_string_append_printf(out, " %" G_GUINT64_FORMAT, request->message);
        else if (*kind == 'N')
            g_string_append_printf(out, " %u", numbers[kind - verbs[request->verb].arguments - 1]);
        else if (*kind == 'L')
            g_string_append_printf(out, " %u", request->limit);
        else
            g_string_append_printf(out, " %s", request->domain ? request->domain : NO_DOMAIN);
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

gboolean charge_count_parse(const char *line, guint64 *count, gint64 *wait_us, GError **error)
{
    g_auto(GStrv) words = g_strsplit(line, " ", WORDS_MAX);
    guint64 number;
    gint64 wait;

    if (strcmp(line, CHARGE_NONE) == 0) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND,
                    "policyd does not know this limit (yet)");
        return FALSE;
    }
    if (g_strv_length(words) != 3 || strcmp(words[0], "count") != 0 ||
        !g_ascii_string_to_unsigned(words[1], 10, 0, G_MAXUINT64, &number, NULL) ||
        !take_wait(words[2], &wait))
        return strange(error);
    *count = number;
    *wait_us = wait;
    return TRUE;
}

void charge_count_append(GString *out, guint64 count, gint64 wait_us)
{
    g_string_append_printf(out, "count %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT "\n", count,
                           wait_us);
}
