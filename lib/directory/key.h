/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the DKIM keys of a domain, or of the installation (domain 0): adding, rotating, retiring; what happens to them
 *     when the DNS shows them. key_state.h draws their life.
 * Used by: the CLI, the worker.
 * May touch: the tables domain, dkim_key and dns_check of MariaDB.
 * Threads: one connection per thread.
 * Limits: KEYS_MAX keys of a domain that are not gone.
 */
#pragma once

#include "lib/directory/dkim_key.h"
#include "lib/directory/key_state.h"
#include "lib/directory/record.h"

#define KEYS_MAX 12

/* What it was that a new row is about. */
typedef struct {
    guint64 domain;
    KeyState state;   /* NEW or ACTIVE */
    guint64 replaces; /* id of a key; 0: none */
    gint64 now;
    guint64 revision;
} KeyInsert;

/* Writes a row, inside the caller's transaction. */
gboolean key_insert(Sql *sql, const KeyInsert *insert, const DkimKey *key, GError **error);

/* Keys as records: id selector algorithm bits public_key state replaces, times, looks, waits_for. Without the private
 * key. */
Record *directory_key_list(Sql *sql, guint64 domain, GError **error);

/* Makes the keys that sign as the return-path domain when there are none; *made says how many. */
gboolean directory_installation_init(Sql *sql, guint *made, GError **error);

/* A new key beside those that are there; the list of all keys. REFUSED: KEYS_MAX. */
Record *directory_key_add(Sql *sql, guint64 domain, const char *algorithm, guint bits,
                          GError **error);

/* A new key for each active or lost one (selector: for that one only), of its kind, that takes its place once the DNS
 * shows it; the list of all keys. REFUSED: one is on its way already, or there is none. */
Record *directory_key_rotate(Sql *sql, guint64 domain, const char *selector, GError **error);

/* Takes a key away: one that signed is retired and its record must stay for keep seconds. The list of all keys. REFUSED:
 * the installation's last active key. */
Record *directory_key_retire(Sql *sql, guint64 domain, const char *selector, gint64 keep,
                             GError **error);

/* A new or lost key signs from now on, and what it replaces does not; nothing happens to one that is neither any more.
 * *changed: whether it was. */
gboolean directory_key_activate(Sql *sql, guint64 domain, guint64 key, gint64 keep,
                                gboolean *changed, GError **error);

/* A look found the record of an active key at no server; found says what instead. After KEY_LOST_LOOKS in a row and
 * after seconds the key is lost (*lost), but never the last that signs for the installation. */
gboolean directory_key_vanished(Sql *sql, guint64 domain, guint64 key, const char *found,
                                gint64 after, gboolean *lost, GError **error);

/* Another found it. */
gboolean directory_key_seen(Sql *sql, guint64 key, GError **error);

/* Deletes retired keys whose record may go; *deleted counts them. */
gboolean directory_keys_expire(Sql *sql, guint *deleted, GError **error);
