#include "daemon/storage/store_private.h"

#include "daemon/base/clock.h"
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

/* How long the end waits for the thread, which may be copying the log back. */
#define STORE_JOIN_SEC 5

static void measure(struct store *store)
{
    const struct figures figures = {
        .log_bytes = state_store_log_bytes(store->state),
        .file_bytes = state_store_file_bytes(store->state),
        .is_in_memory = state_store_is_in_memory(store->state),
    };
    pthread_mutex_lock(&store->mutex);
    store->figures = figures;
    pthread_mutex_unlock(&store->mutex);
}

/* The batch is given back before the result is told, and what a load has found out about the place.
 * Whoever waits for a commit does not wait for its figures. */
static void run_job(struct store *store, enum store_job job, struct batch *batch,
                    struct store_told *ret_told)
{
    const int64_t began_us = clock_now_us();
    if (job == STORE_COMMIT && store->endpoint) {
        state_store_move(store->state, store->endpoint);
        store->endpoint = NULL;
    }
    if (job == STORE_LOAD)
        state_store_load(store->state, &store->loaded, began_us, &ret_told->outcome);
    else
        state_store_commit(store->state, batch, &ret_told->outcome);
    ret_told->job = job;
    ret_told->rows = batch->count;
    ret_told->took_us = clock_now_us() - began_us;
    batch_empty(batch);
    if (job == STORE_LOAD)
        measure(store);
}

static void tell(struct store *store, const struct store_told *told)
{
    pthread_mutex_lock(&store->mutex);
    store->results[store->result_count++] = *told;
    store->is_closed = !store_is_plain(&told->outcome);
    gather_begin(&store->gather, store->is_closed ? 0 : told->rows, told->took_us, store_now_us());
    pthread_mutex_unlock(&store->mutex);
    const uint64_t one = 1;
    (void)!write(store->event_fd, &one, sizeof(one));
}

int64_t store_now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool has_job(const struct store *store)
{
    return store->has_job && !store->is_filling && !store->is_closed;
}

bool store_may_begin(const struct store *store, int64_t now_us)
{
    if (!has_job(store))
        return false;
    const size_t rows = store->slots[store->filled].count;
    return store->job != STORE_COMMIT || gather_is_enough(&store->gather, rows, now_us);
}

/* Sleep until something has changed, or there has been time enough to gather. */
static void wait_for_change(struct store *store, int64_t now_us)
{
    const int64_t until_us = store->gather.until_us;
    const struct timespec until = {.tv_sec = until_us / 1000000,
                                   .tv_nsec = until_us % 1000000 * 1000};
    if (now_us < until_us)
        (void)pthread_cond_timedwait(&store->changed, &store->mutex, &until);
    else
        (void)pthread_cond_wait(&store->changed, &store->mutex);
}

/* Take the batch that was handed over; the other one is filled from here on. Returns NULL at the
 * end; what was handed over before is done first. */
static struct batch *wait_for_job(struct store *store, enum store_job *ret_job)
{
    struct batch *batch = NULL;
    pthread_mutex_lock(&store->mutex);
    for (;;) {
        const int64_t now_us = store_now_us();
        if (store->quit || store_may_begin(store, now_us))
            break;
        wait_for_change(store, now_us);
    }
    if (has_job(store)) {
        batch = &store->slots[store->filled];
        store->filled = (store->filled + 1) % STORE_SLOTS;
        store->has_job = false;
    }
    *ret_job = store->job;
    pthread_mutex_unlock(&store->mutex);
    return batch;
}

static void *storage_thread(void *argument)
{
    struct store *store = argument;
    const int io_fd = open("/proc/thread-self/io", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    pthread_mutex_lock(&store->mutex);
    store->io_fd = io_fd;
    pthread_mutex_unlock(&store->mutex);
    enum store_job job;
    struct batch *batch;
    while ((batch = wait_for_job(store, &job))) {
        struct store_told told;
        run_job(store, job, batch, &told);
        tell(store, &told);
        state_store_tidy(store->state);
        measure(store);
    }
    return NULL;
}

int store_thread_start(struct store *store)
{
    /* Signals are the loop's. */
    sigset_t all, old;
    sigfillset(&all);
    int rc = pthread_sigmask(SIG_SETMASK, &all, &old);
    if (rc != 0)
        return -rc;
    rc = pthread_create(&store->thread, NULL, storage_thread, store);
    store->has_thread = rc == 0;
    if (rc == 0)
        (void)pthread_setname_np(store->thread, "storage");
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    return -rc;
}

bool store_thread_end(struct store *store)
{
    pthread_mutex_lock(&store->mutex);
    store->quit = true;
    pthread_cond_signal(&store->changed);
    pthread_mutex_unlock(&store->mutex);
    struct timespec end;
    (void)clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += STORE_JOIN_SEC;
    return !store->has_thread || pthread_timedjoin_np(store->thread, NULL, &end) == 0;
}
