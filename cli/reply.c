/* SPDX-License-Identifier: MIT */
/* What a remote host's reply is taken for: needs neither configuration nor database. */
#include "lib/wire/reply.h"

#include <string.h>

#include "cli/output.h"
#include "lib/base/error.h"

static gboolean read_stage(const Cli *cli, Reply *reply, GError **error)
{
    const char *name = command_option(cli, "stage");
    g_autoptr(GString) allowed = g_string_new(NULL);

    if (!name || reply_stage_parse(name, &reply->stage))
        return TRUE;
    for (guint i = 0; i < REPLY_STAGE_COUNT; i++)
        g_string_append_printf(allowed, "%s%s", i ? ", " : "", reply_stage_name((ReplyStage)i));
    g_autofree char *quoted = value_quote(name);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "stage: %s: allowed are %s", quoted,
                allowed->str);
    return FALSE;
}

static void add_text(Record *record, const char *key, const char *text)
{
    json_object_object_add(record, key, json_object_new_string(text));
}

static Record *describe(const Reply *reply, const ReplyVerdict *verdict)
{
    Record *record = json_object_new_object();
    g_autofree char *status =
        g_strdup_printf("%u.%u.%u", reply->status[0], reply->status[1], reply->status[2]);
    g_autofree char *words =
        verdict->words.length
            ? g_utf8_make_valid(verdict->words.data, (gssize)verdict->words.length)
            : NULL;

    add_text(record, "class", reply_class_name(verdict->class));
    add_text(record, "meaning", reply_class_meaning(verdict->class));
    add_text(record, "permanence", reply_permanence_name(verdict->permanence));
    add_text(record, "provider", reply_provider_name(verdict->provider));
    add_text(record, "stage", reply_stage_name(reply->stage));
    json_object_object_add(record, "code",
                           reply->code ? json_object_new_int((int)reply->code) : NULL);
    json_object_object_add(record, "status",
                           reply->status[0] ? json_object_new_string(status) : NULL);
    json_object_object_add(record, "rule",
                           *verdict->rule ? json_object_new_string(verdict->rule) : NULL);
    json_object_object_add(record, "words", words ? json_object_new_string(words) : NULL);
    return record;
}

gboolean reply_show(Cli *cli, GError **error)
{
    g_autofree char *text = g_strjoinv(" ", (char **)(guintptr)cli->arguments);
    const char *relay = command_option(cli, "relay");
    ReplyVerdict verdict;
    Reply reply;

    reply_read(text, strlen(text), &reply);
    if (!read_stage(cli, &reply, error))
        return FALSE;
    if (relay)
        reply_add_relay(&reply, relay);
    reply_classify(&reply, &verdict);
    g_autoptr(Record) record = describe(&reply, &verdict);
    if (!output_json(cli, record))
        output_record(record);
    return TRUE;
}
