/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the one form in which mail addresses and domains are compared.
 * Used by: everything that looks one up or keeps one to be looked up: conditions, suppressions, limits, senders, domains.
 * May touch: nothing.
 * Threads: any.
 * Limits: labels of 63 octets and domains of ADDRESS_DOMAIN_MAX (RFC 1035 section 2.3.4, RFC 5890 section 2.3.2.1),
 *     addresses of ADDRESS_MAX.
 *
 * A domain's form is A-labels in lower case without the root's dot. It may be an address literal; whether
 * a name could be registered is for others to say. No domain is what has an empty label, blanks, control characters or
 * an @, also as what Unicode maps to one or to another special, and what readers of Unicode make different names of.
 * A local part's form has its ASCII letters in lower case and is valid UTF-8; more is its host's to know (RFC 5321 section 2.4).
 * It is in quotes when it needs them (section 4.1.2), and else without, as Postfix writes it; it may come with quotes or, as
 * Postfix has it inside, without.
 */
#pragma once

#include <glib.h>

#define ADDRESS_MAX        320
#define ADDRESS_DOMAIN_MAX 253
#define ADDRESS_SPECIALS   " ()<>[]:;@\\,\"" /* stand in a local part in quotes only */

/* The form of a domain that stands alone; one with the root's dot is none. NULL: it is none. g_free. */
char *address_domain_form(const char *domain);

/* The form of the domain that an address ends with. One dot at its end is taken off, as Postfix does when it rewrites. NULL: it has
 * none. g_free. */
char *address_domain(const char *address);

/* The form of an address; with nothing before the @, of the entry for a whole domain. A dot at its end as above. NULL: it
 * is none. g_free. */
char *address_form(const char *address);
