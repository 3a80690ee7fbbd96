/* A database in a directory of its own, and rows to put into it, for the tests of the storage. */
#ifndef FLUXAWS_TESTS_STATE_PLACE_H
#define FLUXAWS_TESTS_STATE_PLACE_H

#include "daemon/storage/state_store.h"

#define MAX_BYTES ((uint64_t)16 * 1024 * 1024)
#define NOW_US    INT64_C(1000000000)

/* A directory of its own for each test. */
struct place {
    char directory[64];
    char database[128];
    char log[160];
    struct state_options options;
    struct state_store *state;
    struct state_outcome outcome;
    struct batch batch;
};

int place_setup(void **state);
void place_remove_all(const char *directory);
void place_close(struct place *place);
int place_teardown(void **state);
int place_load(struct place *place);
int place_load_anew(struct place *place);
int place_commit(struct place *place, const struct saved_row *rows, size_t count);
struct saved_row property_row(const char *path, struct flux_value value);
struct saved_row full_row(const char *thing);
struct saved_row shadow_row(const char *thing, const char *shadow);
struct saved_row desired_row(const char *thing);
struct saved_row settle_row(const char *thing);
const struct saved_row *place_find(struct place *place, enum saved_kind kind, const char *thing,
                                   const char *path);
void place_sql(const char *path, const char *sql);
int64_t place_query(const char *path, const char *sql);

#endif
