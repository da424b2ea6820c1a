/* SPDX-License-Identifier: MIT */
#include "lib/tracking/target.h"

#include <string.h>

#include "lib/base/address.h"

#define LABEL_MAX 63
#define PORT_MAX  65535
#define MARK      "+notrack"

/* What template languages leave behind when nobody filled it in. */
static const char *const placeholders[] = {"{{", "}}", "{%", "%}", "*|", "|*", "[[",
                                           "]]", "<%", "%>", "${", "#{", "%%"};

void target_trim(const char **url, gsize *length)
{
    while (*length > 0 && **url > '\0' && **url <= ' ') {
        ++*url;
        --*length;
    }
    while (*length > 0 && (*url)[*length - 1] > '\0' && (*url)[*length - 1] <= ' ')
        --*length;
}

static gboolean starts(const char *text, gsize length, const char *word)
{
    gsize n = strlen(word);

    return length >= n && g_ascii_strncasecmp(text, word, n) == 0;
}

/* Octets of "http://" or "https://"; 0: neither. */
static gsize scheme_length(const char *url, gsize length)
{
    return starts(url, length, "http://") ? 7 : starts(url, length, "https://") ? 8 : 0;
}

gsize target_marked(const char *url, gsize length)
{
    gsize at = starts(url, length, "https") ? 5 : starts(url, length, "http") ? 4 : 0;

    return at && length - at >= strlen(MARK "://") &&
                   memcmp(url + at, MARK "://", strlen(MARK "://")) == 0
               ? at
               : 0;
}

void target_unmark(GString *url)
{
    gsize at = target_marked(url->str, url->len);

    if (at)
        g_string_erase(url, (gssize)at, (gssize)strlen(MARK));
}

static gboolean has_placeholder(const char *url)
{
    for (guint i = 0; i < G_N_ELEMENTS(placeholders); i++)
        if (strstr(url, placeholders[i]))
            return TRUE;
    return FALSE;
}

static gboolean has_bad_character(const char *url, gsize length)
{
    for (gsize i = 0; i < length; i++)
        if ((guint8)url[i] < ' ' || url[i] == 0x7f || url[i] == '\\')
            return TRUE;
    return FALSE;
}

static gboolean is_ascii(const char *text)
{
    for (; *text; text++)
        if (*text & 0x80)
            return FALSE;
    return TRUE;
}

static gboolean label_is_fit(const char *label)
{
    if (label[0] == '\0' || strlen(label) > LABEL_MAX)
        return FALSE;
    for (const char *p = label; *p; p = g_utf8_find_next_char(p, NULL)) {
        gunichar c = g_utf8_get_char(p);
        if (!g_unichar_isalnum(c) && !g_unichar_ismark(c) && c != '-' && c != '_')
            return FALSE;
    }
    return TRUE;
}

static gboolean name_is_fit(const char *host)
{
    g_auto(GStrv) labels = g_strsplit(host, ".", -1);
    guint n = g_strv_length(labels);

    if (n > 1 && labels[n - 1][0] == '\0')
        n--; /* the root */
    for (guint i = 0; i < n; i++)
        if (!label_is_fit(labels[i]))
            return FALSE;
    return n > 0;
}

static gboolean port_is_fit(const char *port)
{
    guint64 number;

    return *port == '\0' || g_ascii_string_to_unsigned(port, 10, 0, PORT_MAX, &number, NULL);
}

/* Whether both forms of a name are the same name: no A-label is broken, nothing is mapped but case. */
static gboolean comes_back(const char *name, const char *ascii)
{
    g_autofree char *lower = g_utf8_strdown(name, -1);
    g_autofree char *unicode = g_hostname_to_unicode(ascii);
    g_autofree char *again = unicode ? g_hostname_to_ascii(unicode) : NULL;

    return again && g_ascii_strcasecmp(again, ascii) == 0 &&
           (is_ascii(name) || strcmp(unicode, lower) == 0);
}

/* The host of an authority without login, as names are compared: A-labels, lower case, no root; NULL: there is none. The text
 * is valid UTF-8. */
static char *host_of(const char *authority)
{
    const char *end = authority[0] == '[' ? strchr(authority, ']') : NULL;

    if (authority[0] == '[') {
        g_autofree char *address =
            end ? g_strndup(authority + 1, (gsize)(end - authority) - 1) : NULL;
        gboolean fit = address && strchr(address, ':') && !strchr(address, '%') &&
                       g_hostname_is_ip_address(address) &&
                       (end[1] == '\0' || (end[1] == ':' && port_is_fit(end + 2)));
        return fit ? g_steal_pointer(&address) : NULL;
    }
    const char *colon = strchr(authority, ':');
    if (colon && !port_is_fit(colon + 1))
        return NULL;
    g_autofree char *name =
        colon ? g_strndup(authority, (gsize)(colon - authority)) : g_strdup(authority);
    if (!name_is_fit(name))
        return NULL;
    if (g_str_has_suffix(name, "."))
        name[strlen(name) - 1] = '\0';
    g_autofree char *host = address_domain_form(name);
    return host && comes_back(name, host) ? g_steal_pointer(&host) : NULL;
}

static gboolean is_excluded(const char *host, const TrackingSettings *settings)
{
    for (guint i = 0; i < settings->n_excluded; i++) {
        const TrackingDomain *domain = &settings->excluded[i];
        gsize length = strlen(host), n = strlen(domain->domain);
        if (strcmp(host, domain->domain) == 0 ||
            (domain->below && length > n && host[length - n - 1] == '.' &&
             strcmp(host + length - n, domain->domain) == 0))
            return TRUE;
    }
    return FALSE;
}

static gboolean check_host(const char *rest, const TrackingSettings *settings, TrackingSkip *why)
{
    g_autofree char *authority = g_strndup(rest, strcspn(rest, "/?#"));
    g_autofree char *host = host_of(authority);

    if (strchr(authority, '@'))
        *why = TRACKING_SKIP_LOGIN;
    else if (!host)
        *why = TRACKING_SKIP_HOST;
    else if (g_ascii_strcasecmp(host, settings->host) == 0)
        *why = TRACKING_SKIP_OURS;
    else if (is_excluded(host, settings))
        *why = TRACKING_SKIP_EXCLUDED;
    else
        return TRUE;
    return FALSE;
}

gboolean target_check(const char *url, gsize length, gboolean utf8,
                      const TrackingSettings *settings, TrackingSkip *why)
{
    gsize scheme = scheme_length(url, length);

    if (length > LINK_URL_MAX) {
        *why = scheme ? TRACKING_SKIP_LENGTH : TRACKING_SKIP_SCHEME;
        return FALSE;
    }
    g_autofree char *text = g_strndup(url, length);
    if (has_placeholder(text)) /* also where the scheme should be */
        *why = TRACKING_SKIP_PLACEHOLDER;
    else if (!scheme)
        *why = TRACKING_SKIP_SCHEME;
    else if (has_bad_character(url, length))
        *why = TRACKING_SKIP_CHARACTER;
    else if (!is_ascii(text) && !(utf8 && g_utf8_validate(text, -1, NULL)))
        *why = TRACKING_SKIP_CHARSET;
    else
        return check_host(text + scheme, settings, why);
    return FALSE;
}
