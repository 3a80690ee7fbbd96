/* What the check of certificate, key and CA says about files that openssl made. */
#include "daemon/mqtt/credentials.h"
#include "tests/integration/broker.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct broker files;

static struct credentials_paths good_paths(void)
{
    return broker_config(&files).credentials;
}

static void expect(const struct credentials_paths *paths, enum credentials_state state,
                   const char *words)
{
    struct credentials credentials;
    credentials_check(paths, (int64_t)time(NULL), &credentials);
    if (credentials.state != state || !strstr(credentials.text, words))
        fail_msg("%s: %s", credentials_state_name(credentials.state), credentials.text);
}

static const char *path_of(const char *name)
{
    static char path[BROKER_PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/%s", files.directory, name);
    return path;
}

static const char *write_file(const char *name, const char *text)
{
    const char *path = path_of(name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return path;
}

static void test_good_ones_pass_with_their_facts(void **state)
{
    (void)state;
    struct credentials_paths paths = good_paths();
    struct credentials credentials;
    int64_t now_sec = (int64_t)time(NULL);
    credentials_check(&paths, now_sec, &credentials);
    assert_int_equal(credentials.state, CREDENTIALS_OK);
    assert_string_equal(credentials.text, "");
    assert_string_equal(credentials.common_name, "thing-1");
    assert_true(credentials.not_before_sec <= now_sec);
    assert_in_range(credentials.not_after_sec - now_sec, 86400, 3 * 86400);
}

static void test_wrong_clock_is_only_doubted(void **state)
{
    (void)state;
    struct credentials_paths paths = good_paths();
    struct credentials credentials;
    credentials_check(&paths, 0, &credentials);
    assert_int_equal(credentials.state, CREDENTIALS_DOUBTFUL);
    assert_non_null(strstr(credentials.text, "clock"));
    credentials_check(&paths, (int64_t)time(NULL) + 3 * 86400, &credentials);
    assert_int_equal(credentials.state, CREDENTIALS_DOUBTFUL);
    assert_non_null(strstr(credentials.text, "expired"));
}

static void test_what_is_missing_is_named(void **state)
{
    (void)state;
    struct credentials_paths paths = good_paths();
    paths.certificate_file = NULL;
    expect(&paths, CREDENTIALS_MISSING, "CertificateFile");
    paths = good_paths();
    paths.private_key = "";
    expect(&paths, CREDENTIALS_MISSING, "PrivateKey");
    paths = good_paths();
    paths.private_key = path_of("no-such-key");
    expect(&paths, CREDENTIALS_MISSING, "no-such-key");
    paths = good_paths();
    paths.ca_file = path_of("no-such-ca");
    expect(&paths, CREDENTIALS_MISSING, "no-such-ca");
}

static void test_key_of_another_certificate_is_a_mismatch(void **state)
{
    (void)state;
    struct credentials_paths paths = good_paths();
    paths.private_key = files.stranger_key;
    expect(&paths, CREDENTIALS_MISMATCH, "do not belong together");
}

static void test_what_is_not_pem_is_named(void **state)
{
    (void)state;
    const char *garbage = write_file("garbage", "-----BEGIN nothing\n\x01\x02");
    struct credentials_paths paths = good_paths();
    paths.certificate_file = garbage;
    expect(&paths, CREDENTIALS_BAD_CERTIFICATE, "garbage");
    paths = good_paths();
    paths.private_key = garbage;
    expect(&paths, CREDENTIALS_BAD_KEY, "garbage");
    paths = good_paths();
    paths.ca_file = garbage;
    expect(&paths, CREDENTIALS_BAD_CA, "garbage");
    paths = good_paths();
    paths.private_key = files.certificate;
    expect(&paths, CREDENTIALS_BAD_KEY, "no private key");
    paths.private_key = write_file("empty", "");
    expect(&paths, CREDENTIALS_BAD_KEY, "empty");
}

static void test_key_with_a_passphrase_is_refused_without_asking(void **state)
{
    (void)state;
    char command[1024];
    (void)snprintf(command, sizeof(command),
                   "openssl pkey -in %s -aes128 -passout pass:secret -out %s/locked.key", files.key,
                   files.directory);
    assert_int_equal(system(command), 0);
    struct credentials_paths paths = good_paths();
    paths.private_key = path_of("locked.key");
    expect(&paths, CREDENTIALS_BAD_KEY, "passphrase");
}

static void test_directory_fifo_and_uri_are_no_keys(void **state)
{
    (void)state;
    struct credentials_paths paths = good_paths();
    paths.private_key = files.directory;
    expect(&paths, CREDENTIALS_UNREADABLE, files.directory);
    paths.private_key = path_of("fifo");
    assert_int_equal(mkfifo(paths.private_key, 0600), 0);
    expect(&paths, CREDENTIALS_UNREADABLE, "fifo");
    paths.private_key = "pkcs11:nonsense";
    expect(&paths, CREDENTIALS_BAD_KEY, "the URI is not understood");
    paths.private_key = "handle:1";
    expect(&paths, CREDENTIALS_BAD_KEY, "the URI is not understood");
}

static void test_permission_is_named_with_a_remedy(void **state)
{
    (void)state;
    struct credentials_paths paths = good_paths();
    assert_int_equal(chmod(files.key, 0), 0);
    /* Root may read everything. */
    bool is_root = geteuid() == 0;
    if (is_root) {
        assert_int_equal(chmod(files.directory, 0755), 0);
        assert_int_equal(seteuid(65534), 0);
    }
    struct credentials credentials;
    credentials_check(&paths, (int64_t)time(NULL), &credentials);
    if (is_root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(files.key, 0600), 0);
    assert_int_equal(credentials.state, CREDENTIALS_UNREADABLE);
    assert_non_null(strstr(credentials.text, files.key));
    assert_non_null(strstr(credentials.text, "chmod"));
}

static void test_common_name_can_be_read_alone(void **state)
{
    (void)state;
    char name[32];
    assert_int_equal(credentials_common_name(files.certificate, name, sizeof(name)), 0);
    assert_string_equal(name, "thing-1");
    assert_int_equal(credentials_common_name(files.certificate, name, 7), -E2BIG);
    assert_int_equal(credentials_common_name(files.key, name, sizeof(name)), -EINVAL);
    assert_int_equal(credentials_common_name(path_of("none"), name, sizeof(name)), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_ones_pass_with_their_facts),
        cmocka_unit_test(test_wrong_clock_is_only_doubted),
        cmocka_unit_test(test_what_is_missing_is_named),
        cmocka_unit_test(test_key_of_another_certificate_is_a_mismatch),
        cmocka_unit_test(test_what_is_not_pem_is_named),
        cmocka_unit_test(test_key_with_a_passphrase_is_refused_without_asking),
        cmocka_unit_test(test_directory_fifo_and_uri_are_no_keys),
        cmocka_unit_test(test_permission_is_named_with_a_remedy),
        cmocka_unit_test(test_common_name_can_be_read_alone),
    };
    broker_prepare(&files);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    broker_clear(&files);
    return failed;
}
