#include "daemon/storage/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_MS 60000 /* a deadline for broken code; nobody waits that long */

struct place {
    char directory[64];
    struct store_options options;
    struct store *store;
};

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    assert_non_null(place);
    const char *base = getenv("TMPDIR");
    (void)snprintf(place->directory, sizeof(place->directory), "%.40s/flux-store-XXXXXX",
                   base ? base : "/tmp");
    assert_non_null(mkdtemp(place->directory));
    place->options = (struct store_options){.directory = place->directory,
                                            .max_bytes = 16 * 1024 * 1024,
                                            .endpoint = "e",
                                            .thing_name = "t"};
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    place->store = store_free(place->store);
    DIR *stream = opendir(place->directory);
    const struct dirent *entry;
    while (stream && (entry = readdir(stream))) {
        char path[512];
        (void)snprintf(path, sizeof(path), "%s/%s", place->directory, entry->d_name);
        (void)unlink(path);
    }
    if (stream)
        closedir(stream);
    (void)rmdir(place->directory);
    free(place);
    return 0;
}

static bool is_readable(const struct store *store, int wait_ms)
{
    struct pollfd poll_fd = {.fd = store_event_fd(store), .events = POLLIN};
    return poll(&poll_fd, 1, wait_ms) == 1;
}

static struct store_result wait_for_result(struct store *store)
{
    struct store_result result;
    assert_true(is_readable(store, WAIT_MS));
    assert_true(store_next_result(store, &result));
    assert_false(is_readable(store, 0));
    assert_false(store_is_busy(store));
    assert_false(store_next_result(store, &(struct store_result){.error = 0}));
    return result;
}

static struct store_result load(struct place *place)
{
    if (!place->store)
        assert_int_equal(store_new(&place->store, &place->options), 0);
    (void)store_load(place->store, WAIT_MS);
    return wait_for_result(place->store);
}

static void add(struct store *store, const char *path, int64_t number)
{
    const struct saved_row row = {.kind = SAVED_PROPERTY,
                                  .thing = "",
                                  .shadow = "",
                                  .path = path,
                                  .path_size = strlen(path),
                                  .of_property = {.state = SAVED_PENDING,
                                                  .value = flux_value_int64(number),
                                                  .revision = (uint64_t)number}};
    assert_int_equal(store_add(store, &row), 0);
}

static struct store_result commit(struct store *store)
{
    store_commit(store);
    assert_true(store_is_busy(store));
    return wait_for_result(store);
}

static size_t count_loaded(struct store *store)
{
    size_t count = 0;
    struct saved_row row;
    while (store_next_loaded(store, &row))
        count++;
    return count;
}

static void test_null_store_never_claims_to_have_stored(void **state)
{
    (void)state;
    struct store *store;
    assert_int_equal(null_store_new(&store, "/old"), 0);
    assert_false(store_is_durable(store));
    assert_string_equal(store_mode_name(store), "volatile");
    assert_false(store_needs_load(store));
    assert_int_equal(store_event_fd(store), -1);
    store_commit(store);
    assert_false(store_is_busy(store));
    struct store_status status;
    store_get_status(store, &status);
    assert_int_equal(status.state, STORE_VOLATILE);
    assert_string_equal(status.set_aside, "/old");
    assert_null(store_free(store));
}

static void test_a_store_without_a_directory_is_refused(void **state)
{
    (void)state;
    struct store *store;
    assert_int_equal(store_new(&store, &(struct store_options){.directory = ""}), -EINVAL);
    assert_int_equal(store_new(&store, &(struct store_options){.directory = NULL}), -EINVAL);
}

static void test_rows_go_to_the_disk_and_come_back(void **state)
{
    struct place *place = *state;
    struct store_result result = load(place);
    assert_int_equal(result.job, STORE_LOAD);
    assert_int_equal(result.error, 0);
    assert_true(result.is_fresh);
    assert_false(store_needs_load(place->store));
    assert_int_equal(count_loaded(place->store), 0);
    for (unsigned round = 0; round < 3; round++) {
        add(place->store, "/a", round);
        add(place->store, "/b", round);
        result = commit(place->store);
        assert_int_equal(result.job, STORE_COMMIT);
        assert_int_equal(result.error, 0);
        assert_string_equal(result.text, "");
    }
    struct store_status status;
    store_get_status(place->store, &status);
    assert_int_equal(status.state, STORE_GOOD);
    assert_int_equal(status.commits, 3);
    assert_int_equal(status.rows, 6);
    assert_true(status.last_commit_ms > 0);
    assert_true(status.file_bytes > 4096);
    if (status.is_durable) /* in memory nothing is written */
        assert_true(status.bytes_written > 3 * 1024 && status.bytes_day > 0);
    assert_true(status.bytes_day <= status.bytes_written);

    place->store = store_free(place->store);
    result = load(place);
    assert_false(result.is_fresh);
    struct saved_row row;
    assert_true(store_next_loaded(place->store, &row));
    assert_int_equal(row.of_property.value.int64, 2);
    store_keep(place->store);
    assert_int_equal(count_loaded(place->store), 1);
    assert_int_equal(count_loaded(place->store), 0);
    store_get_status(place->store, &status);
    assert_int_equal(status.orphans, 1);
}

static void test_the_loop_does_not_wait_unless_it_wants_to(void **state)
{
    struct place *place = *state;
    assert_int_equal(store_new(&place->store, &place->options), 0);
    assert_true(store_needs_load(place->store));
    const int r = store_load(place->store, 0);
    assert_true(r == -EINPROGRESS || r == 0);
    assert_int_equal(store_load(place->store, 0), -EBUSY);
    const struct saved_row row = {.kind = SAVED_SHADOW, .thing = "", .shadow = "", .path = ""};
    assert_int_equal(store_add(place->store, &row), -EBUSY);
    assert_int_equal(wait_for_result(place->store).error, 0);
}

static void test_a_directory_in_trouble_is_told_and_tried_again(void **state)
{
    struct place *place = *state;
    char missing[96], parent[96];
    (void)snprintf(parent, sizeof(parent), "%s/no", place->directory);
    (void)snprintf(missing, sizeof(missing), "%s/no/where", place->directory);
    place->options.directory = missing;
    struct store_result result = load(place);
    assert_int_equal(result.error, -ENOENT);
    assert_non_null(strstr(result.text, "no/where"));
    assert_true(store_needs_load(place->store));
    struct store_status status;
    store_get_status(place->store, &status);
    assert_int_equal(status.state, STORE_TROUBLE);
    assert_int_equal(status.error, -ENOENT);
    assert_int_equal(status.failures, 1);
    assert_int_equal(mkdir(parent, 0700), 0);
    assert_int_equal(load(place).error, 0);
    store_get_status(place->store, &status);
    assert_int_equal(status.state, STORE_GOOD);
    place->store = store_free(place->store);
    char path[160];
    (void)snprintf(path, sizeof(path), "%s/state-1.db", missing);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s/state-1.db-wal", missing);
    (void)unlink(path);
    (void)rmdir(missing);
    (void)rmdir(parent);
}

static void test_an_end_in_the_middle_of_a_commit_waits_for_it(void **state)
{
    struct place *place = *state;
    assert_int_equal(load(place).error, 0);
    for (unsigned i = 0; i < 100; i++) {
        char path[16];
        (void)snprintf(path, sizeof(path), "/p%u", i);
        add(place->store, path, i);
    }
    store_commit(place->store);
    place->store = store_free(place->store);
    const struct store_result result = load(place);
    assert_int_equal(result.error, 0);
    assert_int_equal(count_loaded(place->store), 100);
}

static void test_status_may_be_asked_while_a_job_runs(void **state)
{
    struct place *place = *state;
    assert_int_equal(load(place).error, 0);
    for (unsigned round = 0; round < 20; round++) {
        struct store_result result;
        struct store_status status;
        add(place->store, "/a", round);
        store_commit(place->store);
        do {
            store_get_status(place->store, &status);
            (void)store_is_durable(place->store);
            (void)is_readable(place->store, 1);
        } while (!store_next_result(place->store, &result));
        assert_int_equal(result.error, 0);
        store_get_status(place->store, &status);
        assert_int_equal(status.commits, round + 1);
    }
}

static void test_a_volatile_start_sets_a_database_aside(void **state)
{
    struct place *place = *state;
    char path[STORE_PATH_MAX];
    assert_int_equal(store_set_aside(place->directory, path, sizeof(path)), 0);
    for (unsigned i = 0; i < 6; i++) {
        assert_true(load(place).is_fresh);
        add(place->store, "/a", i);
        assert_int_equal(commit(place->store).error, 0);
        place->store = store_free(place->store);
        assert_int_equal(store_set_aside(place->directory, path, sizeof(path)), 1);
        assert_non_null(strstr(path, "/state-1.db.aside-2"));
        assert_int_equal(access(path, F_OK), 0);
    }
    unsigned databases = 0, logs = 0;
    DIR *stream = opendir(place->directory);
    assert_non_null(stream);
    const struct dirent *entry;
    while ((entry = readdir(stream))) {
        const bool is_log = strstr(entry->d_name, "-wal") != NULL;
        logs += is_log;
        databases += !is_log && entry->d_name[0] == 's';
    }
    closedir(stream);
    assert_int_equal(databases, 3);
    assert_int_equal(logs, 3);
    assert_int_equal(store_set_aside("/nonexistent/directory", path, sizeof(path)), 0);
}

static void test_a_volatile_start_leaves_a_file_of_somebody_else_alone(void **state)
{
    struct place *place = *state;
    if (geteuid() != 0)
        skip();
    char database[128], path[STORE_PATH_MAX];
    (void)snprintf(database, sizeof(database), "%s/state-1.db", place->directory);
    const int fd = open(database, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(chown(database, 12345, 12345), 0);
    assert_int_equal(store_set_aside(place->directory, path, sizeof(path)), -EPERM);
    assert_int_equal(access(database, F_OK), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null_store_never_claims_to_have_stored),
        cmocka_unit_test(test_a_store_without_a_directory_is_refused),
        TEST(test_rows_go_to_the_disk_and_come_back),
        TEST(test_the_loop_does_not_wait_unless_it_wants_to),
        TEST(test_a_directory_in_trouble_is_told_and_tried_again),
        TEST(test_an_end_in_the_middle_of_a_commit_waits_for_it),
        TEST(test_status_may_be_asked_while_a_job_runs),
        TEST(test_a_volatile_start_sets_a_database_aside),
        TEST(test_a_volatile_start_leaves_a_file_of_somebody_else_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
