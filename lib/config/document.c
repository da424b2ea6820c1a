/* SPDX-License-Identifier: MIT */
/*
 * What people read about the options, written from the option table: the commented sample file and
 * the list in outrider.conf(5).
 */
#include <string.h>

#include "lib/config/config.h"
#include "lib/config/value.h"

#define COMMENT_WIDTH 78

/* Writes text as comment lines of at most COMMENT_WIDTH octets, broken at spaces. */
static void write_comment(FILE *out, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    gsize column = 0;

    for (char **word = words; *word; word++) {
        if (column > 0 && column + 1 + strlen(*word) > COMMENT_WIDTH) {
            fputc('\n', out);
            column = 0;
        }
        if (column == 0)
            column = (gsize)fprintf(out, "# %s", *word);
        else
            column += (gsize)fprintf(out, " %s", *word);
    }
    fputc('\n', out);
}

void config_sample(FILE *out)
{
    fputs(
        "# Outrider's configuration: lines `key = value'; a line that starts with # is a comment.\n"
        "# What is commented out below shows the default. See outrider.conf(5).\n",
        out);
    for (guint option = 0; option < CONFIG_OPTION_COUNT; option++) {
        const Option *row = option_row(option);
        g_autofree char *allowed = option_allowed(row);
        g_autofree char *sentence =
            g_strdup_printf("Allowed: %s.%s", allowed, row->fallback ? "" : " Must be set.");
        const char *value = row->fallback ? row->fallback : "";
        fputc('\n', out);
        write_comment(out, option_text(row));
        write_comment(out, sentence);
        fprintf(out, "#%s =%s%s\n", row->key, value[0] ? " " : "", value);
    }
}

/* Writes running text as mdoc: a sentence a line, nothing taken for a macro or an escape. */
static void write_mdoc(FILE *out, const char *text)
{
    gboolean line_start = TRUE;

    for (const char *p = text; *p; p++) {
        if (line_start && (*p == '.' || *p == '\''))
            fputs("\\&", out);
        line_start = FALSE;
        if (*p == '\\')
            fputs("\\e", out);
        else if (*p == '`')
            fputs("\\(oq", out);
        else if (*p == '\'')
            fputs("\\(cq", out);
        else if (*p == ' ' && p > text && p[-1] == '.' && g_ascii_isupper(p[1])) {
            fputc('\n', out);
            line_start = TRUE;
        } else
            fputc(*p, out);
    }
    fputc('\n', out);
}

void config_manual(FILE *out)
{
    for (guint option = 0; option < CONFIG_OPTION_COUNT; option++) {
        const Option *row = option_row(option);
        g_autofree char *allowed = option_allowed(row);
        g_autofree char *sentence = g_strdup_printf("Allowed: %s.", allowed);
        fprintf(out, ".It Ic %s", row->key);
        if (row->fallback && row->fallback[0])
            fprintf(out, " Pq default: Li %s", row->fallback);
        else
            fputs(row->fallback ? " Pq default: nothing" : " Pq must be set", out);
        fputc('\n', out);
        write_mdoc(out, option_text(row));
        write_mdoc(out, sentence);
    }
}
