/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the configuration file: lines `key = value`, `#` comments, checked against one table.
 * Used by: every program.
 * May touch: the file it is told to read.
 * Threads: a loaded Config is never changed; share it freely.
 * Limits: a file of at most 1 MiB, lines of at most 4,096 octets. An unknown key, a bad value, a
 *     key set twice or one that must be set and is not: the program refuses to start, and the error
 *     names file, line, key and what is allowed.
 */
#pragma once

#include <glib.h>
#include <stdio.h>

typedef struct Config Config;

typedef enum {
#define X(NAME, key, type, fallback, min, max, text) CONFIG_##NAME,
#include "lib/config/options.def"
#undef X
    CONFIG_OPTION_COUNT
} ConfigOption;

/* Reads and checks a file. Error INVALID ("FILE:LINE: key: ...") or an I/O error. */
Config *config_load(const char *path, GError **error);

/* The same from text; name stands for the file in errors. length may be -1. */
Config *config_parse(const char *name, const char *text, gssize length, GError **error);

void config_free(Config *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Config, config_free)

/* Values; the text lives as long as the Config. Asking with the wrong type is a programming error.
 * config_string serves STRING, PATH, DOMAIN (lower-cased) and CHOICE; config_int serves INT,
 * SIZE (octets) and DURATION (milliseconds); config_networks makes an array (lib/base/public_address.h), never NULL. */
const char *config_string(const Config *config, ConfigOption option);
GArray *config_networks(const Config *config, ConfigOption option);
gint64 config_int(const Config *config, ConfigOption option);
gboolean config_bool(const Config *config, ConfigOption option);

/* How an option is called in the file; static. */
const char *config_key(ConfigOption option);

/* A path below a directory option: config_path(c, CONFIG_SPOOL_DIR, "next-id"). Free with g_free. */
char *config_path(const Config *config, ConfigOption directory, const char *below);

/* Writes every option with its effective value, in table order, as a file that can be read back. */
void config_dump(const Config *config, FILE *out);

/* Writes the commented sample file, or the option list of the man page (mdoc), from the table. */
void config_sample(FILE *out);
void config_manual(FILE *out);
