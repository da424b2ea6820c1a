/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/error.h"
#include "lib/base/id.h"
#include "lib/seal/claim.h"
#include "tests/lib/testing.h"

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0"
#define END   2000000000

/*
 * Made apart from this code, with Python's hmac, hashlib and base64.urlsafe_b64encode from
 *     '{"dir":"out","exp":2000000000,"base":123456789012345,"server":77,"credential":7,"seed":...}':
 * seed 00 01 .. 0f, body "hello\r\n", sender me@acme.test, recipients R@ok.test and b@ok.test.
 */
static const char vector[] =
    "v1.0."
    "eyJkaXIiOiJvdXQiLCJleHAiOjIwMDAwMDAwMDAsImJhc2UiOjEyMzQ1Njc4OTAxMjM0NSwic2VydmVyIjo3NywiY3JlZG"
    "Vu"
    "dGlhbCI6Nywic2VlZCI6IkFBRUNBd1FGQmdjSUNRb0xEQTBPRHciLCJib2R5IjoielM3S05UVjBIeWVvcmtEREd3"
    "eEIxQVY2ZW51Ukt6TzVydGhraGRISVJuWSIsIm1haWxfZnJvbSI6ImJXVkFZV050WlM1MFpYTjAiLCJyY3B0cyI6"
    "IklBSlV2VUd5OG5rNWRTZERvdmNUakEifQ.NG_eIl2g6cxOcVlB1Rk9Sp3N1zniIq6T9LixI-rEKsY";

static KeyRing *ring_of(const char *text)
{
    GError *error = NULL;
    KeyRing *ring = ring_parse("r", text, &error);

    assert_no_error(error);
    return ring;
}

static Claim *example(void)
{
    Claim *claim = claim_new("me@acme.test");

    claim->expires_at = END;
    claim->base = G_GUINT64_CONSTANT(123456789012345);
    claim->server = 77;
    claim->credential = 7;
    for (guint i = 0; i < TOKEN_SEED_LENGTH; i++)
        claim->seed[i] = (guint8)i;
    claim_hash_body("hello\r\n", 7, claim->body);
    claim_add_recipient(claim, "R@ok.test");
    claim_add_recipient(claim, "b@ok.test");
    return claim;
}

static void assert_forged(const KeyRing *ring, const char *text)
{
    GError *error = NULL;
    g_autoptr(Claim) claim = claim_open(ring, text, 1, &error);

    assert_null(claim);
    assert_error_code(error, FORGED);
}

static void test_claim_vector(void **state)
{
    (void)state;
    g_autoptr(KeyRing) ring = ring_of("0 " KEY_A " 1 seal");
    g_autoptr(Claim) claim = example();
    g_autofree char *text = claim_seal(ring, claim);

    assert_string_equal(text, vector);
}

static void test_claim_opens(void **state)
{
    (void)state;
    g_autoptr(KeyRing) ring = ring_of("0 " KEY_A " 1 verify\n1 " KEY_B " 2 seal");
    g_autoptr(Claim) want = example();
    g_autofree char *folded =
        g_strdup_printf(" %.90s\n\t%.100s\r\n  %s \n", vector, vector + 90, vector + 190);
    GError *error = NULL;
    g_autoptr(Claim) claim = claim_open(ring, folded, END - 1, &error);
    guint index = 99;

    assert_no_error(error);
    assert_int_equal(claim->expires_at, END);
    assert_int_equal(claim->base, want->base);
    assert_int_equal(claim->server, 77);
    assert_int_equal(claim->credential, 7);
    assert_string_equal(claim->mail_from, "me@acme.test");
    assert_memory_equal(claim->seed, want->seed, sizeof want->seed);
    assert_memory_equal(claim->body, want->body, sizeof want->body);
    assert_int_equal(claim_recipients(claim), 2);
    assert_true(claim_find_recipient(claim, "B@OK.TEST", &index));
    assert_int_equal(index, 1);
    assert_true(claim_find_recipient(claim, "r@ok.test", &index));
    assert_int_equal(index, 0);
    assert_false(claim_find_recipient(claim, "c@ok.test", &index));
    assert_false(claim_find_recipient(claim, "", &index));
    assert_int_equal(index, 0);
}

static void test_claim_of_mail_that_came_in(void **state)
{
    (void)state;
    static const char *const rcpts[] = {"a@b.test", "\"a b\"@b.test", "\xc3\xb6@b.test", ""};
    g_autoptr(KeyRing) ring = ring_of("0 " KEY_A " 1 seal");

    for (guint i = 0; i < G_N_ELEMENTS(rcpts); i++) {
        g_autoptr(Claim) claim = example();
        claim->rcpt_to = g_strdup(rcpts[i]);
        claim->credential = 0;
        g_autofree char *text = claim_seal(ring, claim);
        g_autoptr(Claim) opened = claim_open(ring, text, END - 1, NULL);
        assert_non_null(opened);
        assert_string_equal(opened->rcpt_to, rcpts[i]);
        assert_int_equal(opened->credential, 0);
    }
}

static void test_claim_carries_a_tag(void **state)
{
    (void)state;
    static const char *const tags[] = {NULL, "", "invoice 7", "J\xc3\xb6\r\n"};
    g_autoptr(KeyRing) ring = ring_of("0 " KEY_A " 1 seal");

    for (guint i = 0; i < G_N_ELEMENTS(tags); i++) {
        g_autoptr(Claim) claim = example();
        claim->tag = g_strdup(tags[i]);
        g_autofree char *text = claim_seal(ring, claim);
        g_autoptr(Claim) opened = claim_open(ring, text, END - 1, NULL);
        assert_non_null(opened);
        assert_true(g_strcmp0(opened->tag, tags[i]) == 0);
    }
}

static void test_claim_expires(void **state)
{
    (void)state;
    g_autoptr(KeyRing) ring = ring_of("0 " KEY_A " 1 seal");
    GError *error = NULL;

    assert_null(claim_open(ring, vector, END, &error));
    assert_error_code(error, INVALID);
}

/* Every character, changed in its place. */
static void test_claim_tampered(void **state)
{
    (void)state;
    g_autoptr(KeyRing) ring = ring_of("0 " KEY_A " 1 seal");
    g_autofree char *text = g_strdup(vector);

    for (gsize i = 0; text[i]; i++) {
        char was = text[i];
        text[i] = was == 'A' ? 'B' : 'A';
        assert_forged(ring, text);
        text[i] = was;
    }
    for (gsize length = 0; length < strlen(vector) - 1; length++) {
        g_autofree char *cut = g_strndup(vector, length);
        assert_forged(ring, cut);
    }
}

static void test_claim_refuses(void **state)
{
    (void)state;
    g_autoptr(KeyRing) ring = ring_of("0 " KEY_A " 1 seal");
    g_autoptr(KeyRing) other = ring_of("0 " KEY_B " 1 seal");
    g_autoptr(KeyRing) later = ring_of("1 " KEY_A " 1 seal");
    g_autofree char *more = g_strconcat(vector, ".x", NULL);
    g_autofree char *longest = g_strnfill(CLAIM_TEXT_MAX + 1, 'a');
    static const char *const bad[] = {"",
                                      "v1",
                                      "v1...",
                                      "v1.0..",
                                      "v1.0.A.",
                                      "v1.0.A.A",
                                      "v1.16.e30.AA",
                                      "v1.-1.e30.AA",
                                      "v2.0.e30.AA",
                                      "v1.0.e+0.AA",
                                      "v1.0.e30=.AA"};

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_forged(ring, bad[i]);
    assert_forged(ring, more);
    assert_forged(ring, longest);
    assert_forged(other, vector);
    assert_forged(later, vector);
}

static void test_claim_holds_most_recipients(void **state)
{
    (void)state;
    g_autoptr(KeyRing) ring = ring_of("0 " KEY_A " 1 seal");
    g_autoptr(Claim) claim = example();
    guint index = 0;

    claim->base = ID_MAX;
    g_byte_array_set_size(claim->rcpts, 0);
    for (guint i = 0; i < CLAIM_RECIPIENTS_MAX; i++) {
        g_autofree char *address = g_strdup_printf("user%u@domain%u.test", i, i % 100);
        claim_add_recipient(claim, address);
    }
    g_autofree char *text = claim_seal(ring, claim);
    assert_true(strlen(text) < CLAIM_TEXT_MAX / 2);
    g_autoptr(Claim) opened = claim_open(ring, text, 1, NULL);
    assert_non_null(opened);
    assert_true(claim_find_recipient(opened, "user999@domain99.test", &index));
    assert_int_equal(index, 999);
}

static void test_claim_null_sender(void **state)
{
    (void)state;
    g_autoptr(KeyRing) ring = ring_of("0 " KEY_A " 1 seal");
    g_autoptr(Claim) claim = claim_new("");

    claim->expires_at = END;
    claim->base = claim->server = claim->credential = 1;
    claim_add_recipient(claim, "\"\303\244\377\"@ok.test");
    g_autofree char *text = claim_seal(ring, claim);
    g_autoptr(Claim) opened = claim_open(ring, text, 1, NULL);
    assert_non_null(opened);
    assert_string_equal(opened->mail_from, "");
}

/* Nothing is lost, and no line is too long for SMTP. */
static void test_claim_fold(void **state)
{
    g_autofree char *long_text = g_strnfill(CLAIM_TEXT_MAX, 'x');
    const char *const texts[] = {"", "v1.0.e30.AA", long_text};

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *folded = claim_fold(texts[i], "\r\n");
        g_auto(GStrv) lines = g_strsplit(folded, "\r\n", -1);
        g_autoptr(GString) whole = g_string_new(NULL);
        for (char **line = lines; *line; line++) {
            assert_true(**line == ' ' || **line == '\t');
            assert_true(strlen(*line) <= 998 - strlen(CLAIM_FIELD ":"));
            g_string_append(whole, *line + 1);
        }
        assert_string_equal(whole->str, texts[i]);
    }
}

static void test_claim_body(void **state)
{
    (void)state;
    guint8 whole[CLAIM_BODY_LENGTH], part[CLAIM_BODY_LENGTH], other[CLAIM_BODY_LENGTH];

    claim_hash_body("a\r\nb\r\n", 6, whole);
    claim_hash_body("a\r\nb", 4, part);
    claim_hash_body("a\r\nc", 4, other);
    assert_memory_equal(whole, part, sizeof whole);
    assert_memory_not_equal(whole, other, sizeof whole);
    claim_hash_body("", 0, part);
    claim_hash_body("\r\n", 2, other);
    assert_memory_not_equal(part, other, sizeof part);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_claim_vector),
        cmocka_unit_test(test_claim_opens),
        cmocka_unit_test(test_claim_carries_a_tag),
        cmocka_unit_test(test_claim_of_mail_that_came_in),
        cmocka_unit_test(test_claim_expires),
        cmocka_unit_test(test_claim_tampered),
        cmocka_unit_test(test_claim_refuses),
        cmocka_unit_test(test_claim_holds_most_recipients),
        cmocka_unit_test(test_claim_null_sender),
        cmocka_unit_test(test_claim_fold),
        cmocka_unit_test(test_claim_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
