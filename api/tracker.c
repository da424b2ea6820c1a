/* SPDX-License-Identifier: MIT */
#include "api/tracker.h"

#include <stdatomic.h>

#include "api/asked.h"
#include "api/location.h"
#include "api/owners.h"
#include "api/visit.h"
#include "lib/base/error.h"
#include "lib/journal/journal.h"
#include "lib/log/log.h"

#define JOURNAL_RETRY_SECONDS 5

struct Tracker {
    const Config *config;
    guint node;
    guint log_every;
    GBytes *pixel, *empty;
    Owners *owners;
    Counter *counters; /* mapped, or of its own when that cannot be */
    gboolean counters_mapped;
    _Atomic guint64 seen;       /* answers, for the log's sample */
    _Atomic guint64 kept;       /* events that the journal took */
    _Atomic gboolean broken;    /* the journal must be opened anew */
    _Atomic gboolean edge_away; /* and the log knows it */
    GRWLock lock;               /* written when one of these is replaced */
    KeyRing *ring;
    Edge *edge;
    Journal *journal; /* NULL: it cannot be opened */
    /* tracker_tick's */
    guint64 told_lost, told_kept, journal_lost;
    gboolean losing;
    guint until_retry;
};

/* GIF89a, 1x1, transparent. */
static const guint8 pixel[] = {
    'G',  'I',  'F',  '8',  '9',  'a',  0x01, 0x00, 0x01, 0x00, 0x80, 0x00, 0x00, 0x00,
    0x00, 0x00, 0xff, 0xff, 0xff, 0x21, 0xf9, 0x04, 0x01, 0x00, 0x00, 0x00, 0x00, 0x2c,
    0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x02, 0x01, 0x44, 0x00, 0x3b,
};

static KeyRing *load_ring(const Config *config, GError **error)
{
    g_autofree char *path = config_path(config, CONFIG_KEY_DIR, "link");

    return ring_load(path, error);
}

static Journal *open_journal(const Config *config, GError **error)
{
    JournalOptions options = {.min_free = (guint64)config_int(config, CONFIG_SPOOL_MIN_FREE)};

    return journal_open(config_string(config, CONFIG_SPOOL_DIR),
                        journal_program_name(JOURNAL_OF_TRACKD), &options, error);
}

static void open_counters(Tracker *tracker)
{
    g_autofree char *path = config_path(tracker->config, CONFIG_SPOOL_DIR, TRACK_COUNTER_FILE);
    g_autoptr(GError) error = NULL;

    tracker->counters = counters_make(path, TRACK_COUNTER_COUNT, &error);
    tracker->counters_mapped = tracker->counters != NULL;
    if (!tracker->counters_mapped) {
        log_warning(NULL, "nobody will see what is counted", LOG_GERROR(error));
        tracker->counters = g_new0(Counter, TRACK_COUNTER_COUNT);
    }
}

Tracker *tracker_open(const Config *config, GError **error)
{
    g_autoptr(Tracker) tracker = g_new0(Tracker, 1);
    g_autoptr(GError) why = NULL;

    tracker->config = config;
    tracker->node = (guint)config_int(config, CONFIG_NODE_ID);
    tracker->log_every = (guint)config_int(config, CONFIG_TRACKD_LOG_EVERY);
    tracker->pixel = g_bytes_new_static(pixel, sizeof pixel);
    tracker->empty = g_bytes_new_static("", 0);
    tracker->owners = owners_new();
    g_rw_lock_init(&tracker->lock);
    tracker->ring = load_ring(config, error);
    if (!tracker->ring)
        return NULL;
    tracker->edge = edge_open(config_string(config, CONFIG_EDGE_DIR));
    tracker->journal = open_journal(config, &why);
    if (!tracker->journal)
        log_error(NULL, "clicks and opens are not recorded", LOG_GERROR(why));
    open_counters(tracker);
    return g_steal_pointer(&tracker);
}

void tracker_close(Tracker *tracker)
{
    if (!tracker)
        return;
    journal_close(tracker->journal);
    edge_close(tracker->edge);
    owners_free(tracker->owners);
    ring_free(tracker->ring);
    if (tracker->counters_mapped)
        counters_unmap(tracker->counters, TRACK_COUNTER_COUNT);
    else
        g_free((void *)(guintptr)tracker->counters);
    g_bytes_unref(tracker->pixel);
    g_bytes_unref(tracker->empty);
    g_rw_lock_clear(&tracker->lock);
    g_free(tracker);
}

static void count(Tracker *tracker, TrackCounter counter)
{
    atomic_fetch_add(&tracker->counters[counter], 1);
}

/* 0: nobody's that is known. */
static guint32 owner_of(Tracker *tracker, const char *host)
{
    g_autoptr(GError) error = NULL;
    guint32 owner = 0;
    gboolean away = !owners_find(tracker->owners, tracker->edge, host, &owner, &error);

    if (atomic_load(&tracker->edge_away) == away ||
        atomic_exchange(&tracker->edge_away, away) == away)
        return owner;
    if (away)
        log_warning(NULL, "the replica cannot be read: seals alone decide", LOG_GERROR(error));
    else
        log_info(NULL, "the replica is read again");
    return owner;
}

static void record(Tracker *tracker, const HttpdRequest *request, const Link *link)
{
    const Visit visit = {.node = tracker->node,
                         .at_us = g_get_real_time(),
                         .host = request->host,
                         .ip = request->client,
                         .agent = httpd_field(request, "User-Agent"),
                         .method = request->method};
    g_autofree char *json = visit_json(link, &visit);
    const JournalEntry entry = {
        .type = visit_type(link), .at_us = visit.at_us, .json = json, .length = -1};
    g_autoptr(GError) error = NULL;

    count(tracker, link->kind == LINK_CLICK ? TRACK_COUNTER_CLICKS : TRACK_COUNTER_OPENS);
    if (tracker->journal && journal_post(tracker->journal, &entry, 1, &error)) {
        atomic_fetch_add(&tracker->kept, 1);
        return;
    }
    count(tracker, TRACK_COUNTER_LOST);
    if (g_error_matches(error, OUTRIDER_ERROR, OUTRIDER_ERROR_IO))
        atomic_store(&tracker->broken, TRUE);
}

static void not_found(Tracker *tracker, HttpdAnswer *answer)
{
    count(tracker, TRACK_COUNTER_NOT_FOUND);
    httpd_answer_text(answer, 404, "Not Found\n");
}

/* The link, once it is known to be ours, with what it is worth recorded. */
static Link *follow(Tracker *tracker, const HttpdRequest *request, const Asked *asked)
{
    g_rw_lock_reader_lock(&tracker->lock);
    /* The seal first: it costs less, and turns strangers away before the replica is asked. */
    Link *link = asked_link(asked, tracker->ring, request->host, 0);
    guint32 owner = link ? owner_of(tracker, request->host) : 0;
    if (link && owner > 0 && owner != link->server)
        g_clear_pointer(&link, link_free);
    if (link)
        record(tracker, request, link);
    g_rw_lock_reader_unlock(&tracker->lock);
    return link;
}

static void answer_link(Tracker *tracker, const HttpdRequest *request, const Asked *asked,
                        HttpdAnswer *answer)
{
    g_autoptr(Link) link = follow(tracker, request, asked);
    g_autofree char *location = link && link->kind == LINK_CLICK ? location_write(link->url) : NULL;

    if (!link) {
        not_found(tracker, answer);
        return;
    }
    if (link->kind == LINK_CLICK) {
        httpd_answer(answer, 307, NULL, tracker->empty);
        httpd_answer_field(answer, "Location", location);
        httpd_answer_field(answer, "Cache-Control", "no-store");
        return;
    }
    httpd_answer(answer, 200, "image/gif", tracker->pixel);
    httpd_answer_field(answer, "Cache-Control", "no-store, no-cache, max-age=0, private");
    httpd_answer_field(answer, "Pragma", "no-cache");
}

static void answer_request(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    Tracker *tracker = context;
    Asked asked = asked_read(request->method, request->path);

    switch (asked.kind) {
    case ASKED_CLICK:
    case ASKED_OPEN:
        answer_link(tracker, request, &asked, answer);
        break;
    case ASKED_HELLO:
        count(tracker, TRACK_COUNTER_OTHER);
        httpd_answer_text(answer, 200, "Hello.");
        break;
    case ASKED_BY_METHOD:
        count(tracker, TRACK_COUNTER_OTHER);
        httpd_answer_text(answer, 405, "Method Not Allowed\n");
        httpd_answer_field(answer, "Allow", "GET, HEAD");
        break;
    case ASKED_NOTHING:
        not_found(tracker, answer);
        break;
    }
}

static const HttpdRoute *route(HttpdRequest *request, gpointer context)
{
    static const HttpdRoute all = {.answer = answer_request};

    (void)request;
    (void)context;
    return &all;
}

/* Tokens are no matter of the log: who has one can make a click of it. */
static void log_answer(const HttpdRequest *request, guint status, guint64 octets, gint64 us,
                       gpointer context)
{
    Tracker *tracker = context;

    if (status == 0 || tracker->log_every == 0 ||
        atomic_fetch_add(&tracker->seen, 1) % tracker->log_every != 0)
        return;
    g_autofree char *path = g_strndup(request->path, 3);
    log_info(NULL, "answered", LOG_TEXT("client", request->client), LOG_TEXT("host", request->host),
             LOG_TEXT("method", request->method), LOG_TEXT("path", path), LOG_INT("status", status),
             LOG_INT("octets", octets), LOG_INT("us", us));
}

HttpdSite tracker_site(Tracker *tracker)
{
    return (HttpdSite){.route = route, .log = log_answer, .context = tracker};
}

gboolean tracker_reload(Tracker *tracker, GError **error)
{
    KeyRing *ring = load_ring(tracker->config, error);

    if (!ring)
        return FALSE;
    Edge *edge = edge_open(config_string(tracker->config, CONFIG_EDGE_DIR));
    g_rw_lock_writer_lock(&tracker->lock);
    KeyRing *old_ring = tracker->ring;
    Edge *old_edge = tracker->edge;
    tracker->ring = ring;
    tracker->edge = edge;
    g_rw_lock_writer_unlock(&tracker->lock);
    ring_free(old_ring);
    edge_close(old_edge);
    owners_forget(tracker->owners);
    return TRUE;
}

/* Answers go on meanwhile, and what they would record is lost. */
static void replace_journal(Tracker *tracker)
{
    g_autoptr(GError) error = NULL;

    g_rw_lock_writer_lock(&tracker->lock);
    Journal *old = g_steal_pointer(&tracker->journal);
    g_rw_lock_writer_unlock(&tracker->lock);
    tracker->journal_lost = 0;
    journal_close(old);
    atomic_store(&tracker->broken, FALSE);
    Journal *fresh = open_journal(tracker->config, &error);
    if (!fresh)
        log_warning(NULL, "the journal cannot be opened", LOG_GERROR(error));
    g_rw_lock_writer_lock(&tracker->lock);
    tracker->journal = fresh;
    g_rw_lock_writer_unlock(&tracker->lock);
}

/* What it took and could not write. */
static void count_lost(Tracker *tracker)
{
    guint64 lost = tracker->journal ? journal_lost(tracker->journal) : 0;

    if (lost > tracker->journal_lost)
        atomic_fetch_add(&tracker->counters[TRACK_COUNTER_LOST], lost - tracker->journal_lost);
    tracker->journal_lost = MAX(lost, tracker->journal_lost);
}

static void tell_lost(Tracker *tracker)
{
    guint64 lost = atomic_load(&tracker->counters[TRACK_COUNTER_LOST]);
    guint64 kept = atomic_load(&tracker->kept);

    if (lost > tracker->told_lost && !tracker->losing) {
        tracker->losing = TRUE;
        log_error(NULL, "clicks and opens are answered but not recorded",
                  LOG_INT("lost", (gint64)lost));
    } else if (lost == tracker->told_lost && kept > tracker->told_kept && tracker->losing) {
        tracker->losing = FALSE;
        log_info(NULL, "clicks and opens are recorded again", LOG_INT("lost", (gint64)lost));
    }
    tracker->told_lost = lost;
    tracker->told_kept = kept;
}

void tracker_tick(Tracker *tracker, Httpd *httpd)
{
    ConnectionCounts counts;

    owners_forget(tracker->owners);
    count_lost(tracker);
    if ((!tracker->journal || atomic_load(&tracker->broken)) && tracker->until_retry-- == 0) {
        replace_journal(tracker);
        tracker->until_retry = JOURNAL_RETRY_SECONDS;
    }
    tell_lost(tracker);
    httpd_count(httpd, &counts);
    atomic_store(&tracker->counters[TRACK_COUNTER_CONNECTIONS], counts.open);
    atomic_store(&tracker->counters[TRACK_COUNTER_ACCEPTED], counts.accepted);
    atomic_store(&tracker->counters[TRACK_COUNTER_TURNED_AWAY], counts.turned_away);
    atomic_store(&tracker->counters[TRACK_COUNTER_CUT], counts.cut);
}
