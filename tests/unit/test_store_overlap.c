/* Two batches in the store, with a disk that syncs when the test lets it: the program defines
 * fdatasync() and fsync() itself, in place of those that SQLite would call. */
#include "daemon/storage/store.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_MS 60000 /* a deadline for broken code; nobody waits that long */

/* ---- the disk ---- */

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_shut; /* whoever syncs waits */
    int error;    /* and fails */
    unsigned waiting;
} gate = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static int pass_gate(void)
{
    pthread_mutex_lock(&gate.mutex);
    gate.waiting++;
    pthread_cond_broadcast(&gate.changed);
    while (gate.is_shut)
        pthread_cond_wait(&gate.changed, &gate.mutex);
    gate.waiting--;
    const int error = gate.error;
    pthread_mutex_unlock(&gate.mutex);
    errno = error;
    return error == 0 ? 0 : -1;
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
    (void)fd;
    return pass_gate();
}

__attribute__((visibility("default"))) int fsync(int fd)
{
    (void)fd;
    return pass_gate();
}

static void shut(void)
{
    pthread_mutex_lock(&gate.mutex);
    gate.is_shut = true;
    pthread_mutex_unlock(&gate.mutex);
}

static void wait_for_sync(void)
{
    pthread_mutex_lock(&gate.mutex);
    while (gate.waiting == 0)
        pthread_cond_wait(&gate.changed, &gate.mutex);
    pthread_mutex_unlock(&gate.mutex);
}

static void open_gate(int error)
{
    pthread_mutex_lock(&gate.mutex);
    gate.is_shut = false;
    gate.error = error;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.mutex);
}

/* ---- a store ---- */

struct place {
    char directory[64];
    struct store_options options;
    struct store *store;
};

static struct store_result wait_for_result(struct store *store)
{
    struct store_result result;
    while (!store_next_result(store, &result)) {
        struct pollfd poll_fd = {.fd = store_event_fd(store), .events = POLLIN};
        assert_int_equal(poll(&poll_fd, 1, WAIT_MS), 1);
    }
    return result;
}

static void load(struct place *place)
{
    if (!place->store)
        assert_int_equal(store_new(&place->store, &place->options), 0);
    (void)store_load(place->store, WAIT_MS);
    assert_int_equal(wait_for_result(place->store).error, 0);
}

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
    load(place);
    *state = place;
    return 0;
}

static void remove_files(const struct place *place)
{
    DIR *stream = opendir(place->directory);
    const struct dirent *entry;
    while (stream && (entry = readdir(stream))) {
        char path[512];
        (void)snprintf(path, sizeof(path), "%s/%s", place->directory, entry->d_name);
        (void)unlink(path);
    }
    if (stream)
        closedir(stream);
}

static int teardown(void **state)
{
    struct place *place = *state;
    open_gate(0);
    place->store = store_free(place->store);
    remove_files(place);
    (void)rmdir(place->directory);
    free(place);
    return 0;
}

static int add(struct store *store, const char *path)
{
    const struct saved_row row = {
        .kind = SAVED_PROPERTY,
        .thing = "",
        .shadow = "",
        .path = path,
        .path_size = strlen(path),
        .of_property = {.state = SAVED_PENDING, .value = flux_value_int64(1), .revision = 1}};
    return store_add(store, &row);
}

/* A commit that waits for the disk. */
static void begin_first(struct place *place)
{
    shut();
    assert_int_equal(add(place->store, "/first"), 0);
    store_commit(place->store);
    wait_for_sync();
}

static void add_next(struct place *place, const char *path, enum store_room room)
{
    assert_int_equal(store_find_room(place->store), room);
    assert_int_equal(add(place->store, path), 0);
    store_commit(place->store);
}

/* How many rows another store finds there. */
static size_t count_rows(struct place *place)
{
    struct saved_row row;
    size_t count = 0;
    place->store = store_free(place->store);
    load(place);
    while (store_next_loaded(place->store, &row))
        count++;
    return count;
}

/* ---- tests ---- */

static void test_while_one_batch_is_written_the_next_grows(void **state)
{
    struct place *place = *state;
    struct store_status status;
    begin_first(place);
    add_next(place, "/second", STORE_ROOM);
    add_next(place, "/third", STORE_ROOM_IN_LAST);
    open_gate(0);
    assert_int_equal(wait_for_result(place->store).error, 0);
    assert_int_equal(wait_for_result(place->store).error, 0);
    assert_false(store_is_busy(place->store));
    store_get_status(place->store, &status);
    assert_int_equal(status.commits, 2);
    assert_int_equal(status.rows, 3);
    assert_int_equal(count_rows(place), 3);
}

static void test_without_asking_for_room_nothing_is_taken(void **state)
{
    struct place *place = *state;
    begin_first(place);
    assert_int_equal(add(place->store, "/second"), -EBUSY);
    add_next(place, "/third", STORE_ROOM);
    assert_int_equal(add(place->store, "/fourth"), -EBUSY);
    open_gate(0);
    (void)wait_for_result(place->store);
    (void)wait_for_result(place->store);
    assert_int_equal(count_rows(place), 2);
}

static void test_a_third_batch_has_no_room(void **state)
{
    struct place *place = *state;
    begin_first(place);
    add_next(place, "/second", STORE_ROOM);
    open_gate(0);
    struct pollfd told = {.fd = store_event_fd(place->store), .events = POLLIN};
    assert_int_equal(poll(&told, 1, WAIT_MS), 1);
    /* The first one's result is not taken: whether the second is written now or still waits, there
     * is no place for a third. */
    assert_int_not_equal(store_find_room(place->store), STORE_ROOM);
    store_commit(place->store);
    (void)wait_for_result(place->store);
    (void)wait_for_result(place->store);
    assert_int_equal(count_rows(place), 2);
}

static void test_after_a_failure_the_next_batch_is_given_up(void **state)
{
    struct place *place = *state;
    begin_first(place);
    add_next(place, "/second", STORE_ROOM);
    open_gate(EIO);
    assert_int_not_equal(wait_for_result(place->store).error, 0);
    assert_false(store_is_busy(place->store));
    assert_int_equal(store_find_room(place->store), STORE_ROOM);
    open_gate(0);
    assert_int_equal(add(place->store, "/third"), 0);
    store_commit(place->store);
    assert_int_equal(wait_for_result(place->store).error, 0);
    place->store = store_free(place->store);
    load(place);
    struct saved_row row;
    while (store_next_loaded(place->store, &row))
        assert_string_not_equal(row.path, "/second");
}

/* Its rows rest on what was there before. */
static void test_after_a_fresh_beginning_the_next_batch_is_given_up(void **state)
{
    struct place *place = *state;
    assert_int_equal(add(place->store, "/before"), 0);
    store_commit(place->store);
    assert_int_equal(wait_for_result(place->store).error, 0);
    remove_files(place);
    begin_first(place);
    add_next(place, "/second", STORE_ROOM);
    open_gate(0);
    const struct store_result result = wait_for_result(place->store);
    assert_int_equal(result.error, 0);
    assert_true(result.is_fresh);
    assert_false(store_is_busy(place->store));
    assert_int_equal(count_rows(place), 1);
}

static void test_what_waits_can_be_dropped_whole(void **state)
{
    struct place *place = *state;
    begin_first(place);
    add_next(place, "/second", STORE_ROOM);
    assert_int_equal(store_find_room(place->store), STORE_ROOM_IN_LAST);
    assert_int_equal(add(place->store, "/third"), 0);
    store_drop(place->store);
    open_gate(0);
    assert_int_equal(wait_for_result(place->store).error, 0);
    assert_false(store_is_busy(place->store));
    assert_int_equal(count_rows(place), 1);
}

static void test_the_end_waits_for_both(void **state)
{
    struct place *place = *state;
    begin_first(place);
    add_next(place, "/second", STORE_ROOM);
    open_gate(0);
    assert_int_equal(count_rows(place), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_while_one_batch_is_written_the_next_grows),
        TEST(test_without_asking_for_room_nothing_is_taken),
        TEST(test_a_third_batch_has_no_room),
        TEST(test_after_a_failure_the_next_batch_is_given_up),
        TEST(test_after_a_fresh_beginning_the_next_batch_is_given_up),
        TEST(test_what_waits_can_be_dropped_whole),
        TEST(test_the_end_waits_for_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
