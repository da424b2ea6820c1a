/* SPDX-License-Identifier: MIT */
/*
 * Why nothing happens to mail that is not ours, whatever clients send and whatever moves meanwhile: a queue id
 * names an inode. We act on an id only while we have that very inode open, and have read in it a sender that our
 * key sealed; so long no other file gets the inode, nor the id. The message may be gone when postsuper comes, but
 * never be another one. (Postfix's own user could rename files behind our back; it may do as it likes with them
 * anyway.) A null sender shows nothing that its writer could not have copied, as X-Outrider-MsgID is no
 * secret: refused for now.
 */
#include "transport/postfix_queue.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/log/log.h"
#include "lib/seal/return_path.h"
#include "lib/service/program.h"
#include "lib/wire/queue_file.h"

#define ASKED                                                                                      \
    "queue_directory", "command_directory", "mail_owner", "hash_queue_names", "hash_queue_depth"
#define QUEUES  3
#define READING (O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)

typedef struct {
    const char *id;
    int fd; /* its file; -1: not to be touched */
    struct stat st;
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
    const struct passwd *owner = g_strv_length(lines) == 6 ? getpwnam(lines[2]) : NULL;
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
                            .group = owner->pw_gid};
    return TRUE;
}

void postfix_queue_clear(PostfixQueue *queue)
{
    g_free(queue->directory);
    g_free(queue->postsuper);
    g_free(queue->postkick);
    g_strfreev(queue->hashed);
}

/* Queue files are read as their owner: so it needs no right to read what it likes, and a link leads nowhere that
 * Postfix's user could not go. */
static void become(uid_t uid, gid_t gid)
{
    /* Root first on the way back, last on the way there. */
    if ((uid == 0 && seteuid(uid) < 0) || setegid(gid) < 0 || seteuid(uid) < 0)
        g_error("cannot change the effective user");
}

/* -1 with errno; ENOENT: it is not in that queue. */
static int open_in(const PostfixQueue *queue, const char *name, const char *id)
{
    gboolean hashed = g_strv_contains((const char *const *)queue->hashed, name);
    g_autofree char *path = queue_id_path(name, id, hashed ? queue->depth : 0);
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    int at = open(queue->directory, READING | O_DIRECTORY);

    for (guint i = 0; at >= 0 && parts[i]; i++) {
        int next = openat(at, parts[i], READING | (parts[i + 1] ? O_DIRECTORY : 0)), why = errno;
        close(at);
        errno = why;
        at = next;
    }
    return at;
}

static gssize read_at(gpointer item, guint8 *buffer, gsize size, guint64 offset)
{
    return pread(((const Item *)item)->fd, buffer, size, (off_t)offset);
}

/* A submission may be held, and so must be able to go again; it is many messages, so none deletes it. */
static gboolean is_ours(const PostfixQueue *queue, const KeyRing *ring, QueueVerb verb, Item *item)
{
    char sender[QUEUE_FILE_SENDER_MAX + 1];
    guint64 inode;
    ReturnPath path;

    return fstat(item->fd, &item->st) == 0 && S_ISREG(item->st.st_mode) && item->st.st_nlink == 1 &&
           item->st.st_uid == queue->owner && (item->st.st_mode & S_IXUSR) /* complete */ &&
           queue_id_inode(item->id, &inode) && inode == item->st.st_ino &&
           queue_file_sender(read_at, item, sender, NULL) &&
           return_path_open(ring, sender, &path, NULL) &&
           (path.kind == RETURN_PATH_MESSAGE ||
            (path.kind == RETURN_PATH_SUBMISSION && verb != QUEUE_DELETE));
}

/* Twice, as postsuper does: the queue manager moves files from queue to queue. */
static void look(const PostfixQueue *queue, const KeyRing *ring, QueueVerb verb, Item *item)
{
    int why = ENOENT;

    for (guint i = 0; item->fd < 0 && why == ENOENT && i < 2 * QUEUES; i++)
        if (verbs[verb].queues[i % QUEUES]) {
            item->fd = open_in(queue, verbs[verb].queues[i % QUEUES], item->id);
            why = item->fd < 0 ? errno : 0;
        }
    item->result = why == ENOENT ? QUEUE_ABSENT : QUEUE_REFUSED;
    item->why =
        why == 0 || why == ELOOP || why == EACCES ? "not a message of ours" : g_strerror(why);
    if (item->fd < 0)
        return;
    if (!is_ours(queue, ring, verb, item)) {
        close(item->fd);
        item->fd = -1;
    } else if (verb == QUEUE_RELEASE) {
        /* Its time of the next attempt, which may be far away if it was deferred before it was held. */
        futimens(item->fd, NULL);
    }
}

/* What has become of it. Only what is seen counts, not what postsuper says. */
static void look_again(const PostfixQueue *queue, QueueVerb verb, Item *item)
{
    struct stat st, now;
    int fd = open_in(queue, "hold", item->id);
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
    become(queue->owner, queue->group);
    for (guint i = 0; i < count; i++)
        if (items[i].fd >= 0)
            look_again(queue, verb, &items[i]);
    if (verb == QUEUE_RELEASE)
        wake_queue_manager(queue);
    become(0, getgid());
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
    become(queue->owner, queue->group);
    for (guint i = 0; i < request->count; i++) {
        items[i] = (Item){request->ids[i], -1, .result = QUEUE_REFUSED,
                          .why = "the key ring cannot be read"};
        if (ring)
            look(queue, ring, request->verb, &items[i]);
    }
    become(0, getgid());
    act(queue, request->verb, items, request->count);
    for (guint i = 0; i < request->count; i++) {
        queue_answer_write(answer, items[i].id, items[i].result, items[i].why);
        log_info(items[i].id, queue_verb_name(request->verb), LOG_INT("uid", asked_by),
                 LOG_TEXT("result", queue_result_name(items[i].result)));
    }
    queue_answer_end(answer);
}
