/* SPDX-License-Identifier: MIT */
/*
 * Purpose: main() of the fuzz targets in `make check`: gives every seed of a target to it once.
 *     Without arguments fuzz_X reads $srcdir/tests/fuzz/corpus/X; arguments are files or
 *     directories, to repeat a finding.
 * Used by: fuzz targets, when they are not linked with a fuzzing engine.
 * May touch: reads the seeds.
 * Threads: one.
 * Limits: fails when there is no seed or when no seed was accepted by the parser.
 */
#include <glib.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

static guint replayed;

static gboolean replay_file(const char *path)
{
    g_autofree char *bytes = NULL;
    g_autoptr(GError) error = NULL;
    gsize length;

    if (!g_file_get_contents(path, &bytes, &length, &error)) {
        g_printerr("%s\n", error->message);
        return FALSE;
    }
    /* An exact copy, so that a sanitizer sees the first octet that is read beyond it. */
    g_autofree guint8 *exact = g_memdup2(bytes, length);
    if (LLVMFuzzerTestOneInput(exact, length) != 0) {
        g_printerr("%s: the target did not return 0\n", path);
        return FALSE;
    }
    replayed++;
    return TRUE;
}

static gboolean replay_path(const char *path)
{
    if (!g_file_test(path, G_FILE_TEST_IS_DIR))
        return replay_file(path);

    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) dir = g_dir_open(path, 0, &error);
    gboolean good = TRUE;

    if (!dir) {
        g_printerr("%s\n", error->message);
        return FALSE;
    }
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        good = replay_file(file) && good;
    }
    return good;
}

static char *corpus_of(const char *program)
{
    g_autofree char *name = g_path_get_basename(program);
    const char *srcdir = g_getenv("srcdir");

    return g_build_filename(srcdir ? srcdir : ".", "tests", "fuzz", "corpus",
                            g_str_has_prefix(name, "fuzz_") ? name + 5 : name, NULL);
}

int main(int argc, char **argv)
{
    gboolean good = TRUE;

    if (argc > 1) {
        for (int i = 1; i < argc; i++)
            good = replay_path(argv[i]) && good;
        return good ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    g_autofree char *corpus = corpus_of(argv[0]);
    good = replay_path(corpus);
    if (replayed == 0) {
        g_printerr("%s: no seeds\n", corpus);
        good = FALSE;
    }
    if (fuzz_reached == 0) {
        g_printerr("%s: no seed was accepted: the target is not reached\n", corpus);
        good = FALSE;
    }
    g_print("%u seeds, accepted %u times\n", replayed, fuzz_reached);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
