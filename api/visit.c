/* SPDX-License-Identifier: MIT */
#include "api/visit.h"

#include <json-c/json.h>
#include <string.h>

#include "lib/journal/event_json.h"

EventType visit_type(const Link *link)
{
    return link->kind == LINK_CLICK ? EVENT_CLICK : EVENT_OPEN;
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

char *visit_json(const Link *link, const Visit *visit)
{
    json_object *object = event_json_begin(visit->node, visit->at_us);

    event_json_number(object, "id", link->id);
    event_json_number(object, "server", link->server);
    if (link->kind == LINK_CLICK) {
        event_json_number(object, "ordinal", link->ordinal);
        add_text(object, "url", link->url, JOURNAL_JSON_MAX);
    }
    event_json_text(object, "host", visit->host);
    if (*visit->ip)
        event_json_text(object, "ip", visit->ip);
    if (visit->agent)
        add_text(object, "ua", visit->agent, VISIT_AGENT_MAX);
    event_json_text(object, "method", visit->method);
    return event_json_finish(object);
}
