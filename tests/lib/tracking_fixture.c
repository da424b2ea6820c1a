/* SPDX-License-Identifier: MIT */
#include "tests/lib/tracking_fixture.h"

#include <string.h>

#include "lib/mime/field.h"
#include "lib/mime/part.h"
#include "lib/mime/recode.h"
#include "lib/mime/transfer.h"
#include "lib/seal/link.h"
#include "tests/fuzz/message.h"

#define RING   "0 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 1 seal\n"
#define PREFIX "https://" TRACKING_HOST "/c/"
#define PIXEL  "<img src=\"https://" TRACKING_HOST "/o/"
#define TOKEN  G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_"

static const KeyRing *ring(void)
{
    static KeyRing *loaded;

    if (!loaded)
        loaded = ring_parse("fixture", RING, NULL);
    return loaded;
}

static char *make(LinkKind kind, guint16 ordinal, const char *url, gpointer data)
{
    g_autofree char *copy = g_strdup(url);
    const Link link = {kind, ordinal, 7, 4711, copy};

    (void)data;
    return link_seal(ring(), &link, TRACKING_HOST);
}

void tracking_fixture_run(const GPtrArray *fields, const char *body, gsize length,
                          const char *wanted, TrackingResult *result)
{
    static const TrackingDomain excluded[] = {{"excluded.test", FALSE}, {"below.test", TRUE}};
    TrackingSettings settings = {.host = TRACKING_HOST,
                                 .https = TRUE,
                                 .clicks = strchr(wanted, 'c') != NULL,
                                 .opens = strchr(wanted, 'o') != NULL,
                                 .text_links = strchr(wanted, 't') != NULL,
                                 .excluded = excluded,
                                 .n_excluded = G_N_ELEMENTS(excluded)};

    tracking_read_wish(fields, &settings);
    tracking_rewrite(fields, body, length, &settings, make, NULL, result);
}

gsize tracking_fixture_rewrite(const char *message, gsize length, const char *wanted,
                               TrackingResult *result)
{
    g_autoptr(GPtrArray) fields = mime_fields_new();
    const char *body = read_fields(message, message + length, fields);

    tracking_fixture_run(fields, body, length - (gsize)(body - message), wanted, result);
    return (gsize)(body - message);
}

char *tracking_fixture_open(const char *url)
{
    if (!g_str_has_prefix(url, PREFIX))
        return NULL;
    g_autoptr(Link) link = link_open(ring(), LINK_CLICK, url + strlen(PREFIX), TRACKING_HOST, NULL);
    return link ? g_steal_pointer(&link->url) : NULL;
}

static const char *find(const char *text, gsize length, const char *word)
{
    return memmem(text, length, word, strlen(word));
}

const char *tracking_fixture_find(const char *text, gsize length, const char **behind, char **url)
{
    const char *link = find(text, length, PREFIX), *pixel = find(text, length, PIXEL);

    *url = NULL;
    if (pixel && (!link || pixel < link)) {
        *behind = strchr(pixel, '>') + 1;
        return pixel;
    }
    if (link) {
        *behind = link + strlen(PREFIX) + strspn(link + strlen(PREFIX), TOKEN);
        *url = g_strndup(link, (gsize)(*behind - link));
    }
    return link;
}

/* The text around what is ours must be found in the old one, in order; counts what is ours. */
static guint check_text(const GString *before, const GString *after, const TrackingResult *result,
                        guint *links)
{
    const char *old = before->str, *old_end = before->str + before->len;
    const char *text = after->str, *end = after->str + after->len, *own, *behind;
    guint count = 0;
    char *url;

    while ((own = tracking_fixture_find(text, (gsize)(end - text), &behind, &url))) {
        gsize piece = (gsize)(own - text);
        const char *found = memmem(old, (gsize)(old_end - old), text, piece);
        g_assert(found && (count > 0 || found == old));
        old = found + piece;
        if (url) {
            const TrackingLink *link = result->links->pdata[(*links)++];
            g_autofree char *target = tracking_fixture_open(url);
            g_assert_cmpstr(target, ==, link->url);
            g_free(url);
        }
        text = behind;
        count++;
    }
    gsize rest = (gsize)(end - text);
    g_assert(rest <= (gsize)(old_end - old) && memcmp(old_end - rest, text, rest) == 0);
    g_assert(count > 0 || before->len == after->len);
    return count;
}

static void check_same(const MimePart *a, const MimePart *b)
{
    g_assert_cmpstr(a->type, ==, b->type);
    g_assert_cmpstr(a->charset, ==, b->charset);
    g_assert(a->standing == b->standing && a->encoding == b->encoding);
}

/* Whether there are marks, or our host, so that less can be said. */
static gboolean has_marks(const GString *text)
{
    g_autoptr(GString) lower = g_string_new_len(text->str, (gssize)text->len);

    g_string_ascii_down(lower);
    return find(lower->str, lower->len, "notrack") || find(lower->str, lower->len, TRACKING_HOST);
}

static guint check_parts(const GPtrArray *fields, const char *body, gsize length,
                         const TrackingResult *result)
{
    g_autoptr(GPtrArray) before = mime_parts(fields, body, length, NULL);
    g_autoptr(GPtrArray) after = mime_parts(fields, result->body->str, result->body->len, NULL);
    guint links = 0, count = 0;

    g_assert(before && after && before->len == after->len);
    for (guint i = 0; i < before->len; i++) {
        const MimePart *old = before->pdata[i], *new = after->pdata[i];
        check_same(old, new);
        g_autoptr(GString) old_text =
            recode_decode(old->encoding, body + old->from, old->to - old->from);
        g_autoptr(GString) new_text =
            recode_decode(new->encoding, result->body->str + new->from, new->to - new->from);
        g_assert(!old_text == !new_text);
        if (old_text && has_marks(old_text))
            return 0;
        if (old_text)
            count += check_text(old_text, new_text, result, &links);
    }
    g_assert_cmpuint(links, ==, result->links->len);
    return count;
}

guint tracking_fixture_check(const GPtrArray *fields, const char *body, gsize length,
                             const char *wanted)
{
    g_auto(TrackingResult) first = {0}, second = {0};

    tracking_fixture_run(fields, body, length, wanted, &first);
    if (!first.body) {
        g_assert(first.links->len == 0 && !first.pixel && first.growth == 0);
        return 0;
    }
    g_assert(first.growth == (gssize)first.body->len - (gssize)length);
    guint count = check_parts(fields, body, length, &first);
    if (count == 0 || first.skipped[TRACKING_SKIP_OPTED_OUT] > 0)
        return 0;
    g_assert_cmpuint(count, ==, first.links->len + first.pixel);
    tracking_fixture_run(fields, first.body->str, first.body->len, wanted, &second);
    g_assert(!second.body);
    return count;
}

static guint check_encoded(const char *type, const char *encoding, const char *body, gsize length,
                           const char *wanted)
{
    g_autoptr(GPtrArray) fields = mime_fields_new();

    mime_fields_add(fields, "Content-Type", type);
    mime_fields_add(fields, "Content-Transfer-Encoding", encoding);
    return tracking_fixture_check(fields, body, length, wanted);
}

guint tracking_fixture_check_text(const char *type, const guint8 *text, gsize length,
                                  const char *wanted)
{
    g_autoptr(GString) quoted = g_string_new(NULL), base64 = g_string_new(NULL);

    transfer_quote(quoted, text, length);
    transfer_base64(base64, text, length);
    return check_encoded(type, "8bit", (const char *)text, length, wanted) +
           check_encoded(type, "quoted-printable", quoted->str, quoted->len, wanted) +
           check_encoded(type, "base64", base64->str, base64->len, wanted);
}
