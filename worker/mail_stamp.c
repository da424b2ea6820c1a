/* SPDX-License-Identifier: MIT */
#include "worker/mail_stamp.h"

#include <string.h>
#include <time.h>

#define DAY             86400
#define TRADITIONAL_LEN 15 /* Nov 21 08:00:00 */
#define RFC3339_LEAST   20 /* 2026-11-21T08:00:00Z */

/* Reads exactly n digits; -1 when one is none. A space counts as 0 in front. */
static int digits(const char *text, guint n)
{
    int value = 0;

    for (guint i = 0; i < n; i++) {
        if (text[i] == ' ' && i == 0 && n == 2)
            continue;
        if (!g_ascii_isdigit(text[i]))
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

static gboolean clock_parse(const char *text, struct tm *tm)
{
    if (text[2] != ':' || text[5] != ':')
        return FALSE;
    tm->tm_hour = digits(text, 2);
    tm->tm_min = digits(text + 3, 2);
    tm->tm_sec = digits(text + 6, 2);
    return tm->tm_hour >= 0 && tm->tm_hour < 24 && tm->tm_min >= 0 && tm->tm_min < 60 &&
           tm->tm_sec >= 0 && tm->tm_sec <= 60;
}

static int month_parse(const char *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (int i = 0; i < 12; i++)
        if (memcmp(months + 3 * (gsize)i, text, 3) == 0)
            return i;
    return -1;
}

static gsize traditional(const char *text, gsize length, gint64 now, gint64 *at_us)
{
    struct tm tm = {0};
    struct tm today;
    time_t clock = (time_t)now;

    if (length < TRADITIONAL_LEN || text[3] != ' ' || text[6] != ' ' || !clock_parse(text + 7, &tm))
        return 0;
    tm.tm_mon = month_parse(text);
    tm.tm_mday = digits(text + 4, 2);
    if (tm.tm_mon < 0 || tm.tm_mday < 1 || tm.tm_mday > 31 || !localtime_r(&clock, &today))
        return 0;
    /* One year ahead first: on New Year's Eve the log may be written in a zone that is ahead. */
    for (int year = today.tm_year + 1; year >= today.tm_year - 1; year--) {
        struct tm guess = tm;
        guess.tm_year = year;
        guess.tm_isdst = -1;
        time_t at = mktime(&guess);
        if (at == (time_t)-1 || (gint64)at > now + DAY || guess.tm_mday != tm.tm_mday)
            continue;
        *at_us = (gint64)at * G_USEC_PER_SEC;
        return TRADITIONAL_LEN;
    }
    return 0;
}

/* "Z" or "+hh:mm" at *position; seconds east of UTC. */
static gboolean zone_parse(const char *text, gsize length, gsize *position, gint64 *east)
{
    const char *zone = text + *position;
    gsize left = length - *position;

    if (left >= 1 && *zone == 'Z') {
        *east = 0;
        *position += 1;
        return TRUE;
    }
    if (left < 6 || (*zone != '+' && *zone != '-') || zone[3] != ':')
        return FALSE;
    int hours = digits(zone + 1, 2), minutes = digits(zone + 4, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return FALSE;
    *east = (*zone == '-' ? -1 : 1) * (gint64)(hours * 3600 + minutes * 60);
    *position += 6;
    return TRUE;
}

static gsize rfc3339(const char *text, gsize length, gint64 *at_us)
{
    struct tm tm = {0};
    gint64 east, fraction = 0, unit = G_USEC_PER_SEC / 10;
    gsize position = 19;

    if (length < RFC3339_LEAST || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
        !clock_parse(text + 11, &tm))
        return 0;
    int year = digits(text, 4), month = digits(text + 5, 2), day = digits(text + 8, 2);
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31)
        return 0;
    if (text[position] == '.') {
        for (position++; position < length && g_ascii_isdigit(text[position]); position++) {
            fraction += (text[position] - '0') * unit;
            unit /= 10;
        }
    }
    if (!zone_parse(text, length, &position, &east))
        return 0;
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    tm.tm_mday = day;
    time_t at = timegm(&tm);
    if (at == (time_t)-1 || tm.tm_mday != day)
        return 0;
    *at_us = ((gint64)at - east) * G_USEC_PER_SEC + fraction;
    return position;
}

gsize mail_stamp_parse(const char *text, gsize length, gint64 now, gint64 *at_us)
{
    if (length > 0 && g_ascii_isdigit(*text))
        return rfc3339(text, length, at_us);
    return traditional(text, length, now, at_us);
}
