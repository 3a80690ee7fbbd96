#include "daemon/mqtt/credentials_private.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_BYTES_MAX (1024 * 1024)

void credentials_prepare(void)
{
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
    /* The TPM's library writes to stderr what is said here in words. */
    (void)setenv("TSS2_LOG", "all+none", 0);
}

const char *credentials_state_name(enum credentials_state state)
{
    switch (state) {
    case CREDENTIALS_OK:
        return "ok";
    case CREDENTIALS_DOUBTFUL:
        return "doubtful";
    case CREDENTIALS_MISSING:
        return "missing";
    case CREDENTIALS_UNREADABLE:
        return "unreadable";
    case CREDENTIALS_BAD_CA:
        return "bad-ca";
    case CREDENTIALS_BAD_CERTIFICATE:
        return "bad-certificate";
    case CREDENTIALS_BAD_KEY:
        return "bad-key";
    case CREDENTIALS_MISMATCH:
        return "mismatch";
    case CREDENTIALS_UNSUPPORTED:
        return "unsupported";
    }
    return "unknown";
}

bool credentials_fail(struct credentials *credentials, enum credentials_state state,
                      const char *format, ...)
{
    credentials->state = state;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(credentials->text, sizeof(credentials->text), format, arguments);
    va_end(arguments);
    return false;
}

bool credentials_fail_errno(struct credentials *credentials, const char *key, const char *path,
                            int error)
{
    if (error == ENOENT || error == ENOTDIR)
        return credentials_fail(credentials, CREDENTIALS_MISSING,
                                "%s: %s does not exist; put the file there or correct %s", key,
                                path, key);
    if (error == EACCES || error == EPERM)
        return credentials_fail(
            credentials, CREDENTIALS_UNREADABLE,
            "%s: no permission to read %s as uid %d; give the daemon's user access "
            "(chgrp and chmod g+r, and g+x on its directories)",
            key, path, (int)geteuid());
    return credentials_fail(credentials, CREDENTIALS_UNREADABLE, "%s: cannot read %s: %s", key,
                            path, strerror(error));
}

int credentials_open_file(const char *path, BIO **ret_bio)
{
    /* NONBLOCK: a fifo in the place of a file must not hang the thread. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -errno;
    struct stat info;
    int rc = fstat(fd, &info) < 0            ? -errno
             : S_ISDIR(info.st_mode)         ? -EISDIR
             : !S_ISREG(info.st_mode)        ? -EINVAL
             : info.st_size > FILE_BYTES_MAX ? -EFBIG
                                             : 0;
    FILE *file = rc == 0 ? fdopen(fd, "r") : NULL;
    if (!file) {
        rc = rc < 0 ? rc : -errno;
        close(fd);
        return rc;
    }
    *ret_bio = BIO_new_fp(file, BIO_CLOSE);
    if (!*ret_bio) {
        (void)fclose(file);
        return -ENOMEM;
    }
    return 0;
}

/* The daemon has nobody to ask for a passphrase. */
static int no_passphrase(char *buffer, int size, int is_write, void *asked)
{
    (void)buffer;
    (void)size;
    (void)is_write;
    *(bool *)asked = true;
    return -1;
}

static int read_certificate(const char *path, X509 **ret_certificate)
{
    BIO *bio;
    int rc = credentials_open_file(path, &bio);
    if (rc < 0)
        return rc;
    bool asked = false;
    X509 *certificate = PEM_read_bio_X509(bio, NULL, no_passphrase, &asked);
    BIO_free(bio);
    ERR_clear_error();
    if (!certificate)
        return -EBADMSG;
    *ret_certificate = certificate;
    return 0;
}

static bool check_ca(const char *path, struct credentials *credentials)
{
    X509 *certificate;
    int rc = read_certificate(path, &certificate);
    if (rc == -EBADMSG)
        return credentials_fail(
            credentials, CREDENTIALS_BAD_CA,
            "CaFile: %s holds no certificate in PEM form; fetch the Amazon roots again", path);
    if (rc < 0)
        return credentials_fail_errno(credentials, "CaFile", path, -rc);
    X509_free(certificate);
    return true;
}

static int64_t seconds_of(const ASN1_TIME *time)
{
    struct tm broken_down = {0};
    if (ASN1_TIME_to_tm(time, &broken_down) != 1)
        return 0;
    return (int64_t)timegm(&broken_down);
}

static void read_common_name(X509 *certificate, char *ret_name, size_t size)
{
    int length = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                           ret_name, (int)size);
    if (length < 0)
        ret_name[0] = '\0';
}

/* A wrong clock is common at boot, so the daemon dials all the same: the broker judges. */
static void check_validity(const char *path, int64_t wall_sec, struct credentials *credentials)
{
    char date[32] = "";
    bool is_early = wall_sec < credentials->not_before_sec;
    bool is_late = wall_sec > credentials->not_after_sec;
    if (!is_early && !is_late)
        return;
    time_t bound = (time_t)(is_early ? credentials->not_before_sec : credentials->not_after_sec);
    struct tm broken_down;
    if (gmtime_r(&bound, &broken_down))
        (void)strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S UTC", &broken_down);
    (void)credentials_fail(
        credentials, CREDENTIALS_DOUBTFUL,
        is_early ? "CertificateFile: %s is valid only from %s by this device's clock; "
                   "set the clock if it is wrong"
                 : "CertificateFile: %s expired on %s by this device's clock; renew the "
                   "certificate, or set the clock if it is wrong",
        path, date);
}

static bool check_pair(const struct credentials_paths *paths, X509 *certificate,
                       struct credentials *credentials)
{
    EVP_PKEY *key = NULL;
    if (!credentials_key_load(paths->private_key, &key, credentials))
        return false;
    /* The public halves: a token keeps the other one. */
    bool fits = X509_check_private_key(certificate, key) == 1;
    EVP_PKEY_free(key);
    ERR_clear_error();
    if (fits)
        return true;
    char name[KEY_REFERENCE_MAX];
    key_reference_mask(paths->private_key, name, sizeof(name));
    return credentials_fail(
        credentials, CREDENTIALS_MISMATCH,
        "certificate and key do not belong together: %s was not made for the key in "
        "%s; copy both from the same download",
        paths->certificate_file, name);
}

static bool is_given(const char *path, const char *key, struct credentials *credentials)
{
    if (path && path[0] != '\0')
        return true;
    return credentials_fail(credentials, CREDENTIALS_MISSING,
                            "%s is not set and no file was found for it", key);
}

void credentials_check(const struct credentials_paths *paths, int64_t wall_sec,
                       struct credentials *ret_credentials)
{
    struct credentials *credentials = ret_credentials;
    memset(credentials, 0, sizeof(*credentials));
    if (!is_given(paths->certificate_file, "CertificateFile", credentials) ||
        !is_given(paths->private_key, "PrivateKey", credentials) ||
        !is_given(paths->ca_file, "CaFile", credentials))
        return;

    const char *path = paths->certificate_file;
    X509 *certificate;
    int rc = read_certificate(path, &certificate);
    if (rc == -EBADMSG) {
        (void)credentials_fail(credentials, CREDENTIALS_BAD_CERTIFICATE,
                               "CertificateFile: %s holds no certificate in PEM form", path);
        return;
    }
    if (rc < 0) {
        (void)credentials_fail_errno(credentials, "CertificateFile", path, -rc);
        return;
    }
    credentials->not_before_sec = seconds_of(X509_get0_notBefore(certificate));
    credentials->not_after_sec = seconds_of(X509_get0_notAfter(certificate));
    read_common_name(certificate, credentials->common_name, sizeof(credentials->common_name));
    bool fits = check_pair(paths, certificate, credentials);
    X509_free(certificate);
    if (fits && check_ca(paths->ca_file, credentials))
        check_validity(path, wall_sec, credentials);
}

int credentials_common_name(const char *certificate_file, char *ret_name, size_t name_size)
{
    X509 *certificate;
    int rc = read_certificate(certificate_file, &certificate);
    if (rc < 0)
        return rc == -EBADMSG ? -EINVAL : rc;
    char name[256];
    read_common_name(certificate, name, sizeof(name));
    X509_free(certificate);
    if (name[0] == '\0')
        return -EINVAL;
    if (strlen(name) >= name_size)
        return -E2BIG;
    memcpy(ret_name, name, strlen(name) + 1);
    return 0;
}
