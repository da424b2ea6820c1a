/* SPDX-License-Identifier: MIT */
#include "api/v2_openapi.h"

#include "api/json_body.h"
#include "api/v2_error.h"
#include "api/v2_field.h"
#include "api/v2_path.h"
#include "api/v2_query.h"
#include "lib/directory/page.h"

static json_object *text_of(const char *text)
{
    return text ? json_object_new_string(text) : NULL;
}

static void put(json_object *object, const char *name, json_object *value)
{
    json_object_object_add(object, name, value);
}

static void put_text(json_object *object, const char *name, const char *text)
{
    put(object, name, text_of(text));
}

/* {"type": [...]}; null: it may be null. */
static json_object *typed(const char *type, gboolean null)
{
    json_object *schema = json_object_new_object(), *types = json_object_new_array();

    json_object_array_add(types, text_of(type));
    if (null)
        json_object_array_add(types, text_of("null"));
    put(schema, "type", null ? types : text_of(type));
    if (!null)
        json_object_put(types);
    if (g_str_equal(type, "array"))
        put(schema, "items", typed("string", FALSE));
    return schema;
}

static json_object *reference(const char *kind, const char *name)
{
    json_object *object = json_object_new_object();
    g_autofree char *path = g_strdup_printf("#/components/%s/%s", kind, name);

    put_text(object, "$ref", path);
    return object;
}

static const char *type_of_shape(V2Shape shape)
{
    static const char *const types[] = {
        [V2_SHAPE_TEXT] = "string", [V2_SHAPE_YESNO] = "boolean", [V2_SHAPE_NUMBER] = "integer",
        [V2_SHAPE_LIST] = "array",  [V2_SHAPE_SWITCH] = "string",
    };

    return types[shape];
}

static gboolean is_list(DirectoryObject object, const char *column)
{
    guint n;
    const DirectoryField *fields = directory_fields(object, &n);

    for (guint i = 0; i < n; i++) {
        g_autofree char *name = v2_field_name(&fields[i]);
        if (g_strcmp0(name, column) == 0)
            return v2_field_shape(&fields[i]) == V2_SHAPE_LIST;
    }
    return FALSE;
}

/* The type of what a row shows. */
static const char *type_of_column(DirectoryObject object, const char *column)
{
    static const char *const numbers[] = {"id",      "revision",        "port", "routes",
                                          "timeout", "dns_wrong_since", NULL};

    if (is_list(object, column))
        return "array";
    if (record_is_yesno(column))
        return "boolean";
    gboolean number = g_strv_contains(numbers, column) || g_str_has_suffix(column, "_at") ||
                      g_str_has_suffix(column, "_id");
    return number ? "integer" : "string";
}

/* What an answer shows of an object. */
static json_object *shown_schema(DirectoryObject object)
{
    json_object *schema = typed("object", FALSE), *properties = json_object_new_object(),
                *needed = json_object_new_array();
    g_auto(GStrv) columns = g_strsplit(directory_columns(object), " ", -1);

    for (guint i = 0; columns[i]; i++) {
        const char *type = type_of_column(object, columns[i]);
        put(properties, columns[i], typed(type, !g_str_equal(type, "array")));
        json_object_array_add(needed, text_of(columns[i]));
    }
    if (object == DIRECTORY_ROUTE)
        put(properties, "forward_address", typed("string", TRUE));
    put(schema, "properties", properties);
    put(schema, "required", needed);
    put(schema, "additionalProperties", json_object_new_boolean(FALSE));
    return schema;
}

/* What a body may say. */
static json_object *given_schema(DirectoryObject object, gboolean add)
{
    json_object *schema = typed("object", FALSE), *properties = json_object_new_object();
    guint n;
    const DirectoryField *fields = directory_fields(object, &n);

    if (add) {
        json_object *needed = json_object_new_array();
        put(properties, directory_page_key(object), typed("string", FALSE));
        json_object_array_add(needed, text_of(directory_page_key(object)));
        put(schema, "required", needed);
    }
    for (guint i = 0; i < n; i++) {
        g_autofree char *name = v2_field_name(&fields[i]);
        if (!v2_field_is_for(&fields[i], add))
            continue;
        gboolean null = fields[i].null != NULL;
        json_object *property = typed(type_of_shape(v2_field_shape(&fields[i])), null);
        put_text(property, "description", fields[i].text);
        put(properties, name, property);
    }
    put(schema, "properties", properties);
    put(schema, "additionalProperties", json_object_new_boolean(FALSE));
    return schema;
}

static json_object *list_schema(const V2Resource *resource, const char *name)
{
    json_object *schema = typed("object", FALSE), *properties = json_object_new_object(),
                *items = json_object_new_object(), *next = typed("string", TRUE);

    put_text(items, "type", "array");
    put(items, "items", reference("schemas", name));
    put_text(next, "description",
             "What to say as after for the next page; null: this was the last.");
    put(properties, resource->word, items);
    put(properties, "next", next);
    put(schema, "properties", properties);
    return schema;
}

static json_object *error_schema(void)
{
    json_object *schema = typed("object", FALSE), *properties = json_object_new_object(),
                *inner = typed("object", FALSE), *members = json_object_new_object(),
                *code = typed("string", FALSE), *codes = json_object_new_array();

    for (guint i = 0; i < V2_ERROR_COUNT; i++)
        json_object_array_add(codes, text_of(v2_errors[i].code));
    put(code, "enum", codes);
    put(members, "code", code);
    put(members, "field", typed("string", TRUE));
    put(members, "message", typed("string", FALSE));
    put(inner, "properties", members);
    put(properties, "error", inner);
    put(schema, "properties", properties);
    return schema;
}

static json_object *content(json_object *schema)
{
    json_object *all = json_object_new_object(), *media = json_object_new_object();

    put(media, "schema", schema);
    put(all, JSON_BODY_TYPE, media);
    return all;
}

/* By status; those of several errors are told together. */
static json_object *error_responses(void)
{
    json_object *responses = json_object_new_object();

    for (guint i = 0; i < V2_ERROR_COUNT; i++) {
        g_autofree char *name = g_strdup_printf("Error%u", v2_errors[i].status);
        json_object *other = json_object_object_get(responses, name);
        const char *earlier =
            other ? json_object_get_string(json_object_object_get(other, "description")) : NULL;
        g_autofree char *text =
            g_strdup_printf("%s%s%s: %s", earlier ? earlier : "", earlier ? " " : "",
                            v2_errors[i].code, v2_errors[i].message);
        json_object *response = json_object_new_object();
        put_text(response, "description", text);
        put(response, "content", content(reference("schemas", "Error")));
        put(responses, name, response);
    }
    return responses;
}

static void add_errors(json_object *responses)
{
    for (guint i = 0; i < V2_ERROR_COUNT; i++) {
        g_autofree char *status = g_strdup_printf("%u", v2_errors[i].status);
        g_autofree char *name = g_strconcat("Error", status, NULL);
        put(responses, status, reference("responses", name));
    }
}

static json_object *parameter(const char *name, const char *in, json_object *schema,
                              const char *text)
{
    json_object *object = json_object_new_object();

    put_text(object, "name", name);
    put_text(object, "in", in);
    if (g_str_equal(in, "path"))
        put(object, "required", json_object_new_boolean(TRUE));
    put(object, "schema", schema);
    put_text(object, "description", text);
    return object;
}

static json_object *limit_schema(void)
{
    json_object *schema = typed("integer", FALSE);

    put(schema, "minimum", json_object_new_int(1));
    put(schema, "maximum", json_object_new_int(V2_LIMIT_MAX));
    put(schema, "default", json_object_new_int(V2_LIMIT));
    return schema;
}

static void add_query(json_object *parameters, const V2Resource *resource, V2Verb verb)
{
    if (verb == V2_LIST) {
        json_object_array_add(parameters, parameter("after", "query", typed("string", FALSE),
                                                    "Begin behind this name."));
        json_object_array_add(parameters,
                              parameter("limit", "query", limit_schema(), "As many at most."));
    }
    if (verb == V2_DELETE && (resource->verbs & V2_FORCE))
        json_object_array_add(
            parameters, parameter("force", "query", typed("boolean", FALSE),
                                  "Also if something needs it, which does without from then on."));
}

static json_object *success(V2Verb verb, const char *name)
{
    json_object *response = json_object_new_object();
    g_autofree char *list = g_strconcat(name, "List", NULL);

    put_text(response, "description", v2_verbs[verb].text);
    if (v2_verbs[verb].success != 204)
        put(response, "content", content(reference("schemas", verb == V2_LIST ? list : name)));
    return response;
}

static json_object *operation(const V2Resource *resource, V2Verb verb, const char *name)
{
    json_object *object = json_object_new_object(), *parameters = json_object_new_array(),
                *responses = json_object_new_object();
    g_autofree char *status = g_strdup_printf("%u", v2_verbs[verb].success);

    put_text(object, "summary", v2_verbs[verb].text);
    add_query(parameters, resource, verb);
    put(object, "parameters", parameters);
    if (verb == V2_ADD || verb == V2_CHANGE) {
        json_object *body = json_object_new_object();
        g_autofree char *given = g_strconcat(name, verb == V2_ADD ? "Add" : "Change", NULL);
        put(body, "required", json_object_new_boolean(TRUE));
        put(body, "content", content(reference("schemas", given)));
        put(object, "requestBody", body);
    }
    put(responses, status, success(verb, name));
    add_errors(responses);
    put(object, "responses", responses);
    return object;
}

/* "TrackDomain"; g_free. */
static char *schema_name(DirectoryObject object)
{
    g_auto(GStrv) words = g_strsplit(directory_word(object), "-", -1);

    for (guint i = 0; words[i]; i++)
        words[i][0] = g_ascii_toupper(words[i][0]);
    return g_strjoinv("", words);
}

static void add_parameters(json_object *item, V2Owner owner, gboolean one)
{
    static const char *const names[] = {"organization", "server"};
    json_object *parameters = json_object_new_array();
    guint owners = owner == V2_OF_SERVER ? 2 : owner == V2_OF_ORGANIZATION ? 1 : 0;

    for (guint i = 0; i < owners; i++)
        json_object_array_add(
            parameters, parameter(names[i], "path", typed("string", FALSE), "Its permalink."));
    if (one)
        json_object_array_add(parameters, parameter("name", "path", typed("string", FALSE),
                                                    "What it is called, percent-encoded."));
    put(item, "parameters", parameters);
}

/* A collection, or one of it, below an owner. */
static void add_path(json_object *paths, const V2Resource *resource, V2Owner owner, gboolean one)
{
    static const char *const begins[] = {
        [V2_OF_ROOT] = "",
        [V2_OF_ORGANIZATION] = "organizations/{organization}/",
        [V2_OF_SERVER] = "organizations/{organization}/servers/{server}/",
    };
    json_object *item = json_object_new_object();
    g_autofree char *name = schema_name(resource->object);
    g_autofree char *path =
        g_strdup_printf("%s%s%s%s", V2_PREFIX, begins[owner], resource->word, one ? "/{name}" : "");

    put_text(item, "description", resource->text);
    add_parameters(item, owner, one);
    for (V2Verb verb = 0; verb < V2_VERB_COUNT; verb++) {
        g_autofree char *method = g_ascii_strdown(v2_verbs[verb].method, -1);
        if (v2_verbs[verb].item == one && (resource->verbs & v2_verbs[verb].need))
            put(item, method, operation(resource, verb, name));
    }
    put(paths, path, item);
}

static json_object *paths(void)
{
    json_object *all = json_object_new_object();
    guint n;
    const V2Resource *resources = v2_resources(&n);

    for (guint i = 0; i < n; i++)
        for (V2Owner owner = V2_OF_ROOT; owner < V2_OF_EITHER; owner++) {
            gboolean either = resources[i].owner == V2_OF_EITHER && owner != V2_OF_ROOT;
            for (gboolean one = FALSE; (either || resources[i].owner == owner) && one <= TRUE;
                 one++)
                add_path(all, &resources[i], owner, one);
        }
    return all;
}

static json_object *schemas(void)
{
    json_object *all = json_object_new_object();
    guint n;
    const V2Resource *resources = v2_resources(&n);

    for (guint i = 0; i < n; i++) {
        g_autofree char *name = schema_name(resources[i].object);
        g_autofree char *list = g_strconcat(name, "List", NULL);
        put(all, name, shown_schema(resources[i].object));
        put(all, list, list_schema(&resources[i], name));
        for (gboolean add = FALSE; (resources[i].verbs & V2_WRITE) && add <= TRUE; add++) {
            g_autofree char *given = g_strconcat(name, add ? "Add" : "Change", NULL);
            put(all, given, given_schema(resources[i].object, add));
        }
    }
    put(all, "Error", error_schema());
    return all;
}

static void add_security(json_object *document, json_object *components)
{
    json_object *schemes = json_object_new_object(), *bearer = json_object_new_object(),
                *all = json_object_new_array(), *one = json_object_new_object();

    put_text(bearer, "type", "http");
    put_text(bearer, "scheme", "bearer");
    put(schemes, "token", bearer);
    put(components, "securitySchemes", schemes);
    put(one, "token", json_object_new_array());
    json_object_array_add(all, one);
    put(document, "security", all);
}

static json_object *describe(void)
{
    json_object *document = json_object_new_object(), *info = json_object_new_object(),
                *components = json_object_new_object();

    put_text(document, "openapi", "3.1.0");
    put_text(info, "title", "Outrider: management API");
    put_text(info, "version", PACKAGE_VERSION);
    put(document, "info", info);
    put(document, "paths", paths());
    put(components, "schemas", schemas());
    put(components, "responses", error_responses());
    add_security(document, components);
    put(document, "components", components);
    return document;
}

const char *v2_openapi(void)
{
    static char *text;

    if (g_once_init_enter(&text)) {
        json_object *document = describe();
        char *made = g_strdup(json_object_to_json_string_ext(
            document,
            JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE));
        json_object_put(document);
        g_once_init_leave(&text, made);
    }
    return text;
}
