/* SPDX-License-Identifier: MIT */
/* The public part of the key that signs HTTP requests, for those who receive them. */
#include <stdio.h>

#include "cli/output.h"
#include "cli/session.h"
#include "lib/seal/signing_key.h"

/* A JWK Set (RFC 7517 section 5) with the one key. */
static Record *make_set(const SigningKey *key)
{
    g_autofree char *n = NULL;
    g_autofree char *e = NULL;
    Record *set = json_object_new_object(), *keys = json_object_new_array(),
           *record = json_object_new_object();

    signing_key_numbers(key, &n, &e);
    json_object_object_add(record, "kty", json_object_new_string("RSA"));
    json_object_object_add(record, "n", json_object_new_string(n));
    json_object_object_add(record, "e", json_object_new_string(e));
    json_object_object_add(record, "use", json_object_new_string("sig"));
    json_object_object_add(record, "alg", json_object_new_string("RS256"));
    json_object_object_add(record, "kid", json_object_new_string(signing_key_id(key)));
    json_object_array_add(keys, record);
    json_object_object_add(set, "keys", keys);
    return set;
}

gboolean node_signing_key(Cli *cli, GError **error)
{
    const Config *config = cli_config(cli, error);

    if (!config)
        return FALSE;
    g_autofree char *path = config_path(config, CONFIG_KEY_DIR, SIGNING_KEY_FILE);
    g_autoptr(SigningKey) key = signing_key_load(path, error);
    if (!key)
        return FALSE;
    g_autofree char *public = signing_key_public(key);
    g_autoptr(Record) record = json_object_new_object();
    json_object_object_add(record, "id", json_object_new_string(signing_key_id(key)));
    json_object_object_add(record, "public_key", json_object_new_string(public));
    json_object_object_add(record, "jwks", make_set(key));
    if (!output_json(cli, record))
        printf("%skey id  %s\njwks    %s\n", public, signing_key_id(key),
               json_object_to_json_string_ext(json_object_object_get(record, "jwks"),
                                              JSON_C_TO_STRING_PLAIN |
                                                  JSON_C_TO_STRING_NOSLASHESCAPE));
    return TRUE;
}
