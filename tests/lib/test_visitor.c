/* SPDX-License-Identifier: MIT */
#include "lib/tracking/visitor.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/testing.h"

#define SENT  (G_GINT64_CONSTANT(1000) * G_USEC_PER_SEC)
#define LATER (SENT + G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)

#define FIREFOX "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

static VisitorMark mark_of(const VisitorList *list, Visit visit, gint64 delivered_at)
{
    VisitorMark mark = VISITOR_MARK_COUNT;

    visitor_mark(list, &visit, 1, delivered_at, 1, &mark);
    return mark;
}

static const struct {
    const char *agent;
    VisitorMark wanted;
} agents[] = {
    {FIREFOX, VISITOR_PERSON},
    {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Chrome/126.0.0.0 Safari/537.36",
     VISITOR_PERSON},
    {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Chrome/126.0.0.0 Safari/537.36 "
     "Edg/126.0.0.0",
     VISITOR_PERSON},
    {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Chrome/131.0.0.0 Safari/537.36 "
     "Avast/131.0.0.0",
     VISITOR_PERSON},
    {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
     "Version/17.5 Safari/605.1.15",
     VISITOR_PERSON},
    {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
     VISITOR_PERSON},
    {"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
     "Gecko) Version/17.5 "
     "Mobile/15E148 Safari/604.1",
     VISITOR_PERSON},
    {"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
     "Gecko) Mobile/15E148",
     VISITOR_PERSON},
    {"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Chrome/126.0.0.0 Mobile "
     "Safari/537.36",
     VISITOR_PERSON},
    {"Mozilla/5.0 (Linux; Android 11; CUBOT_NOTE 20) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Chrome/99.0.4844.88 Mobile "
     "Safari/537.36",
     VISITOR_PERSON},
    {"Mozilla/5.0 (Linux; U; Android 4.4.2; de-de) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Version/4.0 Mobile Safari/537.36",
     VISITOR_PERSON},
    {"Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Thunderbird/115.12.0",
     VISITOR_PERSON},
    {"Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko", VISITOR_PERSON},
    {"Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; Microsoft "
     "Outlook 16.0.5146; ms-office; "
     "MSOffice 16)",
     VISITOR_PERSON},
    {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Mailspring/1.13.3 "
     "Chrome/100.0.4896.60 "
     "Electron/18.0.0 Safari/537.36",
     VISITOR_PERSON},
    {"Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18", VISITOR_PERSON},
    {"Lynx/2.9.0dev.12 libwww-FM/2.14 SSL-MM/1.4.1 GNUTLS/3.7.8", VISITOR_PERSON},
    {"Mozilla/5.0", VISITOR_PREFETCH},
    {"Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com "
     "GoogleImageProxy)",
     VISITOR_PROXY},
    {"YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", VISITOR_PROXY},
    {"YahooCacheSystem; YahooWebServiceClient", VISITOR_PROXY},
    {"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", VISITOR_SCANNER},
    {"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; "
     "+http://www.bing.com/bingbot.htm) "
     "Chrome/116.0.1938.76 Safari/537.36",
     VISITOR_SCANNER},
    {"Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", VISITOR_SCANNER},
    {"Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)",
     VISITOR_SCANNER},
    {"Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)", VISITOR_SCANNER},
    {"Twitterbot/1.0", VISITOR_SCANNER},
    {"LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
     VISITOR_SCANNER},
    {"Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots) Slack-ImgProxy", VISITOR_SCANNER},
    {"TelegramBot (like TwitterBot) bot/1", VISITOR_SCANNER},
    {"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", VISITOR_SCANNER},
    {"WhatsApp/2.23.20.0", VISITOR_SCANNER},
    {"Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5", VISITOR_SCANNER},
    {"Mozilla/5.0 (Windows NT 10.0) AppleWebKit/534+ (KHTML, like Gecko) BingPreview/1.0b",
     VISITOR_SCANNER},
    {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
     "HeadlessChrome/119.0.6045.105 Safari/537.36",
     VISITOR_SCANNER},
    {"Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) "
     "PhantomJS/2.1.1 Safari/538.1",
     VISITOR_SCANNER},
    {"curl/7.88.1", VISITOR_SCANNER},
    {"Wget/1.21.3", VISITOR_SCANNER},
    {"python-requests/2.31.0", VISITOR_SCANNER},
    {"Python-urllib/3.11", VISITOR_SCANNER},
    {"Python/3.11 aiohttp/3.9.1", VISITOR_SCANNER},
    {"Go-http-client/1.1", VISITOR_SCANNER},
    {"Java/1.8.0_392", VISITOR_SCANNER},
    {"Apache-HttpClient/4.5.13 (Java/11.0.21)", VISITOR_SCANNER},
    {"okhttp/4.12.0", VISITOR_SCANNER},
    {"libwww-perl/6.67", VISITOR_SCANNER},
    {"axios/1.6.2", VISITOR_SCANNER},
    {"Ruby", VISITOR_SCANNER},
    {"Barracuda Sentinel (EE)", VISITOR_SCANNER},
    {"Mozilla/5.0 (compatible; NetcraftSurveyAgent/1.0; +info@netcraft.com)", VISITOR_SCANNER},
    {"", VISITOR_NO_AGENT},
    {NULL, VISITOR_NO_AGENT},
};

static void test_mark_agents(void **state)
{
    g_autoptr(VisitorList) list = visitor_list_new();

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(agents); i++) {
        VisitorMark mark =
            mark_of(list, (Visit){.at = LATER, .ip = "192.0.2.1", .agent = agents[i].agent}, SENT);
        assert_string_equal(visitor_mark_word(mark), visitor_mark_word(agents[i].wanted));
    }
}

static void test_mark_one(void **state)
{
    static const struct {
        Visit visit;
        gint64 delivered_at;
        VisitorMark wanted;
    } cases[] = {
        {{LATER, 1, "198.51.100.7", FIREFOX, FALSE}, SENT, VISITOR_PERSON},
        {{LATER, 1, "198.51.100.7", FIREFOX, TRUE}, SENT, VISITOR_HEAD},
        {{LATER, 1, NULL, FIREFOX, FALSE}, SENT, VISITOR_PERSON},
        {{LATER, 1, "no address", FIREFOX, FALSE}, SENT, VISITOR_PERSON},
        {{SENT - 1, 1, "198.51.100.7", FIREFOX, FALSE}, SENT, VISITOR_EARLY},
        {{SENT, 1, "198.51.100.7", FIREFOX, FALSE}, SENT, VISITOR_PERSON},
        {{LATER, 1, "198.51.100.7", FIREFOX, FALSE}, VISITOR_NOT_DELIVERED, VISITOR_EARLY},
        {{SENT - 1, 1, "198.51.100.7", FIREFOX, FALSE}, VISITOR_DELIVERY_UNKNOWN, VISITOR_PERSON},
        {{SENT - 1, 1, "198.51.100.7", "curl/8", FALSE}, SENT, VISITOR_EARLY},
        {{LATER, 1, "64.235.144.0", FIREFOX, FALSE}, SENT, VISITOR_SCANNER},
        {{LATER, 1, "64.235.159.255", FIREFOX, FALSE}, SENT, VISITOR_SCANNER},
        {{LATER, 1, "::ffff:64.235.150.1", FIREFOX, FALSE}, SENT, VISITOR_SCANNER},
        {{LATER, 1, "64.235.160.0", FIREFOX, FALSE}, SENT, VISITOR_PERSON},
        {{LATER, 1, "64.235.143.255", FIREFOX, FALSE}, SENT, VISITOR_PERSON},
    };
    g_autoptr(VisitorList) list = visitor_list_new();

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_string_equal(visitor_mark_word(mark_of(list, cases[i].visit, cases[i].delivered_at)),
                            visitor_mark_word(cases[i].wanted));
}

/* Visits as "ordinal@milliseconds ..."; the marks as a word of p(erson) and s(weep). */
static void test_mark_sweep(void **state)
{
    static const struct {
        const char *visits;
        guint links;
        const char *wanted;
    } cases[] = {
        {"1@0 2@100 3@200", 3, "sss"},
        {"1@0 2@5000 3@10000", 3, "sss"},
        {"1@0 2@5000 3@10001", 3, "ppp"},
        {"1@0 2@100", 2, "pp"},
        {"1@0", 1, "p"},
        {"1@0 2@100 3@200", 4, "ppp"},
        {"3@0 1@1 2@2 2@60000", 3, "sssp"},
        {"1@0 1@20000 2@20001 3@20002 1@60000", 3, "psssp"},
        {"1@0 2@6000 3@9000 1@11000 2@13000", 3, "sssss"},
        {"1@0 2@1 3@2 1@9000 2@9001", 3, "sssss"},
        {"0@0 1@1 2@2 3@3", 3, "psss"},
        {"1@0 1@1 1@2 1@3", 3, "pppp"},
        {"1@0 2@1 65535@2", 3, "sss"},
        {"", 3, ""},
    };
    g_autoptr(VisitorList) list = visitor_list_new();

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) words = g_strsplit(cases[i].visits, " ", -1);
        VisitorMark marks[8];
        Visit visits[8];
        char found[9] = "";
        guint n = 0;
        for (; words[n]; n++) {
            unsigned ordinal, ms;
            assert_int_equal(sscanf(words[n], "%u@%u", &ordinal, &ms), 2);
            visits[n] =
                (Visit){LATER + ms * G_GINT64_CONSTANT(1000), ordinal, "192.0.2.1", FIREFOX, FALSE};
        }
        visitor_mark(list, visits, n, SENT, cases[i].links, marks);
        for (guint k = 0; k < n; k++)
            found[k] = marks[k] == VISITOR_SWEEP ? 's' : 'p';
        assert_string_equal(found, cases[i].wanted);
    }
}

static void test_list_later_lines_count(void **state)
{
    g_autoptr(VisitorList) list = visitor_list_new();
    Visit visit = {.at = LATER, .ip = "192.0.2.9", .agent = "curl/8.5.0 of our monitoring"};

    (void)state;
    assert_int_equal(mark_of(list, visit, SENT), VISITOR_SCANNER);
    assert_true(
        visitor_list_add(list, "\n # ours\n\tagent  person   OF our Monitoring \r\n", NULL));
    assert_int_equal(mark_of(list, visit, SENT), VISITOR_PERSON);
    assert_true(visitor_list_add(list, "network head 192.0.2.8/30", NULL));
    assert_int_equal(mark_of(list, visit, SENT), VISITOR_HEAD);
}

static void test_list_bad(void **state)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"agents scanner x", "visitors: line 1: allowed are agent, agent-is and network"},
        {"# one\n\nagent machine x",
         "visitors: line 3: the second word is none that visits are marked with"},
        {"agent", "visitors: line 1: the second word is none that visits are marked with"},
        {"agent scanner", "visitors: line 1: nothing stands behind the mark"},
        {"agent scanner  \t ", "visitors: line 1: nothing stands behind the mark"},
        {"network scanner 1.2.3", NULL},
        {"network scanner 0.0.0.0/0", NULL},
        {"agent scanner fine\nnetwork scanner x", NULL},
    };
    g_autofree char *letters = g_strnfill(VISITOR_LINE_MAX + 1, 'x');
    g_autofree char *blank = g_strnfill(VISITOR_LINES_MAX, '\n');
    g_autoptr(VisitorList) list = visitor_list_new();
    g_autoptr(GError) why = NULL;

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        assert_false(visitor_list_add(list, cases[i].text, &error));
        if (cases[i].wanted)
            assert_string_equal(error->message, cases[i].wanted);
    }
    assert_false(visitor_list_add(list, letters, NULL));
    assert_false(visitor_list_add(list, blank, &why));
    assert_non_null(strstr(why->message, "more lines than may be"));
    assert_int_equal(mark_of(list, (Visit){.at = LATER, .agent = "fine"}, SENT), VISITOR_PERSON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mark_agents), cmocka_unit_test(test_mark_one),
        cmocka_unit_test(test_mark_sweep),  cmocka_unit_test(test_list_later_lines_count),
        cmocka_unit_test(test_list_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
