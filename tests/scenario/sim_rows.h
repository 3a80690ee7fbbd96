/* Rows of the simulated disk: deep copies of what the engine hands out. Part of the simulator;
 * knows neither the engine nor when something is written. */
#ifndef FLUX_TESTS_SCENARIO_SIM_ROWS_H
#define FLUX_TESTS_SCENARIO_SIM_ROWS_H

#include "daemon/shadow/saved.h"
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct sim_row {
    struct saved_row row; /* deep copy; the path is NUL-terminated */
    uint64_t hash;        /* of its key */
};

struct sim_rows {
    struct sim_row *rows; /* owned */
    size_t count, capacity;
};

/* Find the row of the same key; `count` where there is none. */
uint64_t sim_rows_hash(const struct saved_row *row);
size_t sim_rows_index(const struct sim_rows *rows, const struct saved_row *row, uint64_t hash);
/* Add a copy. Dies when out of memory. */
void sim_rows_push(struct sim_rows *rows, const struct saved_row *row);
void sim_rows_clear(struct sim_rows *rows);
/* Write a batch to the disk. */
void sim_rows_apply(struct sim_rows *disk, const struct sim_rows *batch);
/* The JSON of a value; a new reference, NULL where there is none. */
json_t *sim_rows_value(const struct flux_value *value);

#endif
