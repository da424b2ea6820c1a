/* SPDX-License-Identifier: MIT */
/* What is allowed in a field. One reader per sort of value; the table at the end picks it. */
#include "lib/directory/value.h"

#include <arpa/inet.h>
#include <glib.h>
#include <string.h>

#include "lib/base/address.h"
#include "lib/base/condition.h"
#include "lib/base/error.h"
#include "lib/base/suppression.h"
#include "lib/directory/value_list.h"
#include "lib/directory/value_route.h"

#define QUOTE_MAX 60
#define LABEL_MAX 63

typedef struct {
    const char *text;
    gint64 now;
    const char *const *words; /* choices or reserved words */
} Input;

/* Returns NULL and fills value, or returns what is allowed. */
typedef const char *(*Reader)(const Input *input, Value *value);

static const char *const no_words[] = {NULL};
static const char *const reserved_organization[] = {"new",     "edit",         "remove", "delete",
                                                    "destroy", "admin",        "mail",   "org",
                                                    "server",  "installation", NULL};
static const char *const reserved_server[] = {"new",    "all",    "search",  "stats",  "edit",
                                              "manage", "delete", "destroy", "remove", NULL};
static const char *const reserved_pool[] = {"none", NULL};
static const char *const modes[] = {"live", "development", NULL};
static const char *const tls_levels[] = {"none", "may", "encrypt", "verify", NULL};
static const char *const fallbacks[] = {"default", "defer", NULL};
static const char *const credential_types[] = {"smtp", "api", "smtp-ip", NULL};

void value_clear(Value *value)
{
    g_clear_pointer(&value->text, g_free);
    value->is = VALUE_IS_NULL;
    value->number = 0;
}

char *value_quote(const char *text)
{
    g_autoptr(GString) out = g_string_new("\"");

    for (const char *p = text; *p;) {
        gunichar c = g_utf8_get_char_validated(p, -1);
        gboolean visible = g_unichar_isprint(c);
        gint length = visible ? g_unichar_to_utf8(c, NULL) : 1;
        if (out->len > QUOTE_MAX) {
            g_string_append(out, "...");
            break;
        }
        if (*p == '"' || *p == '\\')
            g_string_append_printf(out, "\\%c", *p);
        else if (visible)
            g_string_append_len(out, p, length);
        else
            g_string_append_printf(out, "\\x%02x", (unsigned char)*p);
        p += length;
    }
    g_string_append_c(out, '"');
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static void set_text(Value *value, const char *text)
{
    char *copy = g_strdup(text);

    value_clear(value);
    value->is = VALUE_IS_TEXT;
    value->text = copy;
}

static void set_number(Value *value, int is, gint64 number)
{
    value_clear(value);
    value->is = is;
    value->number = number;
}

static const char *read_permalink(const Input *input, Value *value)
{
    gsize length = strlen(input->text);

    if (length < 1 || length > VALUE_PERMALINK_MAX ||
        strspn(input->text, "abcdefghijklmnopqrstuvwxyz0123456789-") != length)
        return "allowed are 1 to 63 of a-z, 0-9 and hyphen";
    if (g_strv_contains(input->words, input->text))
        return "is a reserved word";
    set_text(value, input->text);
    return NULL;
}

static const char *read_title(const Input *input, Value *value)
{
    glong characters = g_utf8_strlen(input->text, -1);

    if (characters < 1 || characters > VALUE_TITLE_MAX)
        return "allowed are 1 to 255 characters";
    set_text(value, input->text);
    return NULL;
}

static const char *read_mode(const Input *input, Value *value)
{
    if (!g_strv_contains(input->words, input->text))
        return "allowed are live and development";
    set_text(value, input->text);
    return NULL;
}

static const char *read_credential_type(const Input *input, Value *value)
{
    if (!g_strv_contains(input->words, input->text))
        return "allowed are smtp, api and smtp-ip";
    set_text(value, input->text);
    return NULL;
}

static const char *read_yesno(const Input *input, Value *value)
{
    gboolean yes = g_str_equal(input->text, "yes");

    if (!yes && !g_str_equal(input->text, "no"))
        return "allowed are yes and no";
    set_number(value, VALUE_IS_UNSIGNED, yes);
    return NULL;
}

static const char *read_set(const Input *input, Value *value)
{
    set_number(value, VALUE_IS_UNSIGNED, !g_str_equal(input->text, "no"));
    return NULL;
}

static const char *read_unset(G_GNUC_UNUSED const Input *input, Value *value)
{
    set_number(value, VALUE_IS_UNSIGNED, 0);
    return NULL;
}

static const char *read_stamp(const Input *input, Value *value)
{
    set_number(value, VALUE_IS_INT, input->now);
    return NULL;
}

static const char *read_clear(G_GNUC_UNUSED const Input *input, Value *value)
{
    value_clear(value);
    return NULL;
}

static const char *read_pool(const Input *input, Value *value)
{
    if (!g_str_equal(input->text, "none"))
        return read_permalink(input, value);
    value_clear(value);
    return NULL;
}

static gboolean is_label(const char *label)
{
    gsize length = strlen(label);

    return length >= 1 && length <= LABEL_MAX && label[0] != '-' && label[length - 1] != '-' &&
           strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

static const char *read_domain(const Input *input, Value *value)
{
    static const char *const allowed =
        "allowed is a domain name of two labels or more, 63 octets a label, 253 in all";
    g_autofree char *form = address_domain_form(input->text);

    if (!form)
        return allowed;
    g_auto(GStrv) labels = g_strsplit(form, ".", -1);
    guint n = g_strv_length(labels);
    for (guint i = 0; i < n; i++)
        if (!is_label(labels[i]))
            return allowed;
    if (n < 2 || strspn(labels[n - 1], "0123456789") == strlen(labels[n - 1]))
        return allowed;
    set_text(value, form);
    return NULL;
}

static const char *read_sending_domain(const Input *input, Value *value)
{
    if (!g_str_equal(input->text, "none"))
        return read_domain(input, value);
    value_clear(value);
    return NULL;
}

static const char *read_date(const Input *input, Value *value)
{
    static const char *const allowed = "allowed are YYYY-MM-DD after today, and never";
    const char *text = input->text;

    if (g_str_equal(text, "never")) {
        value_clear(value);
        return NULL;
    }
    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-')
        return allowed;
    g_autofree char *full = g_strconcat(text, "T00:00:00Z", NULL);
    g_autoptr(GDateTime) when = g_date_time_new_from_iso8601(full, NULL);
    if (!when || g_date_time_to_unix(when) <= input->now)
        return allowed;
    set_number(value, VALUE_IS_INT, g_date_time_to_unix(when));
    return NULL;
}

static const char *read_moment(const Input *input, Value *value)
{
    static const char *const allowed =
        "allowed are YYYY-MM-DD and YYYY-MM-DDTHH:MM:SSZ in the future, and never";
    gsize length = strlen(input->text);

    if (length == 10 || g_str_equal(input->text, "never"))
        return read_date(input, value) ? allowed : NULL;
    if (length != 20 || input->text[10] != 'T' || input->text[19] != 'Z')
        return allowed;
    g_autoptr(GDateTime) when = g_date_time_new_from_iso8601(input->text, NULL);
    if (!when || g_date_time_to_unix(when) <= input->now)
        return allowed;
    set_number(value, VALUE_IS_INT, g_date_time_to_unix(when));
    return NULL;
}

static const char *read_suppression(const Input *input, Value *value)
{
    if (!g_str_equal(input->text, "hold") && !g_str_equal(input->text, "refuse"))
        return "allowed are hold and refuse";
    set_text(value, input->text);
    return NULL;
}

static const char *read_fallback(const Input *input, Value *value)
{
    if (!g_strv_contains(input->words, input->text))
        return "allowed are default and defer";
    set_text(value, input->text);
    return NULL;
}

/* Whether the octets before at are an RFC 5321 local part in its outer form; dots may stand where they like. */
static gboolean is_local_part(const char *text, const char *at)
{
    if (text[0] == '"')
        return at - text >= 2 && at[-1] == '"';
    return text + strcspn(text, ADDRESS_SPECIALS) == at;
}

/* A domain alone is read as that of an address, so that both have the same form. */
static const char *read_recipient(const Input *input, Value *value)
{
    static const char *const allowed =
        "allowed are an address of 320 octets at most, its local part in quotes if it has blanks "
        "or other special characters, and @DOMAIN";
    const char *at = strrchr(input->text, '@');
    g_auto(Value) domain = {0};

    if (!at)
        return allowed;
    const Input name = {.text = at + 1};
    if (read_domain(&name, &domain))
        return allowed;
    if (at == input->text) {
        g_autofree char *whole = g_strconcat("@", domain.text, NULL);
        set_text(value, whole);
        return NULL;
    }
    g_autofree char *address = suppression_address(input->text);
    if (!address || !is_local_part(input->text, at))
        return allowed;
    set_text(value, address);
    return NULL;
}

static const char *read_ipv4(const Input *input, Value *value)
{
    struct in_addr address;
    char text[INET_ADDRSTRLEN];

    if (inet_pton(AF_INET, input->text, &address) != 1)
        return "allowed is an IPv4 address such as 192.0.2.1";
    if (address.s_addr == 0 || ntohl(address.s_addr) >= 0xe0000000)
        return "is not an address that mail can leave from";
    set_text(value, inet_ntop(AF_INET, &address, text, sizeof(text)));
    return NULL;
}

static const char *read_ipv6(const Input *input, Value *value)
{
    struct in6_addr address;
    char text[INET6_ADDRSTRLEN];

    if (g_str_equal(input->text, "none")) {
        value_clear(value);
        return NULL;
    }
    if (inet_pton(AF_INET6, input->text, &address) != 1)
        return "allowed are an IPv6 address such as 2001:db8::1, and none";
    if (IN6_IS_ADDR_UNSPECIFIED(&address) || IN6_IS_ADDR_MULTICAST(&address) ||
        IN6_IS_ADDR_LINKLOCAL(&address) || IN6_IS_ADDR_V4MAPPED(&address))
        return "is not an address that mail can leave from";
    set_text(value, inet_ntop(AF_INET6, &address, text, sizeof(text)));
    return NULL;
}

static const char *read_weight(const Input *input, Value *value)
{
    guint64 number;

    if (!g_ascii_string_to_unsigned(input->text, 10, 0, VALUE_WEIGHT_MAX, &number, NULL))
        return "allowed are 0 to 100";
    set_number(value, VALUE_IS_UNSIGNED, (gint64)number);
    return NULL;
}

static const char *read_owner(const Input *input, Value *value)
{
    set_text(value, input->text);
    return NULL;
}

/* An address is made canonical as a domain name is. */
static const char *read_host(const Input *input, Value *value)
{
    gboolean address = !read_ipv4(input, value);

    if (!address && strchr(input->text, ':'))
        address = !read_ipv6(input, value);
    if (address || !read_domain(input, value))
        return NULL;
    return "allowed are a host name of two labels or more, and an address";
}

static const char *read_port(const Input *input, Value *value)
{
    guint64 number;

    if (!g_ascii_string_to_unsigned(input->text, 10, 1, G_MAXUINT16, &number, NULL))
        return "allowed are 1 to 65535";
    set_number(value, VALUE_IS_UNSIGNED, (gint64)number);
    return NULL;
}

static const char *read_tls(const Input *input, Value *value)
{
    if (!g_strv_contains(input->words, input->text))
        return "allowed are none, may, encrypt and verify";
    set_text(value, input->text);
    return NULL;
}

/* It stands in one line before a colon and the password. */
static const char *read_login(const Input *input, Value *value)
{
    gsize length = strlen(input->text);

    if (g_str_equal(input->text, "none")) {
        value_clear(value);
        return NULL;
    }
    if (length < 1 || length > VALUE_LOGIN_MAX || strcspn(input->text, " :") != length)
        return "allowed are 1 to 255 octets without blanks and colons, and none";
    set_text(value, input->text);
    return NULL;
}

static const char *read_file(const Input *input, Value *value)
{
    if (g_str_equal(input->text, "none")) {
        value_clear(value);
        return NULL;
    }
    if (input->text[0] != '/' || strlen(input->text) > VALUE_LOGIN_MAX)
        return "allowed are an absolute path of at most 255 octets, and none";
    set_text(value, input->text);
    return NULL;
}

static const char *read_conditions(const Input *input, Value *value)
{
    const char *wrong = NULL;
    g_autofree char *list = condition_list_read(input->text, &wrong);

    if (list)
        set_text(value, list);
    return wrong;
}

static const struct {
    Reader read;
    const char *const *words;
} readers[] = {
    [VALUE_ORGANIZATION_PERMALINK] = {read_permalink, reserved_organization},
    [VALUE_SERVER_PERMALINK] = {read_permalink, reserved_server},
    [VALUE_POOL_NAME] = {read_permalink, reserved_pool},
    [VALUE_TITLE] = {read_title, no_words},
    [VALUE_SUSPEND] = {read_title, no_words},
    [VALUE_RESUME] = {read_clear, no_words},
    [VALUE_MODE] = {read_mode, modes},
    [VALUE_CREDENTIAL_TYPE] = {read_credential_type, credential_types},
    [VALUE_YESNO] = {read_yesno, no_words},
    [VALUE_SET] = {read_set, no_words},
    [VALUE_UNSET] = {read_unset, no_words},
    [VALUE_STAMP] = {read_stamp, no_words},
    [VALUE_CLEAR] = {read_clear, no_words},
    [VALUE_SWITCH] = {read_clear, no_words},
    [VALUE_POOL] = {read_pool, no_words},
    [VALUE_DOMAIN] = {read_domain, no_words},
    [VALUE_HELO] = {read_domain, no_words},
    [VALUE_DATE] = {read_date, no_words},
    [VALUE_IPV4] = {read_ipv4, no_words},
    [VALUE_IPV6] = {read_ipv6, no_words},
    [VALUE_WEIGHT] = {read_weight, no_words},
    [VALUE_SMARTHOST_NAME] = {read_permalink, reserved_pool},
    [VALUE_SMARTHOST] = {read_pool, reserved_pool},
    [VALUE_OWNER] = {read_owner, no_words},
    [VALUE_HOST] = {read_host, no_words},
    [VALUE_PORT] = {read_port, no_words},
    [VALUE_TLS] = {read_tls, tls_levels},
    [VALUE_LOGIN] = {read_login, no_words},
    [VALUE_FILE] = {read_file, no_words},
    [VALUE_CONDITIONS] = {read_conditions, no_words},
    [VALUE_SENDING_DOMAIN] = {read_sending_domain, no_words},
    [VALUE_SUPPRESSION] = {read_suppression, no_words},
    [VALUE_FALLBACK] = {read_fallback, fallbacks},
    [VALUE_RECIPIENT] = {read_recipient, no_words},
    [VALUE_MOMENT] = {read_moment, no_words},
};

/* What holds for every text from outside; NULL or what is wrong. */
static const char *check_text(const char *text)
{
    if (strlen(text) > VALUE_TEXT_MAX)
        return "is longer than 4096 octets";
    if (!g_utf8_validate(text, -1, NULL))
        return "is not valid UTF-8";
    for (const char *p = text; *p; p = g_utf8_find_next_char(p, NULL))
        if (g_unichar_iscntrl(g_utf8_get_char(p)))
            return "has control characters";
    return NULL;
}

gboolean value_read(ValueKind kind, const char *field, const char *text, gint64 now, Value *value,
                    GError **error)
{
    Input input = {.text = text ? text : "", .now = now};
    const char *wrong = check_text(input.text);

    if (!wrong && value_is_list(kind))
        return value_list_read(kind, field, input.text, value, error);
    if (!wrong && value_is_route(kind)) {
        wrong = value_route_read(kind, input.text, value);
    } else if (!wrong) {
        input.words = readers[kind].words;
        wrong = readers[kind].read(&input, value);
    }
    if (!wrong)
        return TRUE;
    g_autofree char *quoted = value_quote(input.text);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "%s: %s: %s", field, quoted, wrong);
    return FALSE;
}
