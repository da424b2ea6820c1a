/* SPDX-License-Identifier: MIT */
#include "lib/wire/policy.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/wire/smtp_reply.h"

/* What Postfix's smtpd puts around a text that begins with its status, beside the recipient. */
#define AROUND   "550 <>: Recipient address rejected: \r\n"
#define TEXT_MIN 120 /* whatever the recipient */

static const struct {
    const char *name;
    gsize offset;
} attributes[] = {
    {"protocol_state", G_STRUCT_OFFSET(PolicyRequest, protocol_state)},
    {"queue_id", G_STRUCT_OFFSET(PolicyRequest, queue_id)},
    {"client_address", G_STRUCT_OFFSET(PolicyRequest, client_address)},
    {"sender", G_STRUCT_OFFSET(PolicyRequest, sender)},
    {"recipient", G_STRUCT_OFFSET(PolicyRequest, recipient)},
    {"sasl_username", G_STRUCT_OFFSET(PolicyRequest, sasl_username)},
    {"recipient_count", G_STRUCT_OFFSET(PolicyRequest, recipient_count)},
    {"size", G_STRUCT_OFFSET(PolicyRequest, size)},
    {"instance", G_STRUCT_OFFSET(PolicyRequest, instance)},
    {"policy_context", G_STRUCT_OFFSET(PolicyRequest, policy_context)},
};

static char **field(PolicyRequest *request, guint i)
{
    return (char **)(void *)((char *)request + attributes[i].offset);
}

void policy_request_clear(PolicyRequest *request)
{
    for (guint i = 0; i < G_N_ELEMENTS(attributes); i++)
        g_clear_pointer(field(request, i), g_free);
}

static gboolean invalid(GError **error, const char *why)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "policy request: %s", why);
    return FALSE;
}

static gboolean take_line(char *line, PolicyRequest *request, gboolean *typed, GError **error)
{
    char *value = strchr(line, '=');

    if (!value || value == line)
        return invalid(error, "a line must be name=value");
    *value++ = '\0';
    for (const char *p = line; *p; p++)
        if (!g_ascii_isgraph(*p))
            return invalid(error, "a name must be printable ASCII");
    for (const char *p = value; *p; p++)
        if (g_ascii_iscntrl(*p))
            return invalid(error, "a value must not have control characters");
    if (strcmp(line, "request") == 0) {
        *typed = strcmp(value, "smtpd_access_policy") == 0;
        return *typed || invalid(error, "request must be smtpd_access_policy");
    }
    for (guint i = 0; i < G_N_ELEMENTS(attributes); i++) {
        if (strcmp(line, attributes[i].name) != 0)
            continue;
        if (*field(request, i))
            return invalid(error, "an attribute is given twice");
        *field(request, i) = g_strdup(value);
    }
    return TRUE;
}

gssize policy_parse(const char *data, gsize length, PolicyRequest *request, GError **error)
{
    g_auto(PolicyRequest) parsed = {0};
    gboolean typed = FALSE;
    gsize at = 0;

    gboolean whole = length > 0 && data[0] == '\n';
    const char *end = whole ? data : memmem(data, MIN(length, POLICY_REQUEST_MAX), "\n\n", 2);
    if (!end) {
        if (length < POLICY_REQUEST_MAX)
            return 0;
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_TOO_LARGE,
                    "policy request: more than %d octets", POLICY_REQUEST_MAX);
        return -1;
    }
    gsize stop = whole ? 0 : (gsize)(end - data) + 1;
    if (memchr(data, '\0', stop)) {
        invalid(error, "NUL");
        return -1;
    }
    while (at < stop) {
        const char *newline = memchr(data + at, '\n', stop - at);
        g_autofree char *line = g_strndup(data + at, (gsize)(newline - data) - at);
        if (!take_line(line, &parsed, &typed, error))
            return -1;
        at = (gsize)(newline - data) + 1;
    }
    if (!typed) {
        invalid(error, "request=smtpd_access_policy is missing");
        return -1;
    }
    for (guint i = 0; i < G_N_ELEMENTS(attributes); i++)
        if (!*field(&parsed, i))
            *field(&parsed, i) = g_strdup("");
    *request = parsed;
    memset(&parsed, 0, sizeof(parsed));
    return (gssize)stop + 1;
}

void policy_reply(GString *out, const char *action, const char *text, const char *recipient)
{
    gsize around = strlen(AROUND) + strlen(recipient);
    g_autofree char *fit =
        text ? smtp_reply_fit(text, SMTP_LINE_MAX - MIN(around, SMTP_LINE_MAX - TEXT_MIN)) : NULL;

    g_string_append_printf(out, "action=%s%s", action, text ? " " : "");
    for (const char *p = fit; p && *p; p++)
        if (g_ascii_isprint(*p))
            g_string_append_c(out, *p);
        else
            g_string_append_c(out, g_ascii_iscntrl(*p) ? ' ' : '?');
    g_string_append(out, "\n\n");
}
