/* SPDX-License-Identifier: MIT */
#include "lib/directory/credential_secret.h"

#include "lib/edge/edge.h"
#include "lib/seal/random.h"
#include "lib/wire/cram.h"

char *credential_key_generate(GError **error)
{
    return random_text(RANDOM_CAPITALS RANDOM_SMALL RANDOM_DIGITS, CREDENTIAL_KEY_LENGTH, error);
}

gboolean credential_secret_write(Sql *sql, guint64 credential, const char *key, gboolean cram,
                                 guint64 revision, GError **error)
{
    guint8 hash[EDGE_KEY_HASH_LENGTH];
    guint8 state[CRAM_STATE_LENGTH];

    edge_key_hash(key, hash);
    cram_state_make(key, state);
    const SqlParameter parameters[] = {SQL_UNSIGNED(credential), SQL_OCTETS(hash, sizeof hash),
                                       cram ? SQL_OCTETS(state, sizeof state) : SQL_NULL,
                                       SQL_UNSIGNED(revision)};
    return sql_execute(sql, SQL_CREDENTIAL_SECRET_ADD, parameters, G_N_ELEMENTS(parameters), NULL,
                       NULL, error);
}

gboolean credential_secret_forget(Sql *sql, guint64 credential, guint64 revision, GError **error)
{
    const SqlParameter stone[] = {SQL_UNSIGNED(revision), SQL_TEXT("credential_secret"),
                                  SQL_UNSIGNED(credential)};
    const SqlParameter id[] = {SQL_UNSIGNED(credential)};

    return sql_execute(sql, SQL_TOMBSTONE_ADD, stone, 3, NULL, NULL, error) &&
           sql_execute(sql, SQL_CREDENTIAL_SECRET_DELETE, id, 1, NULL, NULL, error);
}
