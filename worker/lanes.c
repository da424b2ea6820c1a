/* SPDX-License-Identifier: MIT */
#include "worker/lanes.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/error.h"
#include "lib/edge/edge.h"
#include "lib/seal/return_path.h"

char *lanes_render(const GArray *lanes, const char *return_path_domain,
                   const char *return_path_label, guint hop_port)
{
    g_autofree char *label = g_regex_escape_string(return_path_label, -1);
    g_autofree char *domain = g_regex_escape_string(return_path_domain, -1);
    g_autoptr(GString) text = g_string_new(
        "# Written by outrider-worker: the way out of each lane. Do not edit; change the pool's\n"
        "# addresses with outrider(1) instead.\n");

    g_string_append_printf(
        text,
        "# A submission that was requeued before it was split goes to the hop again.\n"
        "/^" RETURN_PATH_SUBMISSION_PATTERN "-0@%s$/ outrider-split:[127.0.0.1]:%u\n",
        domain, hop_port);
    for (guint i = 0; i < lanes->len; i++) {
        guint32 lane = g_array_index(lanes, EdgeLane, i).lane;
        g_string_append_printf(text, "/^[a-z2-7]{%d}-%u@(%s|%s\\.[a-z0-9.-]+)$/ outrider-ip%u:\n",
                               RETURN_PATH_TOKEN_LENGTH, lane, domain, label, lane);
    }
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
