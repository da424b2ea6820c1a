/* SPDX-License-Identifier: MIT */
#include "lib/tracking/visitor.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/base/network.h"

typedef enum { LINE_AGENT, LINE_AGENT_IS, LINE_NETWORK, LINE_KIND_COUNT } LineKind;

static const char *const kinds[] = {
    [LINE_AGENT] = "agent", [LINE_AGENT_IS] = "agent-is", [LINE_NETWORK] = "network"};

static const struct {
    LineKind kind;
    VisitorMark mark;
    const char *text;
} known_visitors[] = {
#define X(KIND, MARK, text) {LINE_##KIND, VISITOR_##MARK, text},
#include "lib/tracking/visitor_known.def"
#undef X
};

static const struct {
    const char *word;
    gboolean machine;
} marks_table[] = {
#define X(NAME, word, machine, meaning) [VISITOR_##NAME] = {word, machine},
#include "lib/tracking/visitor_mark.def"
#undef X
};

typedef struct {
    LineKind kind;
    VisitorMark mark;
    char *text; /* of agents, in lower case */
    Network network;
} Line;

struct VisitorList {
    GArray *lines; /* of Line */
};

const char *visitor_mark_word(VisitorMark mark)
{
    return marks_table[mark].word;
}

gboolean visitor_mark_is_machine(VisitorMark mark)
{
    return marks_table[mark].machine;
}

static void line_clear(gpointer data)
{
    g_free(((Line *)data)->text);
}

static GArray *lines_new(void)
{
    GArray *lines = g_array_new(FALSE, FALSE, sizeof(Line));

    g_array_set_clear_func(lines, line_clear);
    return lines;
}

void visitor_list_free(VisitorList *list)
{
    g_array_unref(list->lines);
    g_free(list);
}

static gboolean refuse(GError **error, guint number, const char *allowed)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "visitors: line %u: %s", number,
                allowed);
    return FALSE;
}

static gboolean find_kind(const char *word, LineKind *kind)
{
    for (guint i = 0; i < LINE_KIND_COUNT; i++)
        if (g_str_equal(kinds[i], word)) {
            *kind = i;
            return TRUE;
        }
    return FALSE;
}

static gboolean find_mark(const char *word, VisitorMark *mark)
{
    for (guint i = 0; i < VISITOR_MARK_COUNT; i++)
        if (g_str_equal(marks_table[i].word, word)) {
            *mark = i;
            return TRUE;
        }
    return FALSE;
}

/* The next word of a line, which is cut at its end; "": none. */
static char *take_word(char **rest)
{
    char *word = g_strchug(*rest);
    gsize length = strcspn(word, " \t");

    *rest = word + length + (word[length] != '\0');
    word[length] = '\0';
    return word;
}

/* NULL, or what is wrong with the text; static. */
static const char *add_line(GArray *lines, LineKind kind, VisitorMark mark, const char *text)
{
    Line line = {.kind = kind, .mark = mark};
    const char *wrong = NULL;

    if (kind == LINE_NETWORK) {
        g_autofree char *network = network_read(text, &line.network, &wrong);
    } else {
        line.text = g_ascii_strdown(text, -1);
    }
    if (!wrong)
        g_array_append_val(lines, line);
    return wrong;
}

static gboolean read_line(char *text, guint number, GArray *lines, GError **error)
{
    VisitorMark mark = VISITOR_PERSON;
    LineKind kind = LINE_AGENT;
    char *rest = text;

    if (strlen(text) > VISITOR_LINE_MAX)
        return refuse(error, number, "longer than a line may be");
    if (!find_kind(take_word(&rest), &kind))
        return refuse(error, number, "allowed are agent, agent-is and network");
    if (!find_mark(take_word(&rest), &mark))
        return refuse(error, number, "the second word is none that visits are marked with");
    const char *value = g_strstrip(rest);
    const char *wrong =
        *value ? add_line(lines, kind, mark, value) : "nothing stands behind the mark";
    return !wrong || refuse(error, number, wrong);
}

VisitorList *visitor_list_new(void)
{
    VisitorList *list = g_new0(VisitorList, 1);

    list->lines = lines_new();
    for (guint i = 0; i < G_N_ELEMENTS(known_visitors); i++) {
        const char *wrong = add_line(list->lines, known_visitors[i].kind, known_visitors[i].mark,
                                     known_visitors[i].text);
        g_assert(!wrong);
    }
    return list;
}

gboolean visitor_list_add(VisitorList *list, const char *text, GError **error)
{
    g_autoptr(GArray) added = lines_new();
    g_auto(GStrv) lines = g_strsplit(text, "\n", VISITOR_LINES_MAX + 1);
    guint number = 0;

    for (char **line = lines; *line; line++) {
        number++;
        g_strstrip(*line);
        if (number > VISITOR_LINES_MAX)
            return refuse(error, number, "more lines than may be");
        if (**line && **line != '#' && !read_line(*line, number, added, error))
            return FALSE;
    }
    g_array_append_vals(list->lines, added->data, added->len);
    g_array_set_clear_func(added, NULL); /* their texts have moved */
    return TRUE;
}

static gboolean fits(const Line *line, const char *agent, const guint8 *address)
{
    switch (line->kind) {
    case LINE_AGENT:
        return agent && strstr(agent, line->text);
    case LINE_AGENT_IS:
        return agent && g_str_equal(agent, line->text);
    default:
        return address && memcmp(address, line->network.first, NETWORK_OCTETS) >= 0 &&
               memcmp(address, line->network.last, NETWORK_OCTETS) <= 0;
    }
}

/* What the list says of a visitor; PERSON: nothing. */
static VisitorMark known(const VisitorList *list, const Visit *visit)
{
    g_autofree char *agent = visit->agent ? g_ascii_strdown(visit->agent, -1) : NULL;
    guint8 octets[NETWORK_OCTETS];
    gboolean has_address = visit->ip && network_address(visit->ip, octets);

    for (guint i = list->lines->len; i-- > 0;) {
        const Line *line = &g_array_index(list->lines, Line, i);
        if (fits(line, agent, has_address ? octets : NULL))
            return line->mark;
    }
    return VISITOR_PERSON;
}

static VisitorMark mark_one(const VisitorList *list, const Visit *visit, gint64 delivered_at)
{
    VisitorMark mark = known(list, visit);

    if (!visit->agent || !*visit->agent)
        mark = MAX(mark, VISITOR_NO_AGENT);
    if (delivered_at != VISITOR_DELIVERY_UNKNOWN && visit->at < delivered_at)
        mark = MAX(mark, VISITOR_EARLY);
    return visit->head ? VISITOR_HEAD : mark;
}

/* Links that were visited within a stretch of time. */
typedef struct {
    guint *times; /* by ordinal */
    guint links;  /* that have been */
} Stretch;

static void stretch_add(Stretch *stretch, guint ordinal)
{
    stretch->links += ordinal && stretch->times[ordinal]++ == 0;
}

static void stretch_drop(Stretch *stretch, guint ordinal)
{
    stretch->links -= ordinal && --stretch->times[ordinal] == 0;
}

/* Marks the clicks of each stretch in which no link was left out. */
static void mark_sweeps(const Visit *visits, guint n, guint links, VisitorMark *marks)
{
    g_autofree guint *times = g_new0(guint, G_MAXUINT16 + 1);
    Stretch stretch = {.times = times};
    guint first = 0, unmarked = 0;

    for (guint i = 0; i < n; i++) {
        stretch_add(&stretch, visits[i].ordinal & G_MAXUINT16);
        for (; visits[i].at - visits[first].at > VISITOR_SWEEP_US; first++)
            stretch_drop(&stretch, visits[first].ordinal & G_MAXUINT16);
        if (stretch.links < links)
            continue;
        for (unmarked = MAX(unmarked, first); unmarked <= i; unmarked++)
            if (visits[unmarked].ordinal)
                marks[unmarked] = MAX(marks[unmarked], VISITOR_SWEEP);
    }
}

void visitor_mark(const VisitorList *list, const Visit *visits, guint n, gint64 delivered_at,
                  guint links, VisitorMark *marks)
{
    for (guint i = 0; i < n; i++)
        marks[i] = mark_one(list, &visits[i], delivered_at);
    if (links >= VISITOR_SWEEP_MIN)
        mark_sweeps(visits, n, links, marks);
}
