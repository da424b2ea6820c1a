/* SPDX-License-Identifier: MIT */
/*
 * Build tool, not installed: writes the sample configuration or the option list of outrider.conf(5)
 * from the option table to standard output.
 */
#include <stdlib.h>

#include "lib/config/config.h"

int main(int argc, char **argv)
{
    const char *what = argc == 2 ? argv[1] : "";

    if (g_str_equal(what, "sample"))
        config_sample(stdout);
    else if (g_str_equal(what, "manual"))
        config_manual(stdout);
    else {
        /* lint: allow lib-logs, a program of the build */
        g_printerr("usage: %s sample|manual\n", argv[0]);
        return EXIT_FAILURE;
    }
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
