/* SPDX-License-Identifier: MIT */
#include "milters/edit.h"

#include "lib/mime/field.h"

static void edit_free(gpointer data)
{
    Edit *edit = data;

    g_free(edit->name);
    g_free(edit->value);
    g_free(edit);
}

GPtrArray *edits_new(void)
{
    return g_ptr_array_new_with_free_func(edit_free);
}

static void note(GPtrArray *edits, EditKind kind, const char *name, guint nth, const char *value)
{
    Edit *edit = g_new(Edit, 1);

    *edit = (Edit){kind, g_strdup(name), nth, g_strdup(value)};
    g_ptr_array_add(edits, edit);
}

static guint position(const GPtrArray *fields, const char *name, guint nth)
{
    for (guint i = 0; i < fields->len; i++) {
        const MimeField *field = fields->pdata[i];
        if (g_ascii_strcasecmp(field->name, name) == 0 && --nth == 0)
            return i;
    }
    g_assert_not_reached();
}

void edit_insert(GPtrArray *edits, GPtrArray *fields, const char *name, const char *value)
{
    note(edits, EDIT_INSERT, name, 0, value);
    mime_fields_add(fields, name, value);
    g_ptr_array_insert(fields, 0, g_ptr_array_steal_index(fields, fields->len - 1));
}

void edit_append(GPtrArray *edits, GPtrArray *fields, const char *name, const char *value)
{
    note(edits, EDIT_APPEND, name, 0, value);
    mime_fields_add(fields, name, value);
}

void edit_change(GPtrArray *edits, GPtrArray *fields, const char *name, guint nth,
                 const char *value)
{
    MimeField *field = fields->pdata[position(fields, name, nth)];

    note(edits, EDIT_CHANGE, name, nth, value);
    g_free(field->value);
    field->value = g_strdup(value);
}

void edit_remove(GPtrArray *edits, GPtrArray *fields, const char *name, guint nth)
{
    guint at = position(fields, name, nth);

    note(edits, EDIT_REMOVE, name, nth, NULL);
    g_ptr_array_remove_index(fields, at);
}

void edit_remove_all(GPtrArray *edits, GPtrArray *fields, const char *name)
{
    for (guint n = mime_fields_count(fields, name); n > 0; n--)
        edit_remove(edits, fields, name, n);
}

void edit_remove_those(GPtrArray *edits, GPtrArray *fields, gboolean (*these)(const char *name))
{
    for (guint i = fields->len; i-- > 0;) {
        const MimeField *field = fields->pdata[i];
        if (these(field->name))
            edit_remove(edits, fields, field->name, mime_fields_count(fields, field->name));
    }
}
