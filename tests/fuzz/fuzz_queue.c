/* SPDX-License-Identifier: MIT */
/* A request is written as it was read; an answer's line, too. */
#include <glib.h>
#include <string.h>

#include "lib/wire/queue.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

static void check_request(const char *data, gsize size)
{
    g_auto(QueueRequest) request = {0};
    gssize used = queue_request_parse(data, size, &request, NULL);

    g_assert(used <= (gssize)size);
    g_assert((used > 0) == (request.ids != NULL));
    if (used <= 0)
        return;
    g_autoptr(GString) again = g_string_new(NULL);
    queue_request_write(again, request.verb, (const char *const *)request.ids);
    g_assert((gsize)used == again->len && memcmp(again->str, data, again->len) == 0);
    for (guint i = 0; i < request.count; i++) {
        guint64 inode;
        g_autofree char *path = queue_id_path("deferred", request.ids[i], i % 6);
        g_assert(g_str_has_suffix(path, request.ids[i]) && !strstr(path, ".."));
        queue_id_inode(request.ids[i], &inode);
    }
    fuzz_reached++;
}

static void check_answer(const char *data, gsize size)
{
    QueueAnswer answer;
    gssize used = queue_answer_parse(data, size, &answer, NULL);

    g_assert(used <= (gssize)size);
    if (used <= 0)
        return;
    g_autoptr(GString) again = g_string_new(NULL);
    if (answer.last)
        queue_answer_end(again);
    else
        queue_answer_write(again, answer.id, answer.result, answer.why);
    g_assert((gsize)used == again->len || answer.result == QUEUE_REFUSED);
    fuzz_reached++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_request((const char *)data, size);
    check_answer((const char *)data, size);
    return 0;
}
