/* A disk, an engine and a journal that do as the test says: in place of the store, the thing and
 * the log for the tests of what carries rows between them. */
#ifndef FLUXAWS_TESTS_FAKE_STORAGE_H
#define FLUXAWS_TESTS_FAKE_STORAGE_H

#include "daemon/daemon_storage.h"

struct fake_storage {
    /* the disk */
    int load_result, add_result, set_aside_result;
    bool needs_load, is_busy, is_in_memory;
    enum store_room room; /* while it is busy */
    size_t batch, commits, loads, kept;
    struct store_result results[4];
    size_t result_count;
    struct saved_row rows[4];
    size_t row_count, row_next, left_out;
    /* the engine */
    bool is_torn; /* there is no memory for one more row */
    bool wants_save, has_reports, has_unsaved, is_restored, saves_all, in_trouble;
    size_t unsaved_rows, handed_out, restored;
    size_t saves, extended; /* under way; how often one was extended */
    int restore_results[4];
    int stored, not_stored;
    /* the journal */
    const char *messages[16];
    size_t message_count;
    char rows_said[16]; /* the last field ROWS */
};

/* To be zeroed before each test. */
extern struct fake_storage fake;

/* How often a message with this id was logged. */
size_t fake_count_said(const char *id);

#endif
