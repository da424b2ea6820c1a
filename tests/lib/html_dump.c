/* SPDX-License-Identifier: MIT */
/* Prints the tags of each text as a line of JSON, for tests/lib/test_html_oracle. Texts come in on standard input, each
 * behind its length in decimal and a line end. */
#include <glib.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/html/reference.h"
#include "lib/html/tokenizer.h"

#define TEXT_MAX (16 * 1024 * 1024)

static json_object *text_of(const char *text, HtmlRange range)
{
    return json_object_new_string_len(text + range.at, (int)range.length);
}

static json_object *attributes_of(const char *text, const HtmlToken *token)
{
    json_object *list = json_object_new_array();

    for (guint i = 0; i < token->n_attributes; i++) {
        const HtmlAttribute *attribute = &token->attributes[i];
        if (attribute->repeated)
            continue;
        g_autoptr(GString) value =
            html_value_decode(text + attribute->value.at, attribute->value.length);
        json_object *pair = json_object_new_array();
        json_object_array_add(pair, text_of(text, attribute->name));
        json_object_array_add(pair, json_object_new_string_len(value->str, (int)value->len));
        json_object_array_add(list, pair);
    }
    return list;
}

static void dump(const char *text, gsize length)
{
    g_autoptr(HtmlTokenizer) tokenizer = html_tokenizer_new(text, length);
    json_object *tags = json_object_new_array();
    const HtmlToken *token;

    while ((token = html_tokenizer_next(tokenizer))->kind != HTML_END) {
        if (token->kind != HTML_START_TAG && token->kind != HTML_END_TAG)
            continue;
        json_object *tag = json_object_new_array();
        json_object_array_add(
            tag, json_object_new_string(token->kind == HTML_START_TAG ? "start" : "end"));
        json_object_array_add(tag, text_of(text, token->name));
        json_object_array_add(tag, attributes_of(text, token));
        json_object_array_add(tags, tag);
    }
    puts(json_object_to_json_string_ext(tags, JSON_C_TO_STRING_PLAIN));
    json_object_put(tags);
}

int main(void)
{
    char line[32];

    while (fgets(line, sizeof line, stdin)) {
        guint64 length;
        g_strchomp(line);
        if (!g_ascii_string_to_unsigned(line, 10, 0, TEXT_MAX, &length, NULL))
            return EXIT_FAILURE;
        g_autofree char *text = g_malloc(length + 1);
        if (fread(text, 1, length, stdin) != length)
            return EXIT_FAILURE;
        dump(text, length);
    }
    return EXIT_SUCCESS;
}
