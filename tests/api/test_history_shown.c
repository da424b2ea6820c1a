/* SPDX-License-Identifier: MIT */
#include "api/history_shown.h"

#include <string.h>

#include "tests/lib/testing.h"

#define BASE "\"id\":7,\"token\":\"t\","

/* What is shown, as text; g_free. */
static char *shown(const char *row, guint expansions, GBytes *bytes, const MimeRead *read)
{
    json_object *message = json_tokener_parse(row);
    json_object *object = history_shown_message(message, bytes, read, expansions);
    char *text = g_strdup(json_object_to_json_string_ext(
        object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));

    json_object_put(object);
    json_object_put(message);
    return text;
}

static void test_history_shown_message_rows(void **state)
{
    (void)state;
    static const struct {
        guint expansion;
        const char *row, *wanted;
    } cases[] = {
        {0, "{" BASE "\"status\":\"Sent\"}", "{\"id\":7,\"token\":\"t\"}"},
        {0, "{\"id\":7,\"token\":null}", "{\"id\":7,\"token\":\"\"}"},
        {V1_EXPANSION_STATUS, "{" BASE "\"status\":\"Pending\"}",
         "{" BASE
         "\"status\":{\"status\":\"Pending\",\"last_delivery_attempt\":null,\"held\":false,"
         "\"hold_expiry\":null}}"},
        {V1_EXPANSION_STATUS, "{" BASE "\"status\":\"Sent\",\"attempted_at\":1500000}",
         "{" BASE "\"status\":{\"status\":\"Sent\",\"last_delivery_attempt\":1.5,\"held\":false,"
         "\"hold_expiry\":null}}"},
        {V1_EXPANSION_STATUS,
         "{" BASE "\"status\":\"Held\",\"hold_at\":2000000,\"hold_seen_at\":3000000,"
         "\"hold_expires\":9000001,\"on_hold\":true}",
         "{" BASE "\"status\":{\"status\":\"Held\",\"last_delivery_attempt\":2.0,\"held\":true,"
         "\"hold_expiry\":9.000001}}"},
        {V1_EXPANSION_STATUS, /* released, and put on hold again by somebody else */
         "{" BASE "\"status\":\"SoftFail\",\"hold_at\":2000000,\"released_at\":3000000,"
         "\"hold_seen_at\":5000000,\"hold_expires\":9000000,\"on_hold\":true,\"attempted_at\":"
         "4000000}",
         "{" BASE "\"status\":{\"status\":\"SoftFail\",\"last_delivery_attempt\":5.0,\"held\":true,"
         "\"hold_expiry\":null}}"},
        {V1_EXPANSION_STATUS, "{" BASE "\"status\":\"HardFail\",\"status_at\":4000000}",
         "{" BASE
         "\"status\":{\"status\":\"HardFail\",\"last_delivery_attempt\":4.0,\"held\":false,"
         "\"hold_expiry\":null}}"},
        {V1_EXPANSION_DETAILS,
         "{" BASE
         "\"rcpt_to\":\"a@b.test\",\"mail_from\":\"\",\"subject\":\"\",\"header_message_id\":"
         "\" <x@y> \",\"accepted_at\":1000010,\"direction\":\"outgoing\",\"size\":12,\"tag\":null,"
         "\"secured\":0}",
         "{" BASE "\"details\":{\"rcpt_to\":\"a@b.test\",\"mail_from\":null,\"subject\":null,"
         "\"message_id\":\"x@y\",\"timestamp\":1.00001,\"direction\":\"outgoing\",\"size\":\"12\","
         "\"bounce\":true,\"bounce_for_id\":0,\"tag\":null,\"received_with_ssl\":null}}"},
        {V1_EXPANSION_DETAILS, /* waits to be split */
         "{" BASE "\"rcpt_to\":\"a@b.test\",\"mail_from\":\"s@b.test\",\"status_at\":2000000,"
         "\"direction\":\"outgoing\",\"secured\":1}",
         "{" BASE
         "\"details\":{\"rcpt_to\":\"a@b.test\",\"mail_from\":\"s@b.test\",\"subject\":null,"
         "\"message_id\":null,\"timestamp\":2.0,\"direction\":\"outgoing\",\"size\":null,"
         "\"bounce\":false,\"bounce_for_id\":0,\"tag\":null,\"received_with_ssl\":true}}"},
        {V1_EXPANSION_ACTIVITY_ENTRIES,
         "{" BASE
         "\"tracking\":{\"links\":[{\"ordinal\":2,\"url\":\"https://x/whole\"}]},\"visits\":["
         "{\"at\":1795683027012999,\"ordinal\":2,\"url\":\"https://x/"
         "wh\",\"ip\":\"::1\",\"agent\":null,"
         "\"machine\":true},{\"at\":1000,\"ordinal\":3,\"url\":\"https://"
         "y\",\"ip\":null,\"agent\":\"A\","
         "\"machine\":false},{\"at\":0,\"ordinal\":null,\"url\":null,\"ip\":\"::1\",\"agent\":"
         "\"B\","
         "\"machine\":false}]}",
         "{" BASE "\"activity_entries\":{\"loads\":[{\"ip_address\":\"::1\",\"user_agent\":\"B\","
         "\"timestamp\":\"1970-01-01T00:00:00.000Z\",\"machine\":false}],\"clicks\":[{\"url\":"
         "\"https://x/whole\",\"ip_address\":\"::1\",\"user_agent\":null,\"timestamp\":"
         "\"2026-11-26T08:50:27.012Z\",\"machine\":true},{\"url\":\"https://"
         "y\",\"ip_address\":null,"
         "\"user_agent\":\"A\",\"timestamp\":\"1970-01-01T00:00:00.001Z\",\"machine\":false}]}}"},
        {V1_EXPANSION_PLAIN_BODY | V1_EXPANSION_HEADERS | V1_EXPANSION_ATTACHMENTS |
             V1_EXPANSION_RAW_MESSAGE,
         "{" BASE "\"status\":\"Sent\"}",
         "{" BASE
         "\"plain_body\":null,\"attachments\":null,\"headers\":null,\"raw_message\":null}"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = shown(cases[i].row, cases[i].expansion, NULL, NULL);
        if (!g_str_equal(text, cases[i].wanted))
            fail_msg("case %u: %s", i, text);
    }
}

static void test_history_shown_message_bytes(void **state)
{
    (void)state;
    static const char message[] =
        "A: 1\r\na: 2\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\nhi\r\n--m\r\n"
        "Content-Type: X/Y; name=f\r\n\r\n0123456789012345678901234567890123456789012345\r\n--m--";
    g_autoptr(GBytes) bytes = g_bytes_new_static(message, strlen(message));
    g_autoptr(GBytes) nothing = g_bytes_new_static("", 0);
    g_autoptr(MimeRead) read =
        mime_read(message, strlen(message), MIME_READ_FIELDS | MIME_READ_TEXTS | MIME_READ_FILES);
    g_autofree char *text = shown("{" BASE "\"status\":\"Sent\"}",
                                  V1_EXPANSION_PLAIN_BODY | V1_EXPANSION_HTML_BODY |
                                      V1_EXPANSION_ATTACHMENTS | V1_EXPANSION_HEADERS,
                                  bytes, read);
    g_autofree char *raw =
        shown("{" BASE "\"status\":\"Sent\"}", V1_EXPANSION_RAW_MESSAGE, nothing, NULL);

    assert_string_equal(
        text,
        "{" BASE "\"plain_body\":\"hi\",\"html_body\":null,\"attachments\":[{\"filename\":\"f\","
        "\"content_type\":\"x/"
        "y\",\"data\":\"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0\\nNQ==\\n\","
        "\"size\":46,\"hash\":\"d0cca71abd92bf473ed412bfbb6299c24b72d239\"}],\"headers\":{\"a\":["
        "\"1\",\"2\"],"
        "\"content-type\":[\"multipart/mixed; boundary=m\"]}}");
    assert_string_equal(raw, "{" BASE "\"raw_message\":\"\"}");
}

/* Each entry as "status@seconds details|output|ssl|log id|time". */
static char *entries(const char *row)
{
    json_object *message = json_tokener_parse(row);
    json_object *list = history_shown_deliveries(message);
    GString *out = g_string_new(NULL);

    assert_non_null(message);
    for (gsize i = 0; i < json_object_array_length(list); i++) {
        json_object *entry = json_object_array_get_idx(list, i);
        static const char *const keys[] = {"output", "sent_with_ssl", "log_id", "time"};
        g_string_append_printf(out, "%s%s@%s %s", i ? "\n" : "",
                               json_object_get_string(json_object_object_get(entry, "status")),
                               json_object_get_string(json_object_object_get(entry, "timestamp")),
                               json_object_get_string(json_object_object_get(entry, "details")));
        for (guint k = 0; k < G_N_ELEMENTS(keys); k++) {
            json_object *value = json_object_object_get(entry, keys[k]);
            g_string_append_printf(out, "|%s", value ? json_object_get_string(value) : "-");
        }
    }
    json_object_put(list);
    json_object_put(message);
    return g_string_free(out, FALSE);
}

#define TO "\"rcpt_to\":\"a@b.test\","

static void test_history_shown_deliveries(void **state)
{
    (void)state;
    static const struct {
        const char *row, *wanted;
    } cases[] = {
        {"{\"status\":\"Pending\",\"deliveries\":[]}", ""},
        {"{\"status\":\"Sent\",\"attempted_at\":2000000,\"deliveries\":["
         "{\"at\":1000000,\"attempt\":5000,\"status\":\"SoftFail\"," TO
         "\"relay\":\"mx.b.test[::1]:25\",\"text\":\" 451 x \","
         "\"tls\":\"TLSv1.3\",\"source_ip\":\"::2\",\"delay_ms\":1250,\"queue_id\":\"Q\"},"
         "{\"at\":2000000,\"attempt\":6000,\"status\":\"Sent\"," TO
         "\"relay\":\"mx.b.test[::1]:25\",\"text\":\"250\","
         "\"queue_id\":\"Q\",\"delay_ms\":0}]}",
         "SoftFail@1.0 Message to a@b.test was refused for now by ::1:25 (mx.b.test), from ::2|451 "
         "x|true|Q|1.25\n"
         "Sent@2.0 Message to a@b.test was taken by ::1:25 (mx.b.test)|250|false|Q|0.0"},
        {"{\"status\":\"SoftFail\",\"attempted_at\":1000000,\"deliveries\":[{\"at\":1000000,"
         "\"status\":\"SoftFail\"," TO "\"relay\":\"none\",\"text\":\"\",\"source_ip\":\"::2\"}]}",
         "SoftFail@1.0 No mail server for b.test could be reached|-|false|-|-"},
        {"{\"status\":\"Sent\",\"attempted_at\":1000000,\"deliveries\":[{\"at\":1000000,\"status\":"
         "\"Sent\",\"relay\":"
         "\"local\"}]}",
         "Sent@1.0 Message to the recipient was taken by local|-|false|-|-"},
        /* The hop, and mail that came in. */
        {"{\"status\":\"SoftFail\",\"attempted_at\":1000000,\"deliveries\":[{\"at\":1000000,"
         "\"status\":"
         "\"SoftFail\"," TO "\"relay\":\"127.0.0.1[127.0.0.1]:10026\",\"text\":\"451 limit\"}]}",
         "SoftFail@1.0 Message to a@b.test waits on this host|451 limit|false|-|-"},
        {"{\"status\":\"HardFail\",\"attempted_at\":1000000,\"deliveries\":[{\"at\":1000000,"
         "\"status\":"
         "\"HardFail\"," TO "\"relay\":\"127.0.0.1[127.0.0.1]:10026\",\"text\":\"550 gone\"}]}",
         "HardFail@1.0 Message to a@b.test was refused on this host|550 gone|false|-|-"},
        {"{\"status\":\"Processed\",\"direction\":\"incoming\",\"attempted_at\":1000000,"
         "\"deliveries\":[{"
         "\"at\":1000000,\"status\":\"Processed\"," TO
         "\"relay\":\"none\",\"text\":\"kept in history\"}]}",
         "Processed@1.0 Message to a@b.test was kept|kept in history|false|-|-"},
        {"{\"status\":\"HardFail\",\"direction\":\"incoming\",\"attempted_at\":1000000,"
         "\"deliveries\":[{"
         "\"at\":1000000,\"status\":\"HardFail\"," TO "\"relay\":\"none\",\"text\":\"no mail\"}]}",
         "HardFail@1.0 Message to a@b.test was sent back|no mail|false|-|-"},
        {"{\"status\":\"SoftFail\",\"direction\":\"incoming\",\"attempted_at\":1000000,"
         "\"deliveries\":[{"
         "\"at\":1000000,\"status\":\"SoftFail\"," TO
         "\"relay\":\"none\",\"text\":\"connect to\"}]}",
         "SoftFail@1.0 Message to a@b.test was not handed on|connect to|false|-|-"},
        {"{\"status\":\"SoftFail\",\"direction\":\"incoming\",\"attempted_at\":1000000,"
         "\"deliveries\":[{"
         "\"at\":1000000,\"status\":\"SoftFail\"," TO
         "\"relay\":\"outrider-http\",\"text\":\"HTTP\"}]}",
         "SoftFail@1.0 Message to a@b.test was refused for now by its HTTP "
         "endpoint|HTTP|false|-|-"},
        {"{\"status\":\"Sent\",\"direction\":\"incoming\",\"attempted_at\":1000000,\"deliveries\":["
         "{"
         "\"at\":1000000,\"status\":\"Sent\"," TO
         "\"relay\":\"outrider-http\",\"text\":\"HTTP\"}]}",
         "Sent@1.0 Message to a@b.test was taken by its HTTP endpoint|HTTP|false|-|-"},
        {"{\"status\":\"HardFail\",\"attempted_at\":1000000,\"deliveries\":[{\"at\":1000000,"
         "\"status\":\"HardFail\"," TO "\"relay\":\"mx[\",\"text\":\"550\"}]}",
         "HardFail@1.0 Message to a@b.test was refused for good by mx[|550|false|-|-"},
        /* Held, released and sent within a second. */
        {"{\"status\":\"Sent\",\"attempted_at\":1000000,\"hold_at\":1500000,\"hold_seen_at\":"
         "1000000,\"hold_reason\":\"why\","
         "\"released_at\":1600000,\"deliveries\":[{\"at\":1000000,\"status\":\"Sent\"," TO
         "\"relay\":\"x[y]:25\"}]}",
         "Held@1.5 why|-|false|-|-\nSent@1.5 Message to a@b.test was taken by y:25 "
         "(x)|-|false|-|-"},
        {"{\"status\":\"HoldCancelled\",\"hold_at\":1500000,\"hold_seen_at\":1000000,\"hold_"
         "reason\":\"why\",\"status_at\":1000000,"
         "\"status_reason\":\"deleted\",\"deliveries\":[]}",
         "Held@1.5 why|-|false|-|-\nHoldCancelled@1.5 deleted|-|false|-|-"},
        /* On hold by somebody else, after an attempt. */
        {"{\"status\":\"SoftFail\",\"attempted_at\":1000000,\"hold_seen_at\":2000000,\"on_hold\":"
         "true,\"deliveries\":[{\"at\":"
         "1000000,\"status\":\"SoftFail\"," TO "\"relay\":\"none\"}]}",
         "SoftFail@1.0 No mail server for b.test could be reached|-|false|-|-\n"
         "Held@2.0 on hold in the mail server's queue|-|false|-|-"},
        /* Ends that no attempt tells of. */
        {"{\"status\":\"HardFail\",\"status_at\":3000000,\"status_reason\":\"550 "
         "limit\",\"deliveries\":[]}",
         "HardFail@3.0 550 limit|-|false|-|-"},
        {"{\"status\":\"Unknown\",\"status_at\":3000000,\"deliveries\":[]}",
         "Unknown@3.0 No result was seen|-|false|-|-"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = entries(cases[i].row);
        if (!g_str_equal(text, cases[i].wanted))
            fail_msg("case %u: %s", i, text);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_history_shown_message_rows),
        cmocka_unit_test(test_history_shown_message_bytes),
        cmocka_unit_test(test_history_shown_deliveries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
