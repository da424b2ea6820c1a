/* SPDX-License-Identifier: MIT */
#include "api/v1_parameter.h"

#include <string.h>

#include "lib/base/error.h"

gboolean v1_parameter_wrong(GError **error, const char *name, const char *why)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "`%s` %s", name, why);
    return FALSE;
}

/* The text of a scalar; NULL: it has none. */
static const char *text_of(json_object *value, gsize *length)
{
    if (json_object_is_type(value, json_type_array) || json_object_is_type(value, json_type_object))
        return NULL;
    const char *text = json_object_get_string(value);
    *length = json_object_is_type(value, json_type_string)
                  ? (gsize)json_object_get_string_len(value)
                  : strlen(text);
    return text;
}

gboolean v1_parameter_text(json_object *object, const char *name, glong max, const char **text,
                           GError **error)
{
    json_object *value = NULL;
    gsize length = 0;

    *text = NULL;
    if (!json_object_object_get_ex(object, name, &value) || !value)
        return TRUE;
    if (!(*text = text_of(value, &length)))
        return v1_parameter_wrong(error, name, "must be a string");
    if (strlen(*text) != length)
        return v1_parameter_wrong(error, name, "must not have a NUL in it");
    if (max == 0 || g_utf8_strlen(*text, -1) <= max)
        return TRUE;
    g_autofree char *why = g_strdup_printf("may have %ld characters at most", max);
    return v1_parameter_wrong(error, name, why);
}

gboolean v1_parameter_is_set(json_object *object, const char *name)
{
    json_object *value = NULL;

    if (!json_object_object_get_ex(object, name, &value) || !value)
        return FALSE;
    return !json_object_is_type(value, json_type_boolean) || json_object_get_boolean(value);
}

gboolean v1_is_blank(const char *text)
{
    return addressee_is_blank(text);
}

/* NULL: it is none. */
static const char *address_text(json_object *value, const char *name, GError **error)
{
    gsize length = 0;
    const char *text = value ? text_of(value, &length) : "";

    if (text && strlen(text) == length)
        return text;
    v1_parameter_wrong(error, name, "must be an array of strings, or one string");
    return NULL;
}

GPtrArray *v1_parameter_addresses(json_object *object, const char *name, guint max, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)addressee_free);
    json_object *value = NULL;

    json_object_object_get_ex(object, name, &value);
    if (!json_object_is_type(value, json_type_array)) {
        const char *text = address_text(value, name, error);
        return text && addressees_add(list, name, text, max, error) ? g_steal_pointer(&list) : NULL;
    }
    for (gsize i = 0; i < json_object_array_length(value) && list->len <= max; i++) {
        const char *text = address_text(json_object_array_get_idx(value, i), name, error);
        if (!text || !addressees_add_entry(list, name, text, max, error))
            return NULL;
    }
    return g_steal_pointer(&list);
}
