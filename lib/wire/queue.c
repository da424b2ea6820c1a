/* SPDX-License-Identifier: MIT */
#include "lib/wire/queue.h"

#include <string.h>

#include "lib/base/error.h"

#define SHORT_MIN  6  /* five digits of microseconds, one of the inode */
#define TIME_WIDTH 10 /* of a long id: six characters of seconds, four of microseconds */
#define USEC_WIDTH 4
#define USEC_BASE  52
#define INODE_BASE 51 /* without the z, which therefore is the last one of an id */

static const char digits[] = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
static const char *const verbs[QUEUE_VERB_COUNT] = {"hold", "release", "delete"};
static const char *const results[QUEUE_RESULT_COUNT] = {"done", "absent", "later", "refused"};

const char *queue_verb_name(QueueVerb verb)
{
    return verbs[verb];
}

const char *queue_result_name(QueueResult result)
{
    return results[result];
}

void queue_request_clear(QueueRequest *request)
{
    g_clear_pointer(&request->ids, g_strfreev);
    request->count = 0;
}

static gboolean consists_of(const char *text, gsize length, const char *alphabet)
{
    for (gsize i = 0; i < length; i++)
        if (text[i] == '\0' || !strchr(alphabet, text[i]))
            return FALSE;
    return TRUE;
}

/* The z before the inode; NULL: not a long id. */
static const char *separator(const char *text, gsize length)
{
    const char *z = memrchr(text, 'z', length);
    return z && z - text >= TIME_WIDTH && z < text + length - 1 ? z : NULL;
}

gboolean queue_id_is_good(const char *text, gsize length)
{
    if (length < SHORT_MIN || length > QUEUE_ID_MAX)
        return FALSE;
    return consists_of(text, length, "0123456789ABCDEF") ||
           (consists_of(text, length, digits) && separator(text, length));
}

gboolean queue_id_inode(const char *id, guint64 *inode)
{
    const char *z = separator(id, strlen(id));
    const char *text = z ? z + 1 : id + SHORT_MIN - 1;
    guint64 value = 0, base = z ? INODE_BASE : 16;

    for (; *text; text++) {
        guint64 digit =
            z ? (guint64)(strchr(digits, *text) - digits) : (guint64)g_ascii_xdigit_value(*text);
        if (value > (G_MAXUINT64 - digit) / base)
            return FALSE;
        value = value * base + digit;
    }
    *inode = value;
    return TRUE;
}

gboolean queue_id_fits(const char *id, const struct stat *file, uid_t owner)
{
    guint64 inode;

    return S_ISREG(file->st_mode) && file->st_nlink == 1 && file->st_uid == owner &&
           (file->st_mode & S_IXUSR) /* cleanup(8) is done with it */ &&
           queue_id_inode(id, &inode) && inode == file->st_ino;
}

char *queue_id_path(const char *queue, const char *id, guint depth)
{
    const char *z = separator(id, strlen(id));
    char hashed[16] = "";
    guint64 usec = 0;

    for (const char *p = z ? z - USEC_WIDTH : id; p < z; p++)
        usec = usec * USEC_BASE + (guint64)(strchr(digits, *p) - digits);
    g_snprintf(hashed, sizeof(hashed), "%05" G_GINT64_MODIFIER "X", usec);
    const char *from = z ? hashed : id;
    GString *path = g_string_new(queue);
    for (guint i = 0; i < MIN(depth, QUEUE_DEPTH_MAX); i++)
        g_string_append_printf(path, "/%c", from[i]);
    g_string_append_printf(path, "/%s", id);
    return g_string_free(path, FALSE);
}

static gssize refuse(GError **error, OutriderError code, const char *what, const char *why)
{
    g_set_error(error, OUTRIDER_ERROR, (int)code, "queue %s: %s", what, why);
    return -1;
}

/* Length of the line without its end; 0 and -1 as the parsers return them. */
static gssize find_line(const char *data, gsize length, gsize most, const char *what,
                        GError **error)
{
    const char *end = memchr(data, '\n', MIN(length, most));

    if (!end && length >= most)
        return refuse(error, OUTRIDER_ERROR_TOO_LARGE, what, "the line is too long");
    if (end == data)
        return refuse(error, OUTRIDER_ERROR_INVALID, what, "an empty line");
    return end ? end - data : 0;
}

static gboolean find_name(const char *const *names, guint count, const char *text, gsize length,
                          guint *found)
{
    for (guint i = 0; i < count; i++)
        if (strlen(names[i]) == length && memcmp(names[i], text, length) == 0) {
            *found = i;
            return TRUE;
        }
    return FALSE;
}

/* Length of the word at the start, which a space or the end ends. */
static gsize word_length(const char *text, gsize length)
{
    const char *space = memchr(text, ' ', length);
    return space ? (gsize)(space - text) : length;
}

gssize queue_request_parse(const char *data, gsize length, QueueRequest *request, GError **error)
{
    gssize line = find_line(data, length, QUEUE_REQUEST_MAX, "request", error);
    guint verb = 0;

    if (line <= 0)
        return line;
    gsize end = (gsize)line, at = word_length(data, end);
    if (!find_name(verbs, QUEUE_VERB_COUNT, data, at, &verb))
        return refuse(error, OUTRIDER_ERROR_INVALID, "request",
                      "the verb must be hold, release or delete");
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    while (at < end) {
        at++;
        gsize size = word_length(data + at, end - at);
        if (!queue_id_is_good(data + at, size))
            return refuse(error, OUTRIDER_ERROR_INVALID, "request", "not a queue id");
        if (ids->len == QUEUE_IDS_MAX)
            return refuse(error, OUTRIDER_ERROR_TOO_LARGE, "request", "more than 1000 ids");
        g_ptr_array_add(ids, g_strndup(data + at, size));
        at += size;
    }
    if (ids->len == 0)
        return refuse(error, OUTRIDER_ERROR_INVALID, "request", "a queue id is needed");
    request->verb = (QueueVerb)verb;
    request->count = ids->len;
    g_ptr_array_add(ids, NULL);
    request->ids = (char **)g_ptr_array_free(g_steal_pointer(&ids), FALSE);
    return line + 1;
}

void queue_request_write(GString *out, QueueVerb verb, const char *const *ids)
{
    g_string_append(out, verbs[verb]);
    for (; *ids; ids++)
        g_string_append_printf(out, " %s", *ids);
    g_string_append_c(out, '\n');
}

/* What stands behind the id: a result, and a reason with refused only. */
static gboolean take_result(const char *text, gsize length, QueueAnswer *answer)
{
    gsize size = word_length(text, length);
    gsize why = size < length ? length - size - 1 : 0;
    guint result = 0;

    if (!find_name(results, QUEUE_RESULT_COUNT, text, size, &result) ||
        (result == QUEUE_REFUSED ? why == 0 : size < length) || why > QUEUE_WHY_MAX)
        return FALSE;
    const char *from = text + length - why;
    for (gsize i = 0; i < why; i++)
        if (g_ascii_iscntrl(from[i]))
            return FALSE;
    memcpy(answer->why, from, why);
    answer->result = (QueueResult)result;
    return TRUE;
}

gssize queue_answer_parse(const char *data, gsize length, QueueAnswer *answer, GError **error)
{
    gssize line = find_line(data, length, QUEUE_ANSWER_MAX, "answer", error);
    QueueAnswer parsed = {0};

    if (line <= 0)
        return line;
    gsize end = (gsize)line, id = word_length(data, end);
    parsed.last = end == 1 && *data == '.';
    if (!parsed.last) {
        if (!queue_id_is_good(data, id) || id == end ||
            !take_result(data + id + 1, end - id - 1, &parsed))
            return refuse(error, OUTRIDER_ERROR_INVALID, "answer", "not as agreed");
        memcpy(parsed.id, data, id);
    }
    *answer = parsed;
    return line + 1;
}

void queue_answer_write(GString *out, const char *id, QueueResult result, const char *why)
{
    g_string_append_printf(out, "%s %s", id, results[result]);
    if (result == QUEUE_REFUSED) {
        g_string_append_c(out, ' ');
        for (guint i = 0; i < QUEUE_WHY_MAX && why[i]; i++)
            g_string_append_c(out, g_ascii_iscntrl(why[i]) ? ' ' : why[i]);
    }
    g_string_append_c(out, '\n');
}

void queue_answer_end(GString *out)
{
    g_string_append(out, ".\n");
}
