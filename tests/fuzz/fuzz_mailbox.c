/* SPDX-License-Identifier: MIT */
/* From and Sender values: what is taken has an address and a domain each, in one line. */
#include <glib.h>
#include <string.h>

#include "lib/base/address.h"
#include "lib/mime/mailbox.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *value = g_strndup((const char *)data, size);
    g_autoptr(GPtrArray) list = mime_mailboxes_parse(value, NULL);

    for (guint i = 0; list && i < list->len; i++) {
        const MimeMailbox *mailbox = list->pdata[i];
        const char *at = strrchr(mailbox->address, '@');
        g_autofree char *form = at ? address_domain_form(at + 1) : NULL;
        if (!at || !at[1] || strcmp(mailbox->domain, form ? form : at + 1) != 0)
            g_error("a mailbox without address or domain");
        fuzz_reached++;
    }
    return 0;
}
