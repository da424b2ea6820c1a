/* SPDX-License-Identifier: MIT */
#include "lib/directory/page.h"

/* Their statements take organization and server twice each, then after and limit. */
static const struct {
    SqlStatement statement;
    const char *key;
} pages[DIRECTORY_OBJECT_COUNT] = {
    [DIRECTORY_ORGANIZATION] = {SQL_ORGANIZATION_PAGE, "permalink"},
    [DIRECTORY_SERVER] = {SQL_SERVER_PAGE, "permalink"},
    [DIRECTORY_DOMAIN] = {SQL_DOMAIN_PAGE, "name"},
    [DIRECTORY_ENDPOINT] = {SQL_ENDPOINT_PAGE, "name"},
    [DIRECTORY_TRACK_DOMAIN] = {SQL_TRACK_DOMAIN_PAGE, "host"},
    [DIRECTORY_ROUTE] = {SQL_ROUTE_PAGE, "address"},
};

const char *directory_page_key(DirectoryObject object)
{
    return pages[object].key;
}

Record *directory_page(Sql *sql, DirectoryObject object, const DirectoryPage *page, GError **error)
{
    const SqlParameter organization = SQL_TEXT(page->organization ? page->organization : "");
    const SqlParameter server = SQL_TEXT(page->server ? page->server : "");
    const SqlParameter parameters[] = {organization,
                                       organization,
                                       server,
                                       server,
                                       SQL_TEXT(page->after ? page->after : ""),
                                       SQL_UNSIGNED(page->limit)};

    g_return_val_if_fail(pages[object].key, NULL);
    return record_list(sql, pages[object].statement, parameters, G_N_ELEMENTS(parameters), error);
}
