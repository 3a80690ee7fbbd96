/* The inside of the durable store, shared by its loop side (store.c) and its thread
 * (store_thread.c). Nobody else includes this. */
#ifndef FLUXAWS_STORAGE_STORE_PRIVATE_H
#define FLUXAWS_STORAGE_STORE_PRIVATE_H

#include "daemon/storage/batch.h"
#include "daemon/storage/gather.h"
#include "daemon/storage/state_store.h"
#include "daemon/storage/store.h"
#include "daemon/storage/written.h"
#include <pthread.h>

/* Two batches: the one that is being written, the one that is being filled. */
#define STORE_SLOTS 2u

/* How a job has ended, on its way to the loop. */
struct store_told {
    enum store_job job;
    struct state_outcome outcome;
    size_t rows; /* of its batch */
    int64_t took_us;
};

/* What the thread tells of the disk. */
struct figures {
    uint64_t log_bytes;
    uint64_t file_bytes;
    bool is_in_memory;
};

struct store {
    bool is_volatile;
    int event_fd;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    /* Under the mutex: */
    bool has_job;    /* the batch that is being filled was handed over */
    bool is_filling; /* the loop adds to it all the same: the thread waits for that */
    bool is_closed;  /* what ended last was no plain success: the loop has to know it first */
    bool quit;
    enum store_job job;
    unsigned filled; /* the slot that is being filled, or handed over; the other is the thread's */
    struct store_told results[STORE_SLOTS];
    unsigned result_count;
    struct gather gather;
    struct figures figures;
    int io_fd; /* what the kernel counts for the thread; -1: it does not tell */
    /* The filled one is the loop's until it is handed over, the other the thread's: */
    struct batch slots[STORE_SLOTS];
    /* The thread's while a job runs, else the loop's: */
    struct batch loaded;
    char *endpoint; /* owned; that the commit is for, NULL: as before */
    /* Thread only: */
    struct state_store *state;
    /* Loop only: */
    unsigned jobs; /* handed over, and their results not taken */
    bool has_room; /* store_find_room() said so: rows may follow */
    bool needs_load;
    char *next_endpoint; /* owned; that the next commit will be for */
    struct store_told told;
    struct written written;
    int64_t noted_ms; /* when `written` was told last */
    struct store_status status;
};

/* Tell whether a job did what it was to do, and nothing else has happened: then the next may
 * follow.
 */
static inline bool store_is_plain(const struct state_outcome *outcome)
{
    return outcome->error == 0 && !outcome->is_fresh;
}

/* Under the mutex: tell whether there is a job for the thread to begin now, CLOCK_MONOTONIC. */
bool store_may_begin(const struct store *store, int64_t now_us);

int64_t store_now_us(void);

/* Start the thread. Returns 0 or a negative errno. */
int store_thread_start(struct store *store);

/* Let the thread do what was handed over, and end it. Returns false where the disk holds it up: it
 * goes on then. */
bool store_thread_end(struct store *store);

#endif
