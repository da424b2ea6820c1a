/* SPDX-License-Identifier: MIT */
#include "cli/output.h"

#include <stdio.h>

#include "lib/directory/publish.h"

#define US 1000000
/* Directory times are seconds, history times microseconds; no date of ours is that far off. */
#define SECONDS_MAX G_GINT64_CONSTANT(100000000000)

gboolean output_json(const Cli *cli, Record *record)
{
    if (!cli->json)
        return FALSE;
    puts(json_object_to_json_string_ext(record, JSON_C_TO_STRING_PRETTY |
                                                    JSON_C_TO_STRING_NOSLASHESCAPE |
                                                    JSON_C_TO_STRING_SPACED));
    return TRUE;
}

char *output_time_us(gint64 us)
{
    g_autoptr(GDateTime) when = g_date_time_new_from_unix_utc(us / US);

    if (!when)
        return g_strdup("?");
    g_autofree char *text = g_date_time_format(when, "%Y-%m-%d %H:%M:%S");
    return us % US ? g_strdup_printf("%s.%03d", text, (int)(us % US / 1000))
                   : g_steal_pointer(&text);
}

/* What moves the cursor, ends a line, or turns the direction of what follows. */
static gboolean is_unsafe(gunichar c)
{
    return g_unichar_iscntrl(c) || c == 0x061c || (c >= 0x200e && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

char *output_text(const char *text)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    for (const char *p = valid; *p; p = g_utf8_find_next_char(p, NULL)) {
        gunichar c = g_utf8_get_char(p);
        if (is_unsafe(c))
            g_string_append_printf(out, "\\x%02x", c);
        else
            g_string_append_unichar(out, c);
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static gboolean is_time(const char *column)
{
    return g_str_has_suffix(column, "_at") || g_str_has_suffix(column, "_expires") ||
           g_str_equal(column, "at");
}

char *output_value(const char *column, Record *value)
{
    if (!value)
        return g_strdup("-");
    if (json_object_is_type(value, json_type_boolean))
        return g_strdup(json_object_get_boolean(value) ? "yes" : "no");
    if (json_object_is_type(value, json_type_int) && is_time(column)) {
        gint64 number = json_object_get_int64(value);
        return output_time_us(number < SECONDS_MAX ? number * US : number);
    }
    return output_text(json_object_get_string(value));
}

static glong width_of(const char *text)
{
    return g_utf8_strlen(text, -1);
}

static char *cell_of(Record *row, const char *column)
{
    g_autofree char *text = output_value(column, json_object_object_get(row, column));

    if (width_of(text) <= OUTPUT_CELL_MAX)
        return g_steal_pointer(&text);
    g_autofree char *cut = g_utf8_substring(text, 0, OUTPUT_CELL_MAX - 3);
    return g_strconcat(cut, "...", NULL);
}

static void print_padded(const char *text, glong width, gboolean last)
{
    fputs(text, stdout);
    for (glong i = width_of(text); !last && i < width + 2; i++)
        putchar(' ');
}

void output_table(Record *list, const char *columns)
{
    g_auto(GStrv) names = g_strsplit(columns, " ", -1);
    guint n = g_strv_length(names);
    gsize rows = json_object_array_length(list);
    g_autofree glong *widths = g_new0(glong, n);
    g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);

    for (guint c = 0; c < n; c++)
        widths[c] = width_of(names[c]);
    for (gsize r = 0; r < rows; r++)
        for (guint c = 0; c < n; c++) {
            char *cell = cell_of(json_object_array_get_idx(list, r), names[c]);
            g_ptr_array_add(cells, cell);
            widths[c] = MAX(widths[c], width_of(cell));
        }
    for (guint c = 0; c < n; c++) {
        g_autofree char *upper = g_ascii_strup(names[c], -1);
        print_padded(upper, widths[c], c + 1 == n);
    }
    putchar('\n');
    for (gsize i = 0; i < cells->len; i++) {
        guint c = (guint)(i % n);
        print_padded(cells->pdata[i], widths[c], c + 1 == n);
        if (c + 1 == n)
            putchar('\n');
    }
}

void output_record(Record *record)
{
    glong width = 0;

    json_object_object_foreach(record, name, unused)
    {
        (void)unused;
        width = MAX(width, width_of(name));
    }
    json_object_object_foreach(record, key, value)
    {
        if (json_object_is_type(value, json_type_array) ||
            json_object_is_type(value, json_type_object))
            continue;
        g_autofree char *text = output_value(key, value);
        print_padded(key, width, FALSE);
        puts(text);
    }
}

void output_dns(Record *list)
{
    for (gsize i = 0; i < json_object_array_length(list); i++) {
        const Record *record = json_object_array_get_idx(list, i);
        const char *type = record_text(record, "type");
        const char *value = record_text(record, "value");
        g_autofree char *quoted = g_str_equal(type, "TXT") ? publish_txt(value) : NULL;
        gboolean is_name = g_str_equal(type, "MX") || g_str_equal(type, "CNAME");
        printf("%s. IN %s %s%s\n", record_text(record, "name"), type, quoted ? quoted : value,
               is_name ? "." : "");
    }
}
