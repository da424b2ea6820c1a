/* SPDX-License-Identifier: MIT */
/*
 * Purpose: takes from the milter's journal which queue ids are ours: those of accepted messages, and those
 *     of submissions that the hop is to split, with their recipients.
 * Used by: mail_follower.
 * May touch: the milter's journal (read); the queue book, within its transaction.
 * Threads: one; milter_reader_kept from any.
 * Limits: at most MILTER_READER_RECORDS records a call.
 */
#pragma once

#include "worker/queue_book.h"

#define MILTER_READER_RECORDS 20000

typedef struct MilterReader MilterReader;

/* Goes on where the book says. book must outlive it. */
MilterReader *milter_reader_new(const char *spool_dir, QueueBook *book);
void milter_reader_free(MilterReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MilterReader, milter_reader_free)

/* Reads what is new. TRUE: up to the end; a journal that is not there yet has nothing. */
gboolean milter_reader_read(MilterReader *reader);

/* The book's transaction was kept, or was not: then the same is read again. */
void milter_reader_keep(MilterReader *reader);
void milter_reader_undo(MilterReader *reader);

/* The record up to which the book was kept. */
guint64 milter_reader_kept(const MilterReader *reader);
