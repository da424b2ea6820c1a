/* SPDX-License-Identifier: MIT */
#include "lib/directory/work.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/directory/usage.h"

const DirectoryStatements directory_statements[] = {
#define X(OBJECT, word, table, OWNER, arguments)                                                   \
    [DIRECTORY_##OBJECT] = {table,                                                                 \
                            SQL_##OBJECT##_ADD,                                                    \
                            SQL_##OBJECT##_CHANGE,                                                 \
                            SQL_##OBJECT##_FIND,                                                   \
                            SQL_##OBJECT##_LIST,                                                   \
                            SQL_##OBJECT##_DELETE},
#include "lib/directory/object.def"
#undef X
};

const char *directory_columns(DirectoryObject object)
{
    return sql_statement_columns(directory_statements[object].find);
}

void work_clear(Work *work)
{
    path_clear(&work->path);
    path_clear(&work->owner);
    fields_clear(&work->fields);
    domain_assets_clear(&work->assets);
    if (work->key)
        memset(work->key, 0, strlen(work->key));
    g_free(work->key);
    g_clear_pointer(&work->record, record_free);
}
void work_note_usage(DirectoryObject object, Record *record)
{
    if (object == DIRECTORY_CREDENTIAL)
        json_object_object_add(
            record, "usage",
            json_object_new_string(usage_label(record_int(record, "last_used_at"),
                                               g_get_real_time() / G_USEC_PER_SEC)));
}

Record *work_find(Sql *sql, DirectoryObject object, const Path *path, GError **error)
{
    SqlParameter parameters[PATH_KEYS_MAX];
    g_autoptr(GError) why = NULL;

    path_parameters(path, parameters);
    g_autoptr(Record) record =
        record_first(sql, directory_statements[object].find, parameters, path->n, &why);
    if (why) {
        g_propagate_error(error, g_steal_pointer(&why));
        return NULL;
    }
    if (!record) {
        g_autofree char *text = path_text(object, path);
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND, "%s %s does not exist",
                    directory_word(object), text);
    } else {
        work_note_usage(object, record);
    }
    return g_steal_pointer(&record);
}

gboolean work_reload(Sql *sql, Work *work, GError **error)
{
    g_clear_pointer(&work->record, record_free);
    work->record = work_find(sql, work->object, &work->path, error);
    return work->record != NULL;
}
