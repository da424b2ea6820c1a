/* SPDX-License-Identifier: MIT */
/*
 * Purpose: prints tokens as the milter would seal them: seal_link RING HOST SERVER FIRST COUNT [URL]: of messages that nobody
 *     sent, one link each, to URL, or, without it, one pixel. Their ids are those of another node's, of now, from the FIRST-th on.
 * Used by: tests/e2e/test_trackd.py, scripts/bench.
 * May touch: stdout; the ring, read-only.
 */
#include <stdio.h>

#include "lib/base/id.h"
#include "lib/seal/link.h"

#define NODE 201 /* no node of the tests */

int main(int argc, char **argv)
{
    if (argc < 6 || argc > 7)
        return 64;
    g_autoptr(GError) error = NULL;
    g_autoptr(KeyRing) ring = ring_load(argv[1], &error);
    if (!ring) {
        fprintf(stderr, "seal_link: %s\n", error->message);
        return 1;
    }
    char none[] = "";
    guint64 first = g_ascii_strtoull(argv[4], NULL, 10);
    guint64 base = id_floor(g_get_real_time() / G_USEC_PER_SEC) + NODE;
    guint64 count = g_ascii_strtoull(argv[5], NULL, 10);
    for (guint64 i = 0; i < count; i++) {
        const Link link = {.kind = argc == 7 ? LINK_CLICK : LINK_OPEN,
                           .server = (guint32)g_ascii_strtoull(argv[3], NULL, 10),
                           .id = id_at(base, (guint)(first + i)),
                           .ordinal = argc == 7 ? 1 : 0,
                           .url = argc == 7 ? argv[6] : none};
        g_autofree char *token = link_seal(ring, &link, argv[2]);
        if (!token)
            return 1;
        puts(token);
    }
    return 0;
}
