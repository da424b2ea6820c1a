/* SPDX-License-Identifier: MIT */
/*
 * Purpose: whom a message is for, or from, as somebody wrote it and as the envelope has it.
 * Used by: apid, the CLI.
 * May touch: nothing.
 * Threads: any.
 * Limits: an address of ADDRESSEE_MAX octets; the rest is the caller's.
 */
#pragma once

#include <glib.h>

#define ADDRESSEE_MAX 320 /* 64 before the @ and 255 behind it, RFC 5321 section 4.5.3.1 */

/* written is the key in an answer; the envelope's domain is in A-labels and lower case. */
typedef struct {
    char *written; /* the address as the client wrote it, without name and brackets */
    char *address; /* as the envelope has it */
    char *mailbox; /* all that the client wrote, its name in quotes if that is what it lacked */
} Addressee;

void addressee_free(Addressee *address);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Addressee, addressee_free)

/* Whether nothing but white space is there; NULL is blank. */
gboolean addressee_is_blank(const char *text);

/* Reads one mailbox, which may have a name that should stand in quotes and does not. NULL: it is none, or more than one, or too long. */
Addressee *addressee_read(const char *text);

/* Always FALSE: the error says that the parameter of that name has the text in it, which is no address. */
gboolean addressee_wrong(GError **error, const char *name, const char *text);

/* Adds those of a text, parted by commas, to list (GPtrArray of Addressee that frees them); blank ones are left out. When the list
 * has more than max, what follows is not looked at. FALSE: something is no address; the error begins with `name`. */
gboolean addressees_add(GPtrArray *list, const char *name, const char *text, guint max,
                        GError **error);

/* The same for a text that is an entry of a list already: it is one mailbox, if it can be read so, whatever commas its name has. */
gboolean addressees_add_entry(GPtrArray *list, const char *name, const char *text, guint max,
                              GError **error);
