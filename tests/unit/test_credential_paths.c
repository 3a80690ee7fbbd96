#include "daemon/credential_paths.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
// clang-format off
#include <cmocka.h>
// clang-format on

/* A state directory and one of systemd's credentials, both empty. */
struct stand {
    char work[64], state[96], given[96];
    struct config config;
    struct credential_paths paths;
};

static int setup(void **state)
{
    struct stand *stand = calloc(1, sizeof(*stand));
    assert_non_null(stand);
    (void)snprintf(stand->work, sizeof(stand->work), "/tmp/fluxaws-paths.XXXXXX");
    assert_non_null(mkdtemp(stand->work));
    (void)snprintf(stand->state, sizeof(stand->state), "%s/state", stand->work);
    (void)snprintf(stand->given, sizeof(stand->given), "%s/given", stand->work);
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/credentials", stand->state);
    assert_int_equal(mkdir(stand->state, 0700), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(mkdir(stand->given, 0700), 0);
    assert_int_equal(config_init(&stand->config), 0);
    *state = stand;
    return 0;
}

static int teardown(void **state)
{
    struct stand *stand = *state;
    static const char *const names[] = {
        "state/credentials/certificate.pem",
        "state/credentials/private-key.pem",
        "state/credentials/ca.pem",
        "given/certificate",
        "given/private-key",
        "given/ca",
        "state/credentials",
        "state",
        "given",
    };
    char path[160];
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", stand->work, names[i]);
        (void)remove(path);
    }
    assert_int_equal(rmdir(stand->work), 0);
    config_clear(&stand->config);
    free(stand);
    return 0;
}

static void put(const struct stand *stand, const char *name)
{
    char path[160];
    (void)snprintf(path, sizeof(path), "%s/%s", stand->work, name);
    FILE *stream = fopen(path, "we");
    assert_non_null(stream);
    assert_int_equal(fclose(stream), 0);
}

/* Compare with a path below the stand's directory. */
static void assert_found(struct stand *stand, const char *found, const char *expected)
{
    char path[160];
    (void)snprintf(path, sizeof(path), "%s/%s", stand->work, expected);
    assert_string_equal(found, path);
}

static void look(struct stand *stand)
{
    credential_paths_find(&stand->paths, &stand->config, stand->state, stand->given);
}

static void test_missing_ones_are_asked_for_below_the_state_directory(void **state)
{
    struct stand *stand = *state;
    look(stand);
    assert_found(stand, stand->paths.certificate_file, "state/credentials/certificate.pem");
    assert_found(stand, stand->paths.private_key, "state/credentials/private-key.pem");
    assert_non_null(strstr(stand->paths.ca_file, "amazon-roots.pem"));
    credential_paths_find(&stand->paths, &stand->config, stand->state, NULL);
    assert_found(stand, stand->paths.certificate_file, "state/credentials/certificate.pem");
}

static void test_each_is_looked_for_in_three_places_by_itself(void **state)
{
    struct stand *stand = *state;
    put(stand, "given/certificate");
    put(stand, "given/private-key");
    put(stand, "given/ca");
    look(stand);
    assert_found(stand, stand->paths.certificate_file, "given/certificate");
    assert_found(stand, stand->paths.private_key, "given/private-key");
    assert_found(stand, stand->paths.ca_file, "given/ca");
    put(stand, "state/credentials/private-key.pem");
    look(stand);
    assert_found(stand, stand->paths.certificate_file, "given/certificate");
    assert_found(stand, stand->paths.private_key, "state/credentials/private-key.pem");
    config_set(&stand->config, "Connection", "PrivateKey", "/nowhere/key", "f", 1);
    config_set(&stand->config, "Connection", "CaFile", "/nowhere/ca", "f", 2);
    look(stand); /* what is configured counts, be it there or not */
    assert_string_equal(stand->paths.private_key, "/nowhere/key");
    assert_string_equal(stand->paths.ca_file, "/nowhere/ca");
}

static void test_exchanged_file_changes_the_fingerprint(void **state)
{
    struct stand *stand = *state;
    look(stand);
    const uint64_t without = credential_paths_fingerprint(&stand->paths);
    put(stand, "state/credentials/certificate.pem");
    const uint64_t with = credential_paths_fingerprint(&stand->paths);
    assert_true(with != without);
    assert_true(credential_paths_fingerprint(&stand->paths) == with);
    char path[160], other[160];
    (void)snprintf(path, sizeof(path), "%s/state/credentials/certificate.pem", stand->work);
    (void)snprintf(other, sizeof(other), "%s/given/ca", stand->work);
    put(stand, "given/ca");
    assert_int_equal(rename(other, path), 0);
    assert_true(credential_paths_fingerprint(&stand->paths) != with);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_missing_ones_are_asked_for_below_the_state_directory,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_each_is_looked_for_in_three_places_by_itself, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_exchanged_file_changes_the_fingerprint, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
