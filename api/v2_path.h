/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what a path of API v2 names, what may be done there, and whether it is a token's.
 * Used by: apid.
 * May touch: nothing.
 * Threads: any.
 * Limits: V2_SEGMENT_MAX octets between two slashes, decoded.
 */
#pragma once

#include "lib/directory/api_token.h"
#include "lib/directory/directory.h"

#define V2_PREFIX      "/api/v2/"
#define V2_SEGMENT_MAX 1024

typedef enum { V2_OF_ROOT, V2_OF_ORGANIZATION, V2_OF_SERVER, V2_OF_EITHER } V2Owner;

enum { V2_READ = 1, V2_WRITE = 2, V2_FORCE = 4 };

/* One row of v2_resource.def. */
typedef struct {
    DirectoryObject object;
    const char *word;
    V2Owner owner;
    unsigned verbs;
    const char *text;
} V2Resource;

const V2Resource *v2_resources(guint *n);

typedef enum {
#define X(VERB, item, NEED, method, success, text) V2_##VERB,
#include "api/v2_verb.def"
#undef X
    V2_VERB_COUNT
} V2Verb;

/* One row of v2_verb.def. */
typedef struct {
    gboolean item;
    unsigned need;
    const char *method;
    guint success;
    const char *text;
} V2VerbRow;

extern const V2VerbRow v2_verbs[V2_VERB_COUNT];

typedef struct {
    const V2Resource *resource;
    gboolean item;      /* one of the collection */
    char *organization; /* the owner's; of an organization itself, its own; NULL: none is named */
    char *server;       /* the same */
    char *name;         /* of any other item */
    char *owner; /* "acme" or "acme/main", of a path with a name or of a collection; NULL: none */
} V2Path;

void v2_path_clear(V2Path *path);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(V2Path, v2_path_clear)

/* Reads a path as it was sent. Each segment is decoded once, after the path is split. FALSE: it names nothing. */
gboolean v2_path_read(const char *text, V2Path *path);

/* What lib/directory calls an item of that path; name: of one that is to be added, else NULL. */
void v2_path_names(const V2Path *path, const char *name, const char *names[3]);

/* The verb of a method (HEAD as GET); FALSE: it is not for this path. */
gboolean v2_path_verb(const V2Path *path, const char *method, V2Verb *verb);

/* The methods for it, "GET, HEAD, POST"; g_free. */
char *v2_path_methods(const V2Path *path);

/* The path of an item of a collection, encoded; g_free. */
char *v2_path_of(const V2Path *path, const char *name);

/* Whether a token opens it: what its owner is and has, and the list in which the owner stands. */
gboolean v2_path_is_open(const V2Path *path, const DirectoryToken *token);
