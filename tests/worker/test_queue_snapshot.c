/* SPDX-License-Identifier: MIT */
/* What postqueue prints, as mail of ours; and postqueue itself, played by a script. */
#include <glib/gstdio.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/seal/return_path.h"
#include "tests/lib/testing.h"
#include "worker/queue_snapshot.h"
#include "worker/recipient_key.h"

#define DOMAIN "rp.example"

static KeyRing *ring;
static char *directory; /* with a postqueue of ours, first in PATH */

static char *seal(ReturnPathKind kind, guint64 id)
{
    const ReturnPath path = {.kind = kind, .id = id, .server = 1};

    return return_path_seal(ring, &path, DOMAIN);
}

static char *entry(const char *queue, const char *queue_id, const char *sender,
                   const char *recipients)
{
    return g_strdup_printf("{\"queue_name\": \"%s\", \"queue_id\": \"%s\", \"arrival_time\": 1, "
                           "\"message_size\": 9, \"forced_expire\": false, \"sender\": \"%s\", "
                           "\"recipients\": [%s]}",
                           queue, queue_id, sender, recipients);
}

static void add(QueueSnapshot *snapshot, const char *queue, const char *queue_id,
                const char *sender, const char *recipients)
{
    g_autofree char *line = entry(queue, queue_id, sender, recipients);
    GError *error = NULL;

    assert_true(queue_snapshot_add(snapshot, ring, line, strlen(line), &error));
    assert_no_error(error);
}

static void test_find_by_seal_and_by_queue_id(void **state)
{
    g_autoptr(QueueSnapshot) snapshot = queue_snapshot_new(7);
    g_autofree char *message = seal(RETURN_PATH_MESSAGE, 300),
                    *submission = seal(RETURN_PATH_SUBMISSION, 400),
                    *forward = seal(RETURN_PATH_FORWARD, 500);
    const guint64 b = recipient_key("B@ok.test", -1), c = recipient_key("c@ok.test", -1);

    (void)state;
    add(snapshot, "deferred", "4CCC", message, "{\"address\": \"a@ok.test\"}");
    add(snapshot, "hold", "4BBB", message, "{\"address\": \"a@ok.test\"}");
    add(snapshot, "active", "4DDD", submission,
        "{\"address\": \"a@ok.test\", \"delay_reason\": \"x\"}, {\"address\": \"b@OK.test\"}, 4, "
        "{}");
    add(snapshot, "active", "4FFF", "MAILER-DAEMON", "");
    add(snapshot, "active", "4GGG", "", "");
    add(snapshot, "active", "4HHH", "someone@else.test", "");
    add(snapshot, "active", "4JJJ", forward, "");
    queue_snapshot_end(snapshot);
    assert_int_equal(queue_snapshot_at(snapshot), 7);
    assert_string_equal(queue_snapshot_find(snapshot, QUEUED_MESSAGE, 300, 0, "4CCC")->queue_id,
                        "4CCC");
    assert_true(queue_snapshot_find(snapshot, QUEUED_MESSAGE, 300, 0, "4BBB")->held);
    assert_false(queue_snapshot_find(snapshot, QUEUED_MESSAGE, 300, 0, "4CCC")->held);
    assert_non_null(queue_snapshot_find(snapshot, QUEUED_MESSAGE, 300, 0, "4ZZZ"));
    assert_null(queue_snapshot_find(snapshot, QUEUED_MESSAGE, 301, 0, NULL));
    assert_null(queue_snapshot_find(snapshot, QUEUED_MESSAGE, 400, 0, NULL));
    assert_non_null(queue_snapshot_find(snapshot, QUEUED_MESSAGE, 500, 0, "4JJJ"));
    assert_string_equal(queue_snapshot_find(snapshot, QUEUED_SUBMISSION, 400, b, "4DDD")->queue_id,
                        "4DDD");
    assert_null(queue_snapshot_find(snapshot, QUEUED_SUBMISSION, 400, c, "4DDD"));
    assert_non_null(queue_snapshot_find(snapshot, QUEUED_SUBMISSION, 400, 0, "4DDD"));
    assert_non_null(queue_snapshot_find(snapshot, QUEUED_ANY, 0, 0, "4FFF"));
    assert_non_null(queue_snapshot_find(snapshot, QUEUED_ANY, 0, 0, "4GGG"));
    assert_non_null(queue_snapshot_find(snapshot, QUEUED_ANY, 0, 0, "4HHH"));
    assert_non_null(queue_snapshot_find(snapshot, QUEUED_ANY, 0, 0, "4JJJ"));
    assert_null(queue_snapshot_find(snapshot, QUEUED_ANY, 0, 0, "4DDD"));
}

static void test_add_refuses_what_is_no_entry(void **state)
{
    static const char *const bad[] = {
        "",
        "nonsense",
        "[]",
        "4",
        "{}",
        "{\"queue_id\": \"4AAA\"}",
        "{\"sender\": \"a@b\"}",
        "{\"queue_id\": 4, \"sender\": \"a@b\"}",
        "{\"queue_id\": \"123456789012345678901234567890123\", \"sender\": \"a@b\"}",
        "{\"queue_id\": \"4AAA\", \"sender\": \"a@b\"",
        "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}",
    };
    g_autoptr(QueueSnapshot) snapshot = queue_snapshot_new(1);

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        GError *error = NULL;
        assert_false(queue_snapshot_add(snapshot, ring, bad[i], strlen(bad[i]), &error));
        assert_error_code(error, INVALID);
    }
}

/* Makes the postqueue that queue_snapshot_take finds. */
static void play(const char *script)
{
    g_autofree char *path = g_build_filename(directory, "postqueue", NULL),
                    *text = g_strconcat("#!/bin/sh\n", script, NULL);

    assert_true(
        g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0755, NULL));
}

static QueueSnapshot *take(const _Atomic gboolean *stop, GError **error)
{
    return queue_snapshot_take("/etc/elsewhere", ring, stop, error);
}

static void test_take_reads_what_is_printed(void **state)
{
    g_autofree char *sender = seal(RETURN_PATH_MESSAGE, 300),
                    *line = entry("active", "4AAA", sender, "{\"address\": \"a@b\"}"),
                    *script =
                        g_strdup_printf("[ \"$*\" = '-c /etc/elsewhere -j' ] || exit 3\n"
                                        "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo "
                                        "'{\"queue_id\": \"4ZZZ\", \"sender\": \"a@b\"}'; done\n"
                                        "echo '%s'\n",
                                        line);
    GError *error = NULL;

    (void)state;
    play(script);
    g_autoptr(QueueSnapshot) snapshot = take(NULL, &error);
    assert_no_error(error);
    assert_non_null(queue_snapshot_find(snapshot, QUEUED_MESSAGE, 300, 0, "4AAA"));
    play("exit 0");
    g_autoptr(QueueSnapshot) empty = take(NULL, &error);
    assert_no_error(error);
    assert_null(queue_snapshot_find(empty, QUEUED_MESSAGE, 300, 0, NULL));
}

static void test_take_fails_with_the_reason(void **state)
{
    static const struct {
        const char *script, *words;
    } cases[] = {
        {"echo 'postqueue: fatal: the mail system is down' >&2; exit 69", "mail system is down"},
        {"exit 1", "it failed"},
        {"kill -9 $$", "it failed"},
        {"echo nonsense; exec sleep 60", "no JSON object"},
        {"yes x | tr -d '\\n'", "8 MiB"},
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        play(cases[i].script);
        assert_null(take(NULL, &error));
        assert_non_null(error);
        if (!strstr(error->message, cases[i].words))
            fail_msg("%s: %s", cases[i].script, error->message);
    }
}

static void test_take_stops_early(void **state)
{
    const _Atomic gboolean stop = TRUE;
    g_autoptr(GError) error = NULL;

    (void)state;
    play("exec sleep 60");
    assert_null(take(&stop, &error));
    assert_non_null(strstr(error->message, "stopping"));
}

static void test_recipient_key_is_one_for_every_way_of_writing(void **state)
{
    static const char *const same[] = {"A.b@Ok.test", "a.b@ok.test", "\"a.b\"@ok.test",
                                       "\"a\\.b\"@OK.TEST"};
    static const char *const other[] = {"a.b@ok.tes", "ab@ok.test", "", "a.b"};

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(same); i++)
        assert_int_equal(recipient_key(same[i], -1), recipient_key("a.b@ok.test", -1));
    for (gsize i = 0; i < G_N_ELEMENTS(other); i++)
        assert_int_not_equal(recipient_key(other[i], -1), recipient_key("a.b@ok.test", -1));
    assert_int_equal(recipient_key("\xff@x", -1), recipient_key("?@x", -1));
    assert_int_equal(recipient_key("\xef\xbf\xbd@x", -1), recipient_key("?@x", -1));
    assert_int_equal(recipient_key("a@bcd", 3), recipient_key("a@b", -1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find_by_seal_and_by_queue_id),
        cmocka_unit_test(test_add_refuses_what_is_no_entry),
        cmocka_unit_test(test_take_reads_what_is_printed),
        cmocka_unit_test(test_take_fails_with_the_reason),
        cmocka_unit_test(test_take_stops_early),
        cmocka_unit_test(test_recipient_key_is_one_for_every_way_of_writing),
    };
    g_autofree char *text = ring_generate(0);

    ring = ring_parse("test", text, NULL);
    directory = g_dir_make_tmp("outrider-postqueue-XXXXXX", NULL);
    g_autofree char *path = g_strdup_printf("%s:%s", directory, g_getenv("PATH"));
    g_setenv("PATH", path, TRUE);
    int status = cmocka_run_group_tests(tests, NULL, NULL);
    g_autofree char *program = g_build_filename(directory, "postqueue", NULL);
    g_unlink(program);
    g_rmdir(directory);
    g_free(directory);
    ring_free(ring);
    return status;
}
