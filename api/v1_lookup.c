/* SPDX-License-Identifier: MIT */
#include "api/v1_lookup.h"

#include <string.h>

#include "api/v1_parameter.h"
#include "lib/base/id.h"

enum { ROW, VISITS, BYTES };

static const struct {
    const char *name;
    int from;
} expansions[] = {
#define X(NAME, name, from) {name, from},
#include "api/v1_expansion.def"
#undef X
};

const char *v1_expansion_name(V1ExpansionBit bit)
{
    return expansions[bit].name;
}

static gboolean come_from(guint set, int from)
{
    for (guint i = 0; i < V1_EXPANSION_COUNT; i++)
        if ((set & 1U << i) && expansions[i].from == from)
            return TRUE;
    return FALSE;
}

gboolean v1_expansions_need_visits(guint set)
{
    return come_from(set, VISITS);
}

gboolean v1_expansions_need_bytes(guint set)
{
    return come_from(set, BYTES);
}

/* What Ruby calls blank: nothing, false, white space, an empty list. */
static gboolean is_blank(json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_null:
        return TRUE;
    case json_type_boolean:
        return !json_object_get_boolean(value);
    case json_type_string:
        return v1_is_blank(json_object_get_string(value));
    case json_type_array:
        return json_object_array_length(value) == 0;
    case json_type_object:
        return json_object_object_length(value) == 0;
    default:
        return FALSE;
    }
}

/* Digits alone; what is no id of ours becomes 0. FALSE: something else. */
static gboolean read_digits(json_object *value, guint64 *id)
{
    g_autofree char *text = g_strdup(json_object_get_string(value));
    const char *digits = g_strstrip(text);

    if (strlen(json_object_get_string(value)) != (gsize)json_object_get_string_len(value) ||
        digits[strspn(digits, "0123456789")])
        return FALSE;
    digits += strspn(digits, "0");
    if (!id_parse(digits, id))
        *id = 0;
    return TRUE;
}

static gboolean read_id(json_object *value, guint64 *id)
{
    if (json_object_is_type(value, json_type_string))
        return read_digits(value, id);
    if (!json_object_is_type(value, json_type_int))
        return FALSE;
    gint64 number = json_object_get_int64(value);
    *id = number > 0 && (guint64)number <= ID_MAX ? (guint64)number : 0;
    return TRUE;
}

static guint named(json_object *name)
{
    for (guint i = 0; i < V1_EXPANSION_COUNT; i++)
        if (json_object_is_type(name, json_type_string) &&
            g_str_equal(json_object_get_string(name), expansions[i].name))
            return 1U << i;
    return 0;
}

static guint read_expansions(json_object *value)
{
    guint set = 0;

    if (json_object_is_type(value, json_type_boolean))
        return json_object_get_boolean(value) ? (1U << V1_EXPANSION_COUNT) - 1 : 0;
    if (!json_object_is_type(value, json_type_array))
        return 0;
    for (gsize i = 0; i < json_object_array_length(value); i++)
        set |= named(json_object_array_get_idx(value, i));
    return set;
}

static V1Error wrong(char **text, const char *why)
{
    g_autoptr(GError) error = NULL;

    v1_parameter_wrong(&error, "id", why);
    *text = g_strdup(error->message);
    return V1_ERROR_PARAMETER;
}

V1Error v1_lookup_read(json_object *parameters, V1Lookup *lookup, char **text)
{
    json_object *id = json_object_object_get(parameters, "id");

    if (is_blank(id))
        return wrong(text, "parameter is required but is missing");
    if (!read_id(id, &lookup->id))
        return wrong(text, "must be a whole number");
    lookup->given = id;
    lookup->expansions = read_expansions(json_object_object_get(parameters, "_expansions"));
    return V1_ERROR_NONE;
}
