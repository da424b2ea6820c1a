/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the directory: organizations, servers, domains, credentials, pools, addresses, routes; adding,
 *     listing, showing, changing and deleting them by rule, each in one transaction with a revision.
 * Used by: the CLI, the API.
 * May touch: the directory tables of MariaDB.
 * Threads: one connection per thread.
 * Limits: as lib/directory/value.h says for each field; a list of at most RECORD_LIST_MAX rows.
 */
#pragma once

#include "lib/directory/record.h"
#include "lib/directory/value.h"

typedef enum {
#define X(OBJECT, word, table, OWNER, arguments) DIRECTORY_##OBJECT,
#include "lib/directory/object.def"
#undef X
    DIRECTORY_OBJECT_COUNT
} DirectoryObject;

typedef enum {
    DIRECTORY_FIELD_NAME = 1,
    DIRECTORY_FIELD_ADD = 2,
    DIRECTORY_FIELD_CHANGE = 4,
    DIRECTORY_FIELD_NEED = 8,
    DIRECTORY_FIELD_SECOND = 16,
} DirectoryFieldFlags;

/* One row of field.def. */
typedef struct {
    const char *column;
    const char *option;
    const char *argument;
    /* The word for none, which argument names last; NULL: it always has a value. */
    const char *null;
    ValueKind kind;
    unsigned flags;
    const char *fallback;
    const char *text;
} DirectoryField;

/* The object's word, the arguments that name one, and its fields. */
const char *directory_word(DirectoryObject object);
const char *directory_arguments(DirectoryObject object);
const DirectoryField *directory_fields(DirectoryObject object, guint *n);

/* The columns of its records, with blanks between. */
const char *directory_columns(DirectoryObject object);

/* An option as it was given: its name and text (NULL: it takes none). */
typedef struct {
    const char *option;
    const char *text;
} DirectoryOption;

/* Names are the texts of the command line: {"acme"}, {"acme/main"}, {"acme/main", "acme.test"};
 * adding an address names its pool, other verbs the address. Errors: INVALID (names the field),
 * NOT_FOUND, EXISTS, REFUSED, and those of lib/sql. Every record is the row as it is afterwards. */

/* A new credential's record has `key', a new token's `token': it is nowhere else and cannot be had again. */
Record *directory_add(Sql *sql, DirectoryObject object, const char *const *names,
                      const DirectoryOption *options, guint n, GError **error);
Record *directory_show(Sql *sql, DirectoryObject object, const char *const *names, GError **error);
Record *directory_change(Sql *sql, DirectoryObject object, const char *const *names,
                         const DirectoryOption *options, guint n, GError **error);

/* REFUSED, naming the users, when something else needs it. */
gboolean directory_delete(Sql *sql, DirectoryObject object, const char *const *names,
                          GError **error);

/* The same of an endpoint. force: the routes that lead to it do not keep it, but refuse mail from now on. */
gboolean directory_delete_endpoint(Sql *sql, const char *const *names, gboolean force,
                                   GError **error);

/* owner: all of an organization, server or pool, NOT_FOUND without such a one; NULL: all. */
Record *directory_list(Sql *sql, DirectoryObject object, const char *owner, GError **error);
