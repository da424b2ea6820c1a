/* SPDX-License-Identifier: MIT */
#include <glib.h>
#include <string.h>

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
    char sender[QUEUE_FILE_SENDER_MAX + 1];

    if (!queue_file_sender(read_file, &file, sender, NULL))
        return 0;
    g_assert(memchr(sender, '\0', sizeof(sender)));
    for (const char *p = sender; *p; p++)
        g_assert(!g_ascii_iscntrl(*p));
    fuzz_reached++;
    return 0;
}
