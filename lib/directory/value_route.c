/* SPDX-License-Identifier: MIT */
#include "lib/directory/value_route.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/base/address.h"
#include "lib/edge/edge_route.h"
#include "lib/http/url.h"

#define DIGITS      "0123456789"
#define LETTERS     "abcdefghijklmnopqrstuvwxyz"
#define LABEL_MAX   63
#define TIMEOUT_MIN 5
#define TIMEOUT_MAX 60
#define RETURN_PATH "returnpath"
#define PORT_NONE   0

static const char *const modes[] = {
#define X(NAME, word, text) word,
#include "lib/edge/route_mode.def"
#undef X
    NULL};

static const char *const spam_modes[] = {
#define X(NAME, word, text) word,
#include "lib/edge/route_spam.def"
#undef X
    NULL};

static const char *const encodings[] = {"json", "form", NULL};
static const char *const formats[] = {"hash", "raw", NULL};

static void set(Value *value, const char *text, gint64 number)
{
    char *copy = g_strdup(text);

    value_clear(value);
    value->is = text ? VALUE_IS_TEXT : VALUE_IS_UNSIGNED;
    value->text = copy;
    value->number = number;
}

static const char *read_word(const char *const *words, const char *text, const char *allowed,
                             Value *value)
{
    if (!g_strv_contains(words, text))
        return allowed;
    set(value, text, 0);
    return NULL;
}

/* Whether domain, from value_read, will do; its canonical form then. */
static gboolean read_domain(const char *text, Value *domain)
{
    return value_read(VALUE_DOMAIN, "domain", text, 0, domain, NULL);
}

/* What people write without quotes, so that an address can be compared with it as it stands. */
static gboolean is_route_name(const char *name)
{
    gsize length = strlen(name);

    return g_str_equal(name, "*") ||
           (length >= 1 && length <= VALUE_ROUTE_NAME_MAX &&
            strspn(name, LETTERS DIGITS "-.") == length && name[0] != '.' &&
            name[length - 1] != '.' && !strstr(name, ".."));
}

static const char *read_address(const char *text, Value *value)
{
    static const char *const allowed = "allowed are NAME@DOMAIN with 1 to 64 of a-z, 0-9, hyphen "
                                       "and single dots as NAME, *@DOMAIN, "
                                       "and returnpath";
    const char *at = strrchr(text, '@');
    g_auto(Value) domain = {0};

    if (g_str_equal(text, RETURN_PATH) || g_str_equal(text, EDGE_ROUTE_RETURN_PATH)) {
        set(value, EDGE_ROUTE_RETURN_PATH, 0);
        return NULL;
    }
    if (!at || !read_domain(at + 1, &domain))
        return allowed;
    g_autofree char *name = g_strndup(text, (gsize)(at - text));
    if (!is_route_name(name))
        return allowed;
    g_autofree char *address = g_strconcat(name, "@", domain.text, NULL);
    set(value, address, 0);
    return NULL;
}

/* Clients take a path that ends so for another one (RFC 3986 §5.2.4), however it is encoded. */
static gboolean is_dots(const char *text)
{
    return g_str_equal(text, ".") || g_str_equal(text, "..");
}

static const char *read_endpoint_name(const char *text, Value *value)
{
    glong characters = g_utf8_strlen(text, -1);
    gsize length = strlen(text);

    if (characters < 1 || characters > VALUE_TITLE_MAX || strchr(text, ',') || text[0] == ' ' ||
        text[length - 1] == ' ' || g_str_equal(text, "none") || is_dots(text))
        return "allowed are 1 to 255 characters without comma, no blank at either end, and not "
               "`none', `.' and `..'";
    set(value, text, 0);
    return NULL;
}

static const char *read_timeout(const char *text, Value *value)
{
    guint64 number;

    if (!g_ascii_string_to_unsigned(text, 10, TIMEOUT_MIN, TIMEOUT_MAX, &number, NULL))
        return "allowed are 5 to 60 (seconds)";
    set(value, NULL, (gint64)number);
    return NULL;
}

/* The canonical text of an address, g_free; NULL: it is none. */
static char *literal(const char *text)
{
    struct in_addr v4;
    struct in6_addr v6;
    char canonical[INET6_ADDRSTRLEN];

    if (inet_pton(AF_INET, text, &v4) == 1)
        return g_strdup(inet_ntop(AF_INET, &v4, canonical, sizeof(canonical)));
    if (inet_pton(AF_INET6, text, &v6) == 1)
        return g_strdup(inet_ntop(AF_INET6, &v6, canonical, sizeof(canonical)));
    return NULL;
}

/* "name", "name:25", "192.0.2.1:25", "2001:db8::1", "[2001:db8::1]:25" to its two parts. */
static gboolean split_place(const char *text, char **host, gint64 *port)
{
    const char *end = text + strlen(text);
    guint64 number = PORT_NONE;

    if (text[0] == '[') {
        end = strchr(text, ']');
        if (!end)
            return FALSE;
        *host = g_strndup(text + 1, (gsize)(end - text - 1));
        end++;
    } else {
        const char *colon = strchr(text, ':');
        if (colon && !strchr(colon + 1, ':'))
            end = colon;
        *host = g_strndup(text, (gsize)(end - text));
    }
    *port = PORT_NONE;
    if (*end &&
        (*end != ':' || !g_ascii_string_to_unsigned(end + 1, 10, 1, G_MAXUINT16, &number, NULL)))
        return FALSE;
    *port = (gint64)number;
    return TRUE;
}

static gboolean read_place(const char *text, Value *value)
{
    g_autofree char *host = NULL;
    g_auto(Value) domain = {0};
    gint64 port;

    if (!split_place(text, &host, &port))
        return FALSE;
    g_autofree char *address = literal(host);
    if (!address && !read_domain(host, &domain))
        return FALSE;
    set(value, address ? address : domain.text, port);
    return TRUE;
}

static const char *read_smtp(const char *text, Value *value)
{
    if (read_place(text, value))
        return NULL;
    return "allowed are a host name of two labels or more or an address, and with a colon behind "
           "it a port "
           "(an IPv6 address then in brackets)";
}

static gboolean is_socket(const char *text)
{
    gsize length = strlen(text);

    return text[0] == '/' && length > 1 && length <= VALUE_SOCKET_MAX && !strpbrk(text, " ,") &&
           g_str_is_ascii(text);
}

static const char *read_lmtp(const char *text, Value *value)
{
    if (is_socket(text)) {
        set(value, text, PORT_NONE);
        return NULL;
    }
    if (read_place(text, value))
        return NULL;
    return "allowed are HOST or HOST:PORT (a name of two labels or more, or an address), and the "
           "path of a "
           "UNIX socket of at most 107 octets of ASCII without blank and comma";
}

/* A forwarding address: what SMTP can carry as it stands. */
static const char *read_mailbox(const char *text, Value *value)
{
    g_auto(Value) address = {0};

    if (text[0] == '@' || !value_read(VALUE_RECIPIENT, "address", text, 0, &address, NULL))
        return "allowed is an address of 320 octets at most, its local part in quotes if it has "
               "blanks or other "
               "special characters";
    set(value, address.text, 0);
    return NULL;
}

/* A label of a URL's host; there underscores are in use, too. */
static gboolean is_host_label(const char *label)
{
    gsize length = strlen(label);

    return length >= 1 && length <= LABEL_MAX && label[0] != '-' && label[length - 1] != '-' &&
           strspn(label, LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "-_") == length;
}

/* A name or an address in its usual form: what only some readers take for an address (0x7f.1, 2130706433) is neither. */
static gboolean is_url_host(const char *host)
{
    gsize length = strlen(host);
    g_auto(GStrv) labels = g_strsplit(host, ".", -1);
    guint n = g_strv_length(labels);
    g_autofree char *address = literal(host);

    if (address)
        return TRUE;
    if (length < 1 || length > ADDRESS_DOMAIN_MAX)
        return FALSE;
    if (n > 1 && !*labels[n - 1]) /* the root's dot */
        n--;
    for (guint i = 0; i < n; i++)
        if (!is_host_label(labels[i]))
            return FALSE;
    const char *last = labels[n - 1];
    return strspn(last, DIGITS) != strlen(last) && !g_str_has_prefix(last, "0x") &&
           !g_str_has_prefix(last, "0X");
}

static const char *read_url(const char *text, Value *value)
{
    const char *wrong = http_url_wrong(text);
    g_autofree char *host = NULL;

    if (wrong)
        return wrong;
    g_uri_split(text, G_URI_FLAGS_ENCODED, NULL, NULL, &host, NULL, NULL, NULL, NULL, NULL);
    if (!host || !is_url_host(host))
        return "names a host that is neither a name nor an address in its usual form";
    set(value, text, 0);
    return NULL;
}

gboolean value_is_route(ValueKind kind)
{
    return kind >= VALUE_ROUTE_ADDRESS && kind <= VALUE_MAILBOX;
}

const char *value_route_read(ValueKind kind, const char *text, Value *value)
{
    switch (kind) {
    case VALUE_ROUTE_ADDRESS:
        return read_address(text, value);
    case VALUE_ROUTE_MODE:
        return read_word(modes, text, "allowed are endpoint, accept, hold, bounce and reject",
                         value);
    case VALUE_ROUTE_SPAM:
        return read_word(spam_modes, text, "allowed are mark, quarantine and fail", value);
    case VALUE_ENDPOINT_NAME:
        return read_endpoint_name(text, value);
    case VALUE_URL:
        return read_url(text, value);
    case VALUE_ENCODING:
        return read_word(encodings, text, "allowed are json and form", value);
    case VALUE_FORMAT:
        return read_word(formats, text, "allowed are hash and raw", value);
    case VALUE_TIMEOUT:
        return read_timeout(text, value);
    case VALUE_SMTP_PLACE:
        return read_smtp(text, value);
    case VALUE_LMTP_PLACE:
        return read_lmtp(text, value);
    default:
        return read_mailbox(text, value);
    }
}
