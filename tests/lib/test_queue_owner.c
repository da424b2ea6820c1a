/* SPDX-License-Identifier: MIT */
#include "lib/seal/msgid.h"
#include "lib/seal/return_path.h"
#include "lib/wire/queue_owner.h"
#include "tests/lib/testing.h"

#define RING  "0 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 1 seal"
#define OTHER "0 fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0 1 seal"
#define VALUE "0123456789ABCDEF-caqaaaaaaaaacaaaae3vq7v7ph2zisy"

static char *sealed(ReturnPathKind kind)
{
    g_autoptr(KeyRing) ring = ring_parse("r", RING, NULL);
    const ReturnPath path = {kind, 7, 1, 2};

    return return_path_seal(ring, &path, "rp.example");
}

static void test_queue_owner_by_sender(void **state)
{
    (void)state;
    static const QueueOwner owners[] = {
        [RETURN_PATH_MESSAGE] = QUEUE_OWNER_MESSAGE,
        [RETURN_PATH_FORWARD] = QUEUE_OWNER_MESSAGE,
        [RETURN_PATH_SUBMISSION] = QUEUE_OWNER_SUBMISSION,
    };
    g_autoptr(KeyRing) ring = ring_parse("r", RING, NULL), other = ring_parse("r", OTHER, NULL);

    for (guint kind = RETURN_PATH_MESSAGE; kind <= RETURN_PATH_SUBMISSION; kind++) {
        g_autofree char *sender = sealed((ReturnPathKind)kind);
        QueueFile file = {0};
        g_strlcpy(file.sender, sender, sizeof(file.sender));
        assert_int_equal(queue_owner(ring, &file), owners[kind]);
        assert_int_equal(queue_owner(other, &file), QUEUE_OWNER_OTHER);
    }
}

static void test_queue_owner_table(void **state)
{
    (void)state;
    static const struct {
        QueueFile file;
        QueueOwner owner;
    } cases[] = {
        {{.value = VALUE}, QUEUE_OWNER_MESSAGE},
        {{.value = ""}, QUEUE_OWNER_OTHER},
        {{.value = "0123456789ABCDEF"}, QUEUE_OWNER_OTHER},
        {{.value = "0123456789ABCDEF-caqaaaaaaaaacaaaae3vq7v7ph2zisz"}, QUEUE_OWNER_OTHER},
        {{.value = VALUE " "}, QUEUE_OWNER_OTHER},
        {{.value = "caqaaaaaaaaacaaaaghrkuh4hmqg2gi-0@rp.example"}, QUEUE_OWNER_OTHER},
        /* What came in keeps its sender. */
        {{.sender = "a@b.example", .value = VALUE}, QUEUE_OWNER_MESSAGE},
        {{.sender = "a@b.example", .value = ""}, QUEUE_OWNER_OTHER},
        {{.sender = VALUE, .value = ""}, QUEUE_OWNER_OTHER},
    };
    g_autoptr(KeyRing) ring = ring_parse("r", RING, NULL), other = ring_parse("r", OTHER, NULL);

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_int_equal(queue_owner(ring, &cases[i].file), cases[i].owner);
        assert_int_equal(queue_owner(other, &cases[i].file), QUEUE_OWNER_OTHER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue_owner_by_sender),
        cmocka_unit_test(test_queue_owner_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
