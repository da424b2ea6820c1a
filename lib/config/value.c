/* SPDX-License-Identifier: MIT */
#include "lib/config/value.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/base/network_list.h"

typedef struct {
    const char *suffix;
    gint64 factor;
} Unit;

/* Largest first, so that the first that divides a number prints it shortest. */
static const Unit size_units[] = {
    {"G", G_GINT64_CONSTANT(1) << 30}, {"M", 1 << 20}, {"K", 1 << 10}, {"", 1}};
static const Unit duration_units[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

static const Option rows[CONFIG_OPTION_COUNT] = {
#define X(NAME, key_, type_, fallback_, min_, max_, text_)                                         \
    [CONFIG_##NAME] = {.key = #key_,                                                               \
                       .type = OPTION_##type_,                                                     \
                       .fallback = fallback_,                                                      \
                       .min = min_,                                                                \
                       .max = max_,                                                                \
                       .text = text_},
#include "lib/config/options.def"
#undef X
};

const Option *option_row(ConfigOption option)
{
    g_assert((guint)option < CONFIG_OPTION_COUNT);
    return &rows[option];
}

/* Octets from the bracket to its end, exclusive; 0 for other types than CHOICE. */
static gsize choices_length(const Option *row)
{
    const char *end = row->type == OPTION_CHOICE ? strchr(row->text, ']') : NULL;

    return end ? (gsize)(end - row->text) : 0;
}

static gboolean is_choice(const Option *row, const char *text)
{
    g_autofree char *list = g_strndup(row->text + 1, choices_length(row) - 1);
    g_auto(GStrv) choices = g_strsplit(list, "|", -1);

    return g_strv_contains((const char *const *)choices, text);
}

static gboolean is_plain(const Option *row, const char *text)
{
    gsize length = strlen(text);

    if ((gint64)length < row->min || (gint64)length > row->max)
        return FALSE;
    for (const char *p = text; *p; p += g_utf8_skip[(guchar)*p])
        if (g_unichar_iscntrl(g_utf8_get_char(p)))
            return FALSE;
    return TRUE;
}

static gboolean is_path(const Option *row, const char *text)
{
    return is_plain(row, text) && (text[0] == '/' || text[0] == '\0');
}

static gboolean is_source(const Option *row, const char *text)
{
    const char *path = g_str_has_prefix(text, "journald:") ? text + strlen("journald:") : text;

    return is_plain(row, text) && (path[0] == '/' || g_str_equal(text, "journald"));
}

/* RFC 1123 §2.1: letters, digits and hyphens, labels of 1 to 63. */
static gboolean is_domain(const Option *row, const char *text)
{
    g_auto(GStrv) labels = g_strsplit(text, ".", -1);

    if (!is_plain(row, text))
        return FALSE;
    for (char **label = labels; *label; label++) {
        gsize length = strlen(*label);
        if (length < 1 || length > 63 || (*label)[0] == '-' || (*label)[length - 1] == '-')
            return FALSE;
        for (const char *p = *label; *p; p++)
            if (!g_ascii_isalnum(*p) && *p != '-')
                return FALSE;
    }
    return TRUE;
}

static gboolean is_networks(const Option *row, const char *text)
{
    g_autoptr(GArray) networks = is_plain(row, text) ? network_list_read(text, NULL) : NULL;

    return networks != NULL;
}

static gboolean parse_units(const char *text, const Unit *units, gsize count, gint64 *number)
{
    gsize digits = strspn(text, "0123456789");
    g_autofree char *head = g_strndup(text, digits);
    guint64 value;

    if (!g_ascii_string_to_unsigned(head, 10, 0, G_MAXINT64, &value, NULL))
        return FALSE;
    for (gsize i = 0; i < count; i++) {
        if (g_ascii_strcasecmp(text + digits, units[i].suffix) != 0)
            continue;
        return !__builtin_mul_overflow((gint64)value, units[i].factor, number);
    }
    /* Nothing needs no unit. */
    *number = 0;
    return value == 0 && text[digits] == '\0';
}

static char *print_units(gint64 number, const Unit *units, gsize count)
{
    for (gsize i = 0; number != 0 && i < count; i++)
        if (number % units[i].factor == 0)
            return g_strdup_printf("%" G_GINT64_FORMAT "%s", number / units[i].factor,
                                   units[i].suffix);
    return g_strdup("0");
}

static char *print_number(const Option *row, gint64 number)
{
    if (row->type == OPTION_SIZE)
        return print_units(number, size_units, G_N_ELEMENTS(size_units));
    if (row->type == OPTION_DURATION)
        return print_units(number, duration_units, G_N_ELEMENTS(duration_units));
    return g_strdup_printf("%" G_GINT64_FORMAT, number);
}

static gboolean parse_number(const Option *row, const char *text, gint64 *number)
{
    gboolean parsed;

    if (row->type == OPTION_SIZE)
        parsed = parse_units(text, size_units, G_N_ELEMENTS(size_units), number);
    else if (row->type == OPTION_DURATION)
        parsed = parse_units(text, duration_units, G_N_ELEMENTS(duration_units), number);
    else
        parsed = g_ascii_isdigit(text[0]) &&
                 g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, number, NULL);
    return parsed && *number >= row->min && *number <= row->max;
}

static gboolean is_allowed(const Option *row, const char *text, gint64 *number)
{
    switch (row->type) {
    case OPTION_STRING:
        return is_plain(row, text);
    case OPTION_PATH:
        return is_path(row, text);
    case OPTION_SOURCE:
        return is_source(row, text);
    case OPTION_DOMAIN:
        return is_domain(row, text);
    case OPTION_NETWORKS:
        return is_networks(row, text);
    case OPTION_INT:
    case OPTION_SIZE:
    case OPTION_DURATION:
        return parse_number(row, text, number);
    case OPTION_BOOL:
        *number = g_str_equal(text, "yes");
        return *number || g_str_equal(text, "no");
    case OPTION_CHOICE:
        return is_choice(row, text);
    }
    return FALSE;
}

static gboolean refuse(const Option *row, const char *text, GError **error)
{
    gboolean list = row->type == OPTION_NETWORKS && is_plain(row, text);
    g_autofree char *allowed = option_allowed(row);
    g_autoptr(GArray) none = list ? network_list_read(text, error) : NULL;

    if (!list)
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "allowed is %s", allowed);
    return FALSE;
}

gboolean option_parse(const Option *row, const char *text, OptionValue *value, GError **error)
{
    gint64 number = 0;

    if (!is_allowed(row, text, &number))
        return refuse(row, text, error);
    g_free(value->text);
    value->number = number;
    if (row->type == OPTION_INT || row->type == OPTION_SIZE || row->type == OPTION_DURATION)
        value->text = print_number(row, number);
    else if (row->type == OPTION_DOMAIN)
        value->text = g_ascii_strdown(text, -1);
    else
        value->text = g_strdup(text);
    return TRUE;
}

static char *allowed_text(const Option *row, const char *what)
{
    if (row->min == 0)
        return g_strdup_printf("%s of at most %" G_GINT64_FORMAT " octets", what, row->max);
    return g_strdup_printf("%s of %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT " octets", what,
                           row->min, row->max);
}

static char *allowed_number(const Option *row, const char *what)
{
    g_autofree char *min = print_number(row, row->min);
    g_autofree char *max = print_number(row, row->max);

    if (row->max == G_MAXINT64)
        return g_strdup_printf("%s, at least %s", what, min);
    return g_strdup_printf("%s from %s to %s", what, min, max);
}

char *option_allowed(const Option *row)
{
    switch (row->type) {
    case OPTION_STRING:
        return allowed_text(row, "text");
    case OPTION_PATH:
        return allowed_text(row,
                            row->min == 0 ? "nothing or an absolute path" : "an absolute path");
    case OPTION_SOURCE:
        return allowed_text(row, "an absolute path, `journald' or `journald:' and such a path,");
    case OPTION_DOMAIN:
        return allowed_text(row, "a domain of letters, digits and hyphens,");
    case OPTION_NETWORKS:
        return allowed_text(row,
                            "addresses and networks (IPv4 from /8, IPv6 from /16 on), " G_STRINGIFY(
                                NETWORK_LIST_MAX) " with commas between,");
    case OPTION_INT:
        return allowed_number(row, "a whole number");
    case OPTION_SIZE:
        return allowed_number(row, "octets (a number, then K, M, G or nothing)");
    case OPTION_DURATION:
        return allowed_number(row, "a time (a number, then ms, s, m, h or d)");
    case OPTION_BOOL:
        return g_strdup("yes or no");
    case OPTION_CHOICE: {
        g_autofree char *list = g_strndup(row->text + 1, choices_length(row) - 1);
        g_auto(GStrv) choices = g_strsplit(list, "|", -1);
        g_autofree char *joined = g_strjoinv(", ", choices);
        return g_strdup_printf("one of %s", joined);
    }
    }
    return NULL;
}

const char *option_text(const Option *row)
{
    gsize choices = choices_length(row);

    return choices ? row->text + choices + 2 : row->text;
}
