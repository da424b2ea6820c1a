/* SPDX-License-Identifier: MIT */
#include "lib/mailauth/key_lend.h"

#include <dlfcn.h>
#include <glib.h>
#include <openssl/pem.h>

static _Thread_local EVP_PKEY *lent;

void key_lend(EVP_PKEY *key)
{
    lent = key;
}

static gpointer find_real(G_GNUC_UNUSED gpointer data)
{
    return dlsym(RTLD_NEXT, "PEM_read_bio_PrivateKey");
}

/* The one behind this name that is OpenSSL's; NULL: there is none. */
static EVP_PKEY *read_really(BIO *bio, EVP_PKEY **x, pem_password_cb *cb, void *u)
{
    static GOnce once = G_ONCE_INIT;
    /* ISO C has no way from an object pointer to a function. */
    union {
        gpointer found;
        EVP_PKEY *(*call)(BIO *, EVP_PKEY **, pem_password_cb *, void *);
    } real = {.found = g_once(&once, find_real, NULL)};

    return real.found ? real.call(bio, x, cb, u) : NULL;
}

EVP_PKEY *PEM_read_bio_PrivateKey(BIO *bio, EVP_PKEY **x, pem_password_cb *cb, void *u)
{
    if (lent && !x)
        return EVP_PKEY_up_ref(lent) == 1 ? lent : NULL;
    return read_really(bio, x, cb, u);
}
