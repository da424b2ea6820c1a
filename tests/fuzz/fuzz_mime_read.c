/* SPDX-License-Identifier: MIT */
/* A message: whatever it is, it is read, within the bounds, as text that is text. */
#include <glib.h>
#include <string.h>

#include "lib/mime/field.h"
#include "lib/mime/read.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

static void check_text(const char *text)
{
    g_assert(!text || g_utf8_validate(text, -1, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(MimeRead) read =
        mime_read((const char *)data, size, MIME_READ_FIELDS | MIME_READ_TEXTS | MIME_READ_FILES);

    g_assert(read->fields->len <= MIME_READ_FIELDS_MAX);
    g_assert(read->files->len <= MIME_READ_PARTS_MAX);
    g_autofree char *first = mime_field_first((const char *)data, size, "Content-Type");
    g_assert(!first || strlen(first) <= size);
    check_text(read->plain);
    check_text(read->html);
    for (guint i = 0; i < read->fields->len; i++) {
        const MimeField *field = read->fields->pdata[i];
        check_text(field->name);
        check_text(field->value);
    }
    for (guint i = 0; i < read->files->len; i++) {
        const MimeReadFile *file = read->files->pdata[i];
        check_text(file->name);
        check_text(file->type);
        check_text(file->header);
        g_assert(*file->name);
        fuzz_reached++;
    }
    fuzz_reached += read->plain || read->html;
    return 0;
}
