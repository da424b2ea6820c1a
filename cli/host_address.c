/* SPDX-License-Identifier: MIT */
#include "cli/host_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>

#include "lib/base/error.h"

GHashTable *host_addresses(GError **error)
{
    struct ifaddrs *list = NULL;

    if (getifaddrs(&list) < 0) {
        error_set_errno(error, errno, "list", "this host's addresses");
        return NULL;
    }
    GHashTable *found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (const struct ifaddrs *one = list; one; one = one->ifa_next) {
        char text[INET6_ADDRSTRLEN];
        int family = one->ifa_addr ? one->ifa_addr->sa_family : AF_UNSPEC;
        const void *bytes =
            family == AF_INET    ? (const void *)&((struct sockaddr_in *)one->ifa_addr)->sin_addr
            : family == AF_INET6 ? (const void *)&((struct sockaddr_in6 *)one->ifa_addr)->sin6_addr
                                 : NULL;
        if (bytes && inet_ntop(family, bytes, text, sizeof(text)))
            g_hash_table_add(found, g_strdup(text));
    }
    freeifaddrs(list);
    return found;
}
