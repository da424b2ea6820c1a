/* SPDX-License-Identifier: MIT */
/*
 * Purpose: lists in pages, each beginning behind the name that the one before ended with.
 * Used by: the API.
 * May touch: the directory tables of MariaDB, by reading.
 * Threads: one connection per thread.
 * Limits: as many rows as are asked for.
 */
#pragma once

#include "lib/directory/directory.h"

typedef struct {
    const char *organization; /* NULL: of all */
    const char *server;       /* NULL: of all; of domains, those of the organization itself */
    const char *after;        /* a name, in its canonical form; NULL: from the first on */
    guint limit;
} DirectoryPage;

/* Whether an object has pages, and the column by which they are in order: its name. NULL: it has none. */
const char *directory_page_key(DirectoryObject object);

/* An array of rows as directory_show has them. */
Record *directory_page(Sql *sql, DirectoryObject object, const DirectoryPage *page, GError **error);
