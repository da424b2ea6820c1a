/* SPDX-License-Identifier: MIT */
#include "api/v2_error.h"

#include <string.h>

#include "api/json_body.h"
#include "api/v2_field.h"
#include "lib/base/error.h"
#include "lib/directory/page.h"

const V2ErrorWords v2_errors[] = {
#define X(NAME, status, code, message) {status, code, message},
#include "api/v2_error.def"
#undef X
};

void v2_problem_clear(V2Problem *problem)
{
    g_clear_pointer(&problem->field, g_free);
    g_clear_pointer(&problem->message, g_free);
    problem->code = 0;
}

gboolean v2_problem_set(V2Problem *problem, V2ErrorCode code, const char *field,
                        const char *message)
{
    v2_problem_clear(problem);
    problem->code = code;
    problem->field = g_strdup(field);
    problem->message = g_strdup(message);
    return FALSE;
}

/* "--mode MODE is missing" and "timeout: \"3\": ..." name an option; "route: ..." the object's name. */
static char *field_of(DirectoryObject object, const char *message)
{
    guint n;
    const DirectoryField *fields = directory_fields(object, &n);
    gboolean dashes = g_str_has_prefix(message, "--");
    const char *begin = message + (dashes ? 2 : 0);
    gsize length = strcspn(begin, dashes ? ": " : ":");
    g_autofree char *word = g_strndup(begin, length);

    if (!dashes && begin[length] != ':')
        return NULL;
    if (g_str_equal(word, directory_word(object)))
        return g_strdup(directory_page_key(object));
    for (guint i = 0; i < n; i++)
        if (fields[i].option && g_str_equal(fields[i].option, word))
            return v2_field_name(&fields[i]);
    return NULL;
}

static V2ErrorCode code_of(const GError *error)
{
    static const struct {
        OutriderError error;
        V2ErrorCode code;
    } codes[] = {
        {OUTRIDER_ERROR_INVALID, V2_ERROR_INVALID},
        {OUTRIDER_ERROR_NOT_FOUND,
         V2_ERROR_INVALID}, /* what a field names; the object was looked for before */
        {OUTRIDER_ERROR_TOO_LARGE, V2_ERROR_INVALID},
        {OUTRIDER_ERROR_EXISTS, V2_ERROR_EXISTS},
        {OUTRIDER_ERROR_REFUSED, V2_ERROR_REFUSED},
        {OUTRIDER_ERROR_INTERNAL, V2_ERROR_INTERNAL},
        {OUTRIDER_ERROR_UNKNOWN_RESULT, V2_ERROR_UNKNOWN_RESULT},
    };

    for (guint i = 0; i < G_N_ELEMENTS(codes); i++)
        if (g_error_matches(error, OUTRIDER_ERROR, (int)codes[i].error))
            return codes[i].code;
    return V2_ERROR_UNAVAILABLE;
}

void v2_problem_from(V2Problem *problem, DirectoryObject object, const GError *error)
{
    V2ErrorCode code = code_of(error);

    /* What the database itself refuses, our rules should have. */
    if (v2_errors[code].status < 500 && g_str_has_prefix(error->message, "database: "))
        code = V2_ERROR_INTERNAL;
    gboolean told = v2_errors[code].status < 500;
    g_autofree char *field = told ? field_of(object, error->message) : NULL;
    v2_problem_set(problem, code, field, told ? error->message : NULL);
}

void v2_answer_text(HttpdAnswer *answer, guint status, const char *text)
{
    g_autofree char *line = *text ? g_strconcat(text, "\n", NULL) : g_strdup("");
    gsize length = strlen(line);
    g_autoptr(GBytes) body = g_bytes_new_take(g_steal_pointer(&line), length);

    httpd_answer(answer, status, *text ? JSON_BODY_TYPE "; charset=utf-8" : NULL, body);
    httpd_answer_field(answer, "Cache-Control", "no-store");
    httpd_answer_field(answer, "X-Content-Type-Options", "nosniff");
}

void v2_answer_json(HttpdAnswer *answer, guint status, Record *value)
{
    const char *text = value ? json_object_to_json_string_ext(
                                   value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
                             : "";

    v2_answer_text(answer, status, text);
    json_object_put(value);
}

void v2_answer_problem(HttpdAnswer *answer, const V2Problem *problem)
{
    const V2ErrorWords *words = &v2_errors[problem->code];
    json_object *object = json_object_new_object(), *inner = json_object_new_object();
    g_autofree char *message =
        g_utf8_make_valid(problem->message ? problem->message : words->message, -1);

    json_object_object_add(inner, "code", json_object_new_string(words->code));
    json_object_object_add(inner, "field",
                           problem->field ? json_object_new_string(problem->field) : NULL);
    json_object_object_add(inner, "message", json_object_new_string(message));
    json_object_object_add(object, "error", inner);
    v2_answer_json(answer, words->status, object);
    if (words->status == 401)
        httpd_answer_field(answer, "WWW-Authenticate", "Bearer");
}

void v2_answer_refused(guint status, HttpdAnswer *answer)
{
    const V2Problem problem = {.code = status == 413   ? V2_ERROR_TOO_LARGE
                                       : status == 503 ? V2_ERROR_UNAVAILABLE
                                                       : V2_ERROR_INTERNAL};

    v2_answer_problem(answer, &problem);
}
