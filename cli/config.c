/* SPDX-License-Identifier: MIT */
/* The configuration, as it is and as it may be. */
#include <stdio.h>

#include "cli/session.h"

gboolean config_show(Cli *cli, GError **error)
{
    const Config *config = cli_config(cli, error);

    if (config)
        config_dump(config, stdout);
    return config != NULL;
}

gboolean config_print_sample(G_GNUC_UNUSED Cli *cli, G_GNUC_UNUSED GError **error)
{
    config_sample(stdout);
    return TRUE;
}
