/* SPDX-License-Identifier: MIT */
/* From the configuration to a connection. Apart, so that what needs no configuration links none. */
#include <string.h>

#include "lib/base/error.h"
#include "lib/sql/connection.h"

#define PASSWORD_FILE_MAX 4096

/* The first line of the password file that an option names. */
static char *read_password(const char *option, const char *path, GError **error)
{
    g_autofree char *text = NULL;
    gsize length;
    g_autoptr(GError) why = NULL;

    if (!*path)
        return g_strdup("");
    if (!g_file_get_contents(path, &text, &length, &why)) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_IO, "%s: %s", option, why->message);
        return NULL;
    }
    if (length > PASSWORD_FILE_MAX) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "%s: %s: longer than %d octets",
                    option, path, PASSWORD_FILE_MAX);
        return NULL;
    }
    text[strcspn(text, "\r\n")] = '\0';
    return g_steal_pointer(&text);
}

gboolean sql_source_read(SqlSource *source, const Config *config, ConfigOption user,
                         ConfigOption password_file, GError **error)
{
    const char *option = config_key(password_file);
    g_autofree char *password = read_password(option, config_string(config, password_file), error);

    if (!password)
        return FALSE;
    *source = (SqlSource){
        .socket = g_strdup(config_string(config, CONFIG_DB_SOCKET)),
        .host = g_strdup(config_string(config, CONFIG_DB_HOST)),
        .port = (guint)config_int(config, CONFIG_DB_PORT),
        .name = g_strdup(config_string(config, CONFIG_DB_NAME)),
        .user = g_strdup(config_string(config, user)),
        .password = g_steal_pointer(&password),
    };
    return TRUE;
}

Sql *sql_open(const Config *config, GError **error)
{
    g_auto(SqlSource) source = {0};

    return sql_source_read(&source, config, CONFIG_DB_USER, CONFIG_DB_PASSWORD_FILE, error)
               ? sql_open_source(&source, error)
               : NULL;
}
