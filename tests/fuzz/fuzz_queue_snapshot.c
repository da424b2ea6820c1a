/* SPDX-License-Identifier: MIT */
/* Whatever postqueue prints, what was taken is found again. */
#include <glib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "worker/queue_snapshot.h"

unsigned fuzz_reached;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char text[] =
        "0 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 1 seal\n";
    g_autoptr(KeyRing) ring = ring_parse("fuzz", text, NULL);
    g_autoptr(QueueSnapshot) snapshot = queue_snapshot_new(1);

    if (!queue_snapshot_add(snapshot, ring, (const char *)data, size, NULL))
        return 0;
    queue_snapshot_end(snapshot);
    const QueuedMail *mail = queue_snapshot_find(snapshot, QUEUED_ANY, 0, 0, "4jWqvs5JCKz1dD0M");
    g_assert(!mail || memchr(mail->queue_id, '\0', sizeof(mail->queue_id)));
    fuzz_reached++;
    return 0;
}
