/* SPDX-License-Identifier: MIT */
#include "cli/postfix_table.h"

#include <stdio.h>
#include <string.h>

#include "cli/postfix_check.h"

/* The beginning of a regular file; NULL: it cannot be read. */
static char *read_table(const char *path)
{
    FILE *file = g_file_test(path, G_FILE_TEST_IS_REGULAR) ? fopen(path, "re") : NULL;

    if (!file)
        return NULL;
    char *text = g_malloc(POSTFIX_TABLE_MAX + 1);
    text[fread(text, 1, POSTFIX_TABLE_MAX, file)] = '\0';
    fclose(file);
    return text;
}

typedef struct {
    const char *name;
    gboolean to_hop; /* it has a line that leads to the hop */
    const char *maker;
} Map;

static void check_maps(const Config *config, const Map *maps, guint n, GPtrArray *findings)
{
    gint64 port = config_int(config, CONFIG_HOP_PORT);
    g_autofree char *next_hop = g_strdup_printf("[127.0.0.1]:%" G_GINT64_FORMAT "\n", port);

    for (guint i = 0; i < n; i++) {
        g_autofree char *below = g_build_filename("outrider", maps[i].name, NULL);
        g_autofree char *path = config_path(config, CONFIG_POSTFIX_CONFIG_DIR, below);
        g_autofree char *text = read_table(path);
        if (!text)
            postfix_findings_add(findings, TRUE, path, "cannot be read; %s", maps[i].maker);
        else if (maps[i].to_hop && !strstr(text, next_hop))
            postfix_findings_add(findings, TRUE, path,
                                 "has no line to hop_port %" G_GINT64_FORMAT "; %s", port,
                                 maps[i].maker);
    }
}

void postfix_table_ours(const Config *config, GPtrArray *findings)
{
    static const Map maps[] = {
        {"lanes.regexp", TRUE, "restart outrider-worker"},
        {"milter_header_checks", TRUE, "run `outrider node init'"},
        {"hop_milter_header_checks", FALSE, "run `outrider node init'"},
        {"hop_header_checks", FALSE, "run `outrider node init'"},
        {"smarthost_status", FALSE, "run `outrider node init'"},
    };

    check_maps(config, maps, G_N_ELEMENTS(maps), findings);
}

void postfix_table_incoming(const Config *config, GPtrArray *findings)
{
    static const Map maps[] = {
        {"transports.regexp", TRUE, "restart outrider-worker"},
        {"our-recipients.regexp", FALSE, "run `outrider node init'"},
        {"other-recipients.regexp", FALSE, "run `outrider node init'"},
        {"our-domains.regexp", FALSE, "run `outrider node init'"},
    };

    check_maps(config, maps, G_N_ELEMENTS(maps), findings);
}

/* Those that need no server; "proxy:" may stand before them. */
static gboolean is_file_table(const char *table)
{
    static const char *const types[] = {"hash", "btree", "lmdb", "cdb", "dbm", "sdbm", "texthash"};
    const char *inner = g_str_has_prefix(table, "proxy:") ? table + strlen("proxy:") : table;
    g_auto(GStrv) parts = g_strsplit(inner, ":", 2);

    for (guint i = 0; parts[0] && parts[1] && i < G_N_ELEMENTS(types); i++)
        if (g_str_equal(parts[0], types[i]))
            return TRUE;
    return FALSE;
}

void postfix_table_transport(const Config *config, const PostfixRunning *running,
                             GPtrArray *findings)
{
    const char *value = postfix_running_value(running, NULL, "transport_maps");
    g_auto(GStrv) tables = g_strsplit_set(value ? value : "", ", \t", -1);

    for (guint i = 0; tables[i]; i++) {
        if (!is_file_table(tables[i]))
            continue;
        g_autofree char *found = postfix_running_lookup(
            config_string(config, CONFIG_POSTFIX_CONFIG_DIR), tables[i], "*");
        if (*found)
            postfix_findings_add(findings, TRUE, tables[i],
                                 "* is %s, which goes before every lane; take it out, and say "
                                 "`default_transport = %s' for other mail",
                                 found, found);
    }
}

/* The line of the first action that takes a message elsewhere, from 1; 0: there is none. */
static guint find_diversion(const char *text)
{
    static const char pattern[] = "^[^#\\s].*\\s(FILTER|REDIRECT|BCC)\\s";
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i]; i++)
        if (g_regex_match_simple(pattern, lines[i], G_REGEX_CASELESS | G_REGEX_RAW, 0))
            return i + 1;
    return 0;
}

static void check_table(const char *parameter, const char *table, GPtrArray *findings)
{
    const char *path = strchr(table, ':');
    g_autofree char *text = path && path[1] == '/' ? read_table(path + 1) : NULL;
    guint line = text ? find_diversion(text) : 0;

    if (line > 0)
        postfix_findings_add(findings, TRUE, path + 1,
                             "line %u: %s takes submissions to another place; let it not match "
                             "them, or add `-o %s=' to outrider-submit",
                             line, parameter, parameter);
}

void postfix_table_checks(const PostfixRunning *running, GPtrArray *findings)
{
    static const char *const names[] = {"header_checks", "mime_header_checks",
                                        "nested_header_checks", "body_checks"};
    const char *first = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *value = postfix_running_value(running, "outrider-submit/unix", names[i]);
        if (i > 0 && g_strcmp0(value, first) == 0) /* header_checks are the others' default */
            continue;
        first = i == 0 ? value : first;
        g_auto(GStrv) tables = g_strsplit_set(value ? value : "", ", \t", -1);
        for (guint t = 0; tables[t]; t++)
            check_table(names[i], tables[t], findings);
    }
}
