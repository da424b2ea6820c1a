/* SPDX-License-Identifier: MIT */
/* Whatever a log holds, every text of the result lies inside the line. */
#include <glib.h>

#include "tests/fuzz/fuzz.h"
#include "worker/mail_line.h"

unsigned fuzz_reached;

static void check(MailText text, const uint8_t *data, size_t size)
{
    const char *start = (const char *)data;

    g_assert(!text.data || (text.data >= start && text.data + text.length <= start + size));
    g_assert(text.data || text.length == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    MailLine line;

    if (!mail_line_parse((const char *)data, size, "postfix", 1795000000, &line))
        return 0;
    const MailText texts[] = {line.stamp, line.program, line.record, line.queue_id,
                              line.from,  line.to,      line.relay,  line.original,
                              line.dsn,   line.text,    line.parent};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        check(texts[i], data, size);
    g_assert(line.queue_id.length <= MAIL_QUEUE_ID_MAX);
    g_assert(line.code == 0 || (line.code >= 200 && line.code <= 599));
    g_assert(mail_line_lane(&line) <= 65535);
    (void)mail_line_relay_is_ipv6(&line);
    if (line.kind != MAIL_LINE_OTHER)
        fuzz_reached++;
    return 0;
}
