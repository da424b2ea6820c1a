/* SPDX-License-Identifier: MIT */
/* What we sign, and what libopendkim signs for us, is verified by an independent program. */
#include <dlfcn.h>
#include <glib/gstdio.h>
#include <malloc.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/mailauth/dkim_sign.h"
#include "lib/mailauth/key_cache.h"
#include "lib/mailauth/key_lend.h"
#include "tests/lib/testing.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)

#define DOMAIN  "acme.test"
#define THREADS 8

typedef struct {
    DkimSigner *signer;
    char *rsa, *ed25519; /* PEM */
    char *records[2];    /* name=TXT */
    char *file;
} World;

static char *private_pem(EVP_PKEY *key)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *data = NULL;

    PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
    long length = BIO_get_mem_data(out, &data);
    char *pem = g_strndup(data, (gsize)length);
    BIO_free(out);
    return pem;
}

static char *rsa_record(EVP_PKEY *key)
{
    unsigned char *der = NULL;
    int length = i2d_PUBKEY(key, &der);
    g_autofree char *base64 = g_base64_encode(der, (gsize)length);

    OPENSSL_free(der);
    return g_strdup_printf("rsa._domainkey." DOMAIN "=v=DKIM1; k=rsa; p=%s", base64);
}

static char *ed25519_record(EVP_PKEY *key)
{
    unsigned char raw[32];
    size_t length = sizeof(raw);

    EVP_PKEY_get_raw_public_key(key, raw, &length);
    g_autofree char *base64 = g_base64_encode(raw, length);
    return g_strdup_printf("ed._domainkey." DOMAIN "=v=DKIM1; k=ed25519; p=%s", base64);
}

static int setup(void **state)
{
    World *world = g_new0(World, 1);
    GError *error = NULL;
    EVP_PKEY *rsa = EVP_RSA_gen(2048);
    EVP_PKEY *ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

    world->signer = dkim_signer_open(&error);
    assert_no_error(error);
    world->rsa = private_pem(rsa);
    world->ed25519 = private_pem(ed25519);
    world->records[0] = rsa_record(rsa);
    world->records[1] = ed25519_record(ed25519);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ed25519);
    g_close(g_file_open_tmp("outrider-dkim-XXXXXX", &world->file, NULL), NULL);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    World *world = *state;

    g_unlink(world->file);
    dkim_signer_close(world->signer);
    g_free(world->rsa);
    g_free(world->ed25519);
    g_free(world->records[0]);
    g_free(world->records[1]);
    g_free(world->file);
    g_free(world);
    return 0;
}

static GPtrArray *sign(World *world, const DkimContent *content, GError **error)
{
    const DkimKey keys[] = {
        {.selector = "rsa", .private_key = world->rsa},
        {.selector = "ed", .private_key = world->ed25519, .ed25519 = TRUE},
    };
    return dkim_signer_sign(world->signer, "test", DOMAIN, keys, 2, content, error);
}

static void append_crlf(GString *out, const char *value)
{
    for (; *value; value++) {
        if (*value == '\n')
            g_string_append_c(out, '\r');
        g_string_append_c(out, *value);
    }
}

/* The message as it would travel, with something extra on top of it. */
static GString *assemble(const GPtrArray *signatures, const DkimContent *content, const char *extra)
{
    GString *out = g_string_new(extra);

    for (guint i = 0; i < signatures->len; i++) {
        const DkimSignature *signature = g_ptr_array_index(signatures, i);
        g_string_append(out, "DKIM-Signature:");
        append_crlf(out, signature->value);
        g_string_append(out, "\r\n");
    }
    for (guint i = 0; i < content->n_fields; i++) {
        g_string_append_printf(out, "%s:", content->fields[i].name);
        append_crlf(out, content->fields[i].value);
        g_string_append(out, "\r\n");
    }
    g_string_append(out, "\r\n");
    g_string_append_len(out, content->body, (gssize)content->length);
    if (content->length > 0 &&
        (content->length < 2 || memcmp(out->str + out->len - 2, "\r\n", 2) != 0))
        g_string_append(out, "\r\n");
    return out;
}

/* What the independent verifier says, a word per signature. */
static char *verify(World *world, const GString *message)
{
    char python[] = "/usr/bin/python3", script[] = OUTRIDER_TEST_SRCDIR "/tests/lib/verify_dkim.py";
    char *command[] = {python, script, world->file, world->records[0], world->records[1], NULL};
    char *words = NULL;

    assert_true(g_file_set_contents(world->file, message->str, (gssize)message->len, NULL));
    assert_true(g_spawn_sync(NULL, command, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &words,
                             NULL, NULL, NULL));
    return words;
}

/* RSA first; wanted as of verify(). */
static void assert_verifies_as(World *world, const DkimContent *content, const char *wanted)
{
    GError *error = NULL;
    g_autoptr(GPtrArray) signatures = sign(world, content, &error);

    assert_no_error(error);
    GString *message = assemble(signatures, content, "Received: from x\r\n");
    g_autofree char *words = verify(world, message);
    assert_string_equal(words, wanted);
    g_string_free(message, TRUE);
}

static void assert_verifies(World *world, const DkimContent *content)
{
    assert_verifies_as(world, content, "pass\npass\n");
}

static const DkimField plain[] = {
    {"From", " App <app@acme.test>"},
    {"To", " someone@ok.test"},
    {"Subject", " hello"},
    {"Date", " Sat, 21 Nov 2026 08:00:00 +0000"},
    {"Message-ID", " <1@acme.test>"},
};

static void test_sign_bodies_verify(void **state)
{
    static const char *const bodies[] = {
        "",
        "\r\n",
        "x",
        "a  b \t\r\n\r\n\r\n",
        "no last line end",
        ".\r\n",
        "..\r\nx\r\n",
        "Gr\xfc\xdf"
        "e\r\n",
        " \r\n \r\nleading\r\n",
        "From x\r\n>From y\r\n",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        const DkimContent content = {plain, G_N_ELEMENTS(plain), bodies[i], strlen(bodies[i])};
        assert_verifies(*state, &content);
    }
}

#define OCTETS(text)                                                                               \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

/* No lone LF here: the verifier takes it for a line end, and Postfix never hands one on. */
static void test_sign_nasty_bodies_verify(void **state)
{
    static const struct {
        const char *body;
        gsize length;
    } cases[] = {
        OCTETS("\t\tx\t \ty\t\r\n"),
        OCTETS("x\r\n \t\r\n\t\r\n \r\n"),
        OCTETS("\r\n\r\nx"),
        OCTETS(" "),
        OCTETS(" \t"),
        OCTETS("x \r\n "),
        OCTETS("a\0b\0\r\n\0\r\n"),
        OCTETS("\xff\xfe \x80\r\n\xa0\r\n"),
        OCTETS("a \v\f b\r\n"),
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const DkimContent content = {plain, G_N_ELEMENTS(plain), cases[i].body, cases[i].length};
        assert_verifies(*state, &content);
    }
}

/* libopendkim drops a CR that stands alone, which RFC 6376 does not ask for: its signature is good
 * only for those who verify with it as well. */
static void test_sign_bare_cr_verifies_as_ed25519(void **state)
{
    static const char *const bodies[] = {"a\rb\r\n", "a \rb\r\n", "a\r \r\n", "\r\rx\r\n"};

    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        const DkimContent content = {plain, G_N_ELEMENTS(plain), bodies[i], strlen(bodies[i])};
        assert_verifies_as(*state, &content, "fail\npass\n");
    }
}

static void test_sign_nasty_headers_verify(void **state)
{
    static const DkimField nasty[] = {
        {"From", "\t app@acme.test\t "},
        {"To", ""},
        {"To", " \t "},
        {"Cc", "\n\tx@ok.test\n \n\ty@ok.test\n "},
        {"Subject", "a\t\tb   c \n\t d"},
        {"Subject", " twice"},
        {"References", "\n <1@acme.test>\n\t<2@acme.test>"},
        {"FROM-Not", " x"},
        {"Fro", " x"},
        {"X;h=from", " x"},
        {"Reply-To", " \"Gr\xc3\xbc\xc3\x9f:;\" <r@acme.test>"},
        {"MIME-Version", ":"},
        {"Message-ID", " ::;b=;h=from"},
    };
    const DkimContent content = {nasty, G_N_ELEMENTS(nasty), "x\r\n", 3};

    assert_verifies(*state, &content);
}

static void test_sign_many_fields(void **state)
{
    World *world = *state;
    g_autoptr(GArray) fields = g_array_new(FALSE, FALSE, sizeof(DkimField));
    DkimField filler = {"Content-Transfer-Encoding", " 8bit"};
    GError *error = NULL;

    g_array_append_vals(fields, plain, G_N_ELEMENTS(plain));
    while (fields->len < DKIM_FIELDS_MAX)
        g_array_append_val(fields, filler);
    DkimContent content = {(const DkimField *)(void *)fields->data, fields->len, "x\r\n", 3};
    assert_verifies(world, &content);
    g_array_append_val(fields, filler);
    content.fields = (const DkimField *)(void *)fields->data;
    content.n_fields++;
    assert_null(sign(world, &content, &error));
    assert_int_equal(error_class(error), ERROR_CLASS_PERMANENT);
    assert_error_code(error, TOO_LARGE);
}

static char *random_body(GRand *random, gsize *length)
{
    static const char *const pieces[] = {"\r\n", "\r\n", " ", "\t", "x", "yz", "\n", ".", "\xfc"};
    GString *body = g_string_new(NULL);
    guint n = g_rand_int_range(random, 0, 40);

    for (guint i = 0; i < n; i++) {
        g_string_append(body, pieces[g_rand_int_range(random, 0, G_N_ELEMENTS(pieces))]);
        if (g_rand_int_range(random, 0, 20) == 0)
            g_string_append_c(body, '\0');
    }
    *length = body->len;
    return g_string_free(body, FALSE);
}

static char *body_hash_of(const DkimSignature *signature)
{
    const char *start = strstr(signature->value, "bh=");

    assert_non_null(start);
    return g_strndup(start, strcspn(start, ";"));
}

static void test_sign_body_hashes_agree(void **state)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(6376);

    for (guint i = 0; i < 4000; i++) {
        GError *error = NULL;
        gsize length;
        g_autofree char *body = random_body(random, &length);
        const DkimContent content = {plain, G_N_ELEMENTS(plain), body, length};
        g_autoptr(GPtrArray) signatures = sign(*state, &content, &error);
        assert_no_error(error);
        g_autofree char *theirs = body_hash_of(signatures->pdata[0]);
        g_autofree char *ours = body_hash_of(signatures->pdata[1]);
        assert_string_equal(ours, theirs);
    }
}

/* What clients bring of others is not signed, and keeps nothing from being signed. */
static void test_sign_beside_signatures_of_others(void **state)
{
    static const char *const others[] = {"", " a",
                                         " v=1; a=", " =;=", " v=1; a=rsa-sha256; b=\xff"};

    for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
        const DkimField fields[] = {{"DKIM-Signature", others[i]}, {"From", " app@acme.test"}};
        const DkimContent content = {fields, G_N_ELEMENTS(fields), "x\r\n", 3};
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) signatures = sign(*state, &content, &error);
        if (!signatures)
            fail_msg("\"%s\": %s", others[i], error->message);
        assert_int_equal(signatures->len, 2);
    }
}

static void test_sign_headers_verify(void **state)
{
    static const DkimField odd[] = {
        {"from", "app@acme.test"},
        {"To", " a@ok.test,\n\tb@ok.test,\n   c@ok.test"},
        {"SUBJECT", "  =?utf-8?q?x?=  \t y \n\t "},
        {"Cc", ""},
        {"Received", " from a by b"},
        {"Received", " from c by d"},
        {"List-Unsubscribe", " <https://acme.test/u>"},
        {"List-Id", " one"},
        {"List-Id", " two"},
        {"X-Eight", " Gr\xfc\xdf"},
    };
    const DkimContent content = {odd, G_N_ELEMENTS(odd), "x\r\n", 3};

    assert_verifies(*state, &content);
}

static void test_sign_large_message_verifies(void **state)
{
    g_autoptr(GString) body = g_string_new(NULL);
    g_autoptr(GArray) fields = g_array_new(FALSE, FALSE, sizeof(DkimField));
    DkimField filler = {"X-Filler", " value"};

    g_array_append_vals(fields, plain, G_N_ELEMENTS(plain));
    for (guint i = 0; i < 500; i++)
        g_array_append_val(fields, filler);
    while (body->len < 10 * 1024 * 1024) {
        for (guint i = 0; i < 998; i++)
            g_string_append_c(body, (char)('a' + i % 26));
        g_string_append(body, "\r\n");
    }
    const DkimContent content = {(const DkimField *)(void *)fields->data, fields->len, body->str,
                                 body->len};
    assert_verifies(*state, &content);
}

static void test_sign_added_fields_break_it(void **state)
{
    static const char *const additions[] = {"From: evil@else.test\r\n", "Subject: other\r\n",
                                            "Reply-To: evil@else.test\r\n", "Cc: x@else.test\r\n",
                                            "Content-Type: text/html\r\n"};
    World *world = *state;
    GError *error = NULL;
    const DkimContent content = {plain, G_N_ELEMENTS(plain), "x\r\n", 3};
    g_autoptr(GPtrArray) signatures = sign(world, &content, &error);

    assert_no_error(error);
    for (size_t i = 0; i < G_N_ELEMENTS(additions); i++) {
        GString *message = assemble(signatures, &content, additions[i]);
        g_autofree char *words = verify(world, message);
        assert_string_equal(words, "fail\nfail\n");
        g_string_free(message, TRUE);
    }
}

static void assert_folded(const char *value, gsize max)
{
    g_auto(GStrv) lines = g_strsplit(value, "\n", -1);

    assert_null(strchr(value, '\r'));
    for (guint i = 0; lines[i]; i++) {
        assert_true(strlen(lines[i]) <= max);
        assert_true(i == 0 ? lines[i][0] == ' ' : lines[i][0] == '\t');
    }
}

static void test_sign_names_and_folds(void **state)
{
    GError *error = NULL;
    const DkimContent content = {plain, G_N_ELEMENTS(plain), "x\r\n", 3};
    g_autoptr(GPtrArray) signatures = sign(*state, &content, &error);

    assert_no_error(error);
    const DkimSignature *first = g_ptr_array_index(signatures, 0);
    const DkimSignature *second = g_ptr_array_index(signatures, 1);
    assert_string_equal(first->label, "acme.test:rsa:rsa-sha256");
    assert_string_equal(second->label, "acme.test:ed:ed25519-sha256");
    assert_folded(first->value, 80);
    /* The signature itself is not folded. */
    assert_folded(second->value, 2 + 2 + 88);
    assert_null(strcasestr(first->value, "received"));
    assert_null(strcasestr(second->value, "received"));
    assert_true(g_str_has_prefix(second->value, " v=1; a=ed25519-sha256; c=relaxed/relaxed;"));
    g_auto(GStrv) lines = g_strsplit(second->value, "\n\t", -1);
    g_autofree char *joined = g_strjoinv("", lines);
    assert_non_null(strstr(joined, "h=From:From:Sender:Reply-To:To:To:Cc:Subject:Subject:"));
}

static void test_sign_refuses_bad_keys(void **state)
{
    World *world = *state;
    const DkimContent content = {plain, G_N_ELEMENTS(plain), "x\r\n", 3};
    const DkimKey cases[] = {
        {"s", "", FALSE},
        {"s", "garbage", FALSE},
        {"s", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", FALSE},
        {"s", world->ed25519, FALSE},
        {"s", world->rsa, TRUE},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        assert_null(
            dkim_signer_sign(world->signer, "test", DOMAIN, &cases[i], 1, &content, &error));
        assert_int_equal(error_class(error), ERROR_CLASS_TEMPORARY);
        assert_error_code(error, UNAVAILABLE);
    }
    GError *error = NULL;
    assert_null(dkim_signer_sign(world->signer, "test", DOMAIN, NULL, 0, &content, &error));
    assert_error_code(error, UNAVAILABLE);
}

static gpointer sign_many(gpointer data)
{
    const DkimContent content = {plain, G_N_ELEMENTS(plain), "x\r\n", 3};
    guint good = 0;

    for (guint i = 0; i < 50; i++) {
        g_autoptr(GPtrArray) signatures = sign(data, &content, NULL);
        good += signatures && signatures->len == 2;
    }
    return GUINT_TO_POINTER(good);
}

static void test_sign_from_many_threads(void **state)
{
    GThread *threads[THREADS];

    for (guint i = 0; i < THREADS; i++)
        threads[i] = g_thread_new("sign", sign_many, *state);
    for (guint i = 0; i < THREADS; i++)
        assert_int_equal(GPOINTER_TO_UINT(g_thread_join(threads[i])), 50);
}

/* With a sanitizer mallinfo2 tells nothing; then the leak checker does. */
static void test_sign_does_not_grow(void **state)
{
    World *world = *state;
    const DkimContent content = {plain, G_N_ELEMENTS(plain), "x\r\n", 3};
    const DkimKey key = {.selector = "ed", .private_key = world->ed25519, .ed25519 = TRUE};
    gsize before = 0;

    for (guint i = 0; i < 20100; i++) {
        if (i == 100)
            before = mallinfo2().uordblks;
        g_autoptr(GPtrArray) one =
            dkim_signer_sign(world->signer, "test", DOMAIN, &key, 1, &content, NULL);
        assert_non_null(one);
        if (i % 20 == 0)
            g_ptr_array_unref(sign(world, &content, NULL));
    }
    assert_true(mallinfo2().uordblks < before + 256 * 1024);
}

/* What libopendkim reads while a key is lent is that key. */
static void test_key_is_lent_to_libopendkim(void **state)
{
    (void)state;
    g_autoptr(BIO) bio = BIO_new_mem_buf("no key", -1);
    g_autoptr(EVP_PKEY) key = EVP_RSA_gen(2048);
    union {
        gpointer found;
        EVP_PKEY *(*call)(BIO *, EVP_PKEY **, pem_password_cb *, void *);
    } seen_by_libraries = {.found = dlsym(RTLD_DEFAULT, "PEM_read_bio_PrivateKey")};

    key_lend(key);
    g_autoptr(EVP_PKEY) read = seen_by_libraries.call(bio, NULL, NULL, NULL);
    key_lend(NULL);
    assert_ptr_equal(read, key);
    assert_null(seen_by_libraries.call(bio, NULL, NULL, NULL));
}

static void test_key_cache_is_bounded(void **state)
{
    World *world = *state;
    KeyCache *cache = key_cache_new();

    assert_null(key_cache_get(cache, "", EVP_PKEY_RSA));
    assert_null(key_cache_get(cache, "garbage", EVP_PKEY_ED25519));
    assert_int_equal(key_cache_size(cache), 0);
    assert_null(key_cache_get(cache, world->rsa, EVP_PKEY_ED25519));
    assert_null(key_cache_get(cache, world->ed25519, EVP_PKEY_RSA));
    assert_int_equal(key_cache_size(cache), 2);
    for (guint i = 0; i < KEY_CACHE_MAX + 8; i++) {
        EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        g_autofree char *pem = private_pem(key);
        EVP_PKEY *first = key_cache_get(cache, pem, EVP_PKEY_ED25519);
        EVP_PKEY *again = key_cache_get(cache, pem, EVP_PKEY_ED25519);
        assert_ptr_equal(first, again);
        assert_int_equal(EVP_PKEY_eq(first, key), 1);
        EVP_PKEY_free(first);
        EVP_PKEY_free(again);
        EVP_PKEY_free(key);
    }
    assert_int_equal(key_cache_size(cache), 10);
    key_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sign_bodies_verify),
        cmocka_unit_test(test_sign_beside_signatures_of_others),
        cmocka_unit_test(test_sign_headers_verify),
        cmocka_unit_test(test_sign_nasty_bodies_verify),
        cmocka_unit_test(test_sign_bare_cr_verifies_as_ed25519),
        cmocka_unit_test(test_sign_nasty_headers_verify),
        cmocka_unit_test(test_sign_many_fields),
        cmocka_unit_test(test_sign_body_hashes_agree),
        cmocka_unit_test(test_sign_large_message_verifies),
        cmocka_unit_test(test_sign_added_fields_break_it),
        cmocka_unit_test(test_sign_names_and_folds),
        cmocka_unit_test(test_sign_refuses_bad_keys),
        cmocka_unit_test(test_sign_from_many_threads),
        cmocka_unit_test(test_sign_does_not_grow),
        cmocka_unit_test(test_key_is_lent_to_libopendkim),
        cmocka_unit_test(test_key_cache_is_bounded),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
