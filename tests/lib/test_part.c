/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/error.h"
#include "lib/mime/field.h"
#include "lib/mime/part.h"
#include "tests/lib/testing.h"

static char *list(const GPtrArray *parts, const char *body)
{
    static const char standings[] = {[MIME_PART_SHOWN] = 'S',
                                     [MIME_PART_FILE] = 'F',
                                     [MIME_PART_SIGNED] = 'X',
                                     [MIME_PART_ENCLOSED] = 'E',
                                     [MIME_PART_UNCLEAR] = '?'};
    static const char encodings[] = {[MIME_ENCODING_IDENTITY] = 'i',
                                     [MIME_ENCODING_QUOTED] = 'q',
                                     [MIME_ENCODING_BASE64] = 'b',
                                     [MIME_ENCODING_OTHER] = 'o'};
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < parts->len; i++) {
        const MimePart *part = parts->pdata[i];
        g_string_append_printf(
            out, "%s%c%c%u%s %s %s<%.*s>", i ? "\n" : "", standings[part->standing],
            encodings[part->encoding], part->alternative, part->flows_closed ? "w" : "", part->type,
            part->charset ? part->charset : "-", (int)(part->to - part->from), body + part->from);
    }
    return g_string_free(out, FALSE);
}

#define TYPE(text) "Content-Type: " text "\r\n"

static const struct {
    const char *type, *encoding, *disposition, *body, *parts;
} cases[] =
    {
        {NULL, NULL, NULL, "a\r\n", "Si0 text/plain -<a\r\n>"},
        {NULL, NULL, NULL, "", ""},
        {"Text/HTML; Charset=\"UTF-8\"", "Base64", "inline", "YQ==", "Sb0 text/html utf-8<YQ==>"},
        {"text/plain; format=flowed; delsp=YES", "8bit", NULL, "a", "Si0w text/plain -<a>"},
        {"text/html", "quoted-printable", "attachment", "a", "Fq0 text/html -<a>"},
        {"text/html", NULL, " Inline ; filename=x", "a", "Fi0 text/html -<a>"},
        {"text/html", NULL, "inlined", "a", "Fi0 text/html -<a>"},
        {"text/html; name=x.html", NULL, NULL, "a", "Fi0 text/html -<a>"},
        {"text/html", "x-own", NULL, "a", "So0 text/html -<a>"},
        {"application/pkcs7-mime; name=smime.p7m", "base64", NULL,
         "YQ==", "Fb0 application/pkcs7-mime -<YQ==>"},
        {"message/rfc822", NULL, NULL, "Subject: a\r\n\r\nb", "Ei0 message/rfc822 -<>"},
        {"message/partial; id=a; number=1", NULL, NULL, "a", "Ei0 message/partial -<>"},
        {"multipart/signed; boundary=b; protocol=x", NULL, NULL,
         "--b\r\n" TYPE("text/html") "\r\na\r\n--b--\r\n", "Xi0 multipart/signed -<>"},
        {"multipart/encrypted; boundary=b", NULL, NULL,
         "--b\r\n" TYPE("text/html") "\r\na\r\n--b--", "Xi0 multipart/encrypted -<>"},
        {"multipart/x-own; boundary=b", NULL, NULL, "--b\r\n" TYPE("text/html") "\r\na\r\n--b--",
         "Ei0 multipart/x-own -<>"},
        {"multipart/digest; boundary=b", NULL, NULL, "--b\r\n\r\nSubject: a\r\n\r\nb\r\n--b--",
         "Ei0 multipart/digest -<>"},
        {"multipart/mixed; boundary=b", NULL, NULL,
         "pre\r\n--b\r\n\r\na\r\n\r\n--b\r\n" TYPE(
             "text/html; charset=x") "Content-Transfer-Encoding: Quoted-Printable\r\n\r\nb=\r\n\r\n"
                                     "--b\r\n" TYPE(
                                         "text/html") "Content-Disposition: attachment\r\n"
                                                      "\r\nc\r\n--b--\r\npost",
         "Si0 text/plain -<a\r\n>\nSq0 text/html x<b=\r\n>\nFi0 text/html -<c>"},
        {"multipart/mixed; boundary=m", NULL, NULL,
         "--m\r\n" TYPE(
             "multipart/alternative; boundary=a") "\r\n--a\r\n\r\nt\r\n"
                                                  "--a\r\n" TYPE("multipart/related; boundary=r") "\r\n--r\r\n" TYPE(
                                                      "text/html") "\r\nh\r\n"
                                                                   "--r\r\n" TYPE(
                                                                       "image/png") "\r\np\r\n--r--"
                                                                                    "\r\n--a--\r\n"
                                                                                    "--m\r\n" TYPE(
                                                                                        "multipart/"
                                                                                        "alternativ"
                                                                                        "e; "
                                                                                        "boundary="
                                                                                        "d") "\r\n-"
                                                                                             "-d\r"
                                                                                             "\n\r"
                                                                                             "\nu\r"
                                                                                             "\n--"
                                                                                             "d--"
                                                                                             "\r\n-"
                                                                                             "-m--",
         "Si1 text/plain -<t>\nSi1 text/html -<h>\nSi1 image/png -<p>\nSi2 text/plain -<u>"},
        {"multipart/mixed; boundary=b", NULL, NULL,
         "--b\r\n" TYPE("text/html") TYPE("text/plain") "\r\na\r\n--b--", "?i0 text/plain -<a>"},
        {"multipart/mixed; boundary=b", NULL, NULL,
         "--b\r\n" TYPE("multipart/mixed; boundary=c")
             TYPE("text/plain") "\r\n--c\r\n\r\na\r\n--c--\r\n"
                                "--b--",
         "?i0 text/plain -<--c\r\n\r\na\r\n--c-->"},
        {"multipart/mixed", NULL, NULL, "--b\r\n\r\na\r\n--b--\r\n", ""},
};

static void test_mime_parts_cases(void **state)
{
    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) fields = mime_fields_new();
        GError *error = NULL;

        if (cases[i].type)
            mime_fields_add(fields, "Content-Type", cases[i].type);
        if (cases[i].encoding)
            mime_fields_add(fields, "Content-Transfer-Encoding", cases[i].encoding);
        if (cases[i].disposition)
            mime_fields_add(fields, "Content-Disposition", cases[i].disposition);
        g_autoptr(GPtrArray) parts =
            mime_parts(fields, cases[i].body, strlen(cases[i].body), &error);
        assert_no_error(error);
        g_autofree char *found = list(parts, cases[i].body);
        if (strcmp(found, cases[i].parts) != 0)
            fail_msg("case %u: %s\nnot %s", i, found, cases[i].parts);
    }
}

/* Levels of multipart/mixed around a text. */
static GString *nest(guint levels)
{
    GString *body = g_string_new(NULL);

    for (guint i = 1; i < levels; i++)
        g_string_append_printf(body, "--b%u\r\nContent-Type: multipart/mixed; boundary=b%u\r\n\r\n",
                               i - 1, i);
    g_string_append_printf(body, "--b%u\r\n\r\ntext\r\n", levels - 1);
    return body;
}

static void assert_refused(const GString *body, const char *field)
{
    g_autoptr(GPtrArray) fields = mime_fields_new();
    GError *error = NULL;

    mime_fields_add(fields, "Content-Type", "multipart/mixed; boundary=b0");
    if (field)
        mime_fields_add(fields, field, "text/plain");
    assert_null(mime_parts(fields, body->str, body->len, &error));
    assert_error_code(error, INVALID);
}

static void test_mime_parts_refuses(void **state)
{
    (void)state;
    g_autoptr(GString) fits = nest(MIME_PART_DEPTH_MAX);
    g_autoptr(GString) deep = nest(MIME_PART_DEPTH_MAX + 1);
    g_autoptr(GString) deeper = nest(5000);
    g_autoptr(GString) deepest = nest(100000);
    g_autoptr(GString) dashes = nest(1);
    g_autoptr(GPtrArray) fields = mime_fields_new();

    for (guint i = 0; i < 10001; i++)
        g_string_append(dashes, "--\r\n");
    mime_fields_add(fields, "Content-Type", "multipart/mixed; boundary=b0");
    g_autoptr(GPtrArray) parts = mime_parts(fields, fits->str, fits->len, NULL);
    assert_int_equal(parts->len, 1);
    assert_refused(deep, NULL);
    assert_refused(deeper, NULL);
    assert_refused(deepest, NULL);
    assert_refused(dashes, NULL);
    assert_refused(fits, "Content-Type");
}

static void test_mime_parts_nul(void **state)
{
    static const char body[] = "--b\0\r\n--b\r\n\r\na\0b\r\n--b--";
    g_autoptr(GPtrArray) fields = mime_fields_new();

    (void)state;
    mime_fields_add(fields, "Content-Type", "multipart/mixed; boundary=b");
    g_autoptr(GPtrArray) parts = mime_parts(fields, body, sizeof body - 1, NULL);
    assert_int_equal(parts->len, 1);
    const MimePart *part = parts->pdata[0];
    assert_int_equal(part->to - part->from, 3);
    assert_memory_equal(body + part->from, "a\0b", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mime_parts_cases),
        cmocka_unit_test(test_mime_parts_refuses),
        cmocka_unit_test(test_mime_parts_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
