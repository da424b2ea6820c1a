/* SPDX-License-Identifier: MIT */
/* Queue files made by hand, and some that Postfix made, kept as seeds of the fuzz target. */
#include <errno.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/seal/msgid.h"
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
    add_text(file, 'A', "create_time=1764102000");
    add_text(file, 'A', "rewrite_context=local");
    return file;
}

/* With the null sender, up to where its header begins. */
static GByteArray *null_sender(void)
{
    GByteArray *file = begun();

    add_text(file, 'S', "");
    add_text(file, 'R', "r@b.example");
    add_pointer(file, 0);
    add_text(file, 'M', "");
    return file;
}

static gboolean read_all(GByteArray *file, QueueFile *found, GError **error)
{
    return queue_file_read(read_file, file, "X-Own", found, error);
}

static void assert_sender(GByteArray *file, const char *wanted)
{
    QueueFile found = {.sender = "untouched"};
    GError *error = NULL;

    assert_true(read_all(file, &found, &error));
    assert_no_error(error);
    assert_string_equal(found.sender, wanted);
}

static void assert_damaged(GByteArray *file)
{
    QueueFile found = {.sender = "untouched", .value = "untouched", .created_at = 7};
    GError *error = NULL;

    assert_false(read_all(file, &found, &error));
    assert_error_code(error, CORRUPT);
    assert_string_equal(found.sender, "untouched");
    assert_string_equal(found.value, "untouched");
    assert_int_equal(found.created_at, 7);
}

/* The header goes on with the record that is there already. */
static void assert_value(GByteArray *file, const char *wanted)
{
    QueueFile found = {.value = "untouched"};
    GError *error = NULL;

    assert_true(read_all(file, &found, &error));
    assert_no_error(error);
    assert_string_equal(found.sender, "");
    assert_string_equal(found.value, wanted);
}

static void test_queue_file_read_plain(void **state)
{
    (void)state;
    g_autoptr(GByteArray) file = begun();

    add_text(file, 'S', "a@b.example");
    add_text(file, 'S', "second@b.example");
    assert_sender(file, "a@b.example");
}

static void test_queue_file_read_begins_otherwise(void **state)
{
    (void)state;
    g_autoptr(GByteArray) file = g_byte_array_new();

    add_text(file, 'T', "1764102000 123456");
    add_text(file, 'S', "a@b.example");
    assert_damaged(file);
}

static void test_queue_file_read_null(void **state)
{
    (void)state;
    g_autoptr(GByteArray) file = begun();

    add_text(file, 'S', "");
    add_text(file, 'M', "");
    add_text(file, 'E', "");
    assert_sender(file, "");
    assert_value(file, "");
}

/* As a milter's change leaves it, behind a content of megabytes. */
static void test_queue_file_read_replaced(void **state)
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

static void test_queue_file_read_behind_much(void **state)
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

static void test_queue_file_read_longest(void **state)
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

static void test_queue_file_read_table(void **state)
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

static void test_queue_file_read_loops(void **state)
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

static void test_queue_file_read_too_many_records(void **state)
{
    (void)state;
    g_autoptr(GByteArray) file = begun();

    for (guint i = 0; i < QUEUE_FILE_RECORDS_MAX; i++)
        add_text(file, 'A', "a=b");
    add_text(file, 'S', "a@b.example");
    assert_damaged(file);
}

/* Every file that ends too early, and records whose length is not to be believed. */
static void test_queue_file_read_cut(void **state)
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

/* Where the digits stand that qmgr counts from, and no other ones. */
static void test_queue_file_read_created(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second; /* attributes */
        guint digits;               /* 0: not known */
    } cases[] = {
        {"create_time=1764102000", "log_ident=x", 10},
        {"create_time=1764102000", "create_time=1999999999", 10},
        {"create_time=176410200", "log_ident=x", 9},
        {"create_time=99999999999", "log_ident=x", 11},
        {"create_time=999999999999999999", "log_ident=x", 18},
        {"create_time=1999999999999999999", "log_ident=x", 0},
        {"create_time=", "create_time=1764102000", 0},
        {"create_time=-764102000", "create_time=1764102000", 0},
        {"create_time= 764102000", "log_ident=x", 0},
        {"create_time=1764102000 1", "log_ident=x", 0},
        {"create_time=17641x2000", "log_ident=x", 0},
        {"create_times=1764102000", "log_ident=x", 0},
        {"xcreate_time=1764102000", "log_ident=x", 0},
        {"create_time", "log_ident=x", 0},
        {"", "log_ident=x", 0},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GByteArray) file = g_byte_array_new();
        QueueFile found = {0};
        add_text(file, 'C', "            512             300");
        add_text(file, 'T', "1764102000 123456");
        guint at = file->len + 2 + (guint)strlen("create_time=");
        add_text(file, 'A', cases[i].first);
        add_text(file, 'A', cases[i].second);
        add_text(file, 'S', "a@b.example");
        assert_true(read_all(file, &found, NULL));
        assert_int_equal(found.created_digits, cases[i].digits);
        assert_int_equal(found.created_at, cases[i].digits ? at : 0);
    }
}

/* Behind a pointer, and behind more than a window. */
static void test_queue_file_read_created_elsewhere(void **state)
{
    (void)state;
    g_autoptr(GByteArray) file = g_byte_array_new();
    g_autofree char *attribute = g_strnfill(1500, 'a');
    QueueFile found = {0};

    add_text(file, 'C', "            512             300");
    for (guint i = 0; i < 9; i++)
        add_text(file, 'A', attribute);
    add_pointer(file, file->len + 17 + 100);
    g_byte_array_set_size(file, file->len + 100);
    guint at = file->len + 2 + (guint)strlen("create_time=");
    add_text(file, 'A', "create_time=1764102000");
    add_text(file, 'S', "a@b.example");
    assert_true(read_all(file, &found, NULL));
    assert_int_equal(found.created_at, at);
    assert_memory_equal(file->data + at, "1764102000", found.created_digits);
}

/* Envelopes other than of a null sender end the reading. */
static void test_queue_file_read_value_of_any_sender(void **state)
{
    (void)state;
    g_autoptr(GByteArray) file = begun();
    QueueFile found = {0};

    add_text(file, 'S', "a@b.example");
    add_text(file, 'M', "");
    assert_true(read_all(file, &found, NULL));
    assert_string_equal(found.sender, "a@b.example");
    assert_string_equal(found.value, "");
    add_text(file, 'N', "X-Own: value");
    add_text(file, 'X', "");
    assert_true(read_all(file, &found, NULL));
    assert_string_equal(found.value, "value");
}

static void test_queue_file_read_value_table(void **state)
{
    (void)state;
    static const struct {
        const char *records; /* "NX-Own: v" and more of them, a newline behind each */
        const char *value;
    } cases[] = {
        {"NX-Own: value\n", "value"},
        {"NReceived: by x\nN\tfor y\nNx-own:\t value\nNX-Own: other\n", "value"},
        {"NX-Own:value with blanks \n", "value with blanks "},
        {"w000\nNX-Own: value\n", "value"},
        /* The first one counts, whatever it has. */
        {"NX-Own: forged\nNX-Own: value\n", "forged"},
        {"NX-Own:\nNX-Own: value\n", ""},
        {"NX-Own: \nN value\n", ""},
        {"NX-Own: val\x7f\nNX-Own: value\n", ""},
        {"LX-Own: val\nNue\nNX-Own: value\n", ""},
        /* No field of that name. */
        {"NX-Own2: value\n", ""},
        {"NX-Own : value\n", ""},
        {"N X-Own: value\n", ""},
        {"NX-Own\n", ""},
        {"LX-\nNOwn: value\n", ""},
        {"LSubject: a\nNX-Own: value\n", ""},
        {"LSubject: a\nLb\nNX-Own: value\n", ""},
        /* Not of the header. */
        {"NSubject: x\nN\nNX-Own: value\n", ""},
        {"N\nNX-Own: value\n", ""},
        {"X\nNX-Own: value\n", ""},
        {"E\nNX-Own: value\n", ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GByteArray) file = null_sender();
        g_auto(GStrv) records = g_strsplit(cases[i].records, "\n", -1);
        for (guint n = 0; *records[n]; n++)
            add_text(file, *records[n], records[n] + 1);
        add_text(file, 'X', "");
        add_text(file, 'E', "");
        assert_value(file, cases[i].value);
    }
}

static void test_queue_file_read_value_longest(void **state)
{
    (void)state;
    for (guint more = 0; more < 2; more++) {
        g_autoptr(GByteArray) file = null_sender();
        g_autofree char *value = g_strnfill(QUEUE_FILE_VALUE_MAX + more, 'v');
        g_autofree char *line = g_strconcat("X-Own: ", value, NULL);
        add_text(file, 'N', line);
        assert_value(file, more ? "" : value);
    }
}

/* As a milter adds it: the record that was first is a pointer behind the end. */
static void test_queue_file_read_value_added(void **state)
{
    (void)state;
    g_autoptr(GByteArray) file = null_sender();
    guint at = file->len;

    add_pointer(file, 0);
    guint back = file->len;
    add_text(file, 'N', "X-Own: forged");
    add_text(file, 'N', "");
    add_text(file, 'X', "");
    add_text(file, 'E', "");
    guint added = file->len;
    add_text(file, 'N', "X-Own: value");
    add_pointer(file, back);
    g_autofree char *text = g_strdup_printf("%015u", added);
    memcpy(file->data + at + 2, text, 15);
    assert_value(file, "value");
}

static void test_queue_file_read_header_is_bounded(void **state)
{
    (void)state;
    g_autoptr(GByteArray) many = null_sender(), loop = null_sender(), wide = null_sender();
    g_autofree char *line = g_strnfill(QUEUE_FILE_WINDOW, 'x');

    for (guint i = 0; i < QUEUE_FILE_RECORDS_MAX; i++)
        add_text(many, 'N', "A: b");
    add_text(many, 'N', "X-Own: value");
    assert_damaged(many);
    add_pointer(loop, loop->len);
    assert_damaged(loop);
    add_text(wide, 'N', line);
    add_text(wide, 'N', "X-Own: value");
    assert_damaged(wide);
}

static void test_queue_file_read_header_cut(void **state)
{
    (void)state;
    g_autoptr(GByteArray) file = null_sender();

    add_text(file, 'N', "Subject: x");
    add_text(file, 'N', "X-Own: value");
    for (guint length = 0; length < file->len; length++) {
        g_autoptr(GByteArray) cut = g_byte_array_new();
        g_byte_array_append(cut, file->data, length);
        assert_damaged(cut);
    }
    assert_value(file, "value");
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

static void test_queue_file_read_of_postfix(void **state)
{
    (void)state;
    static const struct {
        const char *name, *sender, *value, *created;
    } cases[] = {
        {"postfix-ours", "caqojmmeyaaacaaaahwhzqktuy4qcvq-2@rp.outrider.test", "PtcfDrjpotC0LCk3",
         "1795640211"},
        {"postfix-null", "", "vRi7eLWbSCv2YvTj-caqojoktqaaacaaaahesoegsxj7jfei", "1795648206"},
        {"postfix-foreign", "me@acme.test", "", "1795640211"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GByteArray) file = read_seed(cases[i].name);
        QueueFile found = {0};
        assert_true(queue_file_read(read_file, file, MSGID_FIELD, &found, NULL));
        assert_string_equal(found.sender, cases[i].sender);
        assert_string_equal(found.value, cases[i].value);
        assert_int_equal(found.created_digits, strlen(cases[i].created));
        assert_memory_equal(file->data + found.created_at, cases[i].created, found.created_digits);
    }
}

static void test_queue_file_read_fails(void **state)
{
    (void)state;
    QueueFile found;
    GError *error = NULL;

    assert_false(queue_file_read(fail_to_read, NULL, "X-Own", &found, &error));
    assert_error_code(error, IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue_file_read_plain),
        cmocka_unit_test(test_queue_file_read_begins_otherwise),
        cmocka_unit_test(test_queue_file_read_null),
        cmocka_unit_test(test_queue_file_read_replaced),
        cmocka_unit_test(test_queue_file_read_behind_much),
        cmocka_unit_test(test_queue_file_read_longest),
        cmocka_unit_test(test_queue_file_read_table),
        cmocka_unit_test(test_queue_file_read_loops),
        cmocka_unit_test(test_queue_file_read_too_many_records),
        cmocka_unit_test(test_queue_file_read_cut),
        cmocka_unit_test(test_queue_file_read_created),
        cmocka_unit_test(test_queue_file_read_created_elsewhere),
        cmocka_unit_test(test_queue_file_read_value_of_any_sender),
        cmocka_unit_test(test_queue_file_read_value_table),
        cmocka_unit_test(test_queue_file_read_value_longest),
        cmocka_unit_test(test_queue_file_read_value_added),
        cmocka_unit_test(test_queue_file_read_header_is_bounded),
        cmocka_unit_test(test_queue_file_read_header_cut),
        cmocka_unit_test(test_queue_file_read_of_postfix),
        cmocka_unit_test(test_queue_file_read_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
