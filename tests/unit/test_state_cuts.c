/* The power is cut at any moment: what was announced as stored is there, whole, and nothing is
 * there before what came before it. */
#include "daemon/storage/state_store.h"
#include "tests/unit/cut_vfs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#define NUMBERS    17
#define TEXTS      3
#define TEXT_BYTES 3000
#define ATTEMPTS   400
#define ROWS_MAX   64

/* The story that is cut: commits, some of which fail, and starts in between. */
struct story {
    char directory[64], database[128];
    char copy_directory[64], copy[128];
    struct state_options options;
    struct state_store *state;
    struct batch batch;
    unsigned attempts;              /* so many commits were begun */
    size_t begun_at[ATTEMPTS + 2];  /* by number from 1: operations before it */
    size_t stored_at[ATTEMPTS + 2]; /* operations when it was announced, SIZE_MAX: never */
    unsigned oldest_unsaved;        /* the first attempt whose rows are not known to be stored */
};

static char text[TEXT_BYTES];

static void make_directory(char *directory, char *database, size_t size)
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(directory, 64, "%.40s/flux-cuts-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(directory));
    (void)snprintf(database, size, "%.60s/state-1.db", directory);
}

static void remove_files(const char *directory, const char *database)
{
    char path[160];
    (void)snprintf(path, sizeof(path), "%s-wal", database);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s-journal", database);
    (void)unlink(path);
    (void)unlink(database);
    assert_int_equal(rmdir(directory), 0);
}

static void begin_story(struct story *story)
{
    memset(story, 0, sizeof(*story));
    make_directory(story->directory, story->database, sizeof(story->database));
    make_directory(story->copy_directory, story->copy, sizeof(story->copy));
    story->options = (struct state_options){.directory = story->directory,
                                            .max_bytes = 16 * 1024 * 1024,
                                            .endpoint = "e",
                                            .thing_name = "t",
                                            .boot_id = "boot",
                                            .vfs = CUT_VFS_NAME};
    story->oldest_unsaved = 1;
    batch_init(&story->batch);
    cut_vfs_install();
    cut_vfs_record(true);
}

static void end_story(struct story *story)
{
    story->state = state_store_free(story->state);
    batch_clear(&story->batch);
    remove_files(story->directory, story->database);
    remove_files(story->copy_directory, story->copy);
    cut_vfs_remove();
}

static int start(struct story *story)
{
    struct state_outcome outcome;
    story->state = state_store_free(story->state);
    assert_int_equal(state_store_new(&story->state, &story->options), 0);
    state_store_load(story->state, &story->batch, 1, &outcome);
    batch_empty(&story->batch);
    return outcome.error;
}

/* --- what is written, by number of the attempt --- */

static void add(struct story *story, const char *path, const struct flux_value *value)
{
    struct saved_row row = {.kind = SAVED_PROPERTY,
                            .thing = "",
                            .shadow = "",
                            .path = path,
                            .path_size = strlen(path),
                            .is_gone = !value};
    if (value)
        row.of_property =
            (struct saved_property){.state = SAVED_PENDING, .value = *value, .revision = 1};
    assert_int_equal(batch_add(&story->batch, &row), 0);
}

static void add_rows(struct story *story, unsigned number)
{
    char path[16];
    const struct flux_value value = flux_value_int64(number);
    add(story, "/hot", &value);
    (void)snprintf(path, sizeof(path), "/n%u", number % NUMBERS);
    add(story, path, &value);
    if (number % 7 == 0) {
        (void)snprintf(path, sizeof(path), "/n%u", (number + 3) % NUMBERS);
        add(story, path, NULL);
    }
    if (number % 5 == 0) {
        memset(text, 'a' + (int)(number % 26), sizeof(text));
        const struct flux_value string = flux_value_string(text, sizeof(text));
        (void)snprintf(path, sizeof(path), "/t%u", number / 5 % TEXTS);
        add(story, path, &string);
    }
}

/* What the rows say after attempts 1 to `last`. */
struct expectation {
    unsigned hot, numbers[NUMBERS], texts[TEXTS];
};

static void expect(unsigned last, struct expectation *ret_expectation)
{
    memset(ret_expectation, 0, sizeof(*ret_expectation));
    for (unsigned i = 1; i <= last; i++) {
        ret_expectation->hot = i;
        ret_expectation->numbers[i % NUMBERS] = i;
        if (i % 7 == 0)
            ret_expectation->numbers[(i + 3) % NUMBERS] = 0;
        if (i % 5 == 0)
            ret_expectation->texts[i / 5 % TEXTS] = i;
    }
}

static bool commit(struct story *story)
{
    const unsigned number = ++story->attempts;
    assert_true(number <= ATTEMPTS);
    story->begun_at[number] = cut_vfs_count();
    story->stored_at[number] = SIZE_MAX;
    for (unsigned i = story->oldest_unsaved; i <= number; i++)
        add_rows(story, i);
    struct state_outcome outcome;
    state_store_commit(story->state, &story->batch, &outcome);
    batch_empty(&story->batch);
    if (outcome.error == 0) {
        story->stored_at[number] = cut_vfs_count();
        story->oldest_unsaved = number + 1;
    }
    state_store_tidy(story->state);
    return outcome.error == 0;
}

/* --- what is found --- */

static void read_row(const struct saved_row *row, struct expectation *found)
{
    char path[16] = "";
    assert_true(row->path_size < sizeof(path));
    memcpy(path, row->path, row->path_size);
    const unsigned index = (unsigned)atoi(path + 2);
    if (strcmp(path, "/hot") == 0)
        found->hot = (unsigned)row->of_property.value.int64;
    else if (path[1] == 'n')
        found->numbers[index] = (unsigned)row->of_property.value.int64;
    else {
        assert_int_equal(row->of_property.value.size, TEXT_BYTES);
        for (size_t i = 1; i < TEXT_BYTES; i++)
            assert_int_equal(row->of_property.value.text[i], row->of_property.value.text[0]);
        found->texts[index] = (unsigned)row->of_property.value.text[0];
    }
}

static void read_copy(struct story *story, struct expectation *ret_found, const char *where)
{
    struct state_options options = story->options;
    options.directory = story->copy_directory;
    struct state_store *state;
    struct batch rows;
    struct state_outcome outcome;
    memset(ret_found, 0, sizeof(*ret_found));
    batch_init(&rows);
    assert_int_equal(state_store_new(&state, &options), 0);
    state_store_load(state, &rows, 1, &outcome);
    if (outcome.error != 0 || outcome.set_aside[0] != '\0')
        fail_msg("%s: %d %s, set aside: %s", where, outcome.error, outcome.text, outcome.set_aside);
    batch_rewind(&rows);
    const struct saved_row *row;
    while ((row = batch_next(&rows)))
        read_row(row, ret_found);
    batch_clear(&rows);
    (void)state_store_free(state);
}

static bool is_as_expected(const struct expectation *found, unsigned last)
{
    struct expectation expected;
    expect(last, &expected);
    for (unsigned i = 0; i < TEXTS; i++)
        if (expected.texts[i] > 0)
            expected.texts[i] = 'a' + expected.texts[i] % 26;
    return memcmp(found, &expected, sizeof(expected)) == 0;
}

static void check_cut(struct story *story, size_t count, enum cut_mode mode, unsigned seed)
{
    char where[96];
    (void)snprintf(where, sizeof(where), "cut after %zu operations, mode %d, seed %u", count,
                   (int)mode, seed);
    cut_vfs_record(false);
    cut_vfs_replay(story->copy, count, mode, seed);
    struct expectation found;
    read_copy(story, &found, where);
    unsigned stored = 0, begun = 0;
    for (unsigned i = 1; i <= story->attempts; i++) {
        if (story->stored_at[i] <= count)
            stored = i;
        if (story->begun_at[i] <= count)
            begun = i;
    }
    if (found.hot < stored || found.hot > begun)
        fail_msg("%s: commit %u is there, %u was announced, %u begun", where, found.hot, stored,
                 begun);
    if (!is_as_expected(&found, found.hot))
        fail_msg("%s: commit %u is not whole", where, found.hot);
}

/* tests/run takes the time for more. */
static bool is_long(void)
{
    const char *seeds = getenv("FLUXAWS_SEEDS");
    return seeds && atoi(seeds) >= 10000;
}

/* Around every sync, and everywhere else by chance. */
static unsigned check_cuts(struct story *story, unsigned seed)
{
    unsigned cuts = 0;
    const size_t count = cut_vfs_count();
    for (size_t i = 0; i <= count; i++) {
        const bool is_at_sync =
            (i < count && cut_vfs_is_sync(i)) || (i > 0 && cut_vfs_is_sync(i - 1));
        const bool is_chosen = is_long() ? is_at_sync || rand_r(&seed) % 4 == 0
                                         : rand_r(&seed) % (is_at_sync ? 2 : 16) == 0;
        if (!is_chosen)
            continue;
        const enum cut_mode mode = (enum cut_mode)(rand_r(&seed) % 4);
        check_cut(story, i, mode, seed);
        check_cut(story, i, CUT_ANY_SECTORS, seed + 1);
        cuts += 2;
    }
    return cuts;
}

static void test_what_was_announced_survives_a_cut_at_any_moment(void **state)
{
    (void)state;
    struct story story;
    begin_story(&story);
    assert_int_equal(start(&story), 0);
    for (unsigned i = 0; i < 200; i++) {
        assert_true(commit(&story));
        if (i == 130) /* kill -9: nobody says goodbye to the database */
            assert_int_equal(start(&story), 0);
    }
    const unsigned cuts = check_cuts(&story, 1);
    print_message("%zu operations, %u cuts\n", cut_vfs_count(), cuts);
    assert_true(cuts > 300);
    end_story(&story);
}

static void test_what_was_announced_after_failed_syncs_survives_a_cut(void **state)
{
    (void)state;
    unsigned cuts = 0, failures = 0;
    const unsigned seeds = is_long() ? 6 : 2;
    for (unsigned seed = 1; seed <= seeds; seed++) {
        struct story story;
        unsigned dice = seed;
        begin_story(&story);
        assert_int_equal(start(&story), 0);
        for (unsigned i = 0; i < 60; i++) {
            if (rand_r(&dice) % 6 == 0)
                cut_vfs_fail_sync(rand_r(&dice) % 3);
            failures += !commit(&story);
            if (rand_r(&dice) % 20 == 0)
                (void)start(&story);
        }
        cut_vfs_fail_sync(-1);
        assert_true(commit(&story));
        cuts += check_cuts(&story, seed);
        end_story(&story);
    }
    print_message("%u commits failed, %u cuts\n", failures, cuts);
    assert_true(failures > 5 * seeds);
}

static void test_commits_that_found_no_room_leave_what_was_there(void **state)
{
    (void)state;
    struct story story;
    begin_story(&story);
    assert_int_equal(start(&story), 0);
    for (unsigned i = 0; i < 60; i++) {
        const bool is_full = i % 10 >= 7;
        cut_vfs_fail_writes(is_full ? (i % 20 < 10 ? SQLITE_FULL : SQLITE_IOERR_WRITE) : SQLITE_OK,
                            (int)(i % 2));
        const bool is_stored = commit(&story);
        assert_int_equal(is_stored, !is_full);
    }
    cut_vfs_fail_writes(SQLITE_OK, 0);
    (void)check_cuts(&story, 3);
    end_story(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_announced_survives_a_cut_at_any_moment),
        cmocka_unit_test(test_what_was_announced_after_failed_syncs_survives_a_cut),
        cmocka_unit_test(test_commits_that_found_no_room_leave_what_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
