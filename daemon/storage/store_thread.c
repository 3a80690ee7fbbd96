#include "daemon/storage/store_private.h"

#include "daemon/base/clock.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How long the end waits for the thread, which may be copying the log back. */
#define STORE_JOIN_SEC 5

/* Blocks of the file system that this thread has made dirty: what a flash has to take, where the
 * kernel counts it, else what was given to the log. */
static uint64_t read_written(const struct store *store)
{
    char text[512];
    const ssize_t size = store->io_fd < 0 ? -1 : pread(store->io_fd, text, sizeof(text) - 1, 0);
    if (size > 0) {
        text[size] = '\0';
        const char *line = strstr(text, "\nwrite_bytes: ");
        if (line)
            return strtoull(line + strlen("\nwrite_bytes: "), NULL, 10);
    }
    return state_store_log_bytes(store->state);
}

static void measure(struct store *store)
{
    const struct figures figures = {
        .bytes_written = read_written(store),
        .file_bytes = state_store_file_bytes(store->state),
        .is_in_memory = state_store_is_in_memory(store->state),
    };
    pthread_mutex_lock(&store->mutex);
    store->figures = figures;
    pthread_mutex_unlock(&store->mutex);
}

/* The batch is given back before the result is told. */
static void run_job(struct store *store, enum store_job job, struct state_outcome *ret_outcome)
{
    if (job == STORE_LOAD)
        state_store_load(store->state, &store->loaded, clock_now_us(), ret_outcome);
    else
        state_store_commit(store->state, &store->batch, ret_outcome);
    batch_empty(&store->batch);
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
    store->io_fd = open("/proc/thread-self/io", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum store_job job;
    while (wait_for_job(store, &job)) {
        struct state_outcome outcome;
        const int64_t began_us = clock_now_us();
        run_job(store, job, &outcome);
        tell(store, &outcome, clock_now_us() - began_us);
        state_store_tidy(store->state);
        measure(store);
    }
    if (store->io_fd >= 0)
        close(store->io_fd);
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
