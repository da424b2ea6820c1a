/* SPDX-License-Identifier: MIT */
#include "lib/directory/domain_assets.h"

#include "lib/directory/key.h"
#include "lib/directory/verify.h"

void domain_assets_clear(DomainAssets *assets)
{
    g_clear_pointer(&assets->token, g_free);
    g_clear_pointer(&assets->rsa, dkim_key_free);
    g_clear_pointer(&assets->ed25519, dkim_key_free);
}

gboolean domain_assets_make(DomainAssets *assets, gboolean ed25519, GError **error)
{
    return (assets->token = verify_token_new(error)) &&
           (assets->rsa = dkim_key_generate("rsa", DKIM_KEY_BITS, error)) &&
           (!ed25519 || (assets->ed25519 = dkim_key_generate("ed25519", 0, error)));
}

gboolean domain_assets_write(Sql *sql, const DomainAssets *assets, guint64 domain, gint64 now,
                             guint64 revision, GError **error)
{
    const SqlParameter token[] = {SQL_TEXT(assets->token), SQL_UNSIGNED(domain)};
    const SqlParameter due[] = {SQL_UNSIGNED(domain), SQL_INT(now)};
    const KeyInsert key = {domain, KEY_STATE_NEW, 0, now, revision};

    return sql_execute(sql, SQL_DOMAIN_TOKEN_SET, token, 2, NULL, NULL, error) &&
           sql_execute(sql, SQL_DNS_CHECK_DUE_SET, due, 2, NULL, NULL, error) &&
           key_insert(sql, &key, assets->rsa, error) &&
           (!assets->ed25519 || key_insert(sql, &key, assets->ed25519, error));
}

gboolean domain_assets_forget(Sql *sql, guint64 domain, guint64 revision, GError **error)
{
    const SqlParameter stones[] = {SQL_UNSIGNED(revision), SQL_UNSIGNED(domain)};
    const SqlParameter id[] = {SQL_UNSIGNED(domain)};

    return sql_execute(sql, SQL_DKIM_KEYS_TOMBSTONES, stones, 2, NULL, NULL, error) &&
           sql_execute(sql, SQL_DKIM_KEYS_DELETE, id, 1, NULL, NULL, error) &&
           sql_execute(sql, SQL_DNS_CHECK_DELETE, id, 1, NULL, NULL, error) &&
           sql_execute(sql, SQL_DOMAIN_CODE_DELETE, id, 1, NULL, NULL, error);
}
