/* SPDX-License-Identifier: MIT */
/*
 * Purpose: gives the black-box test its replicas and key ring: fill_edge DIR, where DIR has edge/,
 *     keys/ and the keys rsa.pem, ed25519.pem and installation.pem.
 * Used by: tests/milters/test_behind_postfix.
 * May touch: DIR.
 */
#include "lib/seal/ring.h"
#include "tests/lib/edge_fixture.h"
#include "tests/lib/testing.h"

static char *read_below(const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        g_error("%s cannot be read", path);
    return text;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 64;

    g_autofree char *rsa = read_below(argv[1], "rsa.pem");
    g_autofree char *ed25519 = read_below(argv[1], "ed25519.pem");
    g_autofree char *installation = read_below(argv[1], "installation.pem");
    g_autofree char *edge = g_build_filename(argv[1], "edge", NULL);
    g_autofree char *keys = g_build_filename(argv[1], "keys", "return", NULL);
    g_autofree char *ring = ring_generate(1);
    EdgeFixture fixture = {.key = "abcdefghijklmnopqrstuvwx",
                           .rsa_pem = rsa,
                           .ed25519_pem = ed25519,
                           .installation_pem = installation};

    edge_fixture_fill(edge, &fixture);
    return ring && g_file_set_contents_full(keys, ring, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL)
               ? 0
               : 1;
}
