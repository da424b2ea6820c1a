/* SPDX-License-Identifier: MIT */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/httpd/httpd.h"
#include "tests/lib/http_client.h"
#include "tests/lib/testing.h"

#define REQUEST "GET / HTTP/1.1\r\nHost: t.example\r\n\r\n"

typedef struct {
    char *dir;
    Proxies *proxies;
    Httpd *httpd;
    guint16 port;
} World;

typedef struct {
    int fd;
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
} Client;

static void run(const char *const *words)
{
    int status = -1;

    assert_true(
        g_spawn_sync(NULL, (char **)(guintptr)words, NULL,
                     G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                     NULL, NULL, NULL, NULL, &status, NULL));
    assert_int_equal(status, 0);
}

static void make_certificate(const World *world, const char *folder, const char *common,
                             const char *names)
{
    g_autofree char *dir = g_build_filename(world->dir, folder, NULL);
    g_autofree char *chain = g_build_filename(dir, "fullchain.pem", NULL);
    g_autofree char *key = g_build_filename(dir, "privkey.pem", NULL);
    g_autofree char *subject = g_strconcat("/CN=", common, NULL);
    g_autofree char *alternative = g_strconcat("subjectAltName=", names, NULL);
    const char *const words[] = {
        "openssl", "req",   "-x509",   "-newkey",   "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes",  "-days", "2",       "-keyout",   key,  "-out",     chain,
        "-subj",   subject, "-addext", alternative, NULL};

    g_mkdir(dir, 0750);
    run(words);
    assert_int_equal(chmod(key, 0640), 0);
}

static void hello(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    (void)context;
    httpd_answer_text(answer, 200, request->secure ? "secure" : "plain");
}

static const HttpdRoute *find_route(HttpdRequest *request, gpointer context)
{
    static const HttpdRoute route = {.answer = hello};

    (void)request;
    (void)context;
    return &route;
}

static int set_up(void **state)
{
    static const HttpdSite site = {.route = find_route};
    World *world = g_new0(World, 1);
    HttpdOptions options = httpd_defaults;
    g_autoptr(GPtrArray) wrong = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;

    world->dir = g_dir_make_tmp("outrider-tls-XXXXXX", NULL);
    make_certificate(world, "one", "one", "DNS:t.example,DNS:*.wild.example");
    make_certificate(world, "two", "two", "DNS:other.example");
    world->proxies = proxies_read("", PROXIES_FORWARDED, NULL);
    options.proxies = world->proxies;
    options.limits.head_seconds = 5;
    world->httpd = httpd_new(&options, &site);
    gboolean loaded = httpd_load_certificates(world->httpd, world->dir, wrong, &error);
    assert_no_error(error);
    assert_true(loaded);
    assert_int_equal(wrong->len, 0);
    assert_true(httpd_listen(world->httpd, http_listen(&world->port), TRUE, NULL));
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    World *world = *state;
    const char *const words[] = {"rm", "-r", world->dir, NULL};

    httpd_stop(world->httpd, 5);
    run(words);
    proxies_free(world->proxies);
    g_free(world->dir);
    g_free(world);
    return 0;
}

/* FALSE: no handshake. */
static gboolean greet(Client *client, guint16 port, const char *name)
{
    client->fd = http_connect(port, "127.0.0.1");
    gnutls_certificate_allocate_credentials(&client->credentials);
    gnutls_init(&client->session, GNUTLS_CLIENT);
    gnutls_set_default_priority(client->session);
    gnutls_credentials_set(client->session, GNUTLS_CRD_CERTIFICATE, client->credentials);
    if (name)
        gnutls_server_name_set(client->session, GNUTLS_NAME_DNS, name, strlen(name));
    gnutls_transport_set_int(client->session, client->fd);
    int result;
    do
        result = gnutls_handshake(client->session);
    while (result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED);
    return result == GNUTLS_E_SUCCESS;
}

static void leave(Client *client)
{
    gnutls_deinit(client->session);
    gnutls_certificate_free_credentials(client->credentials);
    close(client->fd);
}

/* The common name of the certificate that was shown; g_free. */
static char *shown(const Client *client)
{
    unsigned count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(client->session, &count);
    gnutls_x509_crt_t leaf;
    char name[64];
    size_t size = sizeof name;

    assert_true(count >= 1);
    gnutls_x509_crt_init(&leaf);
    assert_int_equal(gnutls_x509_crt_import(leaf, chain, GNUTLS_X509_FMT_DER), 0);
    assert_int_equal(
        gnutls_x509_crt_get_dn_by_oid(leaf, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size), 0);
    gnutls_x509_crt_deinit(leaf);
    return g_strndup(name, size);
}

static void ask(const Client *client)
{
    char answer[1024];
    gsize length = 0;

    gnutls_record_send(client->session, REQUEST, strlen(REQUEST));
    do {
        ssize_t n =
            gnutls_record_recv(client->session, answer + length, sizeof answer - length - 1);
        assert_true(n > 0 || n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED);
        length += n > 0 ? (gsize)n : 0;
        answer[length] = '\0';
    } while (!strstr(answer, "\r\n\r\nsecure"));
    assert_int_equal(http_status(answer), 200);
}

static char *shown_for(const World *world, const char *name)
{
    Client client;
    char *common = greet(&client, world->port, name) ? shown(&client) : NULL;

    if (common)
        ask(&client);
    leave(&client);
    return common;
}

static void test_tls_shows_the_certificate_of_the_host(void **state)
{
    static const struct {
        const char *name, *wanted;
    } cases[] = {
        {"t.example", "one"},       {"T.EXAMPLE", "one"},   {"a.wild.example", "one"},
        {"other.example", "two"},   {"wild.example", NULL}, {"a.b.wild.example", NULL},
        {"stranger.example", NULL}, {NULL, NULL},
    };
    World *world = *state;

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *common = shown_for(world, cases[i].name);
        if (g_strcmp0(common, cases[i].wanted) != 0)
            fail_msg("%s: %s was shown", cases[i].name, common);
    }
    make_certificate(world, "default", "default", "DNS:default.example");
    g_autoptr(GPtrArray) wrong = g_ptr_array_new_with_free_func(g_free);
    assert_true(httpd_load_certificates(world->httpd, world->dir, wrong, NULL));
    g_autofree char *unnamed = shown_for(world, NULL);
    assert_string_equal(unnamed, "default");
}

static void test_tls_reload_leaves_connections(void **state)
{
    World *world = *state;
    g_autoptr(GPtrArray) wrong = g_ptr_array_new_with_free_func(g_free);
    Client client;

    assert_true(greet(&client, world->port, "t.example"));
    ask(&client);
    make_certificate(world, "one", "new", "DNS:t.example");
    assert_true(httpd_load_certificates(world->httpd, world->dir, wrong, NULL));
    ask(&client);
    leave(&client);
    g_autofree char *common = shown_for(world, "t.example");
    g_autofree char *other = shown_for(world, "other.example");
    assert_string_equal(common, "new");
    assert_string_equal(other, "two");
}

static void test_tls_reload_keeps_what_cannot_be_read_anew(void **state)
{
    World *world = *state;
    g_autoptr(GPtrArray) wrong = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *key = g_build_filename(world->dir, "one", "privkey.pem", NULL);
    g_autofree char *chain = g_build_filename(world->dir, "two", "fullchain.pem", NULL);
    g_autofree char *half = g_build_filename(world->dir, "half", NULL);
    GError *error = NULL;

    assert_int_equal(chmod(key, 0644), 0);
    assert_true(g_file_set_contents(chain, "nonsense", -1, NULL));
    g_mkdir(half, 0750);
    assert_true(httpd_load_certificates(world->httpd, world->dir, wrong, NULL));
    assert_int_equal(wrong->len, 3);
    assert_non_null(strstr(wrong->pdata[1], "others may read this key"));
    assert_non_null(strstr(wrong->pdata[1], "(the one before it stays)"));
    g_autofree char *one = shown_for(world, "t.example");
    g_autofree char *two = shown_for(world, "other.example");
    assert_string_equal(one, "one");
    assert_string_equal(two, "two");
    assert_false(httpd_load_certificates(world->httpd, half, wrong, &error));
    assert_error_code(error, INVALID);
    assert_false(httpd_load_certificates(world->httpd, "/nonexistent", wrong, &error));
    assert_error_code(error, UNAVAILABLE);
}

static void test_tls_key_of_another_certificate_is_refused(void **state)
{
    World *world = *state;
    g_autoptr(GPtrArray) wrong = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *from = g_build_filename(world->dir, "two", "privkey.pem", NULL);
    g_autofree char *to = g_build_filename(world->dir, "one", "privkey.pem", NULL);

    assert_int_equal(g_rename(from, to), 0);
    assert_true(httpd_load_certificates(world->httpd, world->dir, wrong, NULL));
    assert_non_null(strstr(wrong->pdata[0], "the key is not that of the certificate"));
}

/* Plain HTTP, garbage, and a handshake that stops half way end without an answer. */
static void test_tls_garbage_is_cut(void **state)
{
    static const char *const cases[] = {REQUEST, "\x16\x03\x01\x02", "\x16\x03\x01\xff\xff\x01"};
    World *world = *state;

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        int fd = http_connect(world->port, "127.0.0.1");
        http_send(fd, cases[i], -1);
        assert_true(http_is_closed(fd));
        close(fd);
    }
    g_autofree char *common = shown_for(world, "t.example");
    assert_string_equal(common, "one");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_tls_shows_the_certificate_of_the_host),
        TEST(test_tls_reload_leaves_connections),
        TEST(test_tls_reload_keeps_what_cannot_be_read_anew),
        TEST(test_tls_key_of_another_certificate_is_refused),
        TEST(test_tls_garbage_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
