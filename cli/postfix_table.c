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

void postfix_table_ours(const Config *config, GPtrArray *findings)
{
    static const char *const names[] = {"lanes.regexp", "milter_header_checks",
                                        "hop_milter_header_checks", "hop_header_checks"};
    g_autofree char *next_hop =
        g_strdup_printf("[127.0.0.1]:%" G_GINT64_FORMAT "\n", config_int(config, CONFIG_HOP_PORT));

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *below = g_build_filename("outrider", names[i], NULL);
        g_autofree char *path = config_path(config, CONFIG_POSTFIX_CONFIG_DIR, below);
        g_autofree char *text = read_table(path);
        if (!text)
            postfix_findings_add(findings, TRUE, path,
                                 "cannot be read; `outrider node init' makes it");
        else if (g_str_equal(names[i], "milter_header_checks") && !strstr(text, next_hop))
            postfix_findings_add(findings, TRUE, path,
                                 "does not lead to port %" G_GINT64_FORMAT
                                 ", which is hop_port; run `outrider node init'",
                                 config_int(config, CONFIG_HOP_PORT));
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
