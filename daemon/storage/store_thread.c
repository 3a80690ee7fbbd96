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
static void run_job(struct store *store, enum store_job job, struct state_outcome *ret_outcome)
{
    if (job == STORE_COMMIT && store->endpoint) {
        state_store_move(store->state, store->endpoint);
        store->endpoint = NULL;
    }
    if (job == STORE_LOAD)
        state_store_load(store->state, &store->loaded, clock_now_us(), ret_outcome);
    else
        state_store_commit(store->state, &store->batch, ret_outcome);
    batch_empty(&store->batch);
    if (job == STORE_LOAD)
        measure(store);
}

static void tell(struct store *store, const struct state_outcome *outcome, int64_t took_us)
{
    pthread_mutex_lock(&store->mutex);
    store->outcome = *outcome;
    store->took_us = took_us;
    store->has_result = true;
    pthread_mutex_unlock(&store->mutex);
    const uint64_t one = 1;
    (void)!write(store->event_fd, &one, sizeof(one));
}

/* Returns false at the end; what was handed over before is done first. */
static bool wait_for_job(struct store *store, enum store_job *ret_job)
{
    pthread_mutex_lock(&store->mutex);
    while (!store->has_job && !store->quit)
        pthread_cond_wait(&store->changed, &store->mutex);
    const bool is_job = store->has_job;
    store->has_job = false;
    *ret_job = store->job;
    pthread_mutex_unlock(&store->mutex);
    return is_job;
}

static void *storage_thread(void *argument)
{
    struct store *store = argument;
    const int io_fd = open("/proc/thread-self/io", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    pthread_mutex_lock(&store->mutex);
    store->io_fd = io_fd;
    pthread_mutex_unlock(&store->mutex);
    enum store_job job;
    while (wait_for_job(store, &job)) {
        struct state_outcome outcome;
        const int64_t began_us = clock_now_us();
        run_job(store, job, &outcome);
        tell(store, &outcome, clock_now_us() - began_us);
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
