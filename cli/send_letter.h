/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the options of `outrider send' as what is to be sent.
 * Used by: send.
 * May touch: the files that the options name, standard input.
 * Threads: one.
 * Limits: all files together of as many octets as are said; those of lib/submission.
 */
#pragma once

#include "cli/command.h"
#include "lib/submission/letter.h"

/* A file that an option names, "-" being standard input, of at most *left octets, which becomes less. The error names the option.
 * g_byte_array_unref. */
GByteArray *send_file_read(const char *option, const char *file, gsize *left, GError **error);

/* What is there for sender_judge to refuse stays to it; what cannot be read or is not what it must be is an error that names the
 * option: INVALID, TOO_LARGE, NOT_FOUND, IO. max: octets of all files. */
Letter *send_letter_read(const Cli *cli, gsize max, GError **error);

/* The same with --raw. */
Submission *send_raw_read(const Cli *cli, gsize max, GError **error);
