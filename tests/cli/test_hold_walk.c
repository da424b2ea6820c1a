/* SPDX-License-Identifier: MIT */
/* hold release and hold cancel of several pages, against a real MariaDB and an outrider-queue that a thread plays. */
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/wire/queue.h"
#include "tests/cli/cli_fixture.h"
#include "tests/lib/testing.h"

#define MESSAGES  2400
#define EVERY     24 /* of which node 2 has each such one */
#define ELSEWHERE (MESSAGES / EVERY)
#define OURS      (MESSAGES - ELSEWHERE)
#define FIRST     ((guint64)60000000 << 22)
#define ROOM      500 /* of a request, with NO_ROOM */
#define LINE      "hold release --server acme/main --yes"

/* What the thread does at one of the requests. */
typedef enum { NOTHING, INTERRUPT, HANG_UP, HOLD_MORE, NO_ROOM } Trick;

typedef struct {
    Trick trick;
    guint at; /* 1: the first request */
    /* What it saw. */
    guint requests;
    guint ids;
    char last[QUEUE_ID_MAX + 1];
    gboolean rising; /* each id was above the one before */
    QueueVerb verb;
} Play;

static int listener;

/* Rows FROM to TO (not included). */
static void hold(guint from, guint to)
{
    g_autofree char *sql = g_strdup_printf(
        "INSERT INTO message (server_id, status, rcpt_to, hold_at, hold_rule, hold_seen_at, id, "
        "queue_id, accepted_at, status_at) SELECT 1, 'Held', 'a@ok.test', 1795248000000000, "
        "'development', 1795248000000001, %" G_GUINT64_FORMAT " + seq * 256 + IF(seq %% %d, 1, 2), "
        "CONCAT('51FC', LPAD(HEX(seq), 5, '0')), 1795248000000000, 1795248000000000 "
        "FROM seq_%u_to_%u",
        FIRST, EVERY, from, to - 1);

    g_free(mariadb_fixture_run(cli_server, "cli", sql));
}

static void note(Play *play, const QueueRequest *request)
{
    play->requests++;
    play->ids += request->count;
    play->verb = request->verb;
    for (guint i = 0; i < request->count; i++) {
        play->rising = play->rising && strcmp(request->ids[i], play->last) > 0;
        g_strlcpy(play->last, request->ids[i], sizeof play->last);
    }
}

/* FALSE: hang up. */
static gboolean trick(const Play *play, int fd)
{
    struct ucred peer;
    socklen_t length = sizeof peer;

    if (play->requests != play->at)
        return TRUE;
    if (play->trick == INTERRUPT && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0)
        kill(peer.pid, SIGINT);
    if (play->trick == HOLD_MORE)
        hold(MESSAGES, MESSAGES + 50);
    return play->trick != HANG_UP;
}

static gboolean serve_request(Play *play, int fd)
{
    g_autoptr(GString) answer = g_string_new(NULL);
    g_auto(QueueRequest) request = {0};
    char text[QUEUE_REQUEST_MAX];
    gssize have = 0, got = 0, used = 0;

    while (used == 0 && (got = recv(fd, text + have, sizeof text - (gsize)have, 0)) > 0) {
        have += got;
        used = queue_request_parse(text, (gsize)have, &request, NULL);
    }
    if (used <= 0)
        return FALSE;
    note(play, &request);
    if (!trick(play, fd))
        return FALSE;
    for (guint i = 0; i < request.count; i++)
        queue_answer_write(answer, request.ids[i],
                           play->trick == NO_ROOM && i >= ROOM ? QUEUE_LATER : QUEUE_DONE, NULL);
    queue_answer_end(answer);
    return send(fd, answer->str, answer->len, MSG_NOSIGNAL) == (gssize)answer->len;
}

/* Serves until somebody connects who asks nothing. */
static gpointer serve(gpointer data)
{
    for (guint before = G_MAXUINT; before != ((Play *)data)->requests;) {
        int fd = accept(listener, NULL, NULL);
        before = ((Play *)data)->requests;
        while (serve_request(data, fd))
            ;
        close(fd);
    }
    return NULL;
}

static int connect_to(const char *path, gboolean listening)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    assert_int_equal(listening ? bind(fd, (struct sockaddr *)&address, sizeof address)
                               : connect(fd, (struct sockaddr *)&address, sizeof address),
                     0);
    return fd;
}

/* Runs a command beside the thread; its exit status. */
static int run_beside(Play *play, const char *line, char **out, char **err)
{
    g_autofree char *path = g_strconcat(cli_dir, "/queue/outrider/queue", NULL);

    play->rising = TRUE;
    GThread *thread = g_thread_new("queue", serve, play);
    int status = run(line, NULL, out, err);
    close(connect_to(path, FALSE));
    g_thread_join(thread);
    return status;
}

static void test_hold_walk_pages(void **state)
{
    static const struct {
        const char *line;
        QueueVerb verb;
        const char *says;
    } cases[] = {
        {LINE, QUEUE_RELEASE, "released 2300, absent 0, refused 0, not asked 100\n"},
        {"hold release --all --yes", QUEUE_RELEASE, "released 2300, absent"},
        {"hold cancel --rule development --yes", QUEUE_DELETE, "cancelled 2300 for good, absent"},
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *out = NULL, *err = NULL;
        Play play = {0};
        assert_int_equal(run_beside(&play, cases[i].line, &out, &err), 69);
        assert_has(out, cases[i].says);
        assert_has(err, "outrider: 100 messages: held by node 2: ");
        assert_int_equal(play.requests, 3);
        assert_int_equal(play.ids, OURS);
        assert_true(play.rising); /* oldest first, each once */
        assert_int_equal(play.verb, cases[i].verb);
    }
}

static void test_hold_walk_without_yes(void **state)
{
    g_autofree char *out = NULL, *err = NULL;
    Play play = {0};

    (void)state;
    assert_int_equal(run_beside(&play, "hold cancel --all", &out, &err), 69);
    assert_has(err, "more than 100 messages would be cancelled: nothing is done without --yes");
    assert_string_equal(out, "");
    assert_int_equal(play.requests, 0);
}

static void test_hold_walk_interrupted(void **state)
{
    g_autofree char *out = NULL, *err = NULL, *json = NULL, *quiet = NULL;
    Play play = {.trick = INTERRUPT, .at = 1}, second = {.trick = INTERRUPT, .at = 2};

    (void)state;
    assert_int_equal(run_beside(&play, LINE, &out, &err), 69);
    assert_int_equal(play.requests, 1);
    g_autofree char *says = g_strdup_printf("released %u, absent 0, refused 0, ", play.ids);
    assert_has(out, says);
    assert_has(out, "; interrupted\n");
    assert_int_equal(run_beside(&second, "--json " LINE, &json, &quiet), 69);
    assert_int_equal(second.requests, 2);
    g_autofree char *count = g_strdup_printf("\"released\": %u,", second.ids);
    assert_has(json, count);
    assert_has(json, "\"interrupted\": true");
    assert_string_equal(quiet, "");
}

/* Of a connection that is closed the request is made again; on a new one, not once more. */
static void test_hold_walk_hung_up(void **state)
{
    g_autofree char *out = NULL, *err = NULL, *nothing = NULL, *why = NULL;
    Play play = {.trick = HANG_UP, .at = 2}, first = {.trick = HANG_UP, .at = 1};

    (void)state;
    assert_int_equal(run_beside(&play, LINE, &out, &err), 69);
    assert_int_equal(play.requests, 4);
    assert_has(out, "released 2300, absent 0, refused 0, not asked 100\n");
    assert_int_equal(run_beside(&first, LINE, &nothing, &why), 75);
    assert_string_equal(nothing, "");
    assert_string_equal(why, "outrider: outrider-queue did not answer: socket queue: closed\n");
}

/* What has no room is asked for again, and counted once. */
static void test_hold_walk_waits_for_room(void **state)
{
    g_autofree char *out = NULL, *err = NULL;
    Play play = {.trick = NO_ROOM};

    (void)state;
    assert_int_equal(run_beside(&play, LINE, &out, &err), 69);
    assert_has(out, "released 2300, absent 0, refused 0, not asked 100\n");
    assert_int_equal(play.requests, 5); /* two pages twice, and the rest */
    assert_true(play.ids > OURS);
}

/* The last test: it leaves messages of its own. */
static void test_hold_walk_leaves_what_comes_later(void **state)
{
    g_autofree char *out = NULL, *err = NULL;
    Play play = {.trick = HOLD_MORE, .at = 1};

    (void)state;
    assert_int_equal(run_beside(&play, LINE, &out, &err), 69);
    assert_has(out, "released 2300, absent 0, refused 0, not asked 100\n");
    assert_int_equal(play.ids, OURS);
}

static int start(void **state)
{
    int failed = cli_fixture_start(state);
    g_autofree char *directory = g_strconcat(cli_dir, "/queue/outrider", NULL);
    g_autofree char *path = g_strconcat(directory, "/queue", NULL);

    assert_int_equal(g_mkdir_with_parents(directory, 0700), 0);
    listener = connect_to(path, TRUE);
    assert_int_equal(listen(listener, 4), 0);
    hold(0, MESSAGES);
    return failed;
}

static int stop(void **state)
{
    close(listener);
    return cli_fixture_stop(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hold_walk_pages),
        cmocka_unit_test(test_hold_walk_without_yes),
        cmocka_unit_test(test_hold_walk_interrupted),
        cmocka_unit_test(test_hold_walk_hung_up),
        cmocka_unit_test(test_hold_walk_waits_for_room),
        cmocka_unit_test(test_hold_walk_leaves_what_comes_later),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
