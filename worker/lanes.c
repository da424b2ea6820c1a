/* SPDX-License-Identifier: MIT */
#include "worker/lanes.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/error.h"
#include "lib/seal/return_path.h"

#define LETTERS   "abcdefghijklmnopqrstuvwxyz234567"
#define LETTERS_N 32
#define WAIT      "retry:4.7.0 no address of the pool takes mail on this node"

static const EdgeLaneState *state_at(const GArray *lanes, guint i)
{
    return &g_array_index(lanes, EdgeLaneState, i);
}

static gboolean takes_mail(const EdgeLaneState *state)
{
    return !state->gone && state->served && (state->pool == 0 || state->weight > 0);
}

static void append_way(GString *text, const EdgeLaneState *to)
{
    if (to->pool)
        g_string_append_printf(text, " outrider-ip%u:\n", to->lane);
    else
        g_string_append_printf(text, " outrider-sh%u:%s\n", to->lane, to->next_hop);
}

/* The lanes that take over; weights count among the addresses of one pool. */
static GPtrArray *heirs(const GArray *lanes, const EdgeLaneState *from)
{
    GPtrArray *list = g_ptr_array_new();

    for (guint i = 0; from->pool == 0 && i < lanes->len; i++)
        if (state_at(lanes, i)->pool == 0 && state_at(lanes, i)->is_default &&
            takes_mail(state_at(lanes, i)))
            g_ptr_array_add(list, (gpointer)(guintptr)state_at(lanes, i));
    if (list->len > 0)
        return list;
    for (guint i = 0; i < lanes->len; i++) {
        const EdgeLaneState *to = state_at(lanes, i);
        gboolean kin = from->pool ? to->pool == from->pool : to->pool && to->is_default;
        if (kin && takes_mail(to))
            g_ptr_array_add(list, (gpointer)(guintptr)to);
    }
    return list;
}

static guint weight_of(const EdgeLaneState *state)
{
    return state->pool ? state->weight : 1;
}

/* Each letter before the last (whose low bits are padding) belongs to one heir. */
static void append_heirs(GString *text, const EdgeLaneState *from, const GPtrArray *list,
                         const char *domain)
{
    guint total = 0, before = 0;

    if (list->len == 0)
        g_string_append_printf(text, "/^[a-z2-7]{%d}-%u@%s$/ %s\n", RETURN_PATH_TOKEN_LENGTH,
                               from->lane, domain, from->defer ? WAIT : "DUNNO");
    for (guint i = 0; i < list->len; i++)
        total += weight_of(list->pdata[i]);
    for (guint i = 0; i < list->len; i++) {
        guint begin = before * LETTERS_N / total;
        before += weight_of(list->pdata[i]);
        guint end = before * LETTERS_N / total;
        if (begin == end)
            continue;
        g_string_append_printf(text, "/^[a-z2-7]{%d}[%.*s][a-z2-7]-%u@%s$/",
                               RETURN_PATH_TOKEN_LENGTH - 2, (int)(end - begin), LETTERS + begin,
                               from->lane, domain);
        append_way(text, list->pdata[i]);
    }
}

static void append_lane(GString *text, const GArray *lanes, const EdgeLaneState *state,
                        const char *domain)
{
    if (state->gone || (state->pool && !state->served)) {
        g_autoptr(GPtrArray) list = heirs(lanes, state);
        append_heirs(text, state, list, domain);
        return;
    }
    g_string_append_printf(text, "/^[a-z2-7]{%d}-%u@%s$/", RETURN_PATH_TOKEN_LENGTH, state->lane,
                           domain);
    append_way(text, state);
}

char *lanes_render(const GArray *lanes, const char *return_path_domain,
                   const char *return_path_label, guint hop_port)
{
    g_autofree char *label = g_regex_escape_string(return_path_label, -1);
    g_autofree char *domain = g_regex_escape_string(return_path_domain, -1);
    g_autofree char *any = g_strdup_printf("(%s|%s\\.[a-z0-9.-]+)", domain, label);
    g_autoptr(GString) text = g_string_new(
        "# Written by outrider-worker: the way out of each lane. Do not edit; change the pool's\n"
        "# addresses with outrider(1) instead.\n");

    g_string_append_printf(
        text,
        "# A submission that was requeued before it was split goes to the hop again.\n"
        "/^" RETURN_PATH_SUBMISSION_PATTERN "-0@%s$/ outrider-split:[127.0.0.1]:%u\n",
        domain, hop_port);
    for (guint i = 0; i < lanes->len; i++)
        append_lane(text, lanes, state_at(lanes, i), any);
    g_string_append_printf(text,
                           "/^[a-z2-7]{%d}-[1-9][0-9]*@%s$/ retry:4.3.5 lane is not known yet\n",
                           RETURN_PATH_TOKEN_LENGTH, domain);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

gboolean lanes_write(const char *path, const char *text, gboolean *changed, GError **error)
{
    g_autofree char *current = NULL;
    g_autoptr(GError) why = NULL;

    if (g_file_get_contents(path, &current, NULL, NULL) && strcmp(current, text) == 0) {
        *changed = FALSE;
        return TRUE;
    }
    if (!g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, &why)) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_IO, "%s", why->message);
        return FALSE;
    }
    if (chmod(path, 0644) < 0)
        return error_set_errno(error, errno, "change mode of", path);
    *changed = TRUE;
    return TRUE;
}

gboolean lanes_reload(const char *postfix_config_dir, GError **error)
{
    char config[] = "-c", reload[] = "reload", postfix[] = "postfix";
    g_autofree char *directory = g_strdup(postfix_config_dir);
    char *command[] = {postfix, config, directory, reload, NULL};
    g_autoptr(GError) why = NULL;
    g_autofree char *words = NULL;
    int status = 0;

    if (g_spawn_sync(NULL, command, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL,
                     NULL, NULL, &words, &status, &why) &&
        g_spawn_check_wait_status(status, NULL))
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                "run `postfix -c %s reload' as root (the unit outrider-lanes.path does): %s",
                postfix_config_dir,
                why                 ? why->message
                : words && words[0] ? g_strstrip(words)
                                    : "it failed");
    return FALSE;
}
