/* SPDX-License-Identifier: MIT */
/* Suppressions from and to a CSV file: address[,reason[,expires]]. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/session.h"
#include "lib/base/csv.h"
#include "lib/base/error.h"
#include "lib/directory/suppression.h"

#define BLOCK      (256 * 1024)
#define LINES_MAX  20000000
#define SHOWN_MAX  10
#define CHUNK      200000 /* entries that are sorted together */
#define FIELDS     3      /* address, reason, expires */
#define FILE_MODE  0600
#define REJECTED   1 /* exit status */
#define PROGRESS_S 1

/* A run of import. */
typedef struct {
    Cli *cli;
    Sql *sql;
    SuppressionOwner owner;
    GArray *chunk; /* SuppressionEntry */
    FILE *rejects; /* NULL: not wanted */
    goffset size;  /* of the file; 0: not known */
    guint64 octets, taken, written, rejected;
    gint64 now;
    gint64 shown_at; /* monotonic */
} Import;

static gboolean fail_file(GError **error, const char *what, const char *path)
{
    return error_set_errno(error, errno, what, path);
}

/* For the owner alone: it has addresses of people. */
static FILE *open_for_writing(const char *path, GError **error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;

    if (file)
        return file;
    fail_file(error, "create", path);
    if (fd >= 0)
        close(fd);
    return NULL;
}

static gboolean close_written(FILE *file, const char *path, GError **error)
{
    gboolean good = !ferror(file);

    return (fclose(file) == 0 && good) || fail_file(error, "write", path);
}

/* Wiped when the line is to be left alone. */
static void show_progress(Import *import, gboolean last)
{
    gint64 now = g_get_monotonic_time();

    if (import->cli->json || !isatty(STDERR_FILENO))
        return;
    if (last) {
        fputs("\r\033[K", stderr);
        return;
    }
    if (now - import->shown_at < PROGRESS_S * G_TIME_SPAN_SECOND)
        return;
    import->shown_at = now;
    fprintf(stderr, "\r\033[K%" G_GUINT64_FORMAT " imported", import->written);
    /* Of what was read, a part waits to be written. */
    if (import->size > 0)
        fprintf(stderr, ", %.0f%%",
                100.0 * (double)import->octets / (double)import->size * (double)import->written /
                    (double)MAX(import->taken, 1));
    fflush(stderr);
}

static void reject(Import *import, guint64 line, const char *address, const char *why)
{
    import->rejected++;
    if (import->rejects) {
        g_autoptr(GString) text = g_string_new(NULL);
        g_string_append_printf(text, "%" G_GUINT64_FORMAT ",", line);
        csv_append(text, address);
        g_string_append_c(text, ',');
        csv_append(text, why);
        fprintf(import->rejects, "%s\r\n", text->str);
    }
    if (import->rejected > SHOWN_MAX)
        return;
    show_progress(import, TRUE);
    g_printerr("outrider: line %" G_GUINT64_FORMAT ": %s\n", line, why);
}

static gint by_address(gconstpointer a, gconstpointer b)
{
    return strcmp(((const SuppressionEntry *)a)->address, ((const SuppressionEntry *)b)->address);
}

/* In order, as the indexes have them: a list is in none, and each batch would touch every page of them. The sort is stable,
 * so of two lines about an address the later counts. */
static gboolean write_chunk(Import *import, GError **error)
{
    const SuppressionEntry *entries = (const SuppressionEntry *)(gconstpointer)import->chunk->data;

    g_array_sort(import->chunk, by_address);
    for (guint at = 0; at < import->chunk->len; at += SUPPRESSION_BATCH_MAX) {
        guint n = MIN(import->chunk->len - at, SUPPRESSION_BATCH_MAX);
        if (!directory_suppression_write(import->sql, &import->owner, SUPPRESSION_BY_IMPORT,
                                         entries + at, n, error))
            return FALSE;
        import->written += n;
        show_progress(import, FALSE);
    }
    g_array_set_size(import->chunk, 0);
    return TRUE;
}

static gboolean is_header(const CsvRecord *record)
{
    static const char *const names[] = {"address",       "email",     "e-mail",
                                        "email address", "recipient", NULL};
    g_autofree char *first = g_ascii_strdown(record->fields[0], -1);

    return g_strv_contains(names, first);
}

/* A field of a record, without blanks around it; else what the option says. */
static const char *field_or_option(const Import *import, const CsvRecord *record, guint field,
                                   const char *option)
{
    const char *text = record->n > field ? g_strstrip(record->fields[field]) : "";

    return *text ? text : command_option(import->cli, option);
}

static gboolean take_record(Import *import, guint64 line, const CsvRecord *record, GError **error)
{
    g_auto(SuppressionEntry) entry = {0};
    g_autoptr(GError) why = NULL;
    const char *address = g_strstrip(record->fields[0]);

    if ((record->n == 1 && !*address) || (line == 1 && is_header(record)))
        return TRUE;
    if (record->n > FIELDS)
        g_set_error(&why, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                    "more than three fields: address, reason, expires");
    else
        suppression_entry_read(address, field_or_option(import, record, 1, "reason"),
                               field_or_option(import, record, 2, "expires"), import->now, &entry,
                               &why);
    if (why) {
        reject(import, line, address, why->message);
        return TRUE;
    }
    import->taken++;
    g_array_append_val(import->chunk, entry);
    memset(&entry, 0, sizeof entry);
    return import->chunk->len < CHUNK || write_chunk(import, error);
}

/* Takes the records of text; what is left of it is the begin of one. */
static gboolean take_text(Import *import, CsvReader *reader, GString *text, gboolean end,
                          GError **error)
{
    gsize at = 0, used;

    do {
        g_auto(CsvRecord) record = {0};
        g_autoptr(GError) why = NULL;
        used = csv_read(reader, text->str + at, text->len - at, end, &record, &why);
        at += used;
        if (why)
            reject(import, reader->line, "", why->message);
        if (record.n > 0 && !take_record(import, reader->line, &record, error))
            return FALSE;
    } while (used > 0);
    g_string_erase(text, 0, (gssize)at);
    if (reader->lines <= LINES_MAX)
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_TOO_LARGE, "more than %d lines", LINES_MAX);
    return FALSE;
}

static gboolean take_file(Import *import, FILE *file, const char *path, GError **error)
{
    g_autofree char *block = g_malloc(BLOCK);
    g_autoptr(GString) text = g_string_new(NULL);
    CsvReader reader = {0};
    gboolean end = FALSE;

    while (!end) {
        gsize n = fread(block, 1, BLOCK, file);
        if (ferror(file))
            return fail_file(error, "read", path);
        end = n < BLOCK;
        import->octets += n;
        g_string_append_len(text, block, (gssize)n);
        if (!take_text(import, &reader, text, end, error))
            return FALSE;
    }
    return write_chunk(import, error);
}

static void print_result(Import *import)
{
    show_progress(import, TRUE);
    if (import->rejected > SHOWN_MAX)
        g_printerr("outrider: and %" G_GUINT64_FORMAT " more\n", import->rejected - SHOWN_MAX);
    printf(import->cli->json ? "{\"imported\": %" G_GUINT64_FORMAT
                               ", \"rejected\": %" G_GUINT64_FORMAT "}\n"
                             : "%" G_GUINT64_FORMAT " imported, %" G_GUINT64_FORMAT " refused\n",
           import->written, import->rejected);
    import->cli->status = import->rejected > 0 ? REJECTED : 0;
}

/* The options are those of every line: a wrong one is told at once. */
static gboolean check_options(const Import *import, GError **error)
{
    g_auto(SuppressionEntry) entry = {0};

    return suppression_entry_read("@check.test", command_option(import->cli, "reason"),
                                  command_option(import->cli, "expires"), import->now, &entry,
                                  error);
}

static gboolean import_from(Import *import, FILE *file, const char *path, GError **error)
{
    const char *rejects = command_option(import->cli, "rejects");

    if (rejects && !(import->rejects = open_for_writing(rejects, error)))
        return FALSE;
    if (import->rejects)
        fputs("line,address,why\r\n", import->rejects);
    gboolean good = take_file(import, file, path, error);
    if (import->rejects && !close_written(import->rejects, rejects, good ? error : NULL))
        good = FALSE;
    show_progress(import, TRUE);
    if (!good)
        g_prefix_error(error,
                       "after %" G_GUINT64_FORMAT " entries, which stay (run it again to go on): ",
                       import->written);
    return good;
}

static goffset size_of(FILE *file)
{
    if (fseeko(file, 0, SEEK_END) < 0)
        return 0;
    goffset size = ftello(file);
    rewind(file);
    return size;
}

gboolean suppression_import(Cli *cli, GError **error)
{
    const char *path = cli->arguments[1];
    gboolean standard = g_str_equal(path, "-");
    Import import = {.cli = cli, .now = g_get_real_time() / G_USEC_PER_SEC};

    if (!check_options(&import, error))
        return FALSE;
    FILE *file = standard ? stdin : fopen(path, "re");
    if (!file)
        return fail_file(error, "open", path);
    import.size = standard ? 0 : size_of(file);
    import.sql = cli_sql(cli, error);
    import.chunk = g_array_new(FALSE, FALSE, sizeof(SuppressionEntry));
    g_array_set_clear_func(import.chunk, (GDestroyNotify)suppression_entry_clear);
    gboolean good =
        import.sql &&
        directory_suppression_owner(import.sql, cli->arguments[0], &import.owner, error) &&
        import_from(&import, file, path, error);
    if (good)
        print_result(&import);
    g_array_unref(import.chunk);
    if (!standard)
        fclose(file);
    return good;
}

static void append_moment(GString *text, const Record *row)
{
    g_autoptr(GDateTime) when = record_is_null(row, "expires_at")
                                    ? NULL
                                    : g_date_time_new_from_unix_utc(record_int(row, "expires_at"));
    g_autofree char *moment = when ? g_date_time_format(when, "%Y-%m-%dT%H:%M:%SZ") : NULL;

    g_string_append_printf(text, ",%s\r\n", moment ? moment : "");
}

/* Writes a page; *last receives its last id, 0 when it was the last page. What is over is left out: import would refuse
 * it. */
static gboolean export_page(FILE *file, Record *list, guint64 *last)
{
    g_autoptr(GString) text = g_string_new(NULL);
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    gsize n = json_object_array_length(list);

    for (gsize i = 0; i < n; i++) {
        const Record *row = json_object_array_get_idx(list, i);
        if (!record_is_null(row, "expires_at") && record_int(row, "expires_at") <= now)
            continue;
        csv_append(text, record_text(row, "address"));
        g_string_append_c(text, ',');
        csv_append(text, record_text(row, "reason"));
        append_moment(text, row);
    }
    *last = n == SUPPRESSION_PAGE_MAX
                ? (guint64)record_int(json_object_array_get_idx(list, n - 1), "id")
                : 0;
    return fwrite(text->str, 1, text->len, file) == text->len;
}

static gboolean export_to(Sql *sql, const char *scope, FILE *file, const char *path, GError **error)
{
    SuppressionFilter filter = {.scope = scope, .limit = SUPPRESSION_PAGE_MAX};

    fputs("address,reason,expires\r\n", file);
    do {
        g_autoptr(Record) list = directory_suppression_list(sql, &filter, error);
        if (!list)
            return FALSE;
        if (!export_page(file, list, &filter.after))
            return fail_file(error, "write", path);
    } while (filter.after != 0);
    return TRUE;
}

gboolean suppression_export(Cli *cli, GError **error)
{
    const char *path = cli->arguments[1];
    SuppressionOwner owner;
    Sql *sql = cli_sql(cli, error);

    if (!sql || !directory_suppression_owner(sql, cli->arguments[0], &owner, error))
        return FALSE;
    if (!path || g_str_equal(path, "-"))
        return export_to(sql, cli->arguments[0], stdout, "standard output", error);
    FILE *file = open_for_writing(path, error);
    if (!file)
        return FALSE;
    gboolean good = export_to(sql, cli->arguments[0], file, path, error);
    return close_written(file, path, good ? error : NULL) && good;
}
