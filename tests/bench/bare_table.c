#include "tests/bench/bare_table.h"

#include "tests/bench/measure.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct bare_table {
    sqlite3 *db;
    sqlite3_stmt *begin, *put, *commit;
};

static void check(const struct bare_table *table, int rc, int expected)
{
    if (rc == expected)
        return;
    fprintf(stderr, "bench: %s\n", sqlite3_errmsg(table->db));
    exit(1);
}

static sqlite3_stmt *prepare(const struct bare_table *table, const char *text)
{
    sqlite3_stmt *statement = NULL;
    check(table, sqlite3_prepare_v2(table->db, text, -1, &statement, NULL), SQLITE_OK);
    return statement;
}

static void run(const struct bare_table *table, sqlite3_stmt *statement)
{
    check(table, sqlite3_step(statement), SQLITE_DONE);
    check(table, sqlite3_reset(statement), SQLITE_OK);
}

struct bare_table *bare_table_open(const char *directory)
{
    static const char set_up[] =
        "PRAGMA locking_mode=EXCLUSIVE; PRAGMA page_size=1024; PRAGMA mmap_size=0;"
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=128;"
        "CREATE TABLE property(shadow INTEGER, path TEXT, value, revision INTEGER, set_us INTEGER,"
        " writer TEXT, PRIMARY KEY(shadow, path)) WITHOUT ROWID";
    struct bare_table *table = calloc(1, sizeof(*table));
    char path[4096];
    if (table == NULL)
        measure_die("memory");
    (void)snprintf(path, sizeof(path), "%s/state-bench.db", directory);
    (void)unlink(path);
    check(table, sqlite3_open(path, &table->db), SQLITE_OK);
    check(table, sqlite3_exec(table->db, set_up, NULL, NULL, NULL), SQLITE_OK);
    table->begin = prepare(table, "BEGIN");
    table->put = prepare(table, "REPLACE INTO property VALUES(1, ?, ?, ?, ?, 'bench')");
    table->commit = prepare(table, "COMMIT");
    return table;
}

void bare_table_close(struct bare_table *table)
{
    (void)sqlite3_finalize(table->begin);
    (void)sqlite3_finalize(table->put);
    (void)sqlite3_finalize(table->commit);
    (void)sqlite3_close(table->db);
    free(table);
}

void bare_table_begin(struct bare_table *table)
{
    run(table, table->begin);
}

void bare_table_put(struct bare_table *table, const char *path, double value, int64_t revision)
{
    check(table, sqlite3_bind_text(table->put, 1, path, -1, SQLITE_TRANSIENT), SQLITE_OK);
    check(table, sqlite3_bind_double(table->put, 2, value), SQLITE_OK);
    check(table, sqlite3_bind_int64(table->put, 3, revision), SQLITE_OK);
    check(table, sqlite3_bind_int64(table->put, 4, measure_now_ns()), SQLITE_OK);
    run(table, table->put);
}

void bare_table_commit(struct bare_table *table)
{
    run(table, table->commit);
}
