/* SPDX-License-Identifier: MIT */
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/config/config.h"
#include "lib/config/value.h"
#include "tests/lib/testing.h"

#define LEAST "return_path_domain = rp.example.com\n"

static char *print(const Config *config, void (*write)(FILE *))
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    assert_non_null(out);
    if (config)
        config_dump(config, out);
    else
        write(out);
    fclose(out);
    char *copy = g_strdup(text);
    free(text);
    return copy;
}

static Config *parse(const char *text)
{
    GError *error = NULL;
    Config *config = config_parse("t", text, -1, &error);

    assert_no_error(error);
    assert_non_null(config);
    return config;
}

static void test_config_parse_defaults(void **state)
{
    (void)state;
    g_autoptr(Config) config = parse(LEAST);

    assert_string_equal(config_string(config, CONFIG_RETURN_PATH_DOMAIN), "rp.example.com");
    assert_int_equal(config_int(config, CONFIG_NODE_ID), 1);
    assert_int_equal(config_int(config, CONFIG_SPOOL_MIN_FREE), 256 << 20);
    assert_int_equal(config_int(config, CONFIG_AUTH_PENALTY_TIME), 600000);
    assert_int_equal(config_int(config, CONFIG_EDGE_INTERVAL), 500);
    assert_true(config_bool(config, CONFIG_LANE_RELOAD));
    assert_string_equal(config_string(config, CONFIG_LOG_LEVEL), "info");
    assert_string_equal(config_string(config, CONFIG_DB_PASSWORD_FILE), "");
}

static void test_config_parse_values(void **state)
{
    (void)state;
    g_autoptr(Config) config = parse("# a comment\n"
                                     "   # another\n"
                                     " \t\n"
                                     "return_path_domain=RP.Example.COM\n"
                                     "\tnode_id =\t255 \n"
                                     "spool_min_free = 3g\n"
                                     "message_size_max = 1025\n"
                                     "auth_failure_delay = 0\n"
                                     "auth_penalty_time = 2h\n"
                                     "lane_reload = no\n"
                                     "log_target = syslog\n"
                                     "mail_log = journald:/var/log/journal/abc\n"
                                     "db_name = a = b # c\n"
                                     "db_socket =\n"
                                     "spool_dir = /sp ool");
    g_autofree char *path = config_path(config, CONFIG_SPOOL_DIR, "next-id");

    assert_string_equal(config_string(config, CONFIG_RETURN_PATH_DOMAIN), "rp.example.com");
    assert_int_equal(config_int(config, CONFIG_NODE_ID), 255);
    assert_int_equal(config_int(config, CONFIG_SPOOL_MIN_FREE), G_GINT64_CONSTANT(3) << 30);
    assert_int_equal(config_int(config, CONFIG_MESSAGE_SIZE_MAX), 1025);
    assert_int_equal(config_int(config, CONFIG_AUTH_FAILURE_DELAY), 0);
    assert_int_equal(config_int(config, CONFIG_AUTH_PENALTY_TIME), 7200000);
    assert_false(config_bool(config, CONFIG_LANE_RELOAD));
    assert_string_equal(config_string(config, CONFIG_MAIL_LOG), "journald:/var/log/journal/abc");
    assert_string_equal(config_string(config, CONFIG_DB_NAME), "a = b # c");
    assert_string_equal(config_string(config, CONFIG_DB_SOCKET), "");
    assert_string_equal(path, "/sp ool/next-id");
}

static void test_config_parse_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", "t:1: return_path_domain: must be set; allowed is a domain of letters, digits and "
             "hyphens, of 3 to 253 octets"},
        {LEAST "\nno_such_key = 1\n",
         "t:3: no_such_key: unknown key; `--dump' lists those there are"},
        {LEAST "Node_Id = 1\n", "t:2: Node_Id: unknown key; `--dump' lists those there are"},
        {LEAST "node_id\n", "t:2: node_id: allowed is `key = value'"},
        {LEAST " = 5\n", "t:2: : allowed is `key = value'"},
        {LEAST "node_id = 1\nnode_id = 1\n",
         "t:3: node_id: set in line 2 already; allowed is once"},
        {"node_id = 0\n", "t:1: node_id: allowed is a whole number from 1 to 255"},
        {"node_id = 256\n", "t:1: node_id: allowed is a whole number from 1 to 255"},
        {"node_id = +1\n", "t:1: node_id: allowed is a whole number from 1 to 255"},
        {"node_id = 1 # one\n", "t:1: node_id: allowed is a whole number from 1 to 255"},
        {"node_id = 99999999999999999999\n",
         "t:1: node_id: allowed is a whole number from 1 to 255"},
        {"node_id =\n", "t:1: node_id: allowed is a whole number from 1 to 255"},
        {"node_id = 1\r\n", "t:1: node_id: allowed is a whole number from 1 to 255"},
        {"spool_min_free = 1T\n", "t:1: spool_min_free: allowed is octets (a number, then K, M, G "
                                  "or nothing), at least 0"},
        {"spool_min_free = 9223372036854775807K\n",
         "t:1: spool_min_free: allowed is octets (a number, then K, M, G or nothing), at least 0"},
        {"message_size_max = 1023\n", "t:1: message_size_max: allowed is octets (a number, then K, "
                                      "M, G or nothing) from 1K to 2147483647"},
        {"auth_penalty_time = 10\n", "t:1: auth_penalty_time: allowed is a time (a number, then "
                                     "ms, s, m, h or d) from 1s to 1d"},
        {"auth_penalty_time = 2d\n", "t:1: auth_penalty_time: allowed is a time (a number, then "
                                     "ms, s, m, h or d) from 1s to 1d"},
        {"auth_penalty_time = s\n", "t:1: auth_penalty_time: allowed is a time (a number, then "
                                    "ms, s, m, h or d) from 1s to 1d"},
        {"lane_reload = true\n", "t:1: lane_reload: allowed is yes or no"},
        {"log_level = loud\n", "t:1: log_level: allowed is one of debug, info, warning, error"},
        {"log_level = debug|info\n",
         "t:1: log_level: allowed is one of debug, info, warning, error"},
        {"spool_dir = relative\n",
         "t:1: spool_dir: allowed is an absolute path of 2 to 200 octets"},
        {"spool_dir =\n", "t:1: spool_dir: allowed is an absolute path of 2 to 200 octets"},
        {"spool_dir = /a\tb\n", "t:1: spool_dir: allowed is an absolute path of 2 to 200 octets"},
        {"db_socket = x\n",
         "t:1: db_socket: allowed is nothing or an absolute path of at most 100 octets"},
        {"mail_log = mail.log\n", "t:1: mail_log: allowed is an absolute path, `journald' or "
                                  "`journald:' and such a path, of 1 to 200 octets"},
        {"mail_log = journald:x\n", "t:1: mail_log: allowed is an absolute path, `journald' or "
                                    "`journald:' and such a path, of 1 to 200 octets"},
        {"hostname = -a.example\n", "t:1: hostname: allowed is a domain of letters, digits and "
                                    "hyphens, of 1 to 253 octets"},
        {"hostname = a..example\n", "t:1: hostname: allowed is a domain of letters, digits and "
                                    "hyphens, of 1 to 253 octets"},
        {"hostname = a.example.\n", "t:1: hostname: allowed is a domain of letters, digits and "
                                    "hyphens, of 1 to 253 octets"},
        {"hostname = b\303\274cher.example\n", "t:1: hostname: allowed is a domain of letters, "
                                               "digits and hyphens, of 1 to 253 octets"},
        {"http_allow = 10.0.0.0/8, home\n", "t:1: http_allow: home: allowed is an IPv4 or IPv6 "
                                            "network such as 192.0.2.0/24 or 2001:db8::/32"},
        {"http_allow = 10.0.0.0/7\n", "t:1: http_allow: 10.0.0.0/7: is wider than /8"},
        {"http_allow = ::1 \007\n", "t:1: http_allow: allowed is addresses and networks (IPv4 "
                                    "from /8, IPv6 from /16 on), 64 with "
                                    "commas between, of at most 1000 octets"},
        {"db_name = \377\n", "t:1: db_name: allowed is UTF-8 text"},
        {"# \377\n", "t:1: # \\377: allowed is UTF-8 text"},
        {"\033[2J = 1\n", "t:1: \\033[2J: unknown key; `--dump' lists those there are"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(config_parse("t", cases[i].text, -1, &error));
        assert_non_null(error);
        assert_string_equal(error->message, cases[i].message);
        assert_error_code(error, INVALID);
    }
}

static void test_config_parse_refuses_nul(void **state)
{
    (void)state;
    static const char text[] = LEAST "db_name = a\0b\n";
    GError *error = NULL;

    assert_null(config_parse("t", text, sizeof(text) - 1, &error));
    assert_string_equal(error->message, "t:2: db_name: allowed is text without NUL octets");
    assert_error_code(error, INVALID);
}

static void test_config_parse_bounds_lines(void **state)
{
    (void)state;
    g_autofree char *fill = g_strnfill(5000, 'x');
    GError *error = NULL;

    for (gsize length = 4096; length <= 4097; length++) {
        g_autofree char *text = g_strdup_printf("#%.*s\n" LEAST, (int)length - 1, fill);
        g_autoptr(Config) config = config_parse("t", text, -1, &error);
        assert_int_equal(config != NULL, length == 4096);
    }
    assert_true(g_str_has_suffix(error->message, "...: allowed is a line of at most 4096 octets"));
    assert_true(strlen(error->message) < 200);
    assert_error_code(error, INVALID);

    for (gsize length = 200; length <= 201; length++) {
        g_autofree char *text = g_strdup_printf(LEAST "spool_dir = /%.*s", (int)length - 1, fill);
        g_autoptr(Config) config = config_parse("t", text, -1, &error);
        assert_int_equal(config != NULL, length == 200);
    }
    assert_error_code(error, INVALID);

    g_autofree char *huge = g_strnfill((1 << 20) + 1, '\n');
    assert_null(config_parse("t", huge, -1, &error));
    assert_string_equal(error->message, "t: allowed is a file of at most 1048576 octets");
    assert_error_code(error, INVALID);
}

static void test_config_parse_domain_label_bounds(void **state)
{
    (void)state;
    for (int length = 63; length <= 64; length++) {
        g_autofree char *label = g_strnfill((gsize)length, 'a');
        g_autofree char *text = g_strdup_printf(LEAST "hostname = %s.example", label);
        g_autoptr(Config) config = config_parse("t", text, -1, NULL);
        assert_int_equal(config != NULL, length == 63);
    }
}

static void test_config_load_refuses(void **state)
{
    (void)state;
    GError *error = NULL;
    g_autofree char *dir = g_dir_make_tmp("outrider-config-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "outrider.conf", NULL);

    assert_null(config_load(path, &error));
    assert_error_code(error, NOT_FOUND);
    assert_null(config_load(dir, &error));
    assert_error_code(error, INVALID);
    assert_null(config_load("/dev/zero", &error));
    assert_error_code(error, INVALID);
    assert_int_equal(truncate(path, 0), -1);
    assert_true(g_file_set_contents(path, "node_id = x\n", -1, NULL));
    assert_null(config_load(path, &error));
    assert_true(g_str_has_prefix(error->message, path));
    assert_true(strstr(error->message, ":1: node_id: allowed is ") != NULL);
    assert_error_code(error, INVALID);
    assert_int_equal(truncate(path, 2 << 20), 0);
    assert_null(config_load(path, &error));
    assert_true(g_str_has_suffix(error->message, ": allowed is a file of at most 1048576 octets"));
    assert_error_code(error, INVALID);
    assert_true(g_file_set_contents(path, LEAST, -1, NULL));
    g_autoptr(Config) config = config_load(path, &error);
    assert_no_error(error);
    assert_non_null(config);
    g_unlink(path);
    g_rmdir(dir);
}

static void test_config_dump_reads_back(void **state)
{
    (void)state;
    g_autoptr(Config) config = parse(LEAST "spool_min_free = 1500M\nauth_failure_delay = 1500ms\n"
                                           "auth_penalty_time = 60m\ndb_socket =\n");
    g_autofree char *first = print(config, NULL);
    g_autoptr(Config) again = parse(first);
    g_autofree char *second = print(again, NULL);

    assert_string_equal(first, second);
    assert_non_null(strstr(first, "\nspool_min_free = 1500M\n"));
    assert_non_null(strstr(first, "\nauth_failure_delay = 1500ms\n"));
    assert_non_null(strstr(first, "\nauth_penalty_time = 1h\n"));
    assert_non_null(strstr(first, "\ndb_socket =\n"));
}

/* The sample with every line that sets something uncommented, and the one value that has no
 * default, is a configuration whose dump equals the defaults. */
static void test_config_sample_shows_defaults(void **state)
{
    (void)state;
    g_autofree char *sample = print(NULL, config_sample);
    g_auto(GStrv) lines = g_strsplit(sample, "\n", -1);
    g_autoptr(GString) text = g_string_new(NULL);

    for (char **line = lines; *line; line++) {
        assert_true(strlen(*line) <= 100);
        if ((*line)[0] == '#' && (*line)[1] != ' ' && !g_str_has_suffix(*line, "_domain ="))
            g_string_append_printf(text, "%s\n", *line + 1);
    }
    g_string_append(text, LEAST);
    g_autoptr(Config) from_sample = parse(text->str);
    g_autoptr(Config) defaults = parse(LEAST);
    g_autofree char *left = print(from_sample, NULL);
    g_autofree char *right = print(defaults, NULL);
    assert_string_equal(left, right);
}

static void test_config_manual_lists_every_option(void **state)
{
    (void)state;
    g_autofree char *manual = print(NULL, config_manual);

    for (guint option = 0; option < CONFIG_OPTION_COUNT; option++) {
        g_autofree char *item = g_strdup_printf(".It Ic %s ", option_row(option)->key);
        assert_non_null(strstr(manual, item));
    }
    assert_null(strchr(manual, '`'));
}

/* Every row is sound: a default that is allowed, a maximum that is one, choices in brackets. */
static void test_option_row_is_sound(void **state)
{
    (void)state;
    for (guint option = 0; option < CONFIG_OPTION_COUNT; option++) {
        const Option *row = option_row(option);
        g_autofree char *allowed = option_allowed(row);
        OptionValue value = {0};
        assert_non_null(allowed);
        if (row->fallback)
            assert_true(option_parse(row, row->fallback, &value, NULL));
        if (row->type != OPTION_BOOL && row->type != OPTION_CHOICE)
            assert_true(row->max > row->min);
        assert_int_equal(row->text[0] == '[', row->type == OPTION_CHOICE);
        assert_true(g_ascii_isupper(option_text(row)[0]));
        assert_true(g_str_has_suffix(row->text, "."));
        g_free(value.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config_parse_defaults),
        cmocka_unit_test(test_config_parse_values),
        cmocka_unit_test(test_config_parse_refuses),
        cmocka_unit_test(test_config_parse_refuses_nul),
        cmocka_unit_test(test_config_parse_bounds_lines),
        cmocka_unit_test(test_config_parse_domain_label_bounds),
        cmocka_unit_test(test_config_load_refuses),
        cmocka_unit_test(test_config_dump_reads_back),
        cmocka_unit_test(test_config_sample_shows_defaults),
        cmocka_unit_test(test_config_manual_lists_every_option),
        cmocka_unit_test(test_option_row_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
