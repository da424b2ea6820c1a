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

static gboolean add_piece(const char *octets, gsize length, gpointer context)
{
    g_string_append_len(context, octets, (gssize)length);
    return TRUE;
}

/* In pieces files are the same. */
static void check_pieces(const uint8_t *data, size_t size, const MimeRead *whole)
{
    Source source = source_of(data, size);
    g_autoptr(MimeRead) read = mime_read_source(&source, MIME_READ_FILE_SIZES);

    g_assert(source.failed == 0 && read->files->len == whole->files->len);
    for (guint i = 0; i < read->files->len; i++) {
        const MimeReadFile *file = read->files->pdata[i], *other = whole->files->pdata[i];
        GString *octets = g_string_new(NULL);
        g_assert(mime_read_file(read, file, add_piece, octets));
        g_autoptr(GBytes) bytes = g_string_free_to_bytes(octets);
        g_assert(g_bytes_equal(bytes, other->bytes));
        g_assert(file->size == g_bytes_get_size(bytes));
    }
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
    check_pieces(data, size, read);
    fuzz_reached += read->plain || read->html;
    return 0;
}
