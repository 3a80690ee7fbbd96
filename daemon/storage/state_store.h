/* The SQLite database behind the store: opens, checks, reads and writes it. Every call may block as
 * long as the disk does: only the storage thread calls. Decides nothing about when. */
#ifndef FLUXAWS_STORAGE_STATE_STORE_H
#define FLUXAWS_STORAGE_STATE_STORE_H

#include "daemon/storage/batch.h"
#include "daemon/storage/store.h"

struct state_store;

struct state_options {
    const char *directory;
    uint64_t max_bytes;
    const char *endpoint;
    const char *thing_name;
    const char *boot_id; /* times of the same boot are kept; "": none is the same */
    const char *vfs;     /* SQLite's name of a file system, for tests; NULL: the system's */
};

/* How a load or a commit went. */
/* Room for "NAME at ENDPOINT". */
#define STATE_WHOSE_MAX 400u

struct state_outcome {
    int error; /* 0 or a negative errno */
    char text[STORE_TEXT_MAX];
    bool is_fresh;   /* as in struct store_result */
    bool needs_load; /* another database is there: nothing was written, load it first */
    char set_aside[STORE_PATH_MAX];
    char moved_from[STATE_WHOSE_MAX]; /* of a load: as in struct store_result */
};

/* Copies the options; touches no disk. Returns 0 or -ENOMEM. */
int state_store_new(struct state_store **ret_state, const struct state_options *options);
/* Leaves what is committed in the log: the next start reads it from there. */
struct state_store *state_store_free(struct state_store *state);

/* Open the database, make or set aside what has to be, and add all rows to `rows`. One on a file
 * system that is read-only is read, too: only commits fail. */
void state_store_load(struct state_store *state, struct batch *rows, int64_t now_us,
                      struct state_outcome *ret_outcome);

/* From the next commit on rows are of the cloud at `endpoint` (taken over), and what is on the disk
 * is of another one: that commit has to write all rows. */
void state_store_move(struct state_store *state, char *endpoint);

/* Write all rows in one transaction, which is on the disk when this returns without error. */
void state_store_commit(struct state_store *state, struct batch *rows,
                        struct state_outcome *ret_outcome);

/* Copy the log back into the database where it has grown. To be called after a commit was
 * announced: nothing depends on it. */
void state_store_tidy(struct state_store *state);

/* Bytes of database and log; whether they live in memory. */
uint64_t state_store_file_bytes(const struct state_store *state);
bool state_store_is_in_memory(const struct state_store *state);
/* Bytes that SQLite gave to the log since state_store_new(). */
uint64_t state_store_log_bytes(const struct state_store *state);

#endif
