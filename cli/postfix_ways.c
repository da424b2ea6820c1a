/* SPDX-License-Identifier: MIT */
#include "cli/postfix_ways.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/host_address.h"
#include "cli/output.h"
#include "cli/postfix_apply.h"
#include "lib/base/error.h"
#include "lib/edge/edge.h"
#include "lib/edge/lane_served.h"

#define ATTENTION     1 /* exit status */
#define SECRET_MAX    4096
#define NAMES_SECONDS 20
#define US            1000000

/* What was done, for people and programs. */
typedef struct {
    const Config *config;
    PostfixFacts facts;
    GPtrArray *unusable;
    gboolean changed; /* Postfix has to look again */
} Apply;

static void unusable_free(gpointer data)
{
    PostfixUnusable *unusable = data;

    g_free(unusable->why);
    g_free(unusable);
}

static void apply_clear(Apply *apply)
{
    postfix_ways_clear(&apply->facts.ways);
    g_clear_pointer(&apply->facts.gone, record_free);
    g_clear_pointer(&apply->facts.here, g_hash_table_unref);
    g_clear_pointer(&apply->unusable, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Apply, apply_clear)

void postfix_ways_clear(PostfixWays *ways)
{
    g_clear_pointer(&ways->addresses, record_free);
    g_clear_pointer(&ways->smarthosts, record_free);
}

gboolean postfix_ways_read(Sql *sql, PostfixWays *ways, GError **error)
{
    ways->addresses = directory_list(sql, DIRECTORY_ADDRESS, NULL, error);
    ways->smarthosts =
        ways->addresses ? directory_list(sql, DIRECTORY_SMARTHOST, NULL, error) : NULL;
    return ways->smarthosts != NULL;
}

static void keep(Record **list, const GArray *served)
{
    Record *kept = json_object_new_array();

    for (gsize i = 0; i < json_object_array_length(*list); i++) {
        Record *way = json_object_array_get_idx(*list, i);
        if (lane_served_has(served, (guint32)record_int(way, "lane")))
            json_object_array_add(kept, json_object_get(way));
    }
    record_free(*list);
    *list = kept;
}

static char *served_path(const Config *config)
{
    return config_path(config, CONFIG_POSTFIX_CONFIG_DIR, "outrider/" LANE_SERVED_FILE);
}

gboolean postfix_ways_keep_served(const Config *config, PostfixWays *ways, GError **error)
{
    g_autofree char *path = served_path(config);
    g_autoptr(GError) why = NULL;
    g_autoptr(GArray) served = lane_served_read(path, &why);

    if (why) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    keep(&ways->addresses, served);
    keep(&ways->smarthosts, served);
    return TRUE;
}

/* The text of an admin's file that nobody but root can read. */
static char *read_secret(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    char text[SECRET_MAX + 1];

    if (fd < 0 || fstat(fd, &st) < 0) {
        error_set_errno(error, errno, "open", path);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    gboolean safe = S_ISREG(st.st_mode) && st.st_uid == 0 && !(st.st_mode & 077);
    gssize n = safe ? read(fd, text, SECRET_MAX) : 0;
    close(fd);
    if (!safe || n < 0) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "%s: %s", path,
                    safe ? "cannot be read" : "is to be a file of root's with mode 0600");
        return NULL;
    }
    text[n] = '\0';
    char *copy = g_strdup(text);
    explicit_bzero(text, sizeof(text));
    return copy;
}

/* In one step; *changed is set when it was not so before. The file is made with its mode: the directory may be the
 * worker's, so that a chmod afterwards could be led elsewhere. */
static gboolean write_file(const char *path, const char *text, int mode, gboolean *changed,
                           GError **error)
{
    g_autofree char *old = NULL;
    g_autoptr(GError) why = NULL;

    if (g_file_get_contents(path, &old, NULL, NULL) && g_str_equal(old, text))
        return TRUE;
    *changed = TRUE;
    mode_t mask = umask(0);
    gboolean done =
        g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, mode, &why);
    umask(mask);
    if (!done)
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_IO, "%s: %s", path, why->message);
    return done;
}

static void wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    g_free(text);
}

/* The file with the line, and with what it had for other places. */
static gboolean keep_secret(Apply *apply, const char *path, const char *line, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(path);
    char *old = NULL;

    if (g_mkdir_with_parents(dir, 0700) < 0 || chmod(dir, 0700) < 0)
        return error_set_errno(error, errno, "make", dir);
    if (!g_file_get_contents(path, &old, NULL, NULL))
        old = NULL;
    char *text = postfix_secret_file(line, old);
    gboolean done = write_file(path, text, 0600, &apply->changed, error);
    wipe(old);
    wipe(text);
    return done;
}

static gboolean write_secret(Apply *apply, const Record *host, GError **error)
{
    g_autofree char *path = postfix_secret_path(apply->config, record_int(host, "lane"));
    char *text = read_secret(record_text(host, "secret_file"), error);
    char *line = text ? postfix_secret_line(host, text, error) : NULL;
    gboolean done = line && keep_secret(apply, path, line, error);

    wipe(text);
    wipe(line);
    return done;
}

/* A smart host without its password is not served here, and says why. */
static void write_secrets(Apply *apply)
{
    Record *hosts = apply->facts.ways.smarthosts;

    for (gsize i = 0; i < json_object_array_length(hosts); i++) {
        const Record *host = json_object_array_get_idx(hosts, i);
        g_autoptr(GError) why = NULL;
        if (record_is_null(host, "username") || write_secret(apply, host, &why))
            continue;
        PostfixUnusable *unusable = g_new0(PostfixUnusable, 1);
        unusable->lane = record_int(host, "lane");
        unusable->why = g_strdup(why->message);
        g_ptr_array_add(apply->unusable, unusable);
    }
    apply->facts.unusable = apply->unusable;
}

static gboolean run_postconf(const Config *config, const char *option, const GPtrArray *words,
                             GError **error)
{
    g_autoptr(GPtrArray) rest = g_ptr_array_new();

    g_ptr_array_add(rest, (gpointer)(guintptr)option);
    for (guint i = 0; i < words->len; i++)
        g_ptr_array_add(rest, words->pdata[i]);
    g_ptr_array_add(rest, NULL);
    g_autofree char *out =
        postfix_running_ask("postconf", config_string(config, CONFIG_POSTFIX_CONFIG_DIR),
                            (const char *const *)rest->pdata, error);
    return out != NULL;
}

static gboolean write_services(Apply *apply, const PostfixPlan *plan, GError **error)
{
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < plan->services->len; i++)
        g_ptr_array_add(entries, postfix_service_entry(plan->services->pdata[i]));
    apply->changed |= entries->len > 0 || plan->removed->len > 0;
    return (entries->len == 0 || run_postconf(apply->config, "-M", entries, error)) &&
           (plan->removed->len == 0 || run_postconf(apply->config, "-MX", plan->removed, error));
}

/* A Postfix that is stopped reads it all when it starts. */
static gboolean reload(const Config *config, GError **error)
{
    static const char *const status[] = {"status", NULL}, *const again[] = {"reload", NULL};
    const char *directory = config_string(config, CONFIG_POSTFIX_CONFIG_DIR);
    g_autofree char *running = postfix_running_ask("postfix", directory, status, NULL);

    if (!running)
        return TRUE;
    g_autofree char *done = postfix_running_ask("postfix", directory, again, error);
    return done != NULL;
}

/* The first lane that is served and that lanes.regexp does not name; 0: it names them all. */
static guint32 unnamed(const Config *config, const PostfixPlan *plan)
{
    g_autofree char *path = config_path(config, CONFIG_POSTFIX_CONFIG_DIR, "outrider/lanes.regexp");
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        text = g_strdup("");
    for (guint i = 0; i < plan->served->len; i++) {
        guint32 lane = g_array_index(plan->served, guint32, i);
        g_autofree char *mark = g_strdup_printf("-%u@", lane);
        if (!strstr(text, mark))
            return lane;
    }
    return 0;
}

/* The worker is a second behind the directory. */
static gboolean await_names(const Config *config, const PostfixPlan *plan, GError **error)
{
    guint32 lane = 0;

    for (guint i = 0; i < NAMES_SECONDS * 10; i++) {
        if (!(lane = unnamed(config, plan)))
            return TRUE;
        g_usleep(G_USEC_PER_SEC / 10);
    }
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                "lanes.regexp does not name lane %u yet: is outrider-worker running?", lane);
    return FALSE;
}

static gboolean forget_secret(const Config *config, gint64 lane, GError **error)
{
    g_autofree char *path = postfix_secret_path(config, lane);

    return unlink(path) == 0 || errno == ENOENT || error_set_errno(error, errno, "remove", path);
}

/* The passwords that no service names any more. */
static gboolean forget_secrets(const Apply *apply, const PostfixPlan *plan, GError **error)
{
    Record *hosts = apply->facts.ways.smarthosts;

    for (gsize i = 0; i < json_object_array_length(hosts); i++) {
        const Record *host = json_object_array_get_idx(hosts, i);
        if (record_is_null(host, "username") &&
            !forget_secret(apply->config, record_int(host, "lane"), error))
            return FALSE;
    }
    for (guint i = 0; i < plan->removed->len; i++) {
        gint64 lane = postfix_service_lane(plan->removed->pdata[i], "sh");
        if (lane && !forget_secret(apply->config, lane, error))
            return FALSE;
    }
    return TRUE;
}

/* A lane takes mail when Postfix has its transport and has read a map that names it: without that, mail would leave by the
 * default transport. */
static gboolean carry_out(Apply *apply, const PostfixPlan *plan, GError **error)
{
    g_autofree char *path = served_path(apply->config);
    g_autofree char *text = lane_served_render(plan->served);
    g_autofree char *before = NULL;

    if (!write_services(apply, plan, error) || !await_names(apply->config, plan, error))
        return FALSE;
    if (!g_file_get_contents(path, &before, NULL, NULL) || !g_str_equal(before, text))
        apply->changed = TRUE;
    return (!apply->changed || reload(apply->config, error)) &&
           write_file(path, text, 0644, &apply->changed, error) &&
           forget_secrets(apply, plan, error);
}

/* Without these lines a null sender's mail would pass a smart host by, and what a smart host says of us would
 * bounce. */
static gboolean check_maps(const Apply *apply, GError **error)
{
    static const struct {
        const char *name, *needed;
    } maps[] = {{"outrider/milter_header_checks", "outrider-sh$1"},
                {"outrider/hop_milter_header_checks", "outrider-sh$1"},
                {"outrider/smarthost_status", "4$1"}};

    for (guint i = 0; i < G_N_ELEMENTS(maps); i++) {
        g_autofree char *path = config_path(apply->config, CONFIG_POSTFIX_CONFIG_DIR, maps[i].name);
        g_autofree char *text = NULL;
        if (g_file_get_contents(path, &text, NULL, NULL) && strstr(text, maps[i].needed))
            continue;
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                    "%s knows no smart hosts: run `outrider node init' first", path);
        return FALSE;
    }
    return TRUE;
}

static gboolean read_facts(Sql *sql, Apply *apply, GError **error)
{
    const SqlParameter since = SQL_INT(g_get_real_time() / US - EDGE_LANE_KEEP_SECONDS);

    apply->unusable = g_ptr_array_new_with_free_func(unusable_free);
    return postfix_ways_read(sql, &apply->facts.ways, error) &&
           (apply->facts.gone = record_list(sql, SQL_LANE_GONE, &since, 1, error)) &&
           (apply->facts.here = host_addresses(error)) && check_maps(apply, error);
}

/* In turn with others on this host: from the look at the directory on, until Postfix has what was seen there. -1 with
 * error set; closing it ends the turn. */
static int take_turn(const Config *config, GError **error)
{
    g_autofree char *path = config_path(config, CONFIG_POSTFIX_CONFIG_DIR, "outrider");
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 && flock(fd, LOCK_EX) == 0)
        return fd;
    error_set_errno(error, errno, "lock", path);
    if (fd >= 0)
        close(fd);
    return -1;
}

static gboolean apply_in_turn(Sql *sql, Apply *apply, PostfixPlan **plan, GError **error)
{
    const char *directory = config_string(apply->config, CONFIG_POSTFIX_CONFIG_DIR);

    if (!read_facts(sql, apply, error))
        return FALSE;
    g_autoptr(PostfixRunning) running = postfix_running_read(directory, error);
    if (!running)
        return FALSE;
    write_secrets(apply);
    *plan = postfix_plan_make(apply->config, &apply->facts, running);
    return carry_out(apply, *plan, error);
}

static gboolean apply_all(Sql *sql, Apply *apply, PostfixPlan **plan, GError **error)
{
    if (geteuid() != 0) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED,
                    "postfix apply: only root can change Postfix's configuration");
        return FALSE;
    }
    int turn = take_turn(apply->config, error);
    if (turn < 0)
        return FALSE;
    gboolean done = apply_in_turn(sql, apply, plan, error);
    close(turn);
    return done;
}

static const char *why_not(const Apply *apply, gint64 lane)
{
    for (guint i = 0; i < apply->unusable->len; i++) {
        const PostfixUnusable *unusable = apply->unusable->pdata[i];
        if (unusable->lane == lane)
            return unusable->why;
    }
    return "not on this host";
}

static void add_ways(const Apply *apply, const PostfixPlan *plan, Record *ways, const char *name,
                     Record *list)
{
    for (gsize i = 0; i < json_object_array_length(ways); i++) {
        const Record *way = json_object_array_get_idx(ways, i);
        gint64 lane = record_int(way, "lane");
        gboolean served = FALSE;
        for (guint s = 0; s < plan->served->len; s++)
            served |= g_array_index(plan->served, guint32, s) == lane;
        Record *row = json_object_new_object();
        json_object_object_add(row, "lane", json_object_new_int64(lane));
        json_object_object_add(row, "way", json_object_new_string(record_text(way, name)));
        json_object_object_add(row, "served", json_object_new_boolean(served));
        json_object_object_add(row, "why",
                               served ? NULL : json_object_new_string(why_not(apply, lane)));
        json_object_array_add(list, row);
    }
}

gboolean postfix_apply(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);
    g_auto(Apply) apply = {.config = cli->config};
    g_autoptr(PostfixPlan) plan = NULL;

    if (!sql)
        return FALSE;
    apply.config = cli->config;
    if (!apply_all(sql, &apply, &plan, error))
        return FALSE;
    g_autoptr(Record) list = json_object_new_array();
    add_ways(&apply, plan, apply.facts.ways.addresses, "ipv4", list);
    add_ways(&apply, plan, apply.facts.ways.smarthosts, "name", list);
    cli->status = apply.unusable->len ? ATTENTION : 0;
    if (!output_json(cli, list))
        output_table(list, "lane way served why");
    return TRUE;
}

void postfix_ways_follow(Cli *cli)
{
    g_auto(Apply) apply = {.config = cli->config};
    g_autoptr(PostfixPlan) plan = NULL;
    g_autoptr(GError) why = NULL;
    g_autofree char *path = served_path(cli->config);

    if (geteuid() != 0 || access(path, F_OK) < 0) {
        fputs("outrider: now run `outrider postfix apply' as root on each node, and publish the "
              "records of "
              "`outrider installation show'\n",
              stderr);
        return;
    }
    if (apply_all(cli->sql, &apply, &plan, &why) && apply.unusable->len == 0)
        return;
    for (guint i = 0; apply.unusable && !why && i < apply.unusable->len; i++)
        fprintf(stderr, "outrider: warning: lane not set up here: %s\n",
                ((const PostfixUnusable *)apply.unusable->pdata[i])->why);
    if (why)
        fprintf(stderr,
                "outrider: warning: Postfix is not changed yet: %s; run `outrider postfix apply'\n",
                why->message);
    cli->status = ATTENTION;
}
