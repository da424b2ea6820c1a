/* SPDX-License-Identifier: MIT */
/* Replies of an SMTP server: what is read lies within what came. */
#include <glib.h>

#include "lib/wire/smtp_reply.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_auto(SmtpReply) reply = {0};
    gssize used = smtp_reply_read((const char *)data, size, &reply, NULL);
    g_autofree char *id = smtp_reply_queue_id(&reply);

    if (used > (gssize)size || (used > 0) != (reply.code != 0))
        g_error("%zd of %zu octets, code %u", used, size, reply.code);
    fuzz_reached += used > 0;
    return 0;
}
