/* SPDX-License-Identifier: MIT */
/*
 * Purpose: values of metric.def, what of them needs attention, and their three forms: text, JSON and
 *     the format that Prometheus reads.
 * Used by: the status command.
 * May touch: stdout.
 * Threads: one.
 * Limits: METRIC_LABELS_MAX labels in a group; further ones are left out, and said.
 */
#pragma once

#include "lib/directory/record.h"

#define METRIC_LABELS_MAX 16

typedef enum {
#define GROUP(NAME, name, label)
#define METRIC(NAME, GROUP, name, TYPE, UNIT, WHEN, limit, attention, help) METRIC_##NAME,
#include "cli/metric.def"
#undef METRIC
#undef GROUP
    METRIC_COUNT
} Metric;

typedef struct Metrics Metrics;

Metrics *metrics_new(void);
void metrics_free(Metrics *metrics);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Metrics, metrics_free)

/* Sets a value; label is NULL in a group without. Values that are not set are unknown. */
void metrics_set(Metrics *metrics, Metric metric, const char *label, gint64 value);

/* The value was looked for in vain: it stays unknown, and that needs attention. */
void metrics_fail(Metrics *metrics, Metric metric, const char *label, const GError *error);

/* What needs attention, one line each, in the order of the table; g_strfreev. */
char **metrics_attention(const Metrics *metrics);

/* An object per group, in a group with labels one per label, and `attention', an array of text.
 * Unknown is null. */
Record *metrics_json(const Metrics *metrics);

void metrics_print_text(const Metrics *metrics);

/* Text format 0.0.4 of Prometheus; what is unknown is left out. */
void metrics_print_prometheus(const Metrics *metrics);

/* Every metric as a list for outrider(1), mdoc. */
void metrics_manual(void);
