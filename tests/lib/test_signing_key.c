/* SPDX-License-Identifier: MIT */
/* Signatures are checked by openssl(1), as a receiver would, and not by what made them. */
#include "lib/seal/signing_key.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/error.h"
#include "tests/lib/testing.h"

static char *directory;

static char *file(const char *name)
{
    return g_build_filename(directory, name, NULL);
}

static char *put(const char *name, const char *text, gssize length, guint mode)
{
    char *path = file(name);

    assert_true(g_file_set_contents(path, text, length, NULL));
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static SigningKey *make_key(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *pem = signing_key_generate();
    g_autofree char *path = NULL;

    assert_non_null(pem);
    path = put("key.pem", pem, -1, 0640);
    SigningKey *key = signing_key_load(path, &error);
    assert_no_error(error);
    return key;
}

/* What a command prints; it has to succeed. */
static char *shell(const char *format, ...) G_GNUC_PRINTF(1, 2);
static char *shell(const char *format, ...)
{
    va_list list;
    char *output = NULL;
    int status = -1;

    va_start(list, format);
    g_autofree char *line = g_strdup_vprintf(format, list);
    va_end(list);
    g_autofree char *there = g_strdup_printf("cd '%s' && { %s; } 2>/dev/null", directory, line);
    g_autofree char *quoted = g_shell_quote(there);
    g_autofree char *command = g_strconcat("sh -c ", quoted, NULL);
    assert_true(g_spawn_command_line_sync(command, &output, NULL, &status, NULL));
    if (status != 0)
        fail_msg("%s: status %d", line, status);
    return output;
}

static void test_signature_finish_verifies(void **state)
{
    static const char *const bodies[] = {"", "{\"a\":1}", "caf\xc3\xa9\r\n"};
    g_autoptr(SigningKey) key = make_key();
    g_autofree char *public = signing_key_public(key);

    (void)state;
    g_free(put("public.pem", public, -1, 0644));
    for (guint i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Signature) signature = signature_new(key, &error);
        g_autofree char *sha1 = NULL;
        g_autofree char *sha256 = NULL;
        gsize length = strlen(bodies[i]);
        assert_no_error(error);
        signature_add(signature, bodies[i], length / 2);
        signature_add(signature, bodies[i] + length / 2, length - length / 2);
        assert_true(signature_finish(signature, &sha1, &sha256, &error));
        assert_null(strchr(sha256, '\n'));
        g_free(put("body", bodies[i], -1, 0644));
        g_autofree char *first = shell("printf '%%s' '%s' | base64 -d >s && "
                                       "openssl dgst -sha1 -verify public.pem -signature s body",
                                       sha1);
        g_autofree char *second = shell("printf '%%s' '%s' | base64 -d >s && "
                                        "openssl dgst -sha256 -verify public.pem -signature s body",
                                        sha256);
        assert_string_equal(first, "Verified OK\n");
        assert_string_equal(second, "Verified OK\n");
    }
}

/* The id is over the RSAPublicKey itself, which lies in SubjectPublicKeyInfo behind its 24 octets. */
static void test_signing_key_id_is_of_rsa_public_key(void **state)
{
    g_autoptr(SigningKey) key = make_key();
    g_autofree char *wanted = shell("openssl rsa -in key.pem -RSAPublicKey_out -outform DER | "
                                    "sha256sum | cut -c 1-64 | tr -d '\\n'");

    (void)state;
    assert_string_equal(signing_key_id(key), wanted);
}

/* Postal's key file, as it is. */
static void test_signing_key_load_pkcs1(void **state)
{
    g_autoptr(SigningKey) key = make_key();
    g_autoptr(GError) error = NULL;
    g_autofree char *made = shell("openssl rsa -in key.pem -traditional -out old.pem && chmod 600 "
                                  "old.pem && head -n 1 old.pem");
    g_autofree char *path = file("old.pem");
    g_autoptr(SigningKey) old = signing_key_load(path, &error);

    (void)state;
    assert_no_error(error);
    assert_string_equal(made, "-----BEGIN RSA PRIVATE KEY-----\n");
    assert_string_equal(signing_key_id(old), signing_key_id(key));
}

static void test_signing_key_numbers_are_those_of_the_key(void **state)
{
    g_autoptr(SigningKey) key = make_key();
    g_autofree char *n = NULL;
    g_autofree char *e = NULL;

    (void)state;
    signing_key_numbers(key, &n, &e);
    g_autofree char *wanted =
        shell("openssl rsa -in key.pem -noout -modulus | python3 -c 'import base64, sys; "
              "print(base64.urlsafe_b64encode(bytes.fromhex(input()[8:])).decode().strip(\"=\"), "
              "end=\"\")'");
    assert_string_equal(n, wanted);
    assert_string_equal(e, "AQAB");
}

static void test_signing_key_load_bad(void **state)
{
    static const struct {
        const char *what, *wanted;
    } cases[] = {
        {"genrsa -out bad.pem 1024", "2048 to 8192 bits"},
        {"genrsa -traditional -aes128 -passout pass:secret -out bad.pem 2048",
         "without passphrase"},
        {"genrsa -aes128 -passout pass:secret -out bad.pem 2048", "without passphrase"},
        {"genpkey -algorithm ed25519 -out bad.pem", "RSA private key"},
        {"ecparam -name prime256v1 -genkey -noout -out bad.pem", "RSA private key"},
        {"rsa -in key.pem -pubout -out bad.pem", "RSA private key"},
    };
    g_autoptr(SigningKey) key = make_key();

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *made = shell("openssl %s && chmod 600 bad.pem", cases[i].what);
        g_autofree char *path = file("bad.pem");
        if (signing_key_load(path, &error))
            fail_msg("%s was taken", cases[i].what);
        if (!strstr(error->message, cases[i].wanted))
            fail_msg("%s: %s", cases[i].what, error->message);
    }
}

static void test_signing_key_load_bad_file(void **state)
{
    g_autofree char *pem = signing_key_generate();
    g_autofree char *large = g_strnfill(20000, 'x');
    g_autofree char *open = put("open.pem", pem, -1, 0644);
    g_autofree char *empty = put("empty.pem", "", -1, 0600);
    g_autofree char *nul = put("nul.pem", "a\0b", 3, 0600);
    g_autofree char *much = put("large.pem", large, -1, 0600);
    g_autofree char *none = file("none.pem");
    GError *error = NULL;

    (void)state;
    assert_null(signing_key_load(open, &error));
    assert_error_code(error, INVALID);
    assert_null(signing_key_load(empty, &error));
    assert_error_code(error, INVALID);
    assert_null(signing_key_load(nul, &error));
    assert_error_code(error, INVALID);
    assert_null(signing_key_load(much, &error));
    assert_error_code(error, INVALID);
    assert_null(signing_key_load(directory, &error));
    assert_error_code(error, INVALID);
    assert_null(signing_key_load(none, &error));
    assert_error_code(error, NOT_FOUND);
}

static int start(void **state)
{
    (void)state;
    directory = g_dir_make_tmp("signing-XXXXXX", NULL);
    return directory ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    g_free(shell("rm -rf \"$PWD\""));
    g_free(directory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signature_finish_verifies),
        cmocka_unit_test(test_signing_key_id_is_of_rsa_public_key),
        cmocka_unit_test(test_signing_key_numbers_are_those_of_the_key),
        cmocka_unit_test(test_signing_key_load_pkcs1),
        cmocka_unit_test(test_signing_key_load_bad),
        cmocka_unit_test(test_signing_key_load_bad_file),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
