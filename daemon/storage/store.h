/* The storage port of the loop: rows go to the disk and come back at the next start. The disk is
 * the storage thread's business; no call here waits for it but store_load() when told to, and
 * store_free(). Does not decide when a commit begins (commit_schedule.h), nor what is saved. */
#ifndef FLUXAWS_STORAGE_STORE_H
#define FLUXAWS_STORAGE_STORE_H

#include "daemon/shadow/saved.h"

#define STORE_TEXT_MAX 512u
#define STORE_PATH_MAX 1024u

struct store;

enum store_state {
    STORE_VOLATILE, /* nothing is kept */
    STORE_GOOD,
    STORE_TROUBLE, /* the last attempt failed, or none has succeeded yet */
};

struct store_options {
    const char *directory; /* made, with mode 0700, where only it is missing */
    size_t max_bytes;      /* for the database and its log together */
    /* Whose cloud it is. Where one differs from what the disk was written for, what the cloud is
     * known to hold is left away at the load (of the own thing only, if it is the thing's name),
     * and what was accepted or refused is pending again. */
    const char *endpoint;
    const char *thing_name;
};

enum store_job {
    STORE_LOAD,
    STORE_COMMIT,
};

/* How a job has ended. */
struct store_result {
    enum store_job job;
    int error;        /* 0: done; of a commit: all its rows are on the disk. Or a negative errno: a
                         commit's rows may or may not be there, in whole or not at all */
    const char *text; /* why not, for people; "" where done. Borrowed until the next call */
    /* The disk holds nothing of what this process wrote or loaded before: after the rows of this
     * load, or at once where it was a commit, every row is to be saved (thing_save_all). */
    bool is_fresh;
    const char *set_aside; /* a database that could not be read has got this path; "": none */
    /* The rows were written for another thing or endpoint: "NAME at ENDPOINT"; "": they were not.
     */
    const char *moved_from;
    size_t left_out; /* rows that a load found and that made no sense, or were too many; it goes on
                        without them */
};

struct store_status {
    enum store_state state;
    bool is_durable; /* see store_is_durable() */
    int error;       /* of the last job, 0: none */
    char text[STORE_TEXT_MAX];
    int64_t since_ms;       /* when `state` began, CLOCK_BOOTTIME */
    uint64_t commits;       /* that succeeded, since the start of the daemon; likewise: */
    uint64_t failures;      /* jobs that did not */
    uint64_t rows;          /* that commits wrote or deleted */
    uint64_t bytes_written; /* to database and log, all that went to the file system */
    uint64_t bytes_day;     /* of the last 24 to 25 hours, or since the start */
    uint64_t file_bytes;    /* of the database and its log now */
    uint64_t max_bytes;
    uint64_t orphans;               /* rows that are kept on the disk and not used: store_keep() */
    int64_t last_commit_ms;         /* CLOCK_BOOTTIME of the last that succeeded, 0: none */
    int64_t last_commit_us;         /* how long it took */
    char set_aside[STORE_PATH_MAX]; /* the last one, "": none */
};

/* --- making and ending --- */

/* The durable store. Starts its thread; touches no disk. A directory in trouble is no error here,
 * the first load says so. Returns 0, -EINVAL (no directory), -ENOMEM or another negative errno. */
int store_new(struct store **ret_store, const struct store_options *options);

/* The store that keeps nothing. `set_aside` is the path that a database of an earlier run was
 * given, for the status; "": there was none. Copied. Returns 0 or -ENOMEM. */
int null_store_new(struct store **ret_store, const char *set_aside);

/* Wait for the job that runs or was handed over, end the thread, free all. Returns NULL; or the
 * store where the disk has held its thread up for 5 s: then it stays, for the process to end with.
 */
struct store *store_free(struct store *store);

/* For a volatile start: give a database in `directory` a dated name, so that no later durable
 * start takes old values for new ones. Returns 0: there was none; 1: done, `ret_path` is its new
 * name; or a negative errno. */
int store_set_aside(const char *directory, char *ret_path, size_t size);

/* --- the start --- */

/* Tell whether a load has to come before the next commit: at the start, and when the state file
 * was taken away or exchanged under the daemon. */
bool store_needs_load(const struct store *store);

/* Have the database opened and read, and wait for that at most `wait_ms` (0: not at all). Returns
 * 0: done, as store_next_result() of the STORE_LOAD says; -EINPROGRESS: its result will come; a
 * negative errno: it could not be read, as its result says too. */
int store_load(struct store *store, int wait_ms);

/* Take the next row of a load that is done: first a shadow, later what belongs to it. Borrowed
 * until the next call. Returns false, and frees what was loaded, after the last one. */
bool store_next_loaded(struct store *store, struct saved_row *ret_row);

/* A loaded row stays on the disk although nobody uses it: count it as orphaned. */
void store_keep(struct store *store);

/* --- commits --- */

/* Tell whether a job runs, or its result was not taken. */
bool store_is_busy(const struct store *store);

/* Whether rows can be taken now. While one commit runs the next is filled, and begins the moment
 * the disk is free: nobody has to be woken for that. */
enum store_room {
    STORE_NO_ROOM,
    STORE_ROOM,         /* for a new commit */
    STORE_ROOM_IN_LAST, /* in the one that was handed over last and has not begun: it waits for
                           store_commit(), or is dropped whole */
};

/* Ask for room. Where no job runs there is some, and it need not be asked for. */
enum store_room store_find_room(struct store *store);

/* Copy a row into the batch. Returns 0, -EBUSY: there was no room, or -ENOMEM; after that the batch
 * is dropped. */
int store_add(struct store *store, const struct saved_row *row);

/* Drop the batch with all its rows, those of STORE_ROOM_IN_LAST too. */
void store_drop(struct store *store);

/* Hand the batch to the thread: one transaction. */
void store_commit(struct store *store);

/* From the next commit on it is the cloud at this endpoint; that commit has to write every row
 * (thing_save_all). Returns 0 or -ENOMEM with nothing changed. */
int store_move(struct store *store, const char *endpoint);

/* Readable when a job has ended; -1 in a volatile store. */
int store_event_fd(const struct store *store);

/* Take the result of a job that has ended, in the order of the jobs. Returns false where there is
 * none. After a failure, or where `is_fresh`, a commit that was handed over behind it is given up:
 * its rows are not written, and it has no result. */
bool store_next_result(struct store *store, struct store_result *ret_result);

/* --- what it is --- */

/* Tell whether a row that was committed survives a power cut: not in a volatile store, and not
 * where the directory is in memory (tmpfs), which is known after the first load. Where it is
 * false, STORED is never claimed. */
bool store_is_durable(const struct store *store);

/* "volatile" or "durable", as configured. */
const char *store_mode_name(const struct store *store);

void store_get_status(const struct store *store, struct store_status *ret_status);

#endif
