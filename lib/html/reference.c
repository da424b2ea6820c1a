/* SPDX-License-Identifier: MIT */
#include "lib/html/reference.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LENGTH 32
#define REPLACEMENT     0xfffd
#define CODE_MAX        0x10ffff

typedef struct {
    const char *name;
    const char *text;
} Entity;

static const Entity entities[] = {
#define X(name, text) {name, text},
#include "lib/html/entity.def"
#undef X
};

/* What 0x80 to 0x9f stand for: windows-1252, where it has anything. */
static const guint16 high_controls[32] = {
    0x20ac, 0x81,   0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8d,   0x017d, 0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d,   0x017e, 0x0178};

static gunichar code_point(guint32 number)
{
    if (number == 0 || number > CODE_MAX || (number >= 0xd800 && number <= 0xdfff))
        return REPLACEMENT;
    if (number >= 0x80 && number <= 0x9f)
        return high_controls[number - 0x80];
    return number;
}

/* A reference "&#..." at text; octets used, 0: it is none. */
static gsize number_reference(const char *text, gsize length, GString *out)
{
    gboolean hex = length > 2 && (text[2] == 'x' || text[2] == 'X');
    gsize begin = hex ? 3 : 2, at = begin;
    guint32 number = 0;

    for (; at < length; at++) {
        int digit = hex ? g_ascii_xdigit_value(text[at]) : g_ascii_digit_value(text[at]);
        if (digit < 0)
            break;
        if (number <= CODE_MAX)
            number = number * (hex ? 16 : 10) + (guint32)digit;
    }
    if (at == begin)
        return 0;
    g_string_append_unichar(out, code_point(number));
    return at < length && text[at] == ';' ? at + 1 : at;
}

static int compare(const void *key, const void *entity)
{
    return strcmp(key, ((const Entity *)entity)->name);
}

/* The longest name that text begins with; NULL: none. */
static const Entity *find_entity(const char *text, gsize length)
{
    char name[NAME_MAX_LENGTH + 1];

    for (gsize n = MIN(length, NAME_MAX_LENGTH); n > 1; n--) {
        memcpy(name, text, n);
        name[n] = '\0';
        const Entity *found =
            bsearch(name, entities, G_N_ELEMENTS(entities), sizeof *entities, compare);
        if (found)
            return found;
    }
    return NULL;
}

/* The entity whose name begins behind the "&" at text; NULL: none. *kept: it has no semicolon, and what follows makes it text. */
static const Entity *entity_at(const char *text, gsize length, gboolean *kept)
{
    gsize n = 1;

    while (n < length && n <= NAME_MAX_LENGTH && g_ascii_isalnum(text[n]))
        n++;
    if (n < length && text[n] == ';')
        n++;
    const Entity *entity = find_entity(text + 1, n - 1);
    gsize used = entity ? strlen(entity->name) + 1 : 0;
    *kept = entity && text[used - 1] != ';' && used < length &&
            (text[used] == '=' || g_ascii_isalnum(text[used]));
    return entity;
}

/* A reference "&name" at text; octets used, 0: it is none. */
static gsize named_reference(const char *text, gsize length, GString *out)
{
    gboolean kept;
    const Entity *entity = entity_at(text, length, &kept);

    if (!entity || kept)
        return 0;
    g_string_append(out, entity->text);
    return strlen(entity->name) + 1;
}

static gsize reference(const char *text, gsize length, GString *out)
{
    if (length > 2 && text[1] == '#')
        return number_reference(text, length, out);
    return length > 2 && g_ascii_isalnum(text[1]) ? named_reference(text, length, out) : 0;
}

GString *html_value_decode(const char *text, gsize length)
{
    GString *out = g_string_sized_new(length);

    for (gsize at = 0; at < length;) {
        gsize used = text[at] == '&' ? reference(text + at, length - at, out) : 0;
        if (used == 0)
            g_string_append_c(out, text[at++]);
        at += used;
    }
    return out;
}

gboolean html_value_is_doubtful(const char *text, gsize length)
{
    const char *end = text + length;
    gboolean kept = FALSE;

    if (!memchr(text, ';', length))
        return FALSE;
    for (const char *p = text; !kept && (p = memchr(p, '&', (gsize)(end - p))); p++)
        entity_at(p, (gsize)(end - p), &kept);
    return kept;
}

GString *html_value_encode(const char *text, gsize length)
{
    GString *out = g_string_sized_new(length);

    for (gsize at = 0; at < length; at++)
        if (strchr("&\"'<>`= \t\n\r\f", text[at]) && text[at])
            g_string_append_printf(out, "&#%d;", text[at]);
        else
            g_string_append_c(out, text[at]);
    return out;
}
