/* SPDX-License-Identifier: MIT */
#include "api/v2_field.h"

#include <string.h>

#include "api/json_body.h"
#include "lib/directory/page.h"
#include "lib/directory/route_shown.h"
#include "lib/directory/value_list.h"

V2Shape v2_field_shape(const DirectoryField *field)
{
    switch (field->kind) {
    case VALUE_YESNO:
        return V2_SHAPE_YESNO;
    case VALUE_PORT:
    case VALUE_WEIGHT:
    case VALUE_TIMEOUT:
        return V2_SHAPE_NUMBER;
    case VALUE_SET:
    case VALUE_UNSET:
    case VALUE_STAMP:
    case VALUE_CLEAR:
    case VALUE_SWITCH:
    case VALUE_SUSPEND:
    case VALUE_RESUME:
        return V2_SHAPE_SWITCH;
    default:
        return value_is_list(field->kind) ? V2_SHAPE_LIST : V2_SHAPE_TEXT;
    }
}

char *v2_field_name(const DirectoryField *field)
{
    if (!field->option)
        return NULL;
    if (field->column)
        return g_strdup(field->column);
    gboolean list = v2_field_shape(field) == V2_SHAPE_LIST;
    return g_strdelimit(g_strconcat(field->option, list ? "s" : "", NULL), "-", '_');
}

gboolean v2_field_is_for(const DirectoryField *field, gboolean add)
{
    unsigned flag = add ? DIRECTORY_FIELD_ADD : DIRECTORY_FIELD_CHANGE;

    return field->option && (field->flags & flag) && !(field->flags & DIRECTORY_FIELD_SECOND) &&
           v2_field_shape(field) != V2_SHAPE_SWITCH;
}

void v2_body_clear(V2Body *body)
{
    g_clear_pointer(&body->name, g_free);
    g_clear_pointer(&body->texts, g_ptr_array_unref);
    g_clear_pointer(&body->options, g_array_unref);
}

/* A name that is too long is not told again. */
static gboolean wrong(V2Problem *problem, const char *field, const char *why)
{
    g_autofree char *shown = value_quote(field);
    g_autofree char *message = g_strdup_printf("%s: %s", shown, why);

    return v2_problem_set(problem, V2_ERROR_INVALID, strlen(field) <= V2_FIELD_MAX ? field : NULL,
                          message);
}

/* Written as an escape it would end a name, or a text, for some readers. Outside strings valid JSON has no backslash. */
static gboolean has_nul(const char *json, gsize length)
{
    static const char nul[] = "\\u0000";

    for (gsize i = 0; i < length; i++) {
        if (json[i] != '\\')
            continue;
        if (length - i >= strlen(nul) && strncmp(json + i, nul, strlen(nul)) == 0)
            return TRUE;
        i++;
    }
    return FALSE;
}

/* NULL: it is no string. */
static const char *plain(json_object *value)
{
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static char *join(json_object *list, const char **why)
{
    GString *text = g_string_new(NULL);

    *why = "must be an array of strings without comma";
    for (gsize i = 0; i < json_object_array_length(list); i++) {
        const char *item = plain(json_object_array_get_idx(list, i));
        if (!item || strchr(item, ',')) {
            g_string_free(text, TRUE);
            return NULL;
        }
        g_string_append_printf(text, "%s%s", i ? "," : "", item);
    }
    return g_string_free(text, FALSE);
}

/* The text that an option takes; NULL and why: it is of another type. */
static char *text_of(const DirectoryField *field, json_object *value, const char **why)
{
    V2Shape shape = v2_field_shape(field);

    *why = "may not be null";
    if (!value)
        return g_strdup(field->null);
    switch (shape) {
    case V2_SHAPE_YESNO:
        *why = "must be true or false";
        return json_object_is_type(value, json_type_boolean)
                   ? g_strdup(json_object_get_boolean(value) ? "yes" : "no")
                   : NULL;
    case V2_SHAPE_NUMBER:
        *why = "must be an integer";
        return json_object_is_type(value, json_type_int) ? g_strdup(json_object_get_string(value))
                                                         : NULL;
    case V2_SHAPE_LIST:
        *why = "must be an array of strings";
        if (!json_object_is_type(value, json_type_array))
            return NULL;
        return field->null && json_object_array_length(value) == 0 ? g_strdup(field->null)
                                                                   : join(value, why);
    default:
        *why = "must be a string";
        return g_strdup(plain(value));
    }
}

/* Whether a record shows it: then it is there, but not to be set. */
static gboolean is_shown(DirectoryObject object, const char *name)
{
    g_auto(GStrv) columns = g_strsplit(directory_columns(object), " ", -1);

    return g_strv_contains((const char *const *)columns, name);
}

static gboolean take_field(DirectoryObject object, gboolean add, const char *name,
                           json_object *value, V2Body *body, V2Problem *problem)
{
    guint n;
    const DirectoryField *fields = directory_fields(object, &n);
    const char *why = NULL;

    for (guint i = 0; i < n; i++) {
        g_autofree char *known = v2_field_name(&fields[i]);
        if (g_strcmp0(known, name) != 0 || !v2_field_is_for(&fields[i], add))
            continue;
        char *text = text_of(&fields[i], value, &why);
        if (!text)
            return wrong(problem, name, why);
        const DirectoryOption option = {fields[i].option, text};
        g_ptr_array_add(body->texts, text);
        g_array_append_val(body->options, option);
        return TRUE;
    }
    return wrong(problem, name, is_shown(object, name) ? "cannot be set" : "is unknown");
}

gboolean v2_body_read(DirectoryObject object, gboolean add, const char *json, gsize length,
                      V2Body *body, V2Problem *problem)
{
    const char *key = directory_page_key(object);
    g_autoptr(GError) error = NULL;
    gboolean good = TRUE;

    body->texts = g_ptr_array_new_with_free_func(g_free);
    body->options = g_array_new(FALSE, FALSE, sizeof(DirectoryOption));
    g_autoptr(Record) given = json_body_read(json, length, &error);
    if (!given)
        return v2_problem_set(problem, V2_ERROR_INVALID, NULL, error->message);
    if (has_nul(json, length))
        return v2_problem_set(problem, V2_ERROR_INVALID, NULL, "the parameters have a NUL in them");
    json_object_object_foreach(given, name, value)
    {
        if (!good)
            break;
        if (add && g_str_equal(name, key)) {
            body->name = g_strdup(plain(value));
            good = body->name || wrong(problem, name, "must be a string");
        } else {
            good = take_field(object, add, name, value, body, problem);
        }
    }
    if (good && add && !body->name)
        return wrong(problem, key, "is missing");
    return good;
}

static void split_list(Record *record, const char *name)
{
    const char *text = record_text(record, name);
    g_auto(GStrv) items = g_strsplit(text ? text : "", ",", -1);
    json_object *list = json_object_new_array();

    for (guint i = 0; items[i]; i++)
        json_object_array_add(list, json_object_new_string(items[i]));
    json_object_object_add(record, name, list);
}

void v2_record_show(const Config *config, DirectoryObject object, Record *record)
{
    guint n;
    const DirectoryField *fields = directory_fields(object, &n);

    for (guint i = 0; i < n; i++)
        if (v2_field_shape(&fields[i]) == V2_SHAPE_LIST) {
            g_autofree char *name = v2_field_name(&fields[i]);
            split_list(record, name);
        }
    if (object == DIRECTORY_ROUTE)
        route_show_forward(config, record);
}
