/* SPDX-License-Identifier: MIT */
#include "lib/directory/route_shown.h"

void route_show_forward(const Config *config, Record *route)
{
    const char *domain = config_string(config, CONFIG_ROUTE_DOMAIN);
    gboolean has = *domain && !record_is_null(route, "domain");
    g_autofree char *address =
        has ? g_strconcat(record_text(route, "token"), "@", domain, NULL) : NULL;

    json_object_object_add(route, "forward_address",
                           address ? json_object_new_string(address) : NULL);
}
