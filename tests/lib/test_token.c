/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/error.h"
#include "lib/seal/token.h"
#include "tests/lib/testing.h"

/*
 * Vectors made apart from this code, with Python:
 *     n = int.from_bytes(hmac.new(seed, i.to_bytes(4, 'big'), hashlib.sha256).digest(), 'big')
 *     for _ in range(16): n, r = divmod(n, 62); token += digits_upper_lower[r]
 */
static void test_token_derive_vectors(void **state)
{
    (void)state;
    static const struct {
        guint8 step;
        guint32 index;
        const char *token;
    } cases[] = {{0, 0, "1pfaVfOYqirHwOIo"},
                 {0, 1, "52nXFsvKREeigVbr"},
                 {1, 0xffffffff, "QoDKWgbZukik42SN"}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint8 seed[TOKEN_SEED_LENGTH];
        char token[TOKEN_LENGTH + 1];
        for (guint j = 0; j < sizeof(seed); j++)
            seed[j] = (guint8)(j * cases[i].step);
        token_derive(seed, cases[i].index, token);
        assert_string_equal(token, cases[i].token);
    }
}

static void test_token_seed_differs(void **state)
{
    (void)state;
    guint8 a[TOKEN_SEED_LENGTH] = {0}, b[TOKEN_SEED_LENGTH] = {0};

    assert_true(token_seed(a, NULL));
    assert_true(token_seed(b, NULL));
    assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_token_derive_vectors),
        cmocka_unit_test(test_token_seed_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
