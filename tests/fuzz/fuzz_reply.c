/* SPDX-License-Identifier: MIT */
/* Whatever a host says: the words lie in the text, and some codes and stages never speak of the recipient. The first
 * octet is the stage, 0: the text's own. */
#include <glib.h>

#include "lib/wire/reply.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ReplyVerdict verdict, again;
    Reply reply;

    if (size < 1)
        return 0;
    const char *text = (const char *)data + 1;
    reply_read(text, size - 1, &reply);
    g_assert(reply.text.data >= text && reply.text.data + reply.text.length <= text + size - 1);
    g_assert(reply.relay.length <= size - 1 && reply.text.length <= REPLY_TEXT_MAX);
    if (data[0] % REPLY_STAGE_COUNT)
        reply.stage = (ReplyStage)(data[0] % REPLY_STAGE_COUNT);
    reply_classify(&reply, &verdict);
    g_assert(verdict.words.length <= reply.text.length);
    g_assert(verdict.class != REPLY_ADDRESS ||
             (reply.code != 421 && reply.status[1] != 7 &&
              (reply.stage == REPLY_STAGE_UNKNOWN || reply.stage >= REPLY_STAGE_RCPT)));
    reply_classify(&reply, &again);
    g_assert(verdict.class == again.class && verdict.rule == again.rule);
    if (verdict.words.length > 0)
        fuzz_reached++;
    return 0;
}
