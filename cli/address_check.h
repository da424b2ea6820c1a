/* SPDX-License-Identifier: MIT */
/*
 * Purpose: whether mail hosts will believe an address: it is this host's, has a PTR record, that is its HELO name, and
 *     the name leads back to it, and to every other address that goes by it.
 * Used by: `outrider pool check', and the commands that let an address take mail.
 * May touch: nothing; the DNS is asked by the caller's function.
 * Threads: any.
 */
#pragma once

#include "lib/directory/record.h"
#include "lib/dns/dns.h"

typedef enum {
    ADDRESS_OK,
    ADDRESS_WRONG,
    ADDRESS_UNCHECKED, /* nobody could say */
} AddressResult;

const char *address_result_word(AddressResult result);

typedef struct {
    char *address;     /* of one family */
    const char *check; /* static: host, ptr, ptr is helo, helo leads back, once */
    AddressResult result;
    char *text;
} AddressFinding;

/* As dns_lookup. */
typedef GPtrArray *(*AddressLookup)(const char *name, DnsType type, gpointer data, GError **error);

/* Calls ask for each question that address_check will have of an address. */
typedef void (*AddressQuestion)(const char *name, DnsType type, gpointer data);
void address_questions(const Record *address, AddressQuestion ask, gpointer data);

/* GPtrArray of AddressFinding that frees them, of both families: {"ipv4", "ipv6", "helo", "id"}. all: every
 * address of the directory; here: the addresses of this host. */
GPtrArray *address_check(const Record *address, Record *all, GHashTable *here, AddressLookup lookup,
                         gpointer data);

/* The first that is not OK; NULL: all are. */
const AddressFinding *address_check_failed(const GPtrArray *findings);
