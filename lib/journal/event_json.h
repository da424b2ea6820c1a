/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the JSON of an event, as lib/journal/event.def says of all.
 * Used by: whoever writes events.
 * May touch: nothing.
 * Threads: any.
 * Limits: a text of EVENT_JSON_TEXT_MAX characters; longer is cut.
 */
#pragma once

#include <glib.h>
#include <json-c/json.h>

#define EVENT_JSON_TEXT_MAX 1024

/* An object with v, node and at (Unix microseconds); for event_json_finish. */
json_object *event_json_begin(guint node, gint64 at_us);

void event_json_number(json_object *object, const char *key, guint64 number);

/* In valid UTF-8; NULL stays absent. */
void event_json_text(json_object *object, const char *key, const char *text);

/* The same as a value of its own. */
json_object *event_json_text_new(const char *text);

/* What is not so stays absent. */
void event_json_flag(json_object *object, const char *key, gboolean set);

/* Its text (g_free); takes the object. */
char *event_json_finish(json_object *object);
