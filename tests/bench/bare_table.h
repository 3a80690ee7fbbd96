/* The smallest table that holds a value for each path, in a database that is set up as the
 * daemon's: what SQLite alone costs. Dies on errors, naming them. */
#ifndef FLUXAWS_TESTS_BENCH_BARE_TABLE_H
#define FLUXAWS_TESTS_BENCH_BARE_TABLE_H

#include <stdint.h>

struct bare_table;

struct bare_table *bare_table_open(const char *directory);
void bare_table_close(struct bare_table *table);

/* One transaction: begin, put, commit, which returns when it is on the disk. */
void bare_table_begin(struct bare_table *table);
void bare_table_put(struct bare_table *table, const char *path, double value, int64_t revision);
void bare_table_commit(struct bare_table *table);

#endif
