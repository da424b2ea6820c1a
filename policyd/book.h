/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the counters of limits, one per limit, and the messages that were charged last, in a mapped
 *     file, so that a killed policyd goes on where it was.
 * Used by: policyd's limits.
 * May touch: <spool_dir>/policyd/counters.
 * Threads: one, and one process: the file is locked.
 * Limits: BOOK_MAX counters, BOOK_CHARGED_MAX messages. A crash of the host may lose the seconds since book_sync. A file that is not
 *     one of ours is put aside as counters.broken and begun anew.
 *
 * Time in here is the book's own, in microseconds: it goes on with CLOCK_BOOTTIME, so a step of the
 * wall clock changes nothing, and over a reboot by as much as the wall clock says has passed. A new book begins
 * at more than the longest period.
 */
#pragma once

#include <glib.h>

#include "policyd/window.h"

#define BOOK_MAX 1000000
#define BOOK_CHARGED_MAX                                                                           \
    262144 /* more than an hour of 70 a second: Postfix retries the hop sooner */

typedef struct Book Book;

typedef struct {
    guint32 limit;    /* id; 0: free */
    guint32 resets;   /* so far, on whatever node */
    gint64 told_near; /* when an event said so last, in the book's time; 0: never */
    gint64 told_exceeded;
    Window window;
} BookCounter;

/* Errors: IO, NO_SPACE, CONFLICT (somebody else has it). */
Book *book_open(const char *path, GError **error);
void book_close(Book *book);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Book, book_close)

/* The book's time now. */
gint64 book_now(const Book *book);

/* The counter of a limit, made when missing; valid until the next call of book_counter or book_keep.
 * NULL: there is no room, or no space for more. */
BookCounter *book_counter(Book *book, guint32 limit);

/* Frees the counters of limits that keep says are gone. */
void book_keep(Book *book, gboolean (*keep)(guint32 limit, gpointer data), gpointer data);

/* Calls func with each counter there is. */
void book_each(const Book *book, void (*func)(const BookCounter *counter, gpointer data),
               gpointer data);

/* Whether a message is among the last that were charged; and notes one. */
gboolean book_is_charged(const Book *book, guint64 message);
void book_note_charged(Book *book, guint64 message);

/* Writes to the disk in the background, with the time; once a second. */
void book_sync(Book *book);
