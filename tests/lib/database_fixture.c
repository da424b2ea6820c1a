/* SPDX-License-Identifier: MIT */
#include "tests/lib/database_fixture.h"

#include "lib/config/config.h"
#include "tests/lib/testing.h"

#define MIGRATIONS OUTRIDER_TEST_SRCDIR "/conf/migrations"

Sql *database_fixture_open(MariadbFixture *server, const char *name)
{
    g_autofree char *text = g_strdup_printf(
        "return_path_domain = rp.example\ndb_socket = %s\ndb_user = root\ndb_name = %s\n",
        server->socket, name);
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = config_parse("fixture", text, -1, &error);
    guint applied;

    mariadb_fixture_database(server, name);
    Sql *sql = config ? sql_open(config, &error) : NULL;
    if (!sql || !sql_migrate(sql, MIGRATIONS, &applied, &error))
        g_error("%s", error->message);
    return sql;
}

Database *database_new(MariadbFixture *server)
{
    static guint databases;
    Database *database = g_new0(Database, 1);

    database->server = server;
    database->name = g_strdup_printf("d%u", databases++);
    database->sql = database_fixture_open(server, database->name);
    return database;
}

int database_teardown(void **state)
{
    Database *database = *state;

    sql_close(database->sql);
    g_free(database->name);
    g_free(database);
    return 0;
}

char *database_run(const Database *database, const char *sql)
{
    return g_strchomp(mariadb_fixture_run(database->server, database->name, sql));
}

void assert_rows(const Database *database, const char *sql, const char *wanted)
{
    g_autofree char *got = database_run(database, sql);

    assert_string_equal(got, wanted);
}
