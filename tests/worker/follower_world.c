/* SPDX-License-Identifier: MIT */
#include "tests/worker/follower_world.h"

#include <glib/gstdio.h>
#include <json-c/json.h>
#include <string.h>

#include "lib/base/id.h"
#include "lib/journal/reader.h"
#include "tests/lib/edge_fixture.h"
#include "tests/lib/testing.h"

char *world_below(const World *world, const char *name)
{
    return g_build_filename(world->dir, name, NULL);
}

void world_configure(World *world, const char *mail_log)
{
    GError *error = NULL;
    g_autofree char *text =
        g_strdup_printf("return_path_domain = rp.example\nspool_dir = %s\nkey_dir = %s\n"
                        "edge_dir = %s\nmail_log = %s\nnode_id = 3\n",
                        world->dir, world->dir, world->edge, mail_log);

    config_free(world->config);
    world->config = config_parse("test", text, -1, &error);
    assert_no_error(error);
}

char *world_seal(World *world, ReturnPathKind kind, guint64 id)
{
    g_autofree char *path = world_below(world, "return");
    const ReturnPath sealed = {
        .kind = kind, .id = id, .server = 1, .lane = kind == RETURN_PATH_MESSAGE ? 2 : 0};
    GError *error = NULL;

    g_autoptr(KeyRing) ring = ring_load(path, &error);
    assert_no_error(error);
    return return_path_seal(ring, &sealed, "rp.example");
}

static void make_ring(World *world)
{
    g_autofree char *path = world_below(world, "return"), *text = ring_generate(0);

    assert_true(g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

int world_setup(void **state)
{
    World *world = g_new0(World, 1);
    const EdgeFixture fixture = {.key = "key"};

    world->dir = g_dir_make_tmp("outrider-follow-XXXXXX", NULL);
    world->log = world_below(world, "mail.log");
    world->edge = world_below(world, "edge");
    g_autofree char *private = world_below(world, "worker");
    g_mkdir(private, 0700);
    g_mkdir(world->edge, 0755);
    edge_fixture_fill(world->edge, &fixture);
    make_ring(world);
    world->sender = world_seal(world, RETURN_PATH_MESSAGE, WORLD_ID);
    world_configure(world, world->log);
    *state = world;
    return 0;
}

int world_teardown(void **state)
{
    World *world = *state;
    g_autofree char *command = g_strdup_printf("rm -rf -- %s", world->dir);

    mail_follower_stop(world->follower);
    g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL);
    config_free(world->config);
    g_free(world->dir);
    g_free(world->log);
    g_free(world->edge);
    g_free(world->sender);
    g_free(world);
    return 0;
}

void world_restart(World *world)
{
    GError *error = NULL;

    mail_follower_stop(world->follower);
    world->follower = mail_follower_new(world->config, &error);
    assert_no_error(error);
}

void world_follow(World *world)
{
    GError *error = NULL;
    guint lines, idle = 0;

    if (!world->follower)
        world_restart(world);
    while (idle < 12) {
        mail_follower_round(world->follower, &lines, &error);
        assert_no_error(error);
        idle = lines ? 0 : idle + 1;
    }
}

void world_append(const char *path, const char *text)
{
    FILE *file = fopen(path, "a");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

void world_say(World *world, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *rest = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *line = g_strdup_printf("Nov 21 08:00:00 host %s\n", rest);
    world_append(world->log, line);
}

void world_milter(World *world, EventType type, const char *format, ...)
{
    GError *error = NULL;
    g_autoptr(Journal) milter = journal_open(world->dir, "milter", NULL, &error);
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *fields = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *json = g_strdup_printf("{\"v\":1,\"server\":1,%s}", fields);
    const JournalEntry entry = {type, g_get_real_time(), json, -1};

    assert_no_error(error);
    assert_true(journal_append(milter, &entry, 1, &error));
}

void world_accept(World *world, const char *queue_id)
{
    world_milter(world, EVENT_MESSAGE_ACCEPTED,
                 "\"id\":%" G_GUINT64_FORMAT ",\"queue_id\":\"%s\",\"rcpt\":\"X@ok.test\"",
                 WORLD_ID, queue_id);
}

void world_say_queued(World *world, const char *queue_id, const char *from)
{
    world_say(world, "postfix/qmgr[9]: %s: from=<%s>, size=372, nrcpt=1 (queue active)", queue_id,
              from);
}

void world_say_sent(World *world, const char *queue_id, const char *words)
{
    world_say(
        world,
        "postfix/outrider-ip2/smtp[77]: %s: to=<x@ok.test>, relay=mx.ok.test[198.51.100.9]:25, "
        "delay=0.06, delays=0/0.01/0/0.04, dsn=2.0.0, status=sent (250 2.0.0 %s)",
        queue_id, words);
}

char *world_events(World *world)
{
    GError *error = NULL;
    g_autoptr(JournalReader) reader = journal_reader_open(world->dir, "worker", 0, &error);
    g_autoptr(GString) text = g_string_new(NULL);
    JournalRecord record;

    assert_no_error(error);
    while (journal_reader_next(reader, &record, &error) == JOURNAL_READ_RECORD) {
        struct json_object *event = json_tokener_parse(record.json), *id, *found;
        assert_true(json_object_object_get_ex(
            event, record.type == EVENT_SUBMISSION_QUEUED ? "base" : "id", &id));
        guint64 index = ((guint64)json_object_get_int64(id) - WORLD_ID) >> ID_NODE_BITS;
        g_string_append(text, event_name(record.type));
        if (index > 0)
            g_string_append_printf(text, "+%u", (guint)index);
        for (const char *const *key = (const char *const[]){"status", "text", "source", "tls", "n",
                                                            "copy", "parent", NULL};
             *key; key++)
            if (json_object_object_get_ex(event, *key, &found))
                g_string_append_printf(text, " %s", json_object_get_string(found));
        g_string_append_c(text, '\n');
        json_object_put(event);
    }
    assert_no_error(error);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

void world_assert_events(World *world, const char *expected)
{
    g_autofree char *found = world_events(world);
    assert_string_equal(found, expected);
}
