/* SPDX-License-Identifier: MIT */
/*
 * Purpose: how the fields of directory objects look in JSON: from a body to the options of lib/directory, and from a row to an answer.
 * Used by: apid.
 * May touch: nothing.
 * Threads: any.
 * Limits: those of lib/directory/value.h, by whoever reads the options.
 *
 *     yes or no             true, false
 *     a number              an integer
 *     a list                an array of strings
 *     anything else         a string
 *     none, never           null, for fields that have such a word
 */
#pragma once

#include "api/v2_error.h"
#include "lib/config/config.h"
#include "lib/directory/directory.h"

#define V2_FIELD_MAX 100 /* octets of a name that is told to be wrong */

typedef enum {
    V2_SHAPE_TEXT,
    V2_SHAPE_YESNO,
    V2_SHAPE_NUMBER,
    V2_SHAPE_LIST,
    V2_SHAPE_SWITCH, /* the command line's alone */
} V2Shape;

V2Shape v2_field_shape(const DirectoryField *field);

/* What it is called in JSON: as its column, or as the list that a row shows; g_free. NULL: it has no option. */
char *v2_field_name(const DirectoryField *field);

/* Whether a body may have it: for V2_ADD or V2_CHANGE. */
gboolean v2_field_is_for(const DirectoryField *field, gboolean add);

/* What the body of a request says. */
typedef struct {
    char *name;       /* of the object that is to be added; NULL: none was said */
    GPtrArray *texts; /* owns what options point to */
    GArray *options;  /* of DirectoryOption */
} V2Body;

void v2_body_clear(V2Body *body);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(V2Body, v2_body_clear)

/* FALSE: problem is filled. */
gboolean v2_body_read(DirectoryObject object, gboolean add, const char *json, gsize length,
                      V2Body *body, V2Problem *problem);

/* A row as it is answered, changed in place. */
void v2_record_show(const Config *config, DirectoryObject object, Record *record);
