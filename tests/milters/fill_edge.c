/* SPDX-License-Identifier: MIT */
/*
 * Purpose: gives the black-box tests their replicas and key rings: fill_edge DIR, where DIR has edge/,
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

static gboolean make_ring(const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, "keys", name, NULL);
    g_autofree char *ring = ring_generate(1);

    return ring && g_file_set_contents_full(path, ring, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 64;

    g_autofree char *rsa = read_below(argv[1], "rsa.pem");
    g_autofree char *ed25519 = read_below(argv[1], "ed25519.pem");
    g_autofree char *installation = read_below(argv[1], "installation.pem");
    g_autofree char *edge = g_build_filename(argv[1], "edge", NULL);
    EdgeFixture fixture = {.key = "abcdefghijklmnopqrstuvwx",
                           .rsa_pem = rsa,
                           .ed25519_pem = ed25519,
                           .installation_pem = installation};

    edge_fixture_fill(edge, &fixture);
    return make_ring(argv[1], "return") && make_ring(argv[1], "claim") && make_ring(argv[1], "link")
               ? 0
               : 1;
}
