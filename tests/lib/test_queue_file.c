/* SPDX-License-Identifier: MIT */
/* Queue files made by hand, and some that Postfix made, kept as seeds of the fuzz target. */
#include <errno.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/wire/queue_file.h"
#include "tests/lib/testing.h"

static gssize read_file(gpointer file, guint8 *buffer, gsize size, guint64 offset)
{
    const GByteArray *octets = file;
    gsize from = MIN(offset, octets->len), count = MIN(size, octets->len - from);

    if (count > 0)
        memcpy(buffer, octets->data + from, count);
    return (gssize)count;
}

static gssize fail_to_read(gpointer file, guint8 *buffer, gsize size, guint64 offset)
{
    (void)file;
    (void)buffer;
    (void)size;
    (void)offset;
    errno = EIO;
    return -1;
}

static void add(GByteArray *file, char type, const char *data, gsize length)
{
    guint8 head[4] = {(guint8)type};
    guint count = 1;

    for (gsize rest = length; rest > 0 || count == 1; rest >>= 7)
        head[count++] = (guint8)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    g_byte_array_append(file, head, count);
    g_byte_array_append(file, (const guint8 *)data, (guint)length);
}

static void add_text(GByteArray *file, char type, const char *data)
{
    add(file, type, data, strlen(data));
}

static void add_pointer(GByteArray *file, guint offset)
{
    g_autofree char *text = g_strdup_printf("%015u", offset);
    add_text(file, 'p', text);
}

static GByteArray *begun(void)
{
    GByteArray *file = g_byte_array_new();

    add_text(file, 'C',
             "            512             300               1               0             512");
    add_text(file, 'T', "1764102000 123456");
    add_text(file, 'A', "rewrite_context=local");
    return file;
}

static void assert_sender(GByteArray *file, const char *wanted)
{
    char sender[QUEUE_FILE_SENDER_MAX + 1] = "untouched";
    GError *error = NULL;

    assert_true(queue_file_sender(read_file, file, sender, &error));
    assert_no_error(error);
    assert_string_equal(sender, wanted);
}

static void assert_damaged(GByteArray *file)
{
    char sender[QUEUE_FILE_SENDER_MAX + 1] = "untouched";
    GError *error = NULL;

    assert_false(queue_file_sender(read_file, file, sender, &error));
    assert_error_code(error, CORRUPT);
    assert_string_equal(sender, "untouched");
}

static void test_queue_file_sender_plain(void **state)
{
    (void)state;
    g_autoptr(GByteArray) file = begun();

    add_text(file, 'S', "a@b.example");
    add_text(file, 'S', "second@b.example");
    assert_sender(file, "a@b.example");
}

static void test_queue_file_sender_begins_otherwise(void **state)
{
    (void)state;
    g_autoptr(GByteArray) file = g_byte_array_new();

    add_text(file, 'T', "1764102000 123456");
    add_text(file, 'S', "a@b.example");
    assert_damaged(file);
}

static void test_queue_file_sender_null(void **state)
{
    (void)state;
    g_autoptr(GByteArray) file = begun();

    add_text(file, 'S', "");
    assert_sender(file, "");
}

/* As a milter's change leaves it, behind a content of megabytes. */
static void test_queue_file_sender_replaced(void **state)
{
    (void)state;
    g_autoptr(GByteArray) file = begun();
    g_autofree char *line = g_strnfill(2000, 'x');
    guint at = file->len;

    add_pointer(file, 0);
    guint back = file->len;
    add_text(file, 'M', "");
    for (guint i = 0; i < 2000; i++)
        add_text(file, 'N', line);
    add_text(file, 'E', "");
    guint replaced = file->len;
    add_text(file, 'S', "new@b.example");
    add_pointer(file, back);
    g_autofree char *text = g_strdup_printf("%015u", replaced);
    memcpy(file->data + at + 2, text, 15);
    assert_sender(file, "new@b.example");
}

static void test_queue_file_sender_behind_much(void **state)
{
    (void)state;
    g_autoptr(GByteArray) file = begun();
    g_autofree char *attribute = g_strnfill(1500, 'a');

    add_pointer(file, 0);
    for (guint i = 0; i < 50; i++)
        add_text(file, 'A', attribute);
    add_text(file, 'S', "a@b.example");
    assert_sender(file, "a@b.example");
}

static void test_queue_file_sender_longest(void **state)
{
    (void)state;
    g_autofree char *longest = g_strnfill(QUEUE_FILE_SENDER_MAX, 's');
    g_autofree char *longer = g_strnfill(QUEUE_FILE_SENDER_MAX + 1, 's');
    g_autoptr(GByteArray) file = begun(), other = begun();

    add_text(file, 'S', longest);
    assert_sender(file, longest);
    add_text(other, 'S', longer);
    assert_damaged(other);
}

static void test_queue_file_sender_table(void **state)
{
    (void)state;
    static const struct {
        char type;
        const char *data;
        gsize length;
    } cases[] = {
        {'M', "", 0},
        {'E', "", 0},
        {'S', "a@b\0.example", 12},
        {'S', "a@b\n", 4},
        {'S', "a@b\x7f", 4},
        {'p', "", 0},
        {'p', "               ", 15},
        {'p', "-00000000000001", 15},
        {'p', "00000000000001x", 15},
        {'p', "0x0000000000001", 15},
        {'p', "000000000 00001", 15},
        {'p', "00000009999999999999", 20},
        {'p', "000999999999999", 15},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GByteArray) file = begun();
        add(file, cases[i].type, cases[i].data, cases[i].length);
        if (cases[i].type != 'S')
            add_text(file, 'S', "a@b.example");
        assert_damaged(file);
    }
}

static void test_queue_file_sender_loops(void **state)
{
    (void)state;
    g_autoptr(GByteArray) itself = begun(), pair = begun();
    guint at = pair->len;

    add_pointer(itself, itself->len);
    assert_damaged(itself);
    add_pointer(pair, at + 17);
    add_pointer(pair, at);
    assert_damaged(pair);
}

static void test_queue_file_sender_too_many_records(void **state)
{
    (void)state;
    g_autoptr(GByteArray) file = begun();

    for (guint i = 0; i < QUEUE_FILE_RECORDS_MAX; i++)
        add_text(file, 'A', "a=b");
    add_text(file, 'S', "a@b.example");
    assert_damaged(file);
}

/* Every file that ends too early, and records whose length is not to be believed. */
static void test_queue_file_sender_cut(void **state)
{
    (void)state;
    static const guint8 lengths[][5] = {
        {'C', 0xff, 0xff, 0xff, 0x7f}, {'C', 0x80, 0x80, 0x80, 0x00}, {'C', 0xff, 0x7f, 'x', 'x'}};
    g_autoptr(GByteArray) file = begun();

    add_text(file, 'S', "a@b.example");
    for (guint length = 0; length < file->len; length++) {
        g_autoptr(GByteArray) cut = g_byte_array_new();
        g_byte_array_append(cut, file->data, length);
        assert_damaged(cut);
    }
    for (guint i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autoptr(GByteArray) bad = g_byte_array_new();
        g_byte_array_append(bad, lengths[i], sizeof(lengths[i]));
        add_text(bad, 'S', "a@b.example");
        assert_damaged(bad);
    }
}

static GByteArray *read_seed(const char *name)
{
    const char *source = g_getenv("srcdir");
    g_autofree char *path =
        g_build_filename(source ? source : ".", "tests/fuzz/corpus/queue_file", name, NULL);
    char *octets = NULL;
    gsize length;

    if (!g_file_get_contents(path, &octets, &length, NULL))
        fail_msg("%s cannot be read", path);
    return g_byte_array_new_take((guint8 *)octets, length);
}

static void test_queue_file_sender_of_postfix(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *sender;
    } cases[] = {
        {"postfix-ours", "caqojmmeyaaacaaaahwhzqktuy4qcvq-2@rp.outrider.test"},
        {"postfix-null", ""},
        {"postfix-foreign", "me@acme.test"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GByteArray) file = read_seed(cases[i].name);
        assert_sender(file, cases[i].sender);
    }
}

static void test_queue_file_sender_read_fails(void **state)
{
    (void)state;
    char sender[QUEUE_FILE_SENDER_MAX + 1];
    GError *error = NULL;

    assert_false(queue_file_sender(fail_to_read, NULL, sender, &error));
    assert_error_code(error, IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue_file_sender_plain),
        cmocka_unit_test(test_queue_file_sender_begins_otherwise),
        cmocka_unit_test(test_queue_file_sender_null),
        cmocka_unit_test(test_queue_file_sender_replaced),
        cmocka_unit_test(test_queue_file_sender_behind_much),
        cmocka_unit_test(test_queue_file_sender_longest),
        cmocka_unit_test(test_queue_file_sender_table),
        cmocka_unit_test(test_queue_file_sender_loops),
        cmocka_unit_test(test_queue_file_sender_too_many_records),
        cmocka_unit_test(test_queue_file_sender_cut),
        cmocka_unit_test(test_queue_file_sender_of_postfix),
        cmocka_unit_test(test_queue_file_sender_read_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
