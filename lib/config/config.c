/* SPDX-License-Identifier: MIT */
/*
 * Reads the configuration file against the option table. Every refusal is one line that names file,
 * line, key and what is allowed there.
 */
#include "lib/config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/network_list.h"
#include "lib/config/value.h"

#define FILE_MAX        (1 << 20)
#define LINE_OCTETS_MAX 4096
#define KEY_SHOWN_MAX   64

struct Config {
    OptionValue values[CONFIG_OPTION_COUNT];
    guint lines[CONFIG_OPTION_COUNT]; /* where it was set; 0: it was not */
};

typedef struct {
    Config *config;
    const char *name;
    guint line;
} Parser;

/* key may be any octets of the file: escaped and cut, so that the error stays one line. */
static gboolean refuse(const Parser *parser, const char *key, gsize length, const char *why,
                       GError **error)
{
    g_autofree char *head = g_strndup(key, MIN(length, KEY_SHOWN_MAX));
    g_autofree char *shown = g_strescape(head, NULL);

    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "%s:%u: %s%s: %s", parser->name,
                parser->line, shown, length > KEY_SHOWN_MAX ? "..." : "", why);
    return FALSE;
}

static gboolean is_space(char c)
{
    return c == ' ' || c == '\t';
}

static void strip(const char **start, const char **end)
{
    while (*start < *end && is_space(**start))
        (*start)++;
    while (*end > *start && is_space((*end)[-1]))
        (*end)--;
}

static ConfigOption find_option(const char *key, gsize length)
{
    guint option = 0;

    while (option < CONFIG_OPTION_COUNT) {
        const char *wanted = option_row(option)->key;
        if (strlen(wanted) == length && memcmp(wanted, key, length) == 0)
            break;
        option++;
    }
    return option;
}

static gboolean set_option(Parser *parser, const char *key, gsize key_length, const char *start,
                           const char *end, GError **error)
{
    ConfigOption option = find_option(key, key_length);

    if (option == CONFIG_OPTION_COUNT)
        return refuse(parser, key, key_length, "unknown key; `--dump' lists those there are",
                      error);
    if (parser->config->lines[option]) {
        g_autofree char *already = g_strdup_printf("set in line %u already; allowed is once",
                                                   parser->config->lines[option]);
        return refuse(parser, key, key_length, already, error);
    }
    strip(&start, &end);
    g_autofree char *text = g_strndup(start, (gsize)(end - start));
    g_autoptr(GError) why = NULL;
    if (!option_parse(option_row(option), text, &parser->config->values[option], &why))
        return refuse(parser, key, key_length, why->message, error);
    parser->config->lines[option] = parser->line;
    return TRUE;
}

static gboolean parse_line(Parser *parser, const char *start, const char *end, GError **error)
{
    gsize length = (gsize)(end - start);
    const char *equals = memchr(start, '=', length);
    const char *key = start, *key_end = equals ? equals : end;

    strip(&key, &key_end);
    gsize key_length = (gsize)(key_end - key);
    if (length > LINE_OCTETS_MAX)
        return refuse(parser, key, key_length, "allowed is a line of at most 4096 octets", error);
    if (memchr(start, '\0', length))
        return refuse(parser, key, key_length, "allowed is text without NUL octets", error);
    if (!g_utf8_validate(start, (gssize)length, NULL))
        return refuse(parser, key, key_length, "allowed is UTF-8 text", error);
    if (key_length == 0 && !equals)
        return TRUE;
    if (key_length > 0 && key[0] == '#')
        return TRUE;
    if (!equals || key_length == 0)
        return refuse(parser, key, key_length, "allowed is `key = value'", error);
    return set_option(parser, key, key_length, equals + 1, end, error);
}

static gboolean set_defaults(Parser *parser, GError **error)
{
    for (guint option = 0; option < CONFIG_OPTION_COUNT; option++) {
        const Option *row = option_row(option);
        if (parser->config->lines[option])
            continue;
        if (!row->fallback) {
            g_autofree char *allowed = option_allowed(row);
            g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                        "%s:%u: %s: must be set; allowed is %s", parser->name, parser->line,
                        row->key, allowed);
            return FALSE;
        }
        gboolean good = option_parse(row, row->fallback, &parser->config->values[option], NULL);
        g_assert(good);
    }
    return TRUE;
}

Config *config_parse(const char *name, const char *text, gssize length, GError **error)
{
    g_autoptr(Config) config = g_new0(Config, 1);
    Parser parser = {.config = config, .name = name};
    const char *end = text + (length < 0 ? strlen(text) : (gsize)length);

    if (end - text > FILE_MAX) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                    "%s: allowed is a file of at most %d octets", name, FILE_MAX);
        return NULL;
    }
    while (text < end) {
        const char *newline = memchr(text, '\n', (gsize)(end - text));
        const char *line_end = newline ? newline : end;
        parser.line++;
        if (!parse_line(&parser, text, line_end, error))
            return NULL;
        text = newline ? newline + 1 : end;
    }
    parser.line = MAX(parser.line, 1);
    return set_defaults(&parser, error) ? g_steal_pointer(&config) : NULL;
}

/* Reads at most one octet more than a file may have; the parser then refuses it. */
static GByteArray *read_file(int fd, const char *path, GError **error)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    guint8 block[8192];
    ssize_t n;

    while (bytes->len <= FILE_MAX && (n = read(fd, block, sizeof(block))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            error_set_errno(error, errno, "read", path);
            return NULL;
        }
        g_byte_array_append(bytes, block, (guint)n);
    }
    return g_steal_pointer(&bytes);
}

Config *config_load(const char *path, GError **error)
{
    g_autoptr(GByteArray) bytes = NULL;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        error_set_errno(error, errno, "open", path);
        return NULL;
    }
    if (fstat(fd, &st) < 0)
        error_set_errno(error, errno, "stat", path);
    else if (!S_ISREG(st.st_mode))
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "%s: allowed is a regular file",
                    path);
    else
        bytes = read_file(fd, path, error);
    close(fd);
    return bytes ? config_parse(path, (const char *)bytes->data, bytes->len, error) : NULL;
}

void config_free(Config *config)
{
    if (!config)
        return;
    for (guint option = 0; option < CONFIG_OPTION_COUNT; option++)
        g_free(config->values[option].text);
    g_free(config);
}

const char *config_string(const Config *config, ConfigOption option)
{
    OptionType type = option_row(option)->type;

    g_assert(type == OPTION_STRING || type == OPTION_PATH || type == OPTION_SOURCE ||
             type == OPTION_DOMAIN || type == OPTION_CHOICE);
    return config->values[option].text;
}

GArray *config_networks(const Config *config, ConfigOption option)
{
    g_assert(option_row(option)->type == OPTION_NETWORKS);
    return network_list_read(config->values[option].text, NULL);
}

gint64 config_int(const Config *config, ConfigOption option)
{
    OptionType type = option_row(option)->type;

    g_assert(type == OPTION_INT || type == OPTION_SIZE || type == OPTION_DURATION);
    return config->values[option].number;
}

gboolean config_bool(const Config *config, ConfigOption option)
{
    g_assert(option_row(option)->type == OPTION_BOOL);
    return config->values[option].number != 0;
}

const char *config_key(ConfigOption option)
{
    return option_row(option)->key;
}

char *config_path(const Config *config, ConfigOption directory, const char *below)
{
    g_assert(option_row(directory)->type == OPTION_PATH);
    return g_build_filename(config->values[directory].text, below, NULL);
}

void config_dump(const Config *config, FILE *out)
{
    for (guint option = 0; option < CONFIG_OPTION_COUNT; option++)
        fprintf(out, "%s =%s%s\n", option_row(option)->key,
                config->values[option].text[0] ? " " : "", config->values[option].text);
}
