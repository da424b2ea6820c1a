/* SPDX-License-Identifier: MIT */
#include "lib/store/record.h"

#include <json-c/json.h>
#include <string.h>

#include "lib/base/id.h"

#define FRAME_MAGIC  0x184D2A5FU /* one of the 16 of skippable frames, RFC 8878 section 3.1.2 */
#define FRAME_HEADER 8
#define TEXT_LENGTH  (RECORD_LENGTH - FRAME_HEADER)

static void put_word(guint8 *out, guint32 value)
{
    guint32 word = GUINT32_TO_LE(value);
    memcpy(out, &word, sizeof word);
}

static guint32 get_word(const guint8 *in)
{
    guint32 word;
    memcpy(&word, in, sizeof word);
    return GUINT32_FROM_LE(word);
}

void record_encode(const StoreRecord *record, guint8 frame[RECORD_LENGTH])
{
    g_autofree char *text =
        g_strdup_printf("{\"v\":1,\"id\":%" G_GUINT64_FORMAT ",\"server\":%u,"
                        "\"size\":%" G_GUINT64_FORMAT ",\"sha256\":\"%s\"}",
                        record->header.id, record->header.server, record->size, record->sha256);
    gsize length = strlen(text);

    g_assert(length < TEXT_LENGTH);
    put_word(frame, FRAME_MAGIC);
    put_word(frame + 4, TEXT_LENGTH);
    memset(frame + FRAME_HEADER, ' ', TEXT_LENGTH);
    memcpy(frame + FRAME_HEADER, text, length);
    frame[RECORD_LENGTH - 1] = '\n';
}

/* A number of the object within 0..max. */
static gboolean take_number(json_object *object, const char *key, guint64 max, guint64 *number)
{
    json_object *value = json_object_object_get(object, key);

    if (!json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0 ||
        (guint64)json_object_get_int64(value) > max)
        return FALSE;
    *number = (guint64)json_object_get_int64(value);
    return TRUE;
}

static gboolean take_record(json_object *object, StoreRecord *record)
{
    json_object *digest = json_object_object_get(object, "sha256");
    guint64 version, id, server, size;

    if (!take_number(object, "v", 1, &version) || version != 1 ||
        !take_number(object, "id", ID_MAX, &id) ||
        !take_number(object, "server", G_MAXUINT32, &server) ||
        !take_number(object, "size", G_MAXINT64, &size) ||
        !json_object_is_type(digest, json_type_string) ||
        json_object_get_string_len(digest) != sizeof record->sha256 - 1)
        return FALSE;
    record->header = (StoreHeader){.id = id, .server = (guint32)server};
    record->size = size;
    memcpy(record->sha256, json_object_get_string(digest), sizeof record->sha256);
    return TRUE;
}

gboolean record_decode(const guint8 *frame, gsize length, StoreRecord *record)
{
    if (length < RECORD_LENGTH || get_word(frame) != FRAME_MAGIC ||
        get_word(frame + 4) != TEXT_LENGTH)
        return FALSE;
    g_autofree char *text = g_strndup((const char *)frame + FRAME_HEADER, TEXT_LENGTH);
    json_object *object = json_tokener_parse(text);
    gboolean good = json_object_is_type(object, json_type_object) && take_record(object, record);
    json_object_put(object);
    return good;
}
