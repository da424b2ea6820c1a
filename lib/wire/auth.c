/* SPDX-License-Identifier: MIT */
#include "lib/wire/auth.h"

#include <string.h>

#include "lib/base/error.h"

static const char *const mechanisms[] = {
    [SASL_PLAIN] = "PLAIN", [SASL_LOGIN] = "LOGIN", [SASL_CRAM_MD5] = "CRAM-MD5"};

static void wipe(char **text)
{
    if (*text)
        explicit_bzero(*text, strlen(*text));
    g_clear_pointer(text, g_free);
}

void auth_line_clear(AuthLine *line)
{
    g_clear_pointer(&line->mechanism, g_free);
    g_clear_pointer(&line->remote, g_free);
    wipe(&line->response);
}

static gboolean invalid(GError **error, const char *why)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "auth request: %s", why);
    return FALSE;
}

static gboolean number(const char *text, guint32 *out, GError **error)
{
    guint64 value;

    if (!text || !g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT32, &value, NULL))
        return invalid(error, "a decimal number of 32 bits is needed");
    *out = (guint32)value;
    return TRUE;
}

static gboolean take_auth(char **fields, AuthLine *line, GError **error)
{
    if (!fields[1] || !number(fields[1], &line->id, error))
        return fields[1] ? FALSE : invalid(error, "AUTH without number");
    if (!fields[2] || !*fields[2])
        return invalid(error, "AUTH without mechanism");
    line->mechanism = g_strdup(fields[2]);
    for (guint i = 3; fields[i]; i++) {
        if (g_str_has_prefix(fields[i], "rip=") && !line->remote)
            line->remote = g_strdup(fields[i] + 4);
        if (g_str_has_prefix(fields[i], "resp=")) {
            line->response = g_strdup(fields[i] + 5);
            break; /* the last one by the protocol */
        }
    }
    if (!line->remote)
        line->remote = g_strdup("");
    return TRUE;
}

static gboolean take_fields(char **fields, AuthLine *line, GError **error)
{
    if (strcmp(fields[0], "AUTH") == 0) {
        line->kind = AUTH_LINE_AUTH;
        return take_auth(fields, line, error);
    }
    if (strcmp(fields[0], "CONT") == 0) {
        line->kind = AUTH_LINE_CONT;
        if (g_strv_length(fields) != 3)
            return invalid(error, "CONT needs a number and a response");
        line->response = g_strdup(fields[2]);
        return number(fields[1], &line->id, error);
    }
    if (strcmp(fields[0], "VERSION") == 0) {
        line->kind = AUTH_LINE_VERSION;
        return number(fields[1], &line->id, error);
    }
    if (strcmp(fields[0], "CPID") == 0) {
        line->kind = AUTH_LINE_CPID;
        return number(fields[1], &line->id, error);
    }
    return invalid(error, "unknown command");
}

gssize auth_parse(const char *data, gsize length, AuthLine *line, GError **error)
{
    const char *newline = memchr(data, '\n', MIN(length, AUTH_LINE_MAX));
    g_auto(AuthLine) parsed = {0};

    if (!newline && length < AUTH_LINE_MAX)
        return 0;
    if (!newline) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_TOO_LARGE,
                    "auth request: a line of more than %d octets", AUTH_LINE_MAX);
        return -1;
    }
    for (const char *p = data; p < newline; p++)
        if (*p != '\t' && (*p == '\0' || g_ascii_iscntrl(*p))) {
            invalid(error, "control character");
            return -1;
        }
    g_autofree char *text = g_strndup(data, (gsize)(newline - data));
    g_auto(GStrv) fields = g_strsplit(text, "\t", -1);
    gboolean taken = fields[0] ? take_fields(fields, &parsed, error) : invalid(error, "empty line");
    explicit_bzero(text, strlen(text));
    for (guint i = 0; fields[i]; i++)
        explicit_bzero(fields[i], strlen(fields[i]));
    if (!taken)
        return -1;
    *line = parsed;
    memset(&parsed, 0, sizeof(parsed));
    return newline - data + 1;
}

gboolean sasl_begin(SaslExchange *exchange, const char *mechanism, const char *challenge)
{
    for (guint i = 0; i < G_N_ELEMENTS(mechanisms); i++)
        if (g_ascii_strcasecmp(mechanism, mechanisms[i]) == 0) {
            *exchange = (SaslExchange){.mechanism = (SaslMechanism)i,
                                       .challenge = g_strdup(i == SASL_CRAM_MD5 ? challenge : "")};
            return TRUE;
        }
    return FALSE;
}

/* Strict base64 (RFC 4648 section 4); NULL when it is not, or too long. */
static guint8 *decode(const char *text, gsize *length)
{
    gsize size = strlen(text),
          body = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
                              "wxyz0123456789+/");

    gsize pad = strspn(text + body, "=");
    if (size % 4 != 0 || body + pad != size || pad > 2 || size > AUTH_LINE_MAX)
        return NULL;
    return g_base64_decode(text, length);
}

/* A field without NUL and controls, of 0..AUTH_NAME_MAX octets; NULL otherwise. */
static char *clean(const guint8 *octets, gsize length)
{
    if (length > AUTH_NAME_MAX)
        return NULL;
    for (gsize i = 0; i < length; i++)
        if (octets[i] < 0x20 || octets[i] == 0x7f)
            return NULL;
    return g_strndup((const char *)octets, length);
}

/* authorization-id NUL user NUL key (RFC 4616). */
static gboolean take_plain(SaslExchange *exchange, const guint8 *octets, gsize length)
{
    const guint8 *user = memchr(octets, '\0', length);
    gsize left = user ? length - (gsize)(++user - octets) : 0;
    const guint8 *key = user ? memchr(user, '\0', left) : NULL;

    if (!key)
        return FALSE;
    exchange->username = clean(user, (gsize)(key - user));
    key++;
    exchange->secret = clean(key, length - (gsize)(key - octets));
    return exchange->username && exchange->secret;
}

static gboolean take_login(SaslExchange *exchange, const guint8 *octets, gsize length)
{
    char **field = exchange->username ? &exchange->secret : &exchange->username;

    *field = clean(octets, length);
    return *field != NULL;
}

/* user SP digest (RFC 2195); the user may contain spaces. */
static gboolean take_cram(SaslExchange *exchange, const guint8 *octets, gsize length)
{
    const guint8 *space = memrchr(octets, ' ', length);

    if (!space)
        return FALSE;
    exchange->username = clean(octets, (gsize)(space - octets));
    exchange->secret = clean(space + 1, length - (gsize)(space + 1 - octets));
    return exchange->username && exchange->secret;
}

static char *prompt_for(const SaslExchange *exchange)
{
    if (exchange->mechanism == SASL_CRAM_MD5)
        return g_base64_encode((const guchar *)exchange->challenge, strlen(exchange->challenge));
    if (exchange->mechanism == SASL_LOGIN)
        return g_strdup(exchange->username ? "UGFzc3dvcmQ6" : "VXNlcm5hbWU6");
    return g_strdup("");
}

SaslStep sasl_step(SaslExchange *exchange, const char *response, char **prompt)
{
    static gboolean (*const take[])(SaslExchange *, const guint8 *, gsize) = {
        [SASL_PLAIN] = take_plain, [SASL_LOGIN] = take_login, [SASL_CRAM_MD5] = take_cram};
    gsize length = 0;

    if (!response && exchange->step++ == 0) {
        *prompt = prompt_for(exchange);
        return SASL_MORE;
    }
    if (!response || (exchange->mechanism == SASL_CRAM_MD5 && exchange->step == 0))
        return SASL_FAILED;
    exchange->step++;
    g_autofree guint8 *octets = decode(response, &length);
    gboolean taken = octets && take[exchange->mechanism](exchange, octets, length);
    if (octets)
        explicit_bzero(octets, length);
    if (!taken)
        return SASL_FAILED;
    if (exchange->secret)
        return SASL_DONE;
    *prompt = prompt_for(exchange);
    return SASL_MORE;
}

void sasl_clear(SaslExchange *exchange)
{
    g_clear_pointer(&exchange->challenge, g_free);
    g_clear_pointer(&exchange->username, g_free);
    wipe(&exchange->secret);
}

const char *sasl_name(SaslMechanism mechanism)
{
    return mechanisms[mechanism];
}

void auth_greeting(GString *out, guint32 process, guint32 connection, const char *cookie,
                   gboolean cram)
{
    g_string_append_printf(out,
                           "VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\n"
                           "%sSPID\t%u\nCUID\t%u\nCOOKIE\t%s\nDONE\n",
                           cram ? "MECH\tCRAM-MD5\tdictionary\tactive\n" : "", process, connection,
                           cookie);
}

void auth_continue(GString *out, guint32 id, const char *prompt)
{
    g_string_append_printf(out, "CONT\t%u\t%s\n", id, prompt);
}

void auth_ok(GString *out, guint32 id, const char *user)
{
    g_string_append_printf(out, "OK\t%u\tuser=%s\n", id, user);
}

void auth_fail(GString *out, guint32 id)
{
    g_string_append_printf(out, "FAIL\t%u\n", id);
}
