/* SPDX-License-Identifier: MIT */
#include "cli/metric.h"

#include <stdio.h>

#define NAME_WIDTH 20
#define CELL_WIDTH 18

typedef enum {
#define GROUP(NAME, name, label) GROUP_##NAME,
#define METRIC(NAME, GROUP, name, TYPE, UNIT, WHEN, limit, attention, help)
#include "cli/metric.def"
#undef METRIC
#undef GROUP
    GROUP_COUNT
} Group;

enum { COUNT, BYTES, SECONDS, FLAG };
enum { NEVER, ABOVE, BELOW };

static const struct {
    const char *name;
    const char *label;
} groups[] = {
#define GROUP(NAME, name, label) {name, label},
#define METRIC(NAME, GROUP, name, TYPE, UNIT, WHEN, limit, attention, help)
#include "cli/metric.def"
#undef METRIC
#undef GROUP
};

#define GAUGE   "gauge"
#define COUNTER "counter"
static const struct {
    Group group;
    const char *name;
    const char *type;
    int unit, when;
    gint64 limit;
    const char *attention;
    const char *help;
} table[METRIC_COUNT] = {
#define GROUP(NAME, name, label)
#define METRIC(NAME, GROUP, name, TYPE, UNIT, WHEN, limit, attention, help)                        \
    {GROUP_##GROUP, name, TYPE, UNIT, WHEN, limit, attention, help},
#include "cli/metric.def"
#undef METRIC
#undef GROUP
};

typedef struct {
    gboolean known;
    gint64 value;
    char *why; /* it was looked for in vain */
} Sample;

struct Metrics {
    GPtrArray *labels[GROUP_COUNT]; /* a group without has one, "" */
    Sample samples[METRIC_COUNT][METRIC_LABELS_MAX];
    gboolean overfull;
};

Metrics *metrics_new(void)
{
    Metrics *metrics = g_new0(Metrics, 1);

    for (guint group = 0; group < GROUP_COUNT; group++) {
        metrics->labels[group] = g_ptr_array_new_with_free_func(g_free);
        if (!groups[group].label)
            g_ptr_array_add(metrics->labels[group], g_strdup(""));
    }
    return metrics;
}

void metrics_free(Metrics *metrics)
{
    if (!metrics)
        return;
    for (guint group = 0; group < GROUP_COUNT; group++)
        g_ptr_array_unref(metrics->labels[group]);
    for (guint metric = 0; metric < METRIC_COUNT; metric++)
        for (guint i = 0; i < METRIC_LABELS_MAX; i++)
            g_free(metrics->samples[metric][i].why);
    g_free(metrics);
}

/* NULL when the group takes no more labels. */
static Sample *sample_of(Metrics *metrics, Metric metric, const char *label)
{
    GPtrArray *labels = metrics->labels[table[metric].group];
    guint index = 0;

    if (!g_ptr_array_find_with_equal_func(labels, label ? label : "", g_str_equal, &index)) {
        index = labels->len;
        metrics->overfull |= index == METRIC_LABELS_MAX;
        if (index == METRIC_LABELS_MAX)
            return NULL;
        g_ptr_array_add(labels, g_strdup(label));
    }
    return &metrics->samples[metric][index];
}

void metrics_set(Metrics *metrics, Metric metric, const char *label, gint64 value)
{
    Sample *sample = sample_of(metrics, metric, label);

    if (!sample)
        return;
    sample->known = TRUE;
    sample->value = value;
}

void metrics_fail(Metrics *metrics, Metric metric, const char *label, const GError *error)
{
    Sample *sample = sample_of(metrics, metric, label);

    if (!sample)
        return;
    g_free(sample->why);
    sample->why = g_strdup(error->message);
}

static gboolean needs_attention(Metric metric, const Sample *sample)
{
    return sample->known && ((table[metric].when == ABOVE && sample->value > table[metric].limit) ||
                             (table[metric].when == BELOW && sample->value < table[metric].limit));
}

static char *scaled(double value, const char *const *units, guint n, double step)
{
    guint unit = 0;

    while (unit + 1 < n && value >= step) {
        value /= step;
        unit++;
    }
    return g_strdup_printf(unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

static char *text_of(Metric metric, const Sample *sample)
{
    static const char *const bytes[] = {"B", "KiB", "MiB", "GiB", "TiB"};

    if (!sample->known)
        return g_strdup("-");
    switch (table[metric].unit) {
    case BYTES:
        return scaled((double)sample->value, bytes, G_N_ELEMENTS(bytes), 1024);
    case SECONDS:
        return g_strdup_printf("%" G_GINT64_FORMAT " s", sample->value);
    case FLAG:
        return g_strdup(sample->value ? "yes" : "no");
    default:
        return g_strdup_printf("%" G_GINT64_FORMAT, sample->value);
    }
}

/* "journal milter: history is behind (backlog_seconds 75 s)". */
static char *attention_of(Metric metric, const char *label, const Sample *sample)
{
    g_autofree char *value = text_of(metric, sample);
    const char *name = groups[table[metric].group].name;
    gboolean telling = table[metric].unit != FLAG;

    return g_strdup_printf(
        "%s%s%s: %s%s%s%s%s%s%s%s", name, *label ? " " : "", label,
        needs_attention(metric, sample) ? table[metric].attention : table[metric].name,
        telling && sample->known ? " (" : "", telling && sample->known ? table[metric].name : "",
        telling && sample->known ? " " : "", telling && sample->known ? value : "",
        telling && sample->known ? ")" : "", sample->why ? ": " : "",
        sample->why ? sample->why : "");
}

char **metrics_attention(const Metrics *metrics)
{
    g_autoptr(GStrvBuilder) lines = g_strv_builder_new();

    for (guint metric = 0; metric < METRIC_COUNT; metric++) {
        const GPtrArray *labels = metrics->labels[table[metric].group];
        for (guint i = 0; i < labels->len; i++) {
            const Sample *sample = &metrics->samples[metric][i];
            if (!sample->why && !needs_attention((Metric)metric, sample))
                continue;
            g_autofree char *line = attention_of((Metric)metric, labels->pdata[i], sample);
            g_strv_builder_add(lines, line);
        }
    }
    if (metrics->overfull)
        g_strv_builder_add(lines, "more is there than is shown: at most " G_STRINGIFY(
                                      METRIC_LABELS_MAX) " of a kind are");
    return g_strv_builder_end(lines);
}

static Record *json_of(Metric metric, const Sample *sample)
{
    if (!sample->known)
        return NULL;
    return table[metric].unit == FLAG ? json_object_new_boolean(sample->value != 0)
                                      : json_object_new_int64(sample->value);
}

static Record *member_json(const Metrics *metrics, guint group, guint label)
{
    Record *member = json_object_new_object();

    for (guint metric = 0; metric < METRIC_COUNT; metric++)
        if (table[metric].group == group)
            json_object_object_add(member, table[metric].name,
                                   json_of((Metric)metric, &metrics->samples[metric][label]));
    return member;
}

static Record *group_json(const Metrics *metrics, guint group)
{
    const GPtrArray *labels = metrics->labels[group];

    if (!groups[group].label)
        return member_json(metrics, group, 0);
    Record *members = json_object_new_object();
    for (guint i = 0; i < labels->len; i++)
        json_object_object_add(members, labels->pdata[i], member_json(metrics, group, i));
    return members;
}

Record *metrics_json(const Metrics *metrics)
{
    g_auto(GStrv) lines = metrics_attention(metrics);
    Record *record = json_object_new_object();
    Record *attention = json_object_new_array();

    for (guint group = 0; group < GROUP_COUNT; group++)
        json_object_object_add(record, groups[group].name, group_json(metrics, group));
    for (guint i = 0; lines[i]; i++)
        json_object_array_add(attention, json_object_new_string(lines[i]));
    json_object_object_add(record, "attention", attention);
    return record;
}

static int width_of(const GPtrArray *labels, guint i)
{
    return (int)MAX(CELL_WIDTH, strlen(labels->pdata[i]) + 2);
}

static void print_heading(const Metrics *metrics, guint group)
{
    const GPtrArray *labels = metrics->labels[group];

    printf("%s%-*s", group ? "\n" : "", groups[group].label ? NAME_WIDTH : 0, groups[group].name);
    for (guint i = 0; groups[group].label && i < labels->len; i++)
        printf("%*s", width_of(labels, i), (const char *)labels->pdata[i]);
    putchar('\n');
}

void metrics_print_text(const Metrics *metrics)
{
    g_auto(GStrv) lines = metrics_attention(metrics);

    for (guint metric = 0; metric < METRIC_COUNT; metric++) {
        Group group = table[metric].group;
        if (metric == 0 || group != table[metric - 1].group)
            print_heading(metrics, group);
        printf("  %-*s", NAME_WIDTH - 2, table[metric].name);
        for (guint i = 0; i < metrics->labels[group]->len; i++) {
            g_autofree char *cell = text_of((Metric)metric, &metrics->samples[metric][i]);
            printf("%*s", width_of(metrics->labels[group], i), cell);
        }
        putchar('\n');
    }
    putchar('\n');
    for (guint i = 0; lines[i]; i++)
        printf("attention: %s\n", lines[i]);
    if (!lines[0])
        printf("All is well.\n");
}

static char *escape_label(const char *text)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    for (const char *p = valid; *p; p++) {
        if (*p == '\\' || *p == '"')
            g_string_append_c(out, '\\');
        g_string_append(out, *p == '\n' ? "\\n" : (char[]){*p, '\0'});
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static void print_series(const Metrics *metrics, guint metric, guint label)
{
    Group group = table[metric].group;
    const Sample *sample = &metrics->samples[metric][label];
    g_autofree char *escaped = escape_label(metrics->labels[group]->pdata[label]);

    if (!sample->known)
        return;
    printf("outrider_%s_%s", groups[group].name, table[metric].name);
    if (groups[group].label)
        printf("{%s=\"%s\"}", groups[group].label, escaped);
    printf(" %" G_GINT64_FORMAT "\n", sample->value);
}

void metrics_print_prometheus(const Metrics *metrics)
{
    g_auto(GStrv) lines = metrics_attention(metrics);

    for (guint metric = 0; metric < METRIC_COUNT; metric++) {
        const char *group = groups[table[metric].group].name;
        printf("# HELP outrider_%s_%s %s\n", group, table[metric].name, table[metric].help);
        printf("# TYPE outrider_%s_%s %s\n", group, table[metric].name, table[metric].type);
        for (guint i = 0; i < metrics->labels[table[metric].group]->len; i++)
            print_series(metrics, metric, i);
    }
    printf("# HELP outrider_attention How many things need attention.\n"
           "# TYPE outrider_attention gauge\n"
           "outrider_attention %u\n",
           g_strv_length(lines));
}

void metrics_manual(void)
{
    static const char *const relations[] = {
        [NEVER] = "", [ABOVE] = "Attention above", [BELOW] = "Attention below"};

    printf(".Bl -tag -width Ds -compact\n");
    for (guint metric = 0; metric < METRIC_COUNT; metric++) {
        const char *label = groups[table[metric].group].label;
        printf(".It outrider_%s_%s%s%s%s (%s)\n%s\n", groups[table[metric].group].name,
               table[metric].name, label ? " { Ar " : "", label ? label : "", label ? " }" : "",
               table[metric].type, table[metric].help);
        if (table[metric].when != NEVER)
            printf("%s %" G_GINT64_FORMAT ".\n", relations[table[metric].when],
                   table[metric].limit);
    }
    printf(".It outrider_attention (gauge)\nHow many things need attention.\n.El\n");
}
