/* SPDX-License-Identifier: MIT */
#include <glib.h>
#include <string.h>

#include "lib/seal/msgid.h"
#include "lib/wire/queue_file.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

typedef struct {
    const guint8 *data;
    gsize length;
    guint reads;
} File;

static gssize read_file(gpointer data, guint8 *buffer, gsize size, guint64 offset)
{
    File *file = data;
    gsize from = MIN(offset, file->length), count = MIN(size, file->length - from);

    g_assert(++file->reads <= QUEUE_FILE_RECORDS_MAX);
    if (count > 0)
        memcpy(buffer, file->data + from, count);
    return (gssize)count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    File file = {data, size, 0};
    QueueFile found = {0};

    if (!queue_file_read(read_file, &file, MSGID_FIELD, &found, NULL))
        return 0;
    g_assert(memchr(found.sender, '\0', sizeof(found.sender)));
    g_assert(memchr(found.value, '\0', sizeof(found.value)));
    for (const char *p = found.sender; *p; p++)
        g_assert(!g_ascii_iscntrl(*p));
    for (const char *p = found.value; *p; p++)
        g_assert(!g_ascii_iscntrl(*p));
    g_assert((found.created_at == 0) == (found.created_digits == 0));
    for (guint i = 0; i < found.created_digits; i++) {
        g_assert(found.created_at + i < size);
        g_assert(g_ascii_isdigit(data[found.created_at + i]));
    }
    fuzz_reached++;
    return 0;
}
