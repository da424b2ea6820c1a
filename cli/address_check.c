/* SPDX-License-Identifier: MIT */
#include "cli/address_check.h"

#include <string.h>

#include "lib/base/error.h"

typedef struct {
    const char *address;
    const char *helo;
    AddressLookup lookup;
    gpointer data;
    GPtrArray *findings;
} Check;

const char *address_result_word(AddressResult result)
{
    static const char *const words[] = {"ok", "wrong", "could not check"};

    return words[result];
}

static void finding_free(gpointer data)
{
    AddressFinding *finding = data;

    g_free(finding->address);
    g_free(finding->text);
    g_free(finding);
}

/* Takes text. */
static void add(const Check *check, const char *what, AddressResult result, char *text)
{
    AddressFinding *finding = g_new0(AddressFinding, 1);

    finding->address = g_strdup(check->address);
    finding->check = what;
    finding->result = result;
    finding->text = text;
    g_ptr_array_add(check->findings, finding);
}

/* A record that is not there is an answer; anything else is none. */
static void add_failure(const Check *check, const char *what, const char *name, const GError *why)
{
    gboolean absent = g_error_matches(why, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND);

    add(check, what, absent ? ADDRESS_WRONG : ADDRESS_UNCHECKED,
        absent ? g_strdup_printf("%s has no such record", name) : g_strdup(why->message));
}

static char *join(const GPtrArray *records)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < records->len; i++)
        g_string_append_printf(text, "%s%s", i ? ", " : "", (const char *)records->pdata[i]);
    return g_string_free(text, FALSE);
}

static gboolean has(const GPtrArray *records, const char *wanted)
{
    for (guint i = 0; i < records->len; i++)
        if (g_ascii_strcasecmp(records->pdata[i], wanted) == 0)
            return TRUE;
    return FALSE;
}

static DnsType forward_type(const char *address)
{
    return strchr(address, ':') ? DNS_AAAA : DNS_A;
}

static void check_ptr(const Check *check)
{
    g_autofree char *name = dns_reverse_name(check->address);
    g_autoptr(GError) why = NULL;
    g_autoptr(GPtrArray) records = check->lookup(name, DNS_PTR, check->data, &why);

    if (!records) {
        add_failure(check, "ptr", name, why);
        return;
    }
    add(check, "ptr", ADDRESS_OK, join(records));
    if (has(records, check->helo))
        add(check, "ptr is helo", ADDRESS_OK, g_strdup(check->helo));
    else {
        g_autofree char *found = join(records);
        add(check, "ptr is helo", ADDRESS_WRONG,
            g_strdup_printf("PTR is %s, HELO is %s", found, check->helo));
    }
}

/* The addresses that its HELO name leads to; NULL: none are known. */
static GPtrArray *check_forward(const Check *check)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(GPtrArray) records =
        check->lookup(check->helo, forward_type(check->address), check->data, &why);

    if (!records) {
        add_failure(check, "helo leads back", check->helo, why);
        return NULL;
    }
    g_autofree char *found = join(records);
    gboolean back = has(records, check->address);
    add(check, "helo leads back", back ? ADDRESS_OK : ADDRESS_WRONG,
        back ? g_strdup(check->address)
             : g_strdup_printf("%s of %s is %s", dns_type_word(forward_type(check->address)),
                               check->helo, found));
    return g_steal_pointer(&records);
}

static gboolean is_same(const Record *other, const char *column, const char *wanted)
{
    return g_strcmp0(record_text(other, column), wanted) == 0;
}

/* Several addresses may go by one name that leads back to each of them. TRUE: that was found wrong, or unknown, and said. */
static gboolean check_other(const Check *check, const Record *other, const GPtrArray *forward)
{
    const char *theirs = record_text(other, strchr(check->address, ':') ? "ipv6" : "ipv4");

    if (is_same(other, "ipv4", check->address) || is_same(other, "ipv6", check->address)) {
        add(check, "once", ADDRESS_WRONG,
            g_strdup_printf("%s has the same address", record_text(other, "ipv4")));
        return TRUE;
    }
    if (!is_same(other, "helo", check->helo) || !theirs || (forward && has(forward, theirs)))
        return FALSE;
    add(check, "once", forward ? ADDRESS_WRONG : ADDRESS_UNCHECKED,
        g_strdup_printf("%s has the same HELO%s", theirs,
                        forward ? ", which does not lead back to it" : ""));
    return TRUE;
}

static void check_once(const Check *check, const Record *address, Record *all,
                       const GPtrArray *forward)
{
    guint shared = 0;

    for (gsize i = 0; i < json_object_array_length(all); i++) {
        const Record *other = json_object_array_get_idx(all, i);
        if (record_int(other, "id") == record_int(address, "id"))
            continue;
        if (check_other(check, other, forward))
            return;
        shared += is_same(other, "helo", check->helo);
    }
    add(check, "once", ADDRESS_OK,
        shared ? g_strdup_printf("%u more go by its name, which leads back to each", shared)
               : g_strdup("no other has its name or address"));
}

void address_questions(const Record *address, AddressQuestion ask, gpointer data)
{
    const char *const families[] = {record_text(address, "ipv4"), record_text(address, "ipv6")};

    for (guint i = 0; i < G_N_ELEMENTS(families); i++) {
        if (!families[i])
            continue;
        g_autofree char *name = dns_reverse_name(families[i]);
        ask(name, DNS_PTR, data);
        ask(record_text(address, "helo"), forward_type(families[i]), data);
    }
}

GPtrArray *address_check(const Record *address, Record *all, GHashTable *here, AddressLookup lookup,
                         gpointer data)
{
    const char *const families[] = {record_text(address, "ipv4"), record_text(address, "ipv6")};
    GPtrArray *findings = g_ptr_array_new_with_free_func(finding_free);

    for (guint i = 0; i < G_N_ELEMENTS(families); i++) {
        if (!families[i])
            continue;
        const Check check = {families[i], record_text(address, "helo"), lookup, data, findings};
        gboolean present = g_hash_table_contains(here, families[i]);
        add(&check, "host", present ? ADDRESS_OK : ADDRESS_WRONG,
            g_strdup(present ? "this host has it" : "this host has no such address"));
        check_ptr(&check);
        g_autoptr(GPtrArray) forward = check_forward(&check);
        check_once(&check, address, all, forward);
    }
    return findings;
}

const AddressFinding *address_check_failed(const GPtrArray *findings)
{
    for (guint i = 0; i < findings->len; i++) {
        const AddressFinding *finding = findings->pdata[i];
        if (finding->result != ADDRESS_OK)
            return finding;
    }
    return NULL;
}
