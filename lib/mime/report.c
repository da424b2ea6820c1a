/* SPDX-License-Identifier: MIT */
#include "lib/mime/report.h"

#include <string.h>

#include "lib/mime/tree.h"

#define REPORT_TYPE "delivery-status"
#define FAILED      "failed"

void mime_report_clear(MimeReport *report)
{
    g_free(report->action);
    g_free(report->status);
    g_free(report->recipient);
    g_free(report->diagnostic);
    g_free(report->remote);
    *report = (MimeReport){0};
}

/* The status part of a report, the second of its parts. NULL: it is none. */
static GMimePart *status_part(GMimeObject *root)
{
    GMimeContentType *type = g_mime_object_get_content_type(root);
    const char *report_type = g_mime_content_type_get_parameter(type, "report-type");

    if (!g_mime_content_type_is_type(type, "multipart", "report") || !GMIME_IS_MULTIPART(root) ||
        !report_type || g_ascii_strcasecmp(report_type, REPORT_TYPE) != 0 ||
        g_mime_multipart_get_count(GMIME_MULTIPART(root)) < 2)
        return NULL;
    GMimeObject *part = g_mime_multipart_get_part(GMIME_MULTIPART(root), 1);
    GMimeContentType *inner = g_mime_object_get_content_type(part);
    gboolean found = GMIME_IS_PART(part) &&
                     (g_mime_content_type_is_type(inner, "message", REPORT_TYPE) ||
                      g_mime_content_type_is_type(inner, "message", "global-delivery-status"));

    return found ? GMIME_PART(part) : NULL;
}

static char *decoded(GMimePart *part)
{
    GMimeDataWrapper *content = g_mime_part_get_content(part);
    GMimeStream *stream = g_mime_stream_mem_new();
    char *text = NULL;

    if (content && g_mime_data_wrapper_write_to_stream(content, stream) >= 0) {
        GByteArray *octets = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
        text = g_strndup((const char *)octets->data, MIN(octets->len, MIME_REPORT_OCTETS_MAX));
    }
    g_object_unref(stream);
    return text;
}

/* One line of bounded, valid text; g_free. */
static char *plain(const char *text)
{
    g_autofree char *cut = g_strndup(text, MIME_REPORT_TEXT_MAX);
    char *valid = g_utf8_make_valid(g_strstrip(cut), -1);

    for (char *p = valid; *p; p++)
        if (g_ascii_iscntrl(*p))
            *p = ' ';
    return valid;
}

/* What stands behind "type;", as addresses, hosts and diagnostics have it. */
static const char *without_type(const char *value)
{
    const char *semicolon = strchr(value, ';');

    return semicolon ? semicolon + 1 : value;
}

static void take_field(MimeReport *report, const char *line)
{
    static const struct {
        const char *name;
        gsize at;
        gboolean typed;
    } known[] = {
        {"Action", G_STRUCT_OFFSET(MimeReport, action), FALSE},
        {"Status", G_STRUCT_OFFSET(MimeReport, status), FALSE},
        {"Final-Recipient", G_STRUCT_OFFSET(MimeReport, recipient), TRUE},
        {"Diagnostic-Code", G_STRUCT_OFFSET(MimeReport, diagnostic), TRUE},
        {"Remote-MTA", G_STRUCT_OFFSET(MimeReport, remote), TRUE},
    };
    const char *colon = strchr(line, ':');
    g_autofree char *name = colon ? g_strndup(line, (gsize)(colon - line)) : NULL;

    for (guint i = 0; colon && i < G_N_ELEMENTS(known); i++) {
        char **text = G_STRUCT_MEMBER_P(report, known[i].at);
        if (g_ascii_strcasecmp(g_strchomp(name), known[i].name) == 0 && !*text)
            *text = plain(known[i].typed ? without_type(colon + 1) : colon + 1);
    }
}

/* A group of fields about one recipient. */
static void take_group(MimeReport *report, char *const *lines, guint from, guint to)
{
    g_autoptr(GString) field = g_string_new(NULL);

    for (guint i = from; i < to; i++) {
        if (lines[i][0] != ' ' && lines[i][0] != '\t') {
            take_field(report, field->str);
            g_string_truncate(field, 0);
        }
        g_string_append(field, lines[i]);
    }
    take_field(report, field->str);
    if (report->action) {
        char *lower = g_ascii_strdown(report->action, -1);
        lower[strspn(lower, G_CSET_a_2_z)] = '\0'; /* a comment may follow */
        g_free(report->action);
        report->action = lower;
    }
}

/* Groups are parted by blank lines; the first is about the message. */
static void take_groups(MimeReport *report, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    guint n = g_strv_length(lines), from = 0;

    for (guint i = 0; i < n; i++)
        g_strchomp(lines[i]);
    for (guint i = 0; i <= n; i++) {
        g_auto(MimeReport) group = {0};
        if (i < n && *lines[i])
            continue;
        take_group(&group, lines, from, i);
        from = i + 1;
        if (!group.action || (report->action && strcmp(group.action, FAILED) != 0))
            continue;
        mime_report_clear(report);
        *report = group;
        group = (MimeReport){0};
        if (strcmp(report->action, FAILED) == 0)
            return;
    }
}

gboolean mime_report_read(const GPtrArray *fields, const char *body, gsize length,
                          MimeReport *report)
{
    GString *text = mime_tree_text(fields, body, length);
    GMimeObject *root = text ? mime_tree_parse(text) : NULL;
    GMimePart *part = root ? status_part(root) : NULL;
    g_autofree char *status = part ? decoded(part) : NULL;

    mime_report_clear(report);
    if (status)
        take_groups(report, status);
    g_clear_object(&root);
    if (text)
        g_string_free(text, TRUE);
    return report->action != NULL;
}
