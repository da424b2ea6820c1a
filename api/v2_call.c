/* SPDX-License-Identifier: MIT */
#include "api/v2_call.h"

#include <string.h>

#include "api/v2_field.h"
#include "api/v2_openapi.h"
#include "api/v2_query.h"
#include "lib/base/error.h"
#include "lib/directory/page.h"
#include "lib/directory/path.h"
#include "lib/directory/tenant.h"
#include "lib/log/log.h"
#include "lib/sql/pool.h"

#define SCHEME    "Bearer "
#define JSON_TYPE "application/json"

struct V2Desk {
    const Config *config;
    Throttle *throttle;
    SqlPool *pool; /* NULL: there is no account to manage with */
};

/* A request while it is answered. */
typedef struct {
    V2Desk *desk;
    HttpdRequest *request;
    const char *secret; /* the token as it was shown; borrowed */
    V2Path path;
    V2Verb verb;
    V2Query query;
    V2Body body;
    DirectoryToken *token;
    gboolean stranger; /* the token is not good */
    gboolean ended;    /* what the token may do, amid the request; problem says why */
    gboolean done;
    Record *record; /* of a success; NULL: it has no body */
    char *location; /* of what was added */
    V2Problem problem;
    GError *error; /* of the database: it may be away */
} Call;

/* What one try has found. */
static void call_forget(Call *call)
{
    v2_body_clear(&call->body);
    g_clear_pointer(&call->token, directory_token_free);
    g_clear_pointer(&call->record, record_free);
    g_clear_pointer(&call->location, g_free);
    v2_problem_clear(&call->problem);
    g_clear_error(&call->error);
    call->stranger = call->ended = call->done = FALSE;
}

static void call_clear(Call *call)
{
    call_forget(call);
    v2_path_clear(&call->path);
    v2_query_clear(&call->query);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Call, call_clear)

V2Desk *v2_desk_new(const Config *config, Throttle *throttle)
{
    V2Desk *desk = g_new0(V2Desk, 1);

    desk->config = config;
    desk->throttle = throttle;
    if (*config_string(config, CONFIG_APID_MANAGE_DB_USER))
        desk->pool = sql_pool_new(config, SQL_POOL_MANAGES, V2_DESK_LINKS);
    return desk;
}

void v2_desk_free(V2Desk *desk)
{
    if (!desk)
        return;
    sql_pool_free(desk->pool);
    g_free(desk);
}

/* Always FALSE: the call ends with that. */
static gboolean refuse(Call *call, V2ErrorCode code)
{
    return v2_problem_set(&call->problem, code, NULL, NULL);
}

static gboolean fail(Call *call, const GError *error)
{
    if (call->ended)
        return FALSE;
    v2_problem_from(&call->problem, call->path.resource->object, error);
    guint status = v2_errors[call->problem.code].status;
    if (status == 503)
        call->error = g_error_copy(error);
    else if (status >= 500)
        log_error(NULL, "request to manage failed", LOG_GERROR(error),
                  LOG_TEXT("ip", call->request->client));
    return FALSE;
}

/* NULL: none was shown that could be one. */
static const char *shown_token(const HttpdRequest *request)
{
    const char *field = httpd_field(request, V2_TOKEN_FIELD);

    if (!field || g_ascii_strncasecmp(field, SCHEME, strlen(SCHEME)) != 0)
        return NULL;
    const char *secret = field + strlen(SCHEME);
    gsize length = strlen(secret);
    return length > 0 && length <= V2_TOKEN_MAX && !strpbrk(secret, " \t") ? secret : NULL;
}

static gboolean authenticate(Call *call, Sql *sql)
{
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    g_autoptr(GError) error = NULL;

    call->token = directory_token_find(sql, call->secret, now, &error);
    if (g_error_matches(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND)) {
        call->stranger = TRUE;
        return refuse(call, V2_ERROR_UNAUTHENTICATED);
    }
    if (error)
        return fail(call, error);
    g_free(call->request->state);
    call->request->state = g_strconcat("token/", call->token->name, NULL);
    if (!directory_token_used(sql, call->token, now, &error))
        log_warning(NULL, "use of a token is not noted", LOG_GERROR(error));
    return TRUE;
}

/* Whoever ends a token or suspends its owner is done when they are told so: a change that waited for them is none any more. */
static gboolean still_may(Sql *sql, gpointer data, GError **error)
{
    Call *call = data;
    g_autoptr(GError) why = NULL;
    g_autoptr(DirectoryToken) token =
        directory_token_find(sql, call->secret, g_get_real_time() / G_USEC_PER_SEC, &why);

    if (token && !token->suspended)
        return TRUE;
    if (!token && !g_error_matches(why, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    call->ended = TRUE;
    refuse(call, token ? V2_ERROR_SUSPENDED : V2_ERROR_UNAUTHENTICATED);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED,
                "the token may not do that any more");
    return FALSE;
}

/* A name that nothing can have names nothing. */
static gboolean check_names(Call *call)
{
    g_auto(Path) path = {0};
    const char *names[3];

    v2_path_names(&call->path, NULL, names);
    return !call->path.item || path_read(call->path.resource->object, names, &path, NULL) ||
           refuse(call, V2_ERROR_NOT_FOUND);
}

/* After what a collection's next page begins, in its canonical form. */
static gboolean check_after(Call *call)
{
    g_auto(Path) path = {0};
    g_autofree char *owner = NULL;
    const char *names[3];

    if (!call->query.after)
        return TRUE;
    v2_path_names(&call->path, call->query.after, names);
    if (call->path.resource->object == DIRECTORY_ORGANIZATION)
        names[0] = call->query.after;
    if (call->path.resource->object == DIRECTORY_SERVER)
        names[0] = owner = g_strconcat(call->path.owner, "/", call->query.after, NULL);
    if (!path_read(call->path.resource->object, names, &path, NULL))
        return v2_problem_set(&call->problem, V2_ERROR_INVALID, "after",
                              "after: allowed is a name, as next says it");
    g_free(call->query.after);
    call->query.after = g_strdup(path.keys[path.n - 1].text);
    return TRUE;
}

/* Whether what the path names, or the owner of its collection, is there. */
static gboolean exists(Call *call, Sql *sql, gboolean item)
{
    DirectoryObject owner = call->path.server ? DIRECTORY_SERVER : DIRECTORY_ORGANIZATION;
    const char *names[3];
    g_autoptr(GError) error = NULL;

    if (!item && !call->path.owner)
        return TRUE;
    v2_path_names(&call->path, NULL, names);
    g_autoptr(Record) found =
        directory_show(sql, item ? call->path.resource->object : owner, names, &error);
    if (g_error_matches(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND))
        return refuse(call, V2_ERROR_NOT_FOUND);
    if (error)
        return fail(call, error);
    if (call->verb == V2_SHOW)
        call->record = g_steal_pointer(&found);
    return TRUE;
}

static gboolean list(Call *call, Sql *sql)
{
    DirectoryObject object = call->path.resource->object;
    const char *server = object == DIRECTORY_SERVER ? call->token->server : NULL;
    const DirectoryPage page = {.organization = call->path.organization ? call->path.organization
                                                                        : call->token->organization,
                                .server = call->path.server ? call->path.server : server,
                                .after = call->query.after,
                                .limit = call->query.limit + 1};
    g_autoptr(GError) error = NULL;
    g_autoptr(Record) rows = directory_page(sql, object, &page, &error);

    if (!rows)
        return fail(call, error);
    gsize n = json_object_array_length(rows), shown = MIN(n, call->query.limit);
    json_object *items = json_object_new_array(), *next = NULL;
    for (gsize i = 0; i < shown; i++) {
        Record *row = json_object_array_get_idx(rows, i);
        v2_record_show(call->desk->config, object, row);
        json_object_array_add(items, json_object_get(row));
        if (i + 1 == shown && n > shown)
            next = json_object_new_string(record_text(row, directory_page_key(object)));
    }
    call->record = json_object_new_object();
    json_object_object_add(call->record, call->path.resource->word, items);
    json_object_object_add(call->record, "next", next);
    return TRUE;
}

/* FALSE: the body is not what it should be, or asks for what a tenant may not have. */
static gboolean read_body(Call *call)
{
    const GByteArray *body = call->request->body;
    const char *type = httpd_field(call->request, "Content-Type");
    gsize length = strlen(JSON_TYPE);
    g_autoptr(GError) error = NULL;

    if (!type || g_ascii_strncasecmp(type, JSON_TYPE, length) != 0 || !strchr("; \t", type[length]))
        return refuse(call, V2_ERROR_MEDIA_TYPE);
    if (!v2_body_read(call->path.resource->object, call->verb == V2_ADD,
                      body ? (const char *)body->data : "", body ? body->len : 0, &call->body,
                      &call->problem))
        return FALSE;
    if (!call->token->organization || tenant_may(call->desk->config, call->path.resource->object,
                                                 (const DirectoryOption *)call->body.options->data,
                                                 call->body.options->len, &error))
        return TRUE;
    v2_problem_from(&call->problem, call->path.resource->object, error);
    call->problem.code = V2_ERROR_FORBIDDEN;
    return FALSE;
}

static gboolean write_it(Call *call, Sql *sql)
{
    DirectoryObject object = call->path.resource->object;
    const DirectoryOption *options = (const DirectoryOption *)call->body.options->data;
    const char *names[3];
    g_autoptr(GError) error = NULL;

    v2_path_names(&call->path, call->body.name, names);
    call->record =
        call->verb == V2_ADD
            ? directory_add(sql, object, names, options, call->body.options->len, &error)
            : directory_change(sql, object, names, options, call->body.options->len, &error);
    if (!call->record)
        return fail(call, error);
    if (call->verb == V2_ADD)
        call->location =
            v2_path_of(&call->path, record_text(call->record, directory_page_key(object)));
    return TRUE;
}

static gboolean delete_it(Call *call, Sql *sql)
{
    DirectoryObject object = call->path.resource->object;
    const char *names[3];
    g_autoptr(GError) error = NULL;

    v2_path_names(&call->path, NULL, names);
    gboolean done = object == DIRECTORY_ENDPOINT
                        ? directory_delete_endpoint(sql, names, call->query.force, &error)
                        : directory_delete(sql, object, names, &error);
    if (done)
        return TRUE;
    if (g_error_matches(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND))
        return refuse(call, V2_ERROR_NOT_FOUND);
    fail(call, error);
    if (call->problem.code == V2_ERROR_REFUSED)
        call->problem.code = V2_ERROR_IN_USE;
    return FALSE;
}

static gboolean may(Call *call)
{
    if (!v2_path_is_open(&call->path, call->token))
        return refuse(call, V2_ERROR_NOT_FOUND);
    return v2_verbs[call->verb].need == V2_READ || !call->token->suspended ||
           refuse(call, V2_ERROR_SUSPENDED);
}

static gboolean do_verb(Call *call, Sql *sql)
{
    gboolean item = v2_verbs[call->verb].item;

    if (!may(call) || !check_names(call) ||
        !v2_query_read(call->path.resource, call->verb, call->request->query, &call->query,
                       &call->problem))
        return FALSE;
    switch (call->verb) {
    case V2_LIST:
        return check_after(call) && exists(call, sql, item) && list(call, sql);
    case V2_SHOW:
        return exists(call, sql, item);
    case V2_DELETE:
        return delete_it(call, sql);
    default:
        return exists(call, sql, item) && read_body(call) && write_it(call, sql);
    }
}

/* With a connection; perhaps for the second time. FALSE: the database is not as it should be. */
static gboolean work(Sql *sql, gpointer data, GError **error)
{
    Call *call = data;

    call_forget(call);
    v2_query_clear(&call->query);
    if (!sql_schema_check(sql, error))
        return FALSE;
    sql_guard(sql, still_may, call);
    call->done = authenticate(call, sql) && do_verb(call, sql);
    sql_guard(sql, NULL, NULL);
    if (call->done && call->record && call->verb != V2_LIST)
        v2_record_show(call->desk->config, call->path.resource->object, call->record);
    if (call->error)
        g_propagate_error(error, g_steal_pointer(&call->error));
    return *error == NULL;
}

static gboolean give_up(Call *call, const GError *error)
{
    gboolean unknown = g_error_matches(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNKNOWN_RESULT);

    log_warning(NULL, "directory cannot be managed now", LOG_GERROR(error),
                LOG_TEXT("ip", call->request->client));
    return refuse(call, unknown ? V2_ERROR_UNKNOWN_RESULT : V2_ERROR_UNAVAILABLE);
}

static gboolean punish(Call *call)
{
    g_autofree char *source = penalty_source(call->request->client);

    log_info(NULL, "wrong token", LOG_TEXT("ip", call->request->client));
    return throttle_wait(call->desk->throttle, source) || refuse(call, V2_ERROR_THROTTLED);
}

static gboolean run(Call *call)
{
    g_autoptr(GError) error = NULL;

    if (!v2_path_read(call->request->path, &call->path))
        return refuse(call, V2_ERROR_NOT_FOUND);
    if (!v2_path_verb(&call->path, call->request->method, &call->verb))
        return refuse(call, V2_ERROR_METHOD);
    if (!call->desk->pool)
        return refuse(call, V2_ERROR_NOT_ENABLED);
    if (!call->secret) {
        call->stranger = TRUE;
        return refuse(call, V2_ERROR_UNAUTHENTICATED);
    }
    if (!sql_pool_run(call->desk->pool, work, call, &error))
        return give_up(call, error);
    if (call->stranger)
        punish(call);
    return call->done;
}

gboolean v2_is_path(const char *path)
{
    return g_str_has_prefix(path, V2_PREFIX) || g_str_equal(path, "/api/v2");
}

V2Kind v2_kind(const HttpdRequest *request)
{
    gboolean writes = g_str_equal(request->method, "POST") || g_str_equal(request->method, "PATCH");

    if (g_str_equal(request->path, V2_OPENAPI_PATH))
        return V2_OPENAPI;
    if (!shown_token(request))
        return V2_NOBODY;
    return writes ? V2_BODY : V2_NO_BODY;
}

static void answer_description(const HttpdRequest *request, HttpdAnswer *answer)
{
    const V2Problem wrong = {.code = V2_ERROR_METHOD};

    if (g_str_equal(request->method, "GET") || g_str_equal(request->method, "HEAD")) {
        v2_answer_text(answer, 200, v2_openapi());
    } else {
        v2_answer_problem(answer, &wrong);
        httpd_answer_field(answer, "Allow", "GET, HEAD");
    }
}

static void log_change(const Call *call)
{
    if (v2_verbs[call->verb].need == V2_WRITE)
        log_info(NULL, "directory changed over the API", LOG_TEXT("method", call->request->method),
                 LOG_TEXT("path", call->location ? call->location : call->request->path),
                 LOG_TEXT("token", call->token->name), LOG_TEXT("ip", call->request->client));
}

static V2Outcome answer_problem(Call *call, HttpdAnswer *answer)
{
    v2_answer_problem(answer, &call->problem);
    if (call->problem.code == V2_ERROR_METHOD) {
        g_autofree char *methods = v2_path_methods(&call->path);
        httpd_answer_field(answer, "Allow", methods);
    }
    if (call->stranger)
        return V2_STRANGER;
    return v2_errors[call->problem.code].status >= 500 ? V2_AWAY : V2_REFUSED;
}

V2Outcome v2_call(V2Desk *desk, HttpdRequest *request, HttpdAnswer *answer)
{
    g_auto(Call) call = {.desk = desk, .request = request, .secret = shown_token(request)};

    if (v2_kind(request) == V2_OPENAPI) {
        answer_description(request, answer);
        return V2_DONE;
    }
    if (!run(&call))
        return answer_problem(&call, answer);
    v2_answer_json(answer, v2_verbs[call.verb].success, g_steal_pointer(&call.record));
    if (call.location)
        httpd_answer_field(answer, "Location", call.location);
    log_change(&call);
    return V2_DONE;
}
