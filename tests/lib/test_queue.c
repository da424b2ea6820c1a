/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/error.h"
#include "lib/wire/queue.h"
#include "tests/lib/testing.h"

#define LONG_ID "4Z1xJt2Zz8zK3v"

static void test_queue_id_is_good_table(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        gboolean good;
    } cases[] = {
        {"51FC7A9A54A", TRUE},
        {"000001", TRUE},
        {LONG_ID, TRUE},
        {"4Z1xJtzzzzz1", TRUE},
        {"", FALSE},
        {"00001", FALSE},
        {"ALL", FALSE},
        {"ALLALLALL", FALSE},
        {"-", FALSE},
        {"------", FALSE},
        {".", FALSE},
        {"......", FALSE},
        {"../../etc/passwd", FALSE},
        {"hold/51FC7A9A54A", FALSE},
        {"51fc7a9a54a", FALSE},
        {"51FC7A9A54G", FALSE},
        {"51FC7A9A54A ", FALSE},
        {"51FC7A9A54A\n", FALSE},
        {"4Z1xJt2Z8K3v", FALSE},
        {"4Z1xJt2Zz", FALSE},
        {"4Z1xJt2Zz8z", FALSE},
        {"4Z1xJt2Zz8zK3a", FALSE},
        {"4Z1xJt2Zz8z_K3", FALSE},
        {"4Z1xJt2Zz8z\xc3\xa9", FALSE},
        {"00000000000000000000000000000001", TRUE},
        {"000000000000000000000000000000001", FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        if (queue_id_is_good(cases[i].text, strlen(cases[i].text)) != cases[i].good)
            fail_msg("%s", cases[i].text);
    assert_false(queue_id_is_good("51FC7A\0A54A", 11));
}

static void test_queue_id_inode_table(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        guint64 inode;
    } cases[] = {
        {"51FC7A9A54A", 0xa9a54a}, {"000001", 1},        {"4Z1xJt2Zz8z1", 1},
        {"4Z1xJt2Zz8z10", 51},     {"4Z1xJt2Zz8zy", 50}, {"00000FFFFFFFFFFFFFFFF", G_MAXUINT64},
    };
    guint64 inode;

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_true(queue_id_inode(cases[i].id, &inode));
        assert_true(inode == cases[i].inode);
    }
    assert_false(queue_id_inode("0000010000000000000000", &inode));
    assert_false(queue_id_inode("4Z1xJt2Zz8zyyyyyyyyyyyyyyyyyyyy", &inode));
}

static void test_queue_id_fits(void **state)
{
    (void)state;
    static const struct {
        struct stat file;
        gboolean fits;
    } cases[] = {
        {{.st_mode = S_IFREG | 0700, .st_nlink = 1, .st_uid = 104, .st_ino = 0x9A54A}, TRUE},
        {{.st_mode = S_IFREG | 0600, .st_nlink = 1, .st_uid = 104, .st_ino = 0x9A54A}, FALSE},
        {{.st_mode = S_IFDIR | 0700, .st_nlink = 1, .st_uid = 104, .st_ino = 0x9A54A}, FALSE},
        {{.st_mode = S_IFIFO | 0700, .st_nlink = 1, .st_uid = 104, .st_ino = 0x9A54A}, FALSE},
        {{.st_mode = S_IFREG | 0700, .st_nlink = 2, .st_uid = 104, .st_ino = 0x9A54A}, FALSE},
        {{.st_mode = S_IFREG | 0700, .st_nlink = 0, .st_uid = 104, .st_ino = 0x9A54A}, FALSE},
        {{.st_mode = S_IFREG | 0700, .st_nlink = 1, .st_uid = 0, .st_ino = 0x9A54A}, FALSE},
        {{.st_mode = S_IFREG | 0700, .st_nlink = 1, .st_uid = 104, .st_ino = 0x9A54B}, FALSE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(queue_id_fits("51FC79A54A", &cases[i].file, 104), cases[i].fits);
    assert_false(queue_id_fits("51FC7FFFFFFFFFFFFFFFFF", &cases[0].file, 104));
}

static void test_queue_id_path_is_postfix_s(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        guint depth;
        const char *path;
    } cases[] = {
        {"51FC7A9A54A", 0, "deferred/51FC7A9A54A"},
        {"51FC7A9A54A", 1, "deferred/5/51FC7A9A54A"},
        {"51FC7A9A54A", 2, "deferred/5/1/51FC7A9A54A"},
        {LONG_ID, 0, "deferred/" LONG_ID},
        /* 2Zz8 is ((2 * 52 + 31) * 52 + 51) * 52 + 8 = 367700 = 59C54 microseconds. */
        {LONG_ID, 2, "deferred/5/9/" LONG_ID},
        {"4Z1xJt0001z1", 3, "deferred/0/0/0/4Z1xJt0001z1"},
        {"4Z1xJt0001z1", 99, "deferred/0/0/0/0/4Z1xJt0001z1"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = queue_id_path("deferred", cases[i].id, cases[i].depth);
        assert_string_equal(path, cases[i].path);
    }
}

static void test_queue_request_parse_whole(void **state)
{
    (void)state;
    static const char text[] = "release 51FC7A9A54A " LONG_ID "\nhold";
    g_auto(QueueRequest) request = {0};

    assert_int_equal(queue_request_parse(text, strlen(text), &request, NULL), strlen(text) - 4);
    assert_int_equal(request.verb, QUEUE_RELEASE);
    assert_int_equal(request.count, 2);
    assert_string_equal(request.ids[0], "51FC7A9A54A");
    assert_string_equal(request.ids[1], LONG_ID);
    assert_null(request.ids[2]);
}

static void test_queue_request_parse_table(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        gsize length;
        gssize result;
    } cases[] = {
#define CASE(text, result) {text, sizeof(text) - 1, result}
        CASE("", 0),
        CASE("hold 51FC7A9A54A", 0),
        CASE("delete 000001\n", 14),
        CASE("\n", -1),
        CASE("hold\n", -1),
        CASE("hold \n", -1),
        CASE(" hold 51FC7A9A54A\n", -1),
        CASE("hold  51FC7A9A54A\n", -1),
        CASE("hold 51FC7A9A54A \n", -1),
        CASE("hold 51FC7A9A54A\r\n", -1),
        CASE("hold\t51FC7A9A54A\n", -1),
        CASE("HOLD 51FC7A9A54A\n", -1),
        CASE("requeue 51FC7A9A54A\n", -1),
        CASE("hold 51FC7A9A54A\0\n", -1),
        CASE("ho\0ld 51FC7A9A54A\n", -1),
        CASE("release ALL\n", -1),
        CASE("release -\n", -1),
        CASE("release .\n", -1),
        CASE("release ../../../etc/passwd\n", -1),
        CASE("delete 51FC7A9A54A ALL\n", -1),
        CASE("delete 000000000000000000000000000000001\n", -1),
#undef CASE
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(QueueRequest) request = {0};
        if (queue_request_parse(cases[i].text, cases[i].length, &request, NULL) != cases[i].result)
            fail_msg("%s", cases[i].text);
        assert_true((cases[i].result > 0) == (request.ids != NULL));
    }
}

static void test_queue_request_parse_limits(void **state)
{
    (void)state;
    g_autoptr(GString) text = g_string_new("hold");
    g_auto(QueueRequest) request = {0};
    GError *error = NULL;

    for (guint i = 0; i < QUEUE_IDS_MAX; i++)
        g_string_append(text, " " LONG_ID);
    g_string_append_c(text, '\n');
    assert_int_equal(queue_request_parse(text->str, text->len, &request, NULL), text->len);
    assert_int_equal(request.count, QUEUE_IDS_MAX);
    queue_request_clear(&request);
    g_string_insert(text, 4, " 000001");
    assert_int_equal(queue_request_parse(text->str, text->len, &request, &error), -1);
    assert_error_code(error, TOO_LARGE);

    g_autofree char *large = g_strnfill(QUEUE_REQUEST_MAX, '0');
    assert_int_equal(queue_request_parse(large, QUEUE_REQUEST_MAX - 1, &request, NULL), 0);
    assert_int_equal(queue_request_parse(large, QUEUE_REQUEST_MAX, &request, &error), -1);
    assert_error_code(error, TOO_LARGE);
    assert_null(request.ids);
}

static void test_queue_answer_parse_what_was_written(void **state)
{
    (void)state;
    g_autoptr(GString) text = g_string_new(NULL);
    QueueAnswer answer = {0};
    gsize at = 0;

    queue_answer_write(text, "51FC7A9A54A", QUEUE_DONE, NULL);
    queue_answer_write(text, LONG_ID, QUEUE_REFUSED, "not a\nmessage of ours");
    queue_answer_end(text);
    assert_string_equal(text->str,
                        "51FC7A9A54A done\n" LONG_ID " refused not a message of ours\n.\n");
    at += (gsize)queue_answer_parse(text->str, text->len, &answer, NULL);
    assert_string_equal(answer.id, "51FC7A9A54A");
    assert_int_equal(answer.result, QUEUE_DONE);
    at += (gsize)queue_answer_parse(text->str + at, text->len - at, &answer, NULL);
    assert_int_equal(answer.result, QUEUE_REFUSED);
    assert_string_equal(answer.why, "not a message of ours");
    assert_false(answer.last);
    assert_int_equal(queue_answer_parse(text->str + at, text->len - at, &answer, NULL), 2);
    assert_true(answer.last);
}

static void test_queue_answer_write_cuts(void **state)
{
    (void)state;
    g_autofree char *why = g_strnfill(1000, 'w');
    g_autoptr(GString) text = g_string_new(NULL);
    QueueAnswer answer;

    queue_answer_write(text, LONG_ID, QUEUE_REFUSED, why);
    assert_int_equal(queue_answer_parse(text->str, text->len, &answer, NULL), text->len);
    assert_int_equal(strlen(answer.why), QUEUE_WHY_MAX);
}

static void test_queue_answer_parse_table(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        gssize result;
    } cases[] = {
        {"", 0},
        {"51FC7A9A54A done", 0},
        {"51FC7A9A54A absent\n", 19},
        {"51FC7A9A54A later\n", 18},
        {"51FC7A9A54A later on\n", -1},
        {"\n", -1},
        {"..\n", -1},
        {". \n", -1},
        {"51FC7A9A54A\n", -1},
        {"51FC7A9A54A \n", -1},
        {"51FC7A9A54A Done\n", -1},
        {"51FC7A9A54A done \n", -1},
        {"51FC7A9A54A done now\n", -1},
        {"51FC7A9A54A refused\n", -1},
        {"51FC7A9A54A refused \n", -1},
        {"51FC7A9A54A refused a\tb\n", -1},
        {"ALL done\n", -1},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        QueueAnswer answer = {0};
        if (queue_answer_parse(cases[i].text, strlen(cases[i].text), &answer, NULL) !=
            cases[i].result)
            fail_msg("%s", cases[i].text);
        assert_true((cases[i].result > 0) == (answer.id[0] != '\0'));
    }
    g_autofree char *large = g_strnfill(QUEUE_ANSWER_MAX, '0');
    QueueAnswer answer;
    assert_int_equal(queue_answer_parse(large, QUEUE_ANSWER_MAX, &answer, NULL), -1);
    assert_int_equal(queue_answer_parse(large, QUEUE_ANSWER_MAX - 1, &answer, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue_id_is_good_table),
        cmocka_unit_test(test_queue_id_inode_table),
        cmocka_unit_test(test_queue_id_fits),
        cmocka_unit_test(test_queue_id_path_is_postfix_s),
        cmocka_unit_test(test_queue_request_parse_whole),
        cmocka_unit_test(test_queue_request_parse_table),
        cmocka_unit_test(test_queue_request_parse_limits),
        cmocka_unit_test(test_queue_answer_parse_what_was_written),
        cmocka_unit_test(test_queue_answer_write_cuts),
        cmocka_unit_test(test_queue_answer_parse_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
