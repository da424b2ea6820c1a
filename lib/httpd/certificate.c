/* SPDX-License-Identifier: MIT */
#include "lib/httpd/certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/error.h"

#define FILE_MAX        (64 * 1024)
#define NAME_MAX_OCTETS 256

struct CertificateSet {
    GHashTable *by_folder; /* name of the folder -> Certificate */
    GHashTable *by_host;   /* lower case -> Certificate */
};

static void clear(gpointer data)
{
    Certificate *certificate = data;

    for (guint i = 0; i < certificate->length; i++)
        gnutls_pcert_deinit(&certificate->chain[i]);
    if (certificate->key)
        gnutls_privkey_deinit(certificate->key);
}

void certificate_release(Certificate *certificate)
{
    if (certificate)
        g_atomic_rc_box_release_full(certificate, clear);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Certificate, certificate_release)

static gboolean set_wrong(GError **error, const char *path, const char *why)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "%s: %s", path, why);
    return FALSE;
}

/* Bounded, and of a key: nobody else may read it. */
static gboolean read_file(const char *path, gboolean secret, gnutls_datum_t *data, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return error_set_errno(error, errno, "open", path);
    g_autofree guchar *octets = g_malloc(FILE_MAX + 1);
    ssize_t length =
        fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? read(fd, octets, FILE_MAX + 1) : -1;
    close(fd);
    if (length < 0)
        return error_set_errno(error, EIO, "read", path);
    if (length > FILE_MAX)
        return set_wrong(error, path, "allowed are files of at most 64 KiB");
    if (secret && (st.st_mode & S_IRWXO))
        return set_wrong(error, path, "others may read this key: chmod o= it");
    *data = (gnutls_datum_t){.data = g_steal_pointer(&octets), .size = (unsigned)length};
    return TRUE;
}

static gboolean load_chain(Certificate *certificate, const char *path, GError **error)
{
    gnutls_datum_t data = {0};

    if (!read_file(path, FALSE, &data, error))
        return FALSE;
    guint length = CERTIFICATE_CHAIN_MAX;
    int result = gnutls_pcert_list_import_x509_raw(certificate->chain, &length, &data,
                                                   GNUTLS_X509_FMT_PEM, 0);
    g_free(data.data);
    if (result < 0)
        return set_wrong(error, path, gnutls_strerror(result));
    certificate->length = length;
    return TRUE;
}

static gboolean load_key(Certificate *certificate, const char *path, GError **error)
{
    gnutls_datum_t data = {0};

    if (!read_file(path, TRUE, &data, error))
        return FALSE;
    int result = gnutls_privkey_init(&certificate->key);
    if (result >= 0)
        result =
            gnutls_privkey_import_x509_raw(certificate->key, &data, GNUTLS_X509_FMT_PEM, NULL, 0);
    gnutls_memset(data.data, 0, data.size);
    g_free(data.data);
    return result >= 0 || set_wrong(error, path, gnutls_strerror(result));
}

static gboolean fits(const Certificate *certificate, const char *path, GError **error)
{
    guchar of_chain[64], of_key[64];
    size_t chain_size = sizeof of_chain, key_size = sizeof of_key;
    gnutls_pubkey_t key = NULL;
    gboolean same =
        gnutls_pubkey_init(&key) >= 0 &&
        gnutls_pubkey_import_privkey(key, certificate->key, 0, 0) >= 0 &&
        gnutls_pubkey_get_key_id(key, 0, of_key, &key_size) >= 0 &&
        gnutls_pubkey_get_key_id(certificate->chain[0].pubkey, 0, of_chain, &chain_size) >= 0 &&
        key_size == chain_size && memcmp(of_key, of_chain, key_size) == 0;

    if (key)
        gnutls_pubkey_deinit(key);
    return same || set_wrong(error, path, "the key is not that of the certificate");
}

static Certificate *load(const char *folder, GError **error)
{
    g_autoptr(Certificate) certificate = g_atomic_rc_box_new0(Certificate);
    g_autofree char *chain = g_build_filename(folder, "fullchain.pem", NULL);
    g_autofree char *key = g_build_filename(folder, "privkey.pem", NULL);

    if (!load_chain(certificate, chain, error) || !load_key(certificate, key, error) ||
        !fits(certificate, key, error))
        return NULL;
    return g_steal_pointer(&certificate);
}

/* Under each name that the certificate is for. Of two for the same name the folder that sorts last wins. */
static void add_names(CertificateSet *set, Certificate *certificate)
{
    gnutls_x509_crt_t leaf;
    char name[NAME_MAX_OCTETS];

    if (gnutls_x509_crt_init(&leaf) < 0)
        return;
    int kind = gnutls_x509_crt_import(leaf, &certificate->chain[0].cert, GNUTLS_X509_FMT_DER);
    for (guint i = 0; kind >= 0; i++) {
        size_t size = sizeof name - 1;
        kind = gnutls_x509_crt_get_subject_alt_name(leaf, i, name, &size, NULL);
        if (kind != GNUTLS_SAN_DNSNAME)
            continue;
        name[size] = '\0';
        g_hash_table_replace(set->by_host, g_ascii_strdown(name, -1),
                             g_atomic_rc_box_acquire(certificate));
    }
    gnutls_x509_crt_deinit(leaf);
}

static void add_folder(CertificateSet *set, const char *directory, const char *name,
                       const CertificateSet *elder, GPtrArray *wrong)
{
    g_autofree char *folder = g_build_filename(directory, name, NULL);
    g_autoptr(GError) error = NULL;
    Certificate *certificate = load(folder, &error);

    if (!certificate) {
        certificate = elder ? g_hash_table_lookup(elder->by_folder, name) : NULL;
        g_ptr_array_add(wrong, g_strdup_printf("%s%s", error->message,
                                               certificate ? " (the one before it stays)" : ""));
        if (!certificate)
            return;
        g_atomic_rc_box_acquire(certificate);
    }
    g_hash_table_replace(set->by_folder, g_strdup(name), certificate);
    add_names(set, certificate);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static GPtrArray *list_folders(const char *directory, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(GDir) dir = g_dir_open(directory, 0, &why);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *name;

    if (!dir) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "%s", why->message);
        return NULL;
    }
    while ((name = g_dir_read_name(dir)) && names->len < CERTIFICATES_MAX) {
        g_autofree char *path = g_build_filename(directory, name, NULL);
        if (*name != '.' && g_file_test(path, G_FILE_TEST_IS_DIR))
            g_ptr_array_add(names, g_strdup(name));
    }
    g_ptr_array_sort(names, compare_names);
    return g_steal_pointer(&names);
}

CertificateSet *certificate_set_load(const char *directory, const CertificateSet *elder,
                                     GPtrArray *wrong, GError **error)
{
    g_autoptr(CertificateSet) set = g_new0(CertificateSet, 1);
    g_autoptr(GPtrArray) names = list_folders(directory, error);

    if (!names)
        return NULL;
    set->by_folder =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)certificate_release);
    set->by_host =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)certificate_release);
    for (guint i = 0; i < names->len; i++)
        add_folder(set, directory, names->pdata[i], elder, wrong);
    if (g_hash_table_size(set->by_folder) > 0)
        return g_steal_pointer(&set);
    set_wrong(error, directory,
              wrong->len > 0 ? wrong->pdata[0]
                             : "holds no folder with fullchain.pem and privkey.pem");
    return NULL;
}

void certificate_set_free(CertificateSet *set)
{
    if (!set)
        return;
    g_clear_pointer(&set->by_folder, g_hash_table_unref);
    g_clear_pointer(&set->by_host, g_hash_table_unref);
    g_free(set);
}

Certificate *certificate_set_find(const CertificateSet *set, const char *host)
{
    g_autofree char *name = g_ascii_strdown(host ? host : "", -1);
    const char *dot = strchr(name, '.');
    g_autofree char *wildcard = dot ? g_strconcat("*", dot, NULL) : NULL;
    Certificate *found = g_hash_table_lookup(set->by_host, name);

    if (!found && wildcard)
        found = g_hash_table_lookup(set->by_host, wildcard);
    if (!found)
        found = g_hash_table_lookup(set->by_folder, "default");
    return found ? g_atomic_rc_box_acquire(found) : NULL;
}
