/* The inside of the durable store, shared by its loop side (store.c) and its thread
 * (store_thread.c). Nobody else includes this. */
#ifndef FLUXAWS_STORAGE_STORE_PRIVATE_H
#define FLUXAWS_STORAGE_STORE_PRIVATE_H

#include "daemon/storage/batch.h"
#include "daemon/storage/state_store.h"
#include "daemon/storage/store.h"
#include "daemon/storage/written.h"
#include <pthread.h>

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
    bool has_job, has_result, quit;
    enum store_job job;
    struct state_outcome outcome;
    int64_t took_us;
    struct figures figures;
    int io_fd; /* what the kernel counts for the thread; -1: it does not tell */
    /* The thread's while a job runs, else the loop's: */
    struct batch batch;
    struct batch loaded;
    char *endpoint; /* owned; that the commit is for, NULL: as before */
    /* Thread only: */
    struct state_store *state;
    /* Loop only: */
    bool is_busy, needs_load;
    char *next_endpoint; /* owned; that the next commit will be for */
    size_t batch_rows;   /* of the commit that runs */
    struct state_outcome told;
    struct written written;
    int64_t noted_ms; /* when `written` was told last */
    struct store_status status;
};

/* Start the thread. Returns 0 or a negative errno. */
int store_thread_start(struct store *store);

/* Let the thread do what was handed over, and end it. Returns false where the disk holds it up: it
 * goes on then. */
bool store_thread_end(struct store *store);

#endif
