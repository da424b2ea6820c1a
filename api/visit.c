/* SPDX-License-Identifier: MIT */
#include "api/visit.h"

#include <json-c/json.h>
#include <string.h>

EventType visit_type(const Link *link)
{
    return link->kind == LINK_CLICK ? EVENT_CLICK : EVENT_OPEN;
}

static void add_number(json_object *object, const char *key, guint64 number)
{
    json_object_object_add(object, key, json_object_new_int64((gint64)number));
}

/* UTF-8, cut between characters. */
static void add_text(json_object *object, const char *key, const char *text, gsize max)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    gsize length = strlen(valid);

    if (length > max) {
        const char *end = g_utf8_find_prev_char(valid, valid + max + 1);
        length = (gsize)(end - valid);
    }
    json_object_object_add(object, key, json_object_new_string_len(valid, (int)length));
}

/* What we have written or checked ourselves. */
static void add_plain(json_object *object, const char *key, const char *text)
{
    json_object_object_add(object, key, json_object_new_string(text));
}

char *visit_json(const Link *link, const Visit *visit)
{
    json_object *object = json_object_new_object();

    add_number(object, "v", 1);
    add_number(object, "node", visit->node);
    add_number(object, "at", (guint64)visit->at_us);
    add_number(object, "id", link->id);
    add_number(object, "server", link->server);
    if (link->kind == LINK_CLICK) {
        add_number(object, "ordinal", link->ordinal);
        add_text(object, "url", link->url, JOURNAL_JSON_MAX);
    }
    add_plain(object, "host", visit->host);
    if (*visit->ip)
        add_plain(object, "ip", visit->ip);
    if (visit->agent)
        add_text(object, "ua", visit->agent, VISIT_AGENT_MAX);
    add_plain(object, "method", visit->method);
    char *text = g_strdup(json_object_to_json_string_ext(
        object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(object);
    return text;
}
