/* SPDX-License-Identifier: MIT */
#include "lib/mime/read.h"

#include <errno.h>
#include <string.h>

#include "lib/mime/field.h"
#include "lib/mime/tree.h"
#include "tests/lib/testing.h"

#define ALL   (MIME_READ_FIELDS | MIME_READ_TEXTS | MIME_READ_FILES)
#define TYPE  "Content-Type: "
#define MIXED TYPE "multipart/mixed; boundary=m\r\n\r\n"
#define INNER TYPE "multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\n\r\n--i--\r\n"
#define EURO  "\xe2\x82\xac"
#define PLAIN TYPE "text/plain\r\n\r\n"

/* As "plain|html|name type <octets>|..."; - for what is not there. */
static char *shown(const MimeRead *read)
{
    GString *out = g_string_new(NULL);

    g_string_printf(out, "%s|%s", read->plain ? read->plain : "-", read->html ? read->html : "-");
    for (guint i = 0; i < read->files->len; i++) {
        const MimeReadFile *file = read->files->pdata[i];
        gsize length;
        const char *data = g_bytes_get_data(file->bytes, &length);
        g_string_append_printf(out, "|%s %s <%.*s>", file->name, file->type, (int)length,
                               length ? data : "");
    }
    return g_string_free(out, FALSE);
}

static const struct {
    const char *message, *shown;
} bodies[] = {
    {"Subject: a\r\n\r\nhi\r\n", "hi\n|-"},
    {TYPE "text/plain; charset=iso-8859-1\r\n\r\n\xfc\r\n", "\xc3\xbc\n|-"},
    {TYPE "text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
          "quoted-printable\r\n\r\na=\r\n=C3=BC=3D\r\n",
     "a\xc3\xbc=\n|-"},
    {TYPE "Text/HTML; charset=windows-1258\r\n\r\n<p>\x80", "-|<p>\xe2\x82\xac"},
    {TYPE "text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+\r\nYQ==\r\n", "-|<p>a"},
    {TYPE "text/plain; name=a.txt\r\nContent-Disposition: attachment\r\n\r\na", "a|-"},
    {TYPE "application/pdf\r\n\r\na", "-|-"},
    {TYPE "application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n",
     "-|-|a.pdf application/pdf <%PDF>"},
    {MIXED "preamble\r\n--m\r\n" PLAIN "a\r\n--m\r\n" TYPE "text/html\r\n\r\n<p>\r\n--m\r\n" PLAIN
           "b\r\n--m--\r\nepilogue",
     "a|<p>"},
    {MIXED "--m\r\n" TYPE "multipart/alternative; boundary=a\r\n\r\n--a\r\n" PLAIN
           "t\r\n--a\r\n" TYPE "multipart/related; boundary=r\r\n\r\n--r\r\n" TYPE
           "text/html\r\n\r\nh\r\n--r--\r\n--a--\r\n--m--",
     "t|h"},
    /* Files: by any of three names; without one, a part that is no text is nothing. */
    {MIXED "--m\r\n" TYPE "text/plain; name=\"x y.txt\"\r\n\r\nx\r\n--m\r\n" PLAIN
           "a\r\n--m\r\n" TYPE
           "image/png\r\nContent-Disposition: inline; filename=p.png\r\nContent-Transfer-Encoding: "
           "base64\r\n\r\niVBO\r\n--m\r\n"
           "Content-Location: http://x.test/l.css\r\n" TYPE "text/css\r\n\r\nb{}\r\n--m\r\n" TYPE
           "image/gif\r\nContent-Disposition: attachment\r\n\r\ng\r\n--m--",
     "a|-|x y.txt text/plain <x>|p.png image/png <\x89PN>|http://x.test/l.css text/css <b{}>"},
    /* Names that were cut into several words, as Outlook and many libraries cut them. */
    {MIXED "--m\r\n" TYPE "x/y; name=\"=?utf-8?B?4oKs4oKs4oKs4oKs?=\r\n "
           "=?utf-8?B?4oKs4oKs?=.pdf\"\r\n\r\n1\r\n--m\r\n" TYPE
           "x/y\r\nContent-Disposition: attachment;\r\n filename=\"=?utf-8?B?4oKsYQ==?=\r\n "
           "=?utf-8?B?4oKs?=\"\r\n\r\n2\r\n--m--",
     "-|-|" EURO EURO EURO EURO EURO EURO ".pdf x/y <1>|" EURO "a" EURO " x/y <2>"},
    {MIXED "--m\r\n" TYPE "x/y; name*=utf-8''%E2%82%AC%20.bin\r\n\r\n1\r\n--m\r\n" TYPE
           "x/y; name=\"=?utf-8?q?=E2=82=AC?=\"\r\n\r\n2\r\n--m\r\n" TYPE
           "x/y\r\nContent-Disposition: attachment; filename=\"\xfc\"\r\n\r\n3\r\n--m--",
     "-|-|\xe2\x82\xac .bin x/y <1>|\xe2\x82\xac x/y <2>|\xc3\xbc x/y <3>"},
    {MIXED
     "--m\r\n" TYPE "message/rfc822\r\n\r\nSubject: =?utf-8?q?=C3=BC?=\r\n  folded\r\nx:  "
     "y\r\n\r\n.\r\nb  \r\n\r\n--m\r\n" TYPE "message/rfc822; name=old.eml\r\n\r\n" INNER
     "\r\n--m\r\n" TYPE
     "message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDogYQ0KDQpi\r\n--m--\r\n",
     "-|-|1.eml message/rfc822 <Subject: =?utf-8?q?=C3=BC?=\r\n  folded\r\nx:  y\r\n\r\n.\r\nb  "
     "\r\n>|old.eml message/rfc822 <" INNER ">|3.eml message/rfc822 <Subject: a\r\n\r\nb>"},
    /* What is not well-formed is read as far as it goes. */
    {"", "|-"},
    {"\r\nbody", "body|-"},
    {"no field\r\nA: b\r\n\r\nx", "x|-"},
    {"A: b", "|-"},
    {"A: b\n\nx\ny\n", "x\ny\n|-"},
    {TYPE "text/html\r\n" TYPE "text/plain\r\n\r\nx", "-|x"},
    {TYPE "multipart/mixed\r\n\r\n--m\r\n" PLAIN "a", "-|-"},
    {MIXED "no part", "-|-"},
    {MIXED "--m\r\n" PLAIN "a", "a|-"},
    {MIXED "--m\r\n" PLAIN "a\r\n--m--", "a|-"},
    {TYPE "text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ=!=Yg", "a|-"},
    {TYPE "text/plain\r\nContent-Transfer-Encoding: x-own\r\n\r\na=3D", "a=3D|-"},
    {TYPE "text/plain; charset=\"\xff\"\r\n\r\na\xff", "a\xef\xbf\xbd|-"},
};

static void test_mime_read_bodies(void **state)
{
    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_autoptr(MimeRead) read = mime_read(bodies[i].message, strlen(bodies[i].message), ALL);
        g_autofree char *text = shown(read);
        if (!g_str_equal(text, bodies[i].shown))
            fail_msg("case %u: %s", i, text);
        assert_false(read->cut);
    }
}

/* One octet at a time, up to a place where there are none any more. */
typedef struct {
    const char *octets;
    gsize end;
} Drop;

static gssize read_drop(gconstpointer context, gsize at, void *to, gsize room)
{
    const Drop *drop = context;

    assert_true(room > 0);
    errno = EIO;
    if (at >= drop->end)
        return -1;
    memcpy(to, drop->octets + at, 1);
    return 1;
}

static gboolean add_piece(const char *octets, gsize length, gpointer context)
{
    g_string_append_len(context, octets, (gssize)length);
    return TRUE;
}

static void test_mime_read_source_is_the_same(void **state)
{
    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(bodies); i++) {
        gsize length = strlen(bodies[i].message);
        const Drop drop = {bodies[i].message, length};
        Source source = {.read = read_drop, .context = &drop, .length = length};
        g_autoptr(MimeRead) read =
            mime_read_source(&source, MIME_READ_TEXTS | MIME_READ_FILE_SIZES);
        for (guint f = 0; f < read->files->len; f++) {
            MimeReadFile *file = read->files->pdata[f];
            GString *octets = g_string_new(NULL);
            assert_int_equal(g_bytes_get_size(file->bytes), 0);
            assert_true(mime_read_file(read, file, add_piece, octets));
            assert_int_equal(file->size, octets->len);
            g_bytes_unref(file->bytes);
            file->bytes = g_string_free_to_bytes(octets);
        }
        g_autofree char *text = shown(read);
        if (!g_str_equal(text, bodies[i].shown))
            fail_msg("case %u: %s", i, text);
        assert_int_equal(source.failed, 0);
    }
}

static void test_mime_read_source_fails(void **state)
{
    (void)state;
    static const char message[] =
        "A: b\r\n" MIXED "--m\r\n" PLAIN "a\r\n--m\r\n" TYPE "x/y; name=n\r\n\r\nf\r\n--m--";
    static const gsize ends[] = {0, 3, 20, sizeof MIXED + 10, sizeof message - 2};

    for (guint i = 0; i < G_N_ELEMENTS(ends); i++) {
        const Drop drop = {message, ends[i]};
        Source source = {.read = read_drop, .context = &drop, .length = sizeof message - 1};
        g_autoptr(MimeRead) read = mime_read_source(&source, MIME_READ_FILE_SIZES);
        assert_int_equal(source.failed, EIO);
    }
}

static gboolean enough(const char *octets, gsize length, gpointer context)
{
    (void)octets;
    *(gsize *)context += length;
    return FALSE;
}

static void test_mime_read_file_until_it_is_enough(void **state)
{
    (void)state;
    static const char *const parts[] = {"x/y; name=n\r\n\r\n",
                                        "message/rfc822\r\n\r\nA: b\r\n\r\n"};

    for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
        GString *text = g_string_new(MIXED "--m\r\n" TYPE);
        g_string_append(text, parts[i]);
        for (guint n = 0; n < 20000; n++)
            g_string_append(text, "0123456789\r\n");
        Source source = source_of(text->str, text->len);
        g_autoptr(MimeRead) read = mime_read_source(&source, MIME_READ_FILE_SIZES);
        const MimeReadFile *file = read->files->pdata[0];
        gsize got = 0;
        assert_false(mime_read_file(read, file, enough, &got));
        assert_in_range(got, 1, 2 * MIME_CONTENT_PIECE);
        assert_true(file->size >= 240000);
        g_string_free(text, TRUE);
    }
}

static void test_mime_read_fields(void **state)
{
    (void)state;
    static const char message[] =
        "Received: one\r\n\tmore\r\nSUBJECT: =?iso-8859-1?q?gr=FC=DF?= =?utf-8?b?4oKs?=\r\n"
        "received:two\r\nX-Empty:\r\nX-Raw: \xff\r\nnot a field\r\nX-Last : z\r\n\r\nX-Body: "
        "no\r\n";
    static const char *const wanted[][2] = {
        {"received", "one\tmore"}, {"subject", "gr\xc3\xbc\xc3\x9f\xe2\x82\xac"},
        {"received", "two"},       {"x-empty", ""},
        {"x-raw", "\xc3\xbf"},     {"x-last", "z"}};
    g_autoptr(MimeRead) read = mime_read(message, strlen(message), MIME_READ_FIELDS);

    assert_int_equal(read->fields->len, G_N_ELEMENTS(wanted));
    for (guint i = 0; i < read->fields->len; i++) {
        const MimeField *field = read->fields->pdata[i];
        assert_string_equal(field->name, wanted[i][0]);
        assert_string_equal(field->value, wanted[i][1]);
    }
    assert_null(read->plain);
}

static void test_mime_read_only_what_is_wanted(void **state)
{
    (void)state;
    static const char message[] =
        MIXED "--m\r\n" PLAIN "a\r\n--m\r\n" TYPE "x/y; name=n\r\n\r\nf\r\n--m--";
    g_autoptr(MimeRead) texts = mime_read(message, strlen(message), MIME_READ_TEXTS);
    g_autoptr(MimeRead) files = mime_read(message, strlen(message), MIME_READ_FILES);

    assert_string_equal(texts->plain, "a");
    assert_int_equal(texts->files->len + texts->fields->len, 0);
    assert_null(files->plain);
    assert_int_equal(files->files->len, 1);
}

static GString *many(const char *head, const char *each, guint n, const char *tail)
{
    GString *text = g_string_new(head);

    for (guint i = 0; i < n; i++)
        g_string_append(text, each);
    return g_string_append(text, tail);
}

static void test_mime_read_hostile(void **state)
{
    (void)state;
    static const struct {
        const char *head, *each;
        guint n;
        const char *tail;
        gboolean cut;
    } cases[] = {
        {"", "A: b\r\n", MIME_READ_FIELDS_MAX + 1, "\r\nx", TRUE},
        {MIXED, "--m\r\n" TYPE "x/y; name=n\r\n\r\nf\r\n", MIME_READ_PARTS_MAX + 5, "--m--", TRUE},
        {MIXED, "--m\r\n\r\n\r\n", MIME_DASHES_MAX + 1, "--m--", TRUE},
        {TYPE "text/plain\r\n\r\n", "0123456789abcdef", MIME_READ_TEXT_MAX / 16 + 1, "", TRUE},
        {TYPE "text/plain\r\n\r\n", "0123456789abcdef", MIME_READ_TEXT_MAX / 16, "", FALSE},
        {TYPE "multipart/mixed; boundary=m\r\n\r\n", "--m\r\n" TYPE "message/rfc822\r\n\r\n" MIXED,
         3000, "", FALSE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GString *text = many(cases[i].head, cases[i].each, cases[i].n, cases[i].tail);
        g_autoptr(MimeRead) read = mime_read(text->str, text->len, ALL);
        if (read->cut != cases[i].cut)
            fail_msg("case %u", i);
        assert_true(read->files->len <= MIME_READ_PARTS_MAX);
        g_string_free(text, TRUE);
    }
}

static void test_mime_read_deep(void **state)
{
    (void)state;
    GString *text = g_string_new(TYPE "multipart/mixed; boundary=b0\r\n\r\n");

    for (guint i = 0; i < 2 * MIME_DEPTH_MAX; i++)
        g_string_append_printf(text, "--b%u\r\n" TYPE "multipart/mixed; boundary=b%u\r\n\r\n", i,
                               i + 1);
    g_autoptr(MimeRead) read = mime_read(text->str, text->len, ALL);
    assert_true(read->cut);
    g_string_free(text, TRUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mime_read_bodies),
        cmocka_unit_test(test_mime_read_source_is_the_same),
        cmocka_unit_test(test_mime_read_source_fails),
        cmocka_unit_test(test_mime_read_file_until_it_is_enough),
        cmocka_unit_test(test_mime_read_fields),
        cmocka_unit_test(test_mime_read_only_what_is_wanted),
        cmocka_unit_test(test_mime_read_hostile),
        cmocka_unit_test(test_mime_read_deep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
