/* SPDX-License-Identifier: MIT */
#include "lib/base/splice.h"

static void splice_clear(gpointer data)
{
    Splice *splice = data;

    g_string_free(splice->text, TRUE);
}

GArray *splice_list_new(void)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(Splice));

    g_array_set_clear_func(list, splice_clear);
    return list;
}

void splice_add(GArray *list, gsize from, gsize to, GString *text)
{
    Splice splice = {from, to, text};

    g_array_append_val(list, splice);
}

static gint by_position(gconstpointer a, gconstpointer b)
{
    const Splice *left = a;
    const Splice *right = b;

    return left->from < right->from ? -1 : left->from > right->from;
}

gboolean splice_sort(GArray *list)
{
    g_array_sort(list, by_position);
    for (guint i = 1; i < list->len; i++)
        if (g_array_index(list, Splice, i).from < g_array_index(list, Splice, i - 1).to)
            return FALSE;
    return TRUE;
}

void splice_join(const GArray *list, const char *data, gsize from, gsize length, GString *out)
{
    gsize at = from;

    for (guint i = 0; i < list->len; i++) {
        const Splice *splice = &g_array_index(list, Splice, i);
        g_assert(splice->from >= at && splice->to <= length);
        g_string_append_len(out, data + at, (gssize)(splice->from - at));
        g_string_append_len(out, splice->text->str, (gssize)splice->text->len);
        at = splice->to;
    }
    g_string_append_len(out, data + at, (gssize)(length - at));
}
