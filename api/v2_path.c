/* SPDX-License-Identifier: MIT */
#include "api/v2_path.h"

#include <string.h>

enum { READ = V2_READ, WRITE = V2_WRITE, FORCE = V2_FORCE };

#define SEGMENTS_MAX 6

static const V2Resource resources[] = {
#define X(OBJECT, word, OWNER, verbs, text) {DIRECTORY_##OBJECT, word, V2_OF_##OWNER, verbs, text},
#include "api/v2_resource.def"
#undef X
};

const V2VerbRow v2_verbs[] = {
#define X(VERB, item, NEED, method, success, text) {item, NEED, method, success, text},
#include "api/v2_verb.def"
#undef X
};

const V2Resource *v2_resources(guint *n)
{
    *n = G_N_ELEMENTS(resources);
    return resources;
}

void v2_path_clear(V2Path *path)
{
    g_free(path->organization);
    g_free(path->server);
    g_free(path->name);
    g_free(path->owner);
    memset(path, 0, sizeof(*path));
}

static const V2Resource *find_resource(const char *word, V2Owner owner)
{
    for (guint i = 0; i < G_N_ELEMENTS(resources); i++) {
        gboolean of = resources[i].owner == owner ||
                      (resources[i].owner == V2_OF_EITHER && owner != V2_OF_ROOT);
        if (of && g_str_equal(resources[i].word, word))
            return &resources[i];
    }
    return NULL;
}

/* NULL: it is empty or too long, or has a NUL or what is not UTF-8 in it. */
static char *decode(const char *text)
{
    g_autofree char *decoded = g_uri_unescape_string(text, NULL);

    if (!decoded || !*decoded || strlen(decoded) > V2_SEGMENT_MAX ||
        !g_utf8_validate(decoded, -1, NULL))
        return NULL;
    return g_steal_pointer(&decoded);
}

/* Of an organization or a server: nothing else may stand there, a slash least of all. */
static char *permalink(const char *text, ValueKind kind)
{
    g_autofree char *decoded = decode(text);
    g_auto(Value) value = {0};

    return decoded && value_read(kind, "path", decoded, 0, &value, NULL) ? g_steal_pointer(&decoded)
                                                                         : NULL;
}

/* The words are as they are: a client that encodes them means something else. */
static const V2Resource *resource_of(GStrv segments, guint n)
{
    static const V2Owner owners[] = {V2_OF_ROOT, V2_OF_ORGANIZATION, V2_OF_SERVER};
    guint depth = (n - 1) / 2;

    if (!g_str_equal(segments[0], "organizations") ||
        (depth == 2 && !g_str_equal(segments[2], "servers")))
        return NULL;
    return find_resource(segments[depth * 2], owners[depth]);
}

gboolean v2_path_read(const char *text, V2Path *path)
{
    g_auto(V2Path) found = {0};

    if (!g_str_has_prefix(text, V2_PREFIX))
        return FALSE;
    g_auto(GStrv) segments = g_strsplit(text + strlen(V2_PREFIX), "/", SEGMENTS_MAX + 1);
    guint n = g_strv_length(segments);
    if (n < 1 || n > SEGMENTS_MAX || !(found.resource = resource_of(segments, n)))
        return FALSE;
    found.item = n % 2 == 0;
    if (n > 1 && !(found.organization = permalink(segments[1], VALUE_ORGANIZATION_PERMALINK)))
        return FALSE;
    gboolean server = n > 4 || (n == 4 && found.resource->object == DIRECTORY_SERVER);
    if (server && !(found.server = permalink(segments[3], VALUE_SERVER_PERMALINK)))
        return FALSE;
    gboolean named = found.item && found.resource->object != DIRECTORY_ORGANIZATION &&
                     found.resource->object != DIRECTORY_SERVER;
    if (named && !(found.name = decode(segments[n - 1])))
        return FALSE;
    found.owner = found.server ? g_strconcat(found.organization, "/", found.server, NULL)
                               : g_strdup(found.organization);
    *path = found;
    memset(&found, 0, sizeof(found));
    return TRUE;
}

void v2_path_names(const V2Path *path, const char *name, const char *names[3])
{
    names[0] = path->owner;
    names[1] = name ? name : path->name;
    names[2] = NULL;
}

static gboolean is_for(const V2Path *path, V2Verb verb)
{
    return v2_verbs[verb].item == path->item && (path->resource->verbs & v2_verbs[verb].need);
}

gboolean v2_path_verb(const V2Path *path, const char *method, V2Verb *verb)
{
    const char *wanted = g_str_equal(method, "HEAD") ? "GET" : method;

    for (V2Verb v = 0; v < V2_VERB_COUNT; v++)
        if (is_for(path, v) && g_str_equal(v2_verbs[v].method, wanted)) {
            *verb = v;
            return TRUE;
        }
    return FALSE;
}

char *v2_path_methods(const V2Path *path)
{
    GString *text = g_string_new("GET, HEAD");

    for (V2Verb v = 0; v < V2_VERB_COUNT; v++)
        if (is_for(path, v) && v2_verbs[v].need != READ)
            g_string_append_printf(text, ", %s", v2_verbs[v].method);
    return g_string_free(text, FALSE);
}

char *v2_path_of(const V2Path *path, const char *name)
{
    g_autofree char *escaped = g_uri_escape_string(name, "@", FALSE);
    GString *text = g_string_new(V2_PREFIX "organizations");

    if (path->organization)
        g_string_append_printf(text, "/%s", path->organization);
    if (path->server)
        g_string_append_printf(text, "/servers/%s", path->server);
    if (path->resource->owner != V2_OF_ROOT)
        g_string_append_printf(text, "/%s", path->resource->word);
    g_string_append_printf(text, "/%s", escaped);
    return g_string_free(text, FALSE);
}

gboolean v2_path_is_open(const V2Path *path, const DirectoryToken *token)
{
    if (!token->organization)
        return TRUE;
    if (!path->organization)
        return token->server == NULL;
    if (!g_str_equal(path->organization, token->organization))
        return FALSE;
    if (!token->server)
        return TRUE;
    return path->server ? g_str_equal(path->server, token->server)
                        : path->resource->object == DIRECTORY_SERVER;
}
