/* SPDX-License-Identifier: MIT */
#include "transport/verdict.h"

#include <string.h>
#include <sysexits.h>

#define NAME_MAX_OCTETS 100

void verdict_clear(Verdict *verdict)
{
    g_clear_pointer(&verdict->line, g_free);
}

char *verdict_text(const char *octets, gsize length, gsize max)
{
    GString *text = g_string_sized_new(MIN(length, max));

    for (gsize i = 0; i < length && text->len < max; i++)
        if (g_ascii_isgraph(octets[i]))
            g_string_append_c(text, octets[i]);
        else if ((guchar)octets[i] >= 0x80)
            g_string_append_c(text, '?');
        else if (text->len > 0 && text->str[text->len - 1] != ' ')
            g_string_append_c(text, ' ');
    return g_strchomp(g_string_free(text, FALSE));
}

static void set(Verdict *verdict, int status, char *line)
{
    verdict_clear(verdict);
    *verdict = (Verdict){status, line};
}

void verdict_later(Verdict *verdict, const char *code, const char *text)
{
    set(verdict, EX_TEMPFAIL, g_strdup_printf("%s %s", code, text));
}

void verdict_never(Verdict *verdict, const char *code, const char *text)
{
    set(verdict, EX_UNAVAILABLE, g_strdup_printf("%s %s", code, text));
}

static void delivered(const EdgeEndpoint *endpoint, const HttpAnswer *answer, Verdict *verdict)
{
    g_autofree char *name = verdict_text(endpoint->name, strlen(endpoint->name), NAME_MAX_OCTETS);
    g_autofree char *text =
        verdict_text(answer->answer->str, answer->answer->len, VERDICT_ANSWER_MAX);

    set(verdict, 0,
        g_strdup_printf("2.0.0 %d from endpoint %u %s%s%s", answer->status, endpoint->id, name,
                        *text ? ": " : "", text));
}

/* The enhanced code, by RFC 3463. */
static const char *code_of(int status)
{
    switch (status) {
    case 413:
        return "5.3.4";
    case 408:
        return "4.4.2";
    case 429:
        return "4.3.2";
    default:
        return status >= 500 ? "4.3.0" : "5.3.0";
    }
}

void verdict_of_answer(const EdgeEndpoint *endpoint, const HttpAnswer *answer, Verdict *verdict)
{
    g_autofree char *text = NULL;

    if (answer->outcome != HTTP_ANSWERED) {
        text = g_strdup_printf("HTTP endpoint %u: %s", endpoint->id,
                               http_failure_text(answer->outcome));
        verdict_later(verdict, http_failure_code(answer->outcome), text);
        return;
    }
    if (answer->status >= 200 && answer->status < 300) {
        delivered(endpoint, answer, verdict);
        return;
    }
    const char *code = code_of(answer->status);
    text = g_strdup_printf("HTTP endpoint %u answered %d", endpoint->id, answer->status);
    if (*code == '4')
        verdict_later(verdict, code, text);
    else
        verdict_never(verdict, code, text);
}
