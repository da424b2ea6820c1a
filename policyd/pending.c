/* SPDX-License-Identifier: MIT */
#include "policyd/pending.h"

struct Pending {
    Limits *limits;
    GHashTable *charges; /* message, in itself -> Charged */
};

typedef struct {
    guint64 message; /* the key */
    guint holders;
    LimitsCharge charge;
} Charged;

Pending *pending_new(Limits *limits)
{
    Pending *pending = g_new(Pending, 1);

    pending->limits = limits;
    pending->charges = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    return pending;
}

void pending_free(Pending *pending)
{
    if (!pending)
        return;
    g_hash_table_unref(pending->charges);
    g_free(pending);
}

static gboolean take(Pending *pending, guint64 message, const LimitsFacts *facts,
                     ChargeVerdict *verdict, GError **error)
{
    LimitsCharge charge;

    if (!limits_take(pending->limits, facts, 1, &charge, verdict, error))
        return FALSE;
    if (verdict->limit == 0) {
        Charged *charged = g_new(Charged, 1);
        *charged = (Charged){message, 1, charge};
        g_hash_table_insert(pending->charges, &charged->message, charged);
    }
    return TRUE;
}

gboolean pending_charge(Pending *pending, guint64 message, const LimitsFacts *facts,
                        ChargeVerdict *verdict, GError **error)
{
    Charged *charged = g_hash_table_lookup(pending->charges, &message);

    if (!charged && !limits_is_charged(pending->limits, message))
        return take(pending, message, facts, verdict, error);
    if (charged)
        charged->holders++;
    *verdict = (ChargeVerdict){0};
    return TRUE;
}

void pending_keep(Pending *pending, guint64 message)
{
    if (g_hash_table_remove(pending->charges, &message))
        limits_note_charged(pending->limits, message);
}

void pending_refund(Pending *pending, guint64 message)
{
    Charged *charged = g_hash_table_lookup(pending->charges, &message);

    if (!charged || --charged->holders > 0)
        return;
    limits_give_back(pending->limits, &charged->charge);
    g_hash_table_remove(pending->charges, &message);
}
