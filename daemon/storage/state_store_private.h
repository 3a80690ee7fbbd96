/* What the files of the database share: the connection, its statements, its tables. Nobody else
 * includes this. */
#ifndef FLUXAWS_STORAGE_STATE_STORE_PRIVATE_H
#define FLUXAWS_STORAGE_STATE_STORE_PRIVATE_H

#include "daemon/storage/state_file.h"
#include "daemon/storage/state_store.h"
#include <sqlite3.h>

#define STATE_KINDS (SAVED_SETTLE + 1)

/* Measured (see the commit that brought this file): a property that is committed alone costs one
 * page of the log. A row fits into 1 KB, and most often one block of the file system takes it. A
 * log of 256 pages costs 5 % more than one of 1,024, and half of one of 16. */
#define STATE_PAGE_BYTES        1024
#define STATE_CHECKPOINT_FRAMES 256

/* The columns of each table, in the order of its statements' parameters and results. */
enum shadow_column {
    SHADOW_THING,
    SHADOW_NAME,
    SHADOW_VERSION,
    SHADOW_HELD,
    SHADOW_FOLLOWED_MS,
    SHADOW_NEWEST_REVISION,
    SHADOW_RESET_REVISION,
    SHADOW_LAST_ACCEPTED_VERSION,
    SHADOW_BOOT,
    SHADOW_ORIGIN,
};
enum property_column {
    PROPERTY_THING,
    PROPERTY_SHADOW,
    PROPERTY_PATH,
    PROPERTY_STATE,
    PROPERTY_TYPE,
    PROPERTY_VALUE,
    PROPERTY_CUT,
    PROPERTY_CUT_REPLACED,
    PROPERTY_CUT_SCALAR_ONLY,
    PROPERTY_REVISION,
    PROPERTY_CUT_REVISION,
    PROPERTY_SET_US,
    PROPERTY_CLEARED_US,
    PROPERTY_REPLACED_US,
    PROPERTY_ACCEPTED_VERSION,
    PROPERTY_REFUSED_CODE,
    PROPERTY_REFUSED_TEXT,
    PROPERTY_REFUSED_LACKING,
    PROPERTY_REFUSED_TOTAL,
    PROPERTY_WRITER_NAME,
    PROPERTY_WRITER_UNIT,
    PROPERTY_WRITER_UID,
    PROPERTY_CLOUD_TYPE,
    PROPERTY_CLOUD,
    PROPERTY_FORM_TYPE,
    PROPERTY_FORM,
    PROPERTY_CUT_CAUSE,
    PROPERTY_BOOT,
    PROPERTY_ORIGIN,
};
enum desired_column {
    DESIRED_THING,
    DESIRED_SHADOW,
    DESIRED_VERSION,
    DESIRED_DOCUMENT,
    DESIRED_CHANGED_MS,
    DESIRED_BOOT,
    DESIRED_ORIGIN,
};
enum settle_column {
    SETTLE_THING,
    SETTLE_SHADOW,
    SETTLE_PATH,
    SETTLE_REVISION,
    SETTLE_REPORT_FIRST,
    SETTLE_REPORT_LAST,
    SETTLE_WISHES,
    SETTLE_ORIGIN,
};

/* Rows carry the numbers that were current when they were written: what belongs to a boot counts
 * in that boot alone, what belongs to a cloud with that endpoint, and for the own thing that name,
 * alone. So no row needs to be touched when one changes. */
struct state_eras {
    int64_t boot;
    int64_t endpoint_origin; /* for rows of other things */
    int64_t own_origin;      /* for rows of the own thing */
};

struct state_store {
    char *directory, *endpoint, *thing_name, *boot_id, *vfs;
    uint64_t max_bytes;
    struct state_place place;
    sqlite3 *db; /* NULL: not open */
    sqlite3_stmt *begin, *end, *rollback, *write_eras, *remove_empty;
    sqlite3_stmt *update_property; /* one that is there, which most are: cheaper than an upsert */
    sqlite3_stmt *upsert[STATE_KINDS];
    sqlite3_stmt *remove[STATE_KINDS];
    sqlite3_stmt *remove_all[STATE_KINDS]; /* of a shadow */
    struct state_eras eras;
    bool eras_are_written;
    char moved_from[STATE_WHOSE_MAX]; /* as in struct state_outcome */
    bool is_known;                    /* memory has seen what is in the database at `known_*` */
    dev_t known_device;
    ino_t known_inode;
    bool must_checkpoint; /* what the log held at the opening may not be on the disk */
    ino_t log_inode;      /* 0: there was no log yet */
    int log_frames;
    uint64_t log_bytes;
    bool is_adding; /* the last failure was one of a row, not of the disk under it */
};

/* state_store_open.c: open the database, making or setting aside what has to be; returns 0 or a
 * negative errno, as `outcome` says with words. */
int state_open(struct state_store *state, struct state_outcome *outcome);
void state_close(struct state_store *state);
/* Close and set aside. Returns 0, or a negative errno as state_open(). */
int state_set_aside(struct state_store *state, struct state_outcome *outcome);
/* Copy the log back whole: what is in the database then is on the disk, whatever became of earlier
 * attempts to bring it there. Returns an SQLite result code. */
int state_copy_log_back(struct state_store *state);
/* The number after an era's: never one that was current before. */
int64_t state_next_era(int64_t era);
/* Put an SQLite result code into errno and words; returns the negative errno. */
int state_fail(struct state_store *state, struct state_outcome *outcome, int rc, const char *doing);
void state_say(struct state_outcome *outcome, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* state_store_schema.c: make the tables and columns that are missing; prepare the statements.
 * Return an SQLite result code. */
int state_schema_make(sqlite3 *db);
int state_schema_prepare(struct state_store *state);
void state_schema_finalize(struct state_store *state);
/* Make the statement that reads all rows of a kind. */
int state_schema_prepare_select(struct state_store *state, enum saved_kind kind,
                                sqlite3_stmt **ret_statement);

/* state_store_rows.c: write one row, within a transaction. Returns an SQLite result code. */
int state_row_write(struct state_store *state, const struct saved_row *row);
/* The mark that a row of this thing carries; whether rows of a kind have a path. */
int64_t state_origin_of(const struct state_eras *eras, const char *thing);
bool state_has_path(enum saved_kind kind);
/* Run a statement that returns nothing, and leave it ready for the next time. */
int state_run(sqlite3_stmt *statement);

/* state_store_read.c: read all rows. Rows that make no sense are left away. Returns an SQLite
 * result code. */
int state_rows_read(struct state_store *state, struct batch *rows, int64_t now_us);

#endif
