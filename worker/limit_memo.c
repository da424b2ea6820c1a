/* SPDX-License-Identifier: MIT */
#include "worker/limit_memo.h"

struct LimitMemo {
    guint64 looked_us; /* when the last look began; 0: none */
    guint64 now_us;    /* and this one */
    GHashTable *told;  /* node and limit -> taken_us, of the last look: no later one reads more */
    GHashTable *seen;  /* the same of this one */
};

LimitMemo *limit_memo_new(void)
{
    LimitMemo *memo = g_new0(LimitMemo, 1);

    memo->told = g_hash_table_new(NULL, NULL);
    memo->seen = g_hash_table_new(NULL, NULL);
    return memo;
}

void limit_memo_free(LimitMemo *memo)
{
    if (!memo)
        return;
    g_hash_table_unref(memo->told);
    g_hash_table_unref(memo->seen);
    g_free(memo);
}

guint64 limit_memo_begin(LimitMemo *memo, guint64 now_us)
{
    memo->now_us = now_us;
    if (memo->looked_us > now_us || memo->looked_us < LIMIT_MEMO_LATE_US)
        return 0;
    return memo->looked_us - LIMIT_MEMO_LATE_US;
}

gboolean limit_memo_is_news(LimitMemo *memo, guint node, guint32 limit, guint64 taken_us)
{
    gpointer key = GSIZE_TO_POINTER((gsize)node << 32 | limit), taken = GSIZE_TO_POINTER(taken_us);

    g_hash_table_insert(memo->seen, key, taken);
    return g_hash_table_lookup(memo->told, key) != taken;
}

void limit_memo_end(LimitMemo *memo)
{
    GHashTable *told = memo->told;

    memo->told = memo->seen;
    memo->seen = told;
    g_hash_table_remove_all(memo->seen);
    memo->looked_us = memo->now_us;
}

void limit_memo_clear(LimitMemo *memo)
{
    g_hash_table_remove_all(memo->told);
    g_hash_table_remove_all(memo->seen);
    memo->looked_us = 0;
}
