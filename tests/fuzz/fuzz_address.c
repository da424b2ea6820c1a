/* SPDX-License-Identifier: MIT */
/* The form of an address is its own form, ends with its domain's form, and has one @ that counts. */
#include <glib.h>
#include <string.h>

#include "lib/base/address.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autofree char *form = address_form(text);
    g_autofree char *domain = address_domain(text);
    g_autofree char *alone = address_domain_form(text);

    if (alone) {
        g_autofree char *again = address_domain_form(alone);
        g_assert_cmpstr(alone, ==, again);
        g_assert(!strchr(alone, '@') && strlen(alone) <= ADDRESS_DOMAIN_MAX);
        fuzz_reached++;
    }
    if (!form)
        return 0;
    g_autofree char *again = address_form(form);
    g_autofree char *same = address_domain_form(domain);
    g_assert_cmpstr(form, ==, again);
    g_assert_cmpstr(domain, ==, same);
    g_assert_cmpstr(strrchr(form, '@') + 1, ==, domain);
    g_assert(strlen(form) <= ADDRESS_MAX && g_utf8_validate(form, -1, NULL));
    fuzz_reached++;
    return 0;
}
