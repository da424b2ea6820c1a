/* SPDX-License-Identifier: MIT */
/*
 * Purpose: one option's row and the checking, printing and explaining of its value, by type.
 * Used by: lib/config, and lib/directory for a duration on a command line.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include <glib.h>

#include "lib/config/config.h"

typedef enum {
    OPTION_STRING,
    OPTION_PATH,
    OPTION_SOURCE,
    OPTION_DOMAIN,
    OPTION_NETWORKS,
    OPTION_INT,
    OPTION_SIZE,
    OPTION_DURATION,
    OPTION_BOOL,
    OPTION_CHOICE,
} OptionType;

typedef struct {
    const char *key;
    OptionType type;
    const char *fallback; /* NULL: must be set */
    gint64 min, max;
    const char *text; /* as in the table, a CHOICE's with its bracket: see option_text */
} Option;

/* text is set for every type as it would be printed; number for INT, SIZE, DURATION and BOOL. */
typedef struct {
    char *text;
    gint64 number;
} OptionValue;

/* The row of an option; never NULL. */
const Option *option_row(ConfigOption option);

/* Checks text (UTF-8, without white space around it) and takes it over in its canonical form. FALSE, value untouched: INVALID
 * says what is allowed; of a list it names the word that is not. */
gboolean option_parse(const Option *row, const char *text, OptionValue *value, GError **error);

/* What is allowed, as "a whole number from 1 to 255"; g_free. */
char *option_allowed(const Option *row);

/* The explaining text, without the bracket of a CHOICE. */
const char *option_text(const Option *row);
