/* SPDX-License-Identifier: MIT */
/*
 * Looks recipients up in the replica of suppressions, as the milter does for each message: half of them are on the list.
 * Prints JSON: lookups, how many were found, and their times in microseconds.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/edge/edge_suppression.h"

#define LOOKUPS_MAX 10000000

/* As bench.d/suppression.py writes them; every second number is beyond the list. */
static char *recipient_of(guint32 number)
{
    return g_strdup_printf("user%08x@domain%u.test", number * 2654435761u, number % 5000);
}

static int by_size(const void *a, const void *b)
{
    gint64 left = *(const gint64 *)a, right = *(const gint64 *)b;

    return (left > right) - (left < right);
}

/* Nanoseconds of each; FALSE: the replica cannot be read. */
static gboolean look_up(Edge *edge, const EdgeCredential *credential, guint32 rows, guint32 n,
                        gint64 *times, guint *found, GError **error)
{
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;

    for (guint32 i = 0; i < n; i++) {
        g_autofree char *recipient = recipient_of((guint32)g_random_int_range(0, (gint32)rows * 2));
        g_autoptr(EdgeSuppression) suppression = NULL;
        struct timespec begin, end;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        if (!edge_suppression_find(edge, credential, recipient, now, &suppression, error))
            return FALSE;
        clock_gettime(CLOCK_MONOTONIC, &end);
        times[i] = (end.tv_sec - begin.tv_sec) * G_GINT64_CONSTANT(1000000000) + end.tv_nsec -
                   begin.tv_nsec;
        *found += suppression != NULL;
    }
    return TRUE;
}

int main(int argc, char **argv)
{
    guint64 server, organization, rows, n;
    g_autoptr(GError) error = NULL;

    if (argc != 6 || !g_ascii_string_to_unsigned(argv[2], 10, 1, G_MAXUINT32, &server, NULL) ||
        !g_ascii_string_to_unsigned(argv[3], 10, 1, G_MAXUINT32, &organization, NULL) ||
        !g_ascii_string_to_unsigned(argv[4], 10, 1, G_MAXINT32 / 2, &rows, NULL) ||
        !g_ascii_string_to_unsigned(argv[5], 10, 1, LOOKUPS_MAX, &n, NULL)) {
        fputs("usage: suppression_load EDGE_DIR SERVER ORGANIZATION ROWS LOOKUPS\n", stderr);
        return 64;
    }
    const EdgeCredential credential = {.server = (guint32)server,
                                       .organization = (guint32)organization};
    g_autoptr(Edge) edge = edge_open(argv[1]);
    g_autofree gint64 *times = g_new(gint64, n);
    guint found = 0;
    if (!look_up(edge, &credential, (guint32)rows, (guint32)n, times, &found, &error)) {
        fprintf(stderr, "suppression_load: %s\n", error->message);
        return 1;
    }
    qsort(times, n, sizeof *times, by_size);
    printf("{\"lookups\": %" G_GUINT64_FORMAT
           ", \"found\": %u, \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f}\n",
           n, found, (double)times[n / 2] / 1000, (double)times[n * 99 / 100] / 1000,
           (double)times[n - 1] / 1000);
    return 0;
}
