/* SPDX-License-Identifier: MIT */
#include "milters/track.h"

#include <string.h>

#include "lib/seal/link.h"

void tracked_clear(Tracked *tracked)
{
    g_clear_pointer(&tracked->domain, edge_track_free);
    tracking_result_clear(&tracked->result);
    g_clear_pointer(&tracked->note, g_free);
}

static guint read_excluded(char *list, TrackingDomain excluded[TRACK_EXCLUDED_MAX])
{
    guint n = 0;

    for (char *at = list; *at && n < TRACK_EXCLUDED_MAX;) {
        char *end = at + strcspn(at, ",");
        gboolean below = *at == '.';
        gboolean last = !*end;
        *end = '\0';
        excluded[n++] = (TrackingDomain){.domain = at + below, .below = below};
        at = last ? end : end + 1;
    }
    return n;
}

TrackingSettings track_settings(EdgeTrack *track, TrackingDomain excluded[TRACK_EXCLUDED_MAX])
{
    if (!track)
        return (TrackingSettings){.host = ""};
    return (TrackingSettings){.host = track->host,
                              .https = track->https,
                              .clicks = track->clicks,
                              .opens = track->opens,
                              .text_links = track->text_links,
                              .excluded = excluded,
                              .n_excluded = read_excluded(track->excluded, excluded)};
}

typedef struct {
    Shared *shared;
    const char *host;
    guint64 id;
    guint32 server;
} Sealer;

static char *make_token(LinkKind kind, guint16 ordinal, const char *url, gpointer data)
{
    const Sealer *sealer = data;
    g_autofree char *owned = g_strdup(url);
    const Link link = {
        .kind = kind, .ordinal = ordinal, .server = sealer->server, .id = sealer->id, .url = owned};

    return shared_seal_link(sealer->shared, &link, sealer->host);
}

static void fail(Tracked *tracked, const char *why)
{
    tracked->failed = TRUE;
    tracked->note = g_strdup_printf("not tracked: %s", why);
}

static void look_up(Shared *shared, guint32 server, guint32 domain, Tracked *tracked)
{
    g_autoptr(GError) why = NULL;

    if (!edge_track_for(shared_edge(shared), server, domain, &tracked->domain, &why))
        fail(tracked, why->message);
}

/* What the message itself does not want. */
static void heed_wish(const Message *message, TrackingSettings *settings, Tracked *tracked)
{
    gboolean wanted = settings->clicks || settings->opens;

    tracking_read_wish(message->fields, settings);
    if (settings->clicks || settings->opens)
        return;
    g_clear_pointer(&tracked->domain, edge_track_free);
    settings->host = "";
    settings->n_excluded = 0;
    if (wanted)
        tracked->note = g_strdup("not tracked: the message asks for that");
}

static void take_body(Message *message, Tracked *tracked)
{
    if (!tracked->result.body)
        return;
    g_string_free(message->body, TRUE);
    message->body = g_steal_pointer(&tracked->result.body);
    tracked->changed = TRUE;
}

/* What keeps a whole message from being tracked; NULL: nothing did. */
static const char *reason_of(const guint skipped[TRACKING_SKIP_COUNT])
{
    static const TrackingSkip whole[] = {TRACKING_SKIP_STRUCTURE, TRACKING_SKIP_SIZE,
                                         TRACKING_SKIP_LINKS, TRACKING_SKIP_TOKEN};
    static const char *const meanings[] = {
#define X(name, word, meaning) meaning,
#include "lib/tracking/skip.def"
#undef X
    };

    for (guint i = 0; i < G_N_ELEMENTS(whole); i++)
        if (skipped[whole[i]])
            return meanings[whole[i]];
    return NULL;
}

void track_message(Message *message, Shared *shared, const EdgeCredential *credential,
                   guint32 domain, guint64 id, Tracked *tracked)
{
    TrackingDomain excluded[TRACK_EXCLUDED_MAX];

    look_up(shared, credential->server, domain, tracked);
    if (credential->shadow) {
        if (tracked->domain)
            tracked->note = g_strdup_printf("shadow mode: not tracked: %s", tracked->domain->host);
        g_clear_pointer(&tracked->domain, edge_track_free);
        return;
    }
    TrackingSettings settings = track_settings(tracked->domain, excluded);
    heed_wish(message, &settings, tracked);
    Sealer sealer = {shared, settings.host, id, credential->server};
    tracking_rewrite(message->fields, message->body->str, message->body->len, &settings, make_token,
                     &sealer, &tracked->result);
    take_body(message, tracked);
    const char *reason = tracked->domain ? reason_of(tracked->result.skipped) : NULL;
    if (reason)
        fail(tracked, reason);
}

/* Those whose JSON fits; *more receives how many do not. */
static json_object *links_json(const GPtrArray *links, guint *more)
{
    json_object *list = json_object_new_array();
    gsize room = TRACK_JSON_MAX;

    *more = 0;
    for (guint i = 0; i < links->len; i++) {
        const TrackingLink *link = links->pdata[i];
        g_autofree char *url = g_utf8_make_valid(link->url, -1);
        json_object *pair = json_object_new_array();
        json_object_array_add(pair, json_object_new_int(link->ordinal));
        json_object_array_add(pair, json_object_new_string(url));
        gsize length = strlen(json_object_to_json_string_ext(
            pair, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
        if (*more || length >= room) {
            json_object_put(pair);
            ++*more;
            continue;
        }
        room -= length + 1;
        json_object_array_add(list, pair);
    }
    return list;
}

static json_object *skipped_json(const guint skipped[TRACKING_SKIP_COUNT])
{
    json_object *object = json_object_new_object();

    for (guint i = 0; i < TRACKING_SKIP_COUNT; i++)
        if (skipped[i])
            json_object_object_add(object, tracking_skip_word((TrackingSkip)i),
                                   json_object_new_int64(skipped[i]));
    return object;
}

json_object *track_json(const Tracked *tracked)
{
    const TrackingResult *result = &tracked->result;
    guint more;

    if (!tracked->domain || !result->links)
        return NULL;
    json_object *object = json_object_new_object();
    json_object_object_add(object, "host", json_object_new_string(tracked->domain->host));
    json_object_object_add(object, "links", links_json(result->links, &more));
    json_object_object_add(object, "more", json_object_new_int64(more));
    json_object_object_add(object, "pixel", json_object_new_boolean(result->pixel));
    json_object_object_add(object, "growth", json_object_new_int64(result->growth));
    json_object_object_add(object, "skipped", skipped_json(result->skipped));
    return object;
}
