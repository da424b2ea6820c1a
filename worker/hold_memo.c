/* SPDX-License-Identifier: MIT */
#include "worker/hold_memo.h"

struct HoldMemo {
    GHashTable *full; /* set of keys */
};

void held_mail_clear(HeldMail *mail)
{
    g_clear_pointer(&mail->queue_id, g_free);
    g_clear_pointer(&mail->domain, g_free);
    g_clear_pointer(&mail->address, g_free);
}

HoldMemo *hold_memo_new(void)
{
    HoldMemo *memo = g_new(HoldMemo, 1);

    memo->full = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return memo;
}

void hold_memo_free(HoldMemo *memo)
{
    if (!memo)
        return;
    g_hash_table_unref(memo->full);
    g_free(memo);
}

/* NULL: held mail has no such subject. */
static char *key_of(const HeldMail *mail, LimitSubject subject)
{
    const guint32 numbers[] = {[LIMIT_ORGANIZATION] = mail->organization,
                               [LIMIT_SERVER] = mail->server,
                               [LIMIT_CREDENTIAL] = mail->credential};

    if (subject < G_N_ELEMENTS(numbers))
        return g_strdup_printf("%s %u", limit_subject_word(subject), numbers[subject]);
    if (subject == LIMIT_DOMAIN && mail->domain)
        return g_strdup_printf("%s %s", limit_subject_word(subject), mail->domain);
    return NULL;
}

void hold_memo_full(HoldMemo *memo, const HeldMail *mail, LimitSubject subject)
{
    char *key = key_of(mail, subject);

    if (key)
        g_hash_table_add(memo->full, key);
}

static gboolean is_full(const HoldMemo *memo, const HeldMail *mail, LimitSubject subject)
{
    g_autofree char *key = key_of(mail, subject);

    return key && g_hash_table_contains(memo->full, key);
}

gboolean hold_memo_is_full(const HoldMemo *memo, const HeldMail *mail)
{
    for (guint subject = 0; subject < LIMIT_SUBJECT_COUNT; subject++)
        if (is_full(memo, mail, (LimitSubject)subject))
            return TRUE;
    return FALSE;
}

gboolean hold_memo_is_server_full(const HoldMemo *memo, const HeldMail *mail)
{
    return is_full(memo, mail, LIMIT_ORGANIZATION) || is_full(memo, mail, LIMIT_SERVER);
}
