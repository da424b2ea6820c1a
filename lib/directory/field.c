/* SPDX-License-Identifier: MIT */
#include "lib/directory/field.h"

#include <string.h>

#include "lib/base/error.h"

enum {
    NAME = DIRECTORY_FIELD_NAME,
    ADD = DIRECTORY_FIELD_ADD,
    CHANGE = DIRECTORY_FIELD_CHANGE,
    NEED = DIRECTORY_FIELD_NEED,
    SECOND = DIRECTORY_FIELD_SECOND,
};

typedef struct {
    DirectoryObject object;
    DirectoryField field;
} Entry;

#define OR_NONE(argument_)  argument_ "|none", .null = "none"
#define OR_NEVER(argument_) argument_ "|never", .null = "never"

static const Entry entries[] = {
#define X(OBJECT, column_, option_, argument_, KIND, FLAGS, fallback_, text_)                      \
    {DIRECTORY_##OBJECT,                                                                           \
     {.column = column_,                                                                           \
      .option = option_,                                                                           \
      .argument = argument_,                                                                       \
      .kind = VALUE_##KIND,                                                                        \
      .flags = FLAGS,                                                                              \
      .fallback = fallback_,                                                                       \
      .text = text_}},
#include "lib/directory/field.def"
#undef X
};

static const struct {
    const char *word;
    const char *arguments;
} objects[] = {
#define X(OBJECT, word, table, OWNER, arguments) [DIRECTORY_##OBJECT] = {word, arguments},
#include "lib/directory/object.def"
#undef X
};

const char *directory_word(DirectoryObject object)
{
    return objects[object].word;
}

const char *directory_arguments(DirectoryObject object)
{
    return objects[object].arguments;
}

static const Entry *first_entry(DirectoryObject object, guint *n)
{
    guint first = 0;

    while (entries[first].object != object)
        first++;
    *n = 0;
    while (first + *n < G_N_ELEMENTS(entries) && entries[first + *n].object == object)
        (*n)++;
    return &entries[first];
}

const DirectoryField *directory_fields(DirectoryObject object, guint *n)
{
    static DirectoryField fields[DIRECTORY_OBJECT_COUNT][FIELDS_MAX];
    static gsize made;

    if (g_once_init_enter(&made)) {
        for (guint o = 0; o < DIRECTORY_OBJECT_COUNT; o++) {
            guint count;
            const Entry *entry = first_entry(o, &count);
            g_assert(count <= FIELDS_MAX);
            for (guint i = 0; i < count; i++)
                fields[o][i] = entry[i].field;
        }
        g_once_init_leave(&made, 1);
    }
    first_entry(object, n);
    return fields[object];
}

void fields_clear(Fields *fields)
{
    for (guint i = 0; i < FIELDS_MAX; i++)
        value_clear(&fields->values[i]);
}

Value *fields_column(Fields *fields, const char *column)
{
    guint n;
    const DirectoryField *table = directory_fields(fields->object, &n);

    for (guint i = 0; i < n; i++)
        if (g_strcmp0(table[i].column, column) == 0 && !(table[i].flags & SECOND))
            return &fields->values[i];
    return NULL;
}

const Value *fields_given(const Fields *fields, const char *option)
{
    guint n;
    const DirectoryField *table = directory_fields(fields->object, &n);

    for (guint i = 0; i < n; i++)
        if (g_strcmp0(table[i].option, option) == 0)
            return fields->switched[i] ? &fields->values[i] : NULL;
    return NULL;
}

gboolean fields_switched(const Fields *fields, const char *option)
{
    guint n;
    const DirectoryField *table = directory_fields(fields->object, &n);

    for (guint i = 0; i < n; i++)
        if (g_strcmp0(table[i].option, option) == 0)
            return fields->switched[i];
    return FALSE;
}

guint fields_parameters(const Fields *fields, SqlParameter *parameters)
{
    guint n, used = 0;
    const DirectoryField *table = directory_fields(fields->object, &n);

    for (guint i = 0; i < n; i++) {
        const Value *value = &fields->values[i];
        if (!table[i].column || (table[i].flags & SECOND))
            continue;
        if (value->is == VALUE_IS_TEXT)
            parameters[used] = SQL_TEXT(value->text);
        else if (value->is == VALUE_IS_UNSIGNED)
            parameters[used] = SQL_UNSIGNED(value->number);
        else if (value->is == VALUE_IS_INT)
            parameters[used] = SQL_INT(value->number);
        else
            parameters[used] = SQL_NULL;
        used++;
    }
    return used;
}

/* SUSPEND and RESUME move two columns together. */
static gboolean set_suspension(Fields *fields, const DirectoryField *field, const char *text,
                               gint64 now, GError **error)
{
    gboolean suspend = field->kind == VALUE_SUSPEND;
    Value *reason = fields_column(fields, "suspension_reason");
    Value *since = fields_column(fields, "suspended_at");

    return value_read(field->kind, field->option, text, now, reason, error) &&
           value_read(suspend ? VALUE_STAMP : VALUE_CLEAR, field->option, NULL, now, since, error);
}

static gboolean apply_option(Fields *fields, const DirectoryOption *option, unsigned verb,
                             gint64 now, GError **error)
{
    guint n;
    const DirectoryField *table = directory_fields(fields->object, &n);

    for (guint i = 0; i < n; i++) {
        const DirectoryField *field = &table[i];
        if (g_strcmp0(field->option, option->option) != 0 || !(field->flags & verb))
            continue;
        if (field->kind == VALUE_SUSPEND || field->kind == VALUE_RESUME)
            return set_suspension(fields, field, option->text, now, error);
        fields->switched[i] = TRUE;
        Value *value = field->column ? fields_column(fields, field->column) : &fields->values[i];
        return value_read(field->kind, field->option, option->text, now, value, error);
    }
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "--%s: %s has no such option",
                option->option, directory_word(fields->object));
    return FALSE;
}

static gboolean set_fallback(Fields *fields, guint i, const char *name, gint64 now, GError **error)
{
    guint n;
    const DirectoryField *field = &directory_fields(fields->object, &n)[i];
    const char *label = field->option ? field->option : field->column;

    if ((field->flags & NAME) && name)
        return value_read(field->kind, label, name, now, &fields->values[i], error);
    if (!field->fallback || (field->flags & SECOND))
        return TRUE;
    return value_read(field->kind, label,
                      g_str_equal(field->fallback, "=") ? name : field->fallback, now,
                      &fields->values[i], error);
}

static void take(Fields *from, Fields *to)
{
    *to = *from;
    memset(from, 0, sizeof(*from));
}

gboolean fields_for_add(DirectoryObject object, const char *name, const DirectoryOption *options,
                        guint n, gint64 now, Fields *fields, GError **error)
{
    g_auto(Fields) made = {.object = object};
    guint count;
    const DirectoryField *table = directory_fields(object, &count);

    for (guint i = 0; i < count; i++)
        if (!set_fallback(&made, i, name, now, error))
            return FALSE;
    for (guint i = 0; i < n; i++)
        if (!apply_option(&made, &options[i], ADD, now, error))
            return FALSE;
    for (guint i = 0; i < count; i++)
        if ((table[i].flags & NEED) && made.values[i].is == VALUE_IS_NULL) {
            g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "--%s %s is missing",
                        table[i].option, table[i].argument);
            return FALSE;
        }
    take(&made, fields);
    return TRUE;
}

/* The value that a column has in the database; what a value of its kind reads as decides the type. */
static void load(const Record *old, const DirectoryField *field, Value *value)
{
    Record *member = json_object_object_get(old, field->column);

    value_clear(value);
    if (!member)
        return;
    if (json_object_is_type(member, json_type_string)) {
        value->is = VALUE_IS_TEXT;
        value->text = g_strdup(json_object_get_string(member));
        return;
    }
    gboolean time = field->kind == VALUE_STAMP || field->kind == VALUE_DATE;
    value->is = time ? VALUE_IS_INT : VALUE_IS_UNSIGNED;
    value->number = json_object_get_int64(member);
}

gboolean fields_for_change(DirectoryObject object, const Record *old,
                           const DirectoryOption *options, guint n, gint64 now, Fields *fields,
                           GError **error)
{
    g_auto(Fields) made = {.object = object};
    guint count;
    const DirectoryField *table = directory_fields(object, &count);

    if (n == 0) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                    "nothing to change: give at least one option");
        return FALSE;
    }
    for (guint i = 0; i < count; i++)
        if (table[i].column && !(table[i].flags & SECOND))
            load(old, &table[i], &made.values[i]);
    for (guint i = 0; i < n; i++)
        if (!apply_option(&made, &options[i], CHANGE, now, error))
            return FALSE;
    take(&made, fields);
    return TRUE;
}
