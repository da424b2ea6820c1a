/* SPDX-License-Identifier: MIT */
/*
 * Why nothing happens to mail that is not ours, whatever clients send and whatever moves meanwhile: a queue id
 * names an inode. We act on an id only while we have that very inode open, and have read in it what only our key
 * seals; so long no other file gets the inode, nor the id. The message may be gone when postsuper comes, but
 * never be another one. (Postfix's own user could rename files behind our back; it may do as it likes with them
 * anyway.) Whoever has received mail of ours can copy its seal into mail of his own: that is then not safe from
 * us, but no client asks for its id, as history has it not.
 */
#include "transport/postfix_queue.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/log/log.h"
#include "lib/seal/msgid.h"
#include "lib/service/beneath.h"
#include "lib/service/program.h"
#include "lib/service/rights.h"
#include "lib/wire/queue_owner.h"

#define ASKED                                                                                      \
    "queue_directory", "command_directory", "mail_owner", "hash_queue_names", "hash_queue_depth",  \
        "qmgr_message_active_limit"
#define QUEUES 3

typedef struct {
    const char *id;
    int fd; /* its file; -1: not to be touched */
    struct stat st;
    QueueFile file;
    QueueOwner owner;
    QueueResult result;
    const char *why;
} Item;

/* The queues that a verb acts on; postsuper(1) is told the same, so that a message which has been released and
 * is being delivered is not deleted. */
static const struct {
    const char *option;
    const char *queues[QUEUES];
} verbs[QUEUE_VERB_COUNT] = {
    [QUEUE_HOLD] = {"-h", {"incoming", "active", "deferred"}},
    [QUEUE_RELEASE] = {"-H", {"hold"}},
    [QUEUE_DELETE] = {"-d", {"hold"}},
};

gboolean postfix_queue_open(PostfixQueue *queue, const Config *config, GError **error)
{
    const char *etc = config_string(config, CONFIG_POSTFIX_CONFIG_DIR);
    const char *const command[] = {"/usr/sbin/postconf", "-c", etc, "-xh", ASKED, NULL};
    g_autofree char *text = NULL;

    if (!program_run(command, "", &text, error))
        return FALSE;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    const struct passwd *owner = g_strv_length(lines) == 7 ? getpwnam(lines[2]) : NULL;
    guint64 depth = owner ? g_ascii_strtoull(lines[4], NULL, 10) : 0;
    if (!owner || *lines[0] != '/' || *lines[1] != '/' || depth > QUEUE_DEPTH_MAX) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                    "postconf -c %s: not as expected: %s", etc, text);
        return FALSE;
    }
    *queue = (PostfixQueue){.config = config,
                            .etc = etc,
                            .directory = g_strdup(lines[0]),
                            .postsuper = g_strconcat(lines[1], "/postsuper", NULL),
                            .postkick = g_strconcat(lines[1], "/postkick", NULL),
                            .hashed = g_strsplit_set(lines[3], ", \t", -1),
                            .depth = (guint)depth,
                            .owner = owner->pw_uid,
                            .group = owner->pw_gid,
                            .active_max = (guint)g_ascii_strtoull(lines[5], NULL, 10),
                            .pace = queue_pace_new()};
    return TRUE;
}

void postfix_queue_clear(PostfixQueue *queue)
{
    g_free(queue->directory);
    g_free(queue->postsuper);
    g_free(queue->postkick);
    g_strfreev(queue->hashed);
    queue_pace_free(queue->pace);
}

static guint depth_of(const PostfixQueue *queue, const char *name)
{
    return g_strv_contains((const char *const *)queue->hashed, name) ? queue->depth : 0;
}

/* Queue files are opened as their owner: so it needs no right to open what it likes, and a link leads nowhere that
 * Postfix's user could not go. -1 with errno; ENOENT: it is not in that queue. */
static int open_in(const PostfixQueue *queue, const char *name, const char *id, int flags)
{
    g_autofree char *path = queue_id_path(name, id, depth_of(queue, name));

    return beneath_open(queue->directory, path, flags);
}

/* A submission may be held, and so must be able to go again; it is many messages, so none deletes it. */
static gboolean is_ours(const PostfixQueue *queue, const KeyRing *ring, QueueVerb verb, Item *item)
{
    const char *domain = config_string(queue->config, CONFIG_RETURN_PATH_DOMAIN);

    if (fstat(item->fd, &item->st) < 0 || !queue_id_fits(item->id, &item->st, queue->owner) ||
        !queue_file_read(queue_file_pread, &item->fd, MSGID_FIELD, &item->file, NULL))
        return FALSE;
    item->owner = queue_owner(ring, domain, &item->file);
    return item->owner == QUEUE_OWNER_MESSAGE ||
           (item->owner == QUEUE_OWNER_SUBMISSION && verb != QUEUE_DELETE);
}

/* Its lifetime in Postfix's queue begins anew, as with `postsuper -r'; but that also rewrites it. One that
 * waits to be split ends with its claim, which stays as old as it is. Due is it now, even if its next attempt was
 * far away when it was held. */
static void renew(const Item *item)
{
    g_autofree char *now = g_strdup_printf("%" G_GINT64_FORMAT, g_get_real_time() / G_USEC_PER_SEC);
    gsize length = strlen(now);

    if (item->owner == QUEUE_OWNER_MESSAGE &&
        (item->file.created_digits != length ||
         pwrite(item->fd, now, length, (off_t)item->file.created_at) != (gssize)length))
        log_warning(item->id, "stays as old as it is: Postfix may try it only once");
    futimens(item->fd, NULL);
}

/* Twice, as postsuper does: the queue manager moves files from queue to queue. */
static void look(const PostfixQueue *queue, const KeyRing *ring, QueueVerb verb, Item *item)
{
    int why = ENOENT;

    for (guint i = 0; item->fd < 0 && why == ENOENT && i < 2 * QUEUES; i++)
        if (verbs[verb].queues[i % QUEUES]) {
            item->fd = open_in(queue, verbs[verb].queues[i % QUEUES], item->id,
                               verb == QUEUE_RELEASE ? O_RDWR : O_RDONLY);
            why = item->fd < 0 ? errno : 0;
        }
    item->result = why == ENOENT ? QUEUE_ABSENT : QUEUE_REFUSED;
    item->why = why == 0 || why == ELOOP || why == EACCES || why == EISDIR ? "not a message of ours"
                                                                           : g_strerror(why);
    if (item->fd < 0)
        return;
    if (!is_ours(queue, ring, verb, item)) {
        close(item->fd);
        item->fd = -1;
    } else if (verb == QUEUE_RELEASE) {
        renew(item);
    }
}

/* What has become of it. Only what is seen counts, not what postsuper says. */
static void look_again(const PostfixQueue *queue, QueueVerb verb, Item *item)
{
    struct stat st, now;
    int fd = open_in(queue, "hold", item->id, O_RDONLY);
    gboolean held = fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == item->st.st_ino;
    gboolean gone = fstat(item->fd, &now) == 0 && now.st_nlink == 0;

    if (verb == QUEUE_HOLD ? held : verb == QUEUE_RELEASE ? !held : gone)
        item->result = QUEUE_DONE;
    else if (verb == QUEUE_HOLD ? gone : !held)
        item->result = QUEUE_ABSENT;
    item->why = "postsuper did not do it; see the mail log";
    if (fd >= 0)
        close(fd);
    close(item->fd);
}

/* Has the queue manager look through the deferred queue now, once, for what is due, as it does every
 * queue_run_delay; however many ids. `postqueue -i' is a process and a connection to flush(8) for each id;
 * `postqueue -f' tries everything again that has failed a moment ago. */
static void wake_queue_manager(const PostfixQueue *queue)
{
    const char *const command[] = {queue->postkick, "-c", queue->etc, "public", "qmgr", "D", NULL};
    g_autoptr(GError) error = NULL;

    if (!program_run(command, "", NULL, &error))
        log_warning(NULL, "released mail waits for Postfix's next look at its queue",
                    LOG_GERROR(error));
}

static gboolean stat_in(const PostfixQueue *queue, const char *name, const char *id,
                        struct stat *st)
{
    g_autofree char *path = queue_id_path(name, id, depth_of(queue, name));
    g_autofree char *whole = g_build_filename(queue->directory, path, NULL);

    return lstat(whole, st) == 0;
}

/* In the active queue, or due: what was tried and put off has a time to come. */
static gboolean waits(const char *id, gpointer data)
{
    struct stat st;

    return stat_in(data, "active", id, &st) || (stat_in(data, "deferred", id, &st) &&
                                                st.st_mtime <= g_get_real_time() / G_USEC_PER_SEC);
}

/* How many messages a request may release. */
static guint find_room(const PostfixQueue *queue, QueueVerb verb)
{
    g_autofree char *path = g_build_filename(queue->directory, "active", NULL);

    if (verb != QUEUE_RELEASE)
        return QUEUE_IDS_MAX;
    return queue_pace_room(queue->pace, waits, (gpointer)(guintptr)queue,
                           beneath_count(path, depth_of(queue, "active"), queue->active_max),
                           queue->active_max, g_get_monotonic_time());
}

static void act(const PostfixQueue *queue, QueueVerb verb, Item *items, guint count)
{
    const char *const *queues = verbs[verb].queues;
    const char *const command[] = {queue->postsuper,   "-c",      queue->etc,
                                   verbs[verb].option, "-",       queues[0],
                                   queues[1],          queues[2], NULL};
    g_autoptr(GString) ids = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < count; i++)
        if (items[i].fd >= 0)
            g_string_append_printf(ids, "%s\n", items[i].id);
    if (ids->len == 0)
        return;
    if (!program_run(command, ids->str, NULL, &error))
        log_error(NULL, "postsuper failed", LOG_GERROR(error));
    rights_become(queue->owner, queue->group);
    for (guint i = 0; i < count; i++)
        if (items[i].fd >= 0)
            look_again(queue, verb, &items[i]);
    if (verb == QUEUE_RELEASE)
        wake_queue_manager(queue);
    rights_become(0, getgid());
}

/* Opens those that are asked about and ours; of a release as many as there is room for. */
static void look_at_all(const PostfixQueue *queue, const KeyRing *ring, QueueVerb verb, Item *items,
                        guint count)
{
    guint room = find_room(queue, verb);

    for (guint i = 0; i < count; i++) {
        if (room == 0) {
            items[i].result = QUEUE_LATER;
            continue;
        }
        look(queue, ring, verb, &items[i]);
        room -= items[i].fd >= 0;
    }
}

void postfix_queue_act(const PostfixQueue *queue, const QueueRequest *request, uid_t asked_by,
                       GString *answer)
{
    /* Read each time: keys are rotated. */
    g_autofree char *path = config_path(queue->config, CONFIG_KEY_DIR, "return");
    g_autofree Item *items = g_new0(Item, request->count);
    g_autoptr(GError) error = NULL;
    g_autoptr(KeyRing) ring = ring_load(path, &error);

    if (!ring)
        log_error(NULL, "cannot tell whose mail is", LOG_GERROR(error));
    rights_become(queue->owner, queue->group);
    for (guint i = 0; i < request->count; i++)
        items[i] = (Item){request->ids[i], -1, .result = QUEUE_REFUSED,
                          .why = "the key ring cannot be read"};
    if (ring)
        look_at_all(queue, ring, request->verb, items, request->count);
    rights_become(0, getgid());
    act(queue, request->verb, items, request->count);
    for (guint i = 0; i < request->count; i++) {
        queue_answer_write(answer, items[i].id, items[i].result, items[i].why);
        if (items[i].result == QUEUE_LATER)
            continue;
        if (request->verb == QUEUE_RELEASE && items[i].result == QUEUE_DONE)
            queue_pace_note(queue->pace, items[i].id, g_get_monotonic_time());
        log_info(items[i].id, queue_verb_name(request->verb), LOG_INT("uid", asked_by),
                 LOG_TEXT("result", queue_result_name(items[i].result)));
    }
    queue_answer_end(answer);
}
