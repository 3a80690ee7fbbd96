#include "daemon/storage/store_private.h"

#include "daemon/base/clock.h"
#include "daemon/storage/state_file.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define NOTE_WRITTEN_MS 1000

/* --- making and ending --- */

static struct store *make_store(void)
{
    struct store *store = calloc(1, sizeof(*store));
    if (!store)
        return NULL;
    store->event_fd = store->io_fd = -1;
    for (unsigned i = 0; i < STORE_SLOTS; i++)
        batch_init(&store->slots[i]);
    batch_init(&store->loaded);
    store->status.since_ms = clock_now_ms();
    written_init(&store->written, store->status.since_ms);
    (void)pthread_mutex_init(&store->mutex, NULL);
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&store->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    return store;
}

static int make_durable(struct store *store, const struct store_options *options)
{
    char boot_id[64];
    state_file_read_boot_id(boot_id, sizeof(boot_id));
    const struct state_options state_options = {
        .directory = options->directory,
        .max_bytes = options->max_bytes,
        .endpoint = options->endpoint,
        .thing_name = options->thing_name,
        .boot_id = boot_id,
    };
    const int r = state_store_new(&store->state, &state_options);
    if (r < 0)
        return r;
    store->needs_load = true;
    store->status.max_bytes = options->max_bytes;
    store->status.state = STORE_TROUBLE;
    (void)snprintf(store->status.text, sizeof(store->status.text), "not read yet");
    store->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return store->event_fd < 0 ? -errno : store_thread_start(store);
}

int store_new(struct store **ret_store, const struct store_options *options)
{
    if (!options->directory || options->directory[0] == '\0')
        return -EINVAL;
    struct store *store = make_store();
    if (!store)
        return -ENOMEM;
    const int r = make_durable(store, options);
    if (r < 0) {
        (void)store_free(store);
        return r;
    }
    *ret_store = store;
    return 0;
}

int null_store_new(struct store **ret_store, const char *set_aside)
{
    struct store *store = make_store();
    if (!store)
        return -ENOMEM;
    store->is_volatile = true;
    (void)snprintf(store->status.set_aside, sizeof(store->status.set_aside), "%s", set_aside);
    *ret_store = store;
    return 0;
}

struct store *store_free(struct store *store)
{
    if (!store)
        return NULL;
    if (!store_thread_end(store))
        return store;
    (void)state_store_free(store->state);
    if (store->event_fd >= 0)
        close(store->event_fd);
    if (store->io_fd >= 0)
        close(store->io_fd);
    (void)pthread_cond_destroy(&store->changed);
    (void)pthread_mutex_destroy(&store->mutex);
    for (unsigned i = 0; i < STORE_SLOTS; i++)
        batch_clear(&store->slots[i]);
    batch_clear(&store->loaded);
    free(store->endpoint);
    free(store->next_endpoint);
    free(store);
    return NULL;
}

int store_set_aside(const char *directory, char *ret_path, size_t size)
{
    return state_file_set_aside(directory, ret_path, size);
}

/* --- jobs --- */

static void begin_job(struct store *store, enum store_job job)
{
    pthread_mutex_lock(&store->mutex);
    if (!store->has_job)
        store->jobs++;
    store->job = job;
    store->has_job = true;
    store->is_filling = false;
    const bool is_enough = store_may_begin(store, store_now_us()); /* else its time will come */
    pthread_mutex_unlock(&store->mutex);
    if (is_enough)
        pthread_cond_signal(&store->changed); /* it does not wake up to find the lock taken */
}

bool store_needs_load(const struct store *store)
{
    return store->needs_load;
}

bool store_is_busy(const struct store *store)
{
    return store->jobs > 0;
}

enum store_room store_find_room(struct store *store)
{
    if (store->is_volatile)
        return STORE_NO_ROOM;
    if (store->jobs == 0)
        return STORE_ROOM;
    enum store_room room = STORE_NO_ROOM;
    store->has_room = false;
    pthread_mutex_lock(&store->mutex);
    /* The thread sees to the endpoint of a commit when it begins with it. */
    const bool may_follow =
        !store->is_closed && !store->next_endpoint && store->job == STORE_COMMIT;
    if (may_follow && store->has_job)
        room = STORE_ROOM_IN_LAST;
    else if (may_follow && store->jobs < STORE_SLOTS)
        room = STORE_ROOM;
    store->is_filling = room == STORE_ROOM_IN_LAST;
    pthread_mutex_unlock(&store->mutex);
    store->has_room = room != STORE_NO_ROOM;
    return room;
}

/* The batch that the loop fills: `filled` changes only when it was handed over. */
static struct batch *filled_batch(struct store *store)
{
    return &store->slots[store->filled];
}

/* The result stays to be taken. */
static int wait_for_result(struct store *store, int wait_ms)
{
    const int64_t end_ms = clock_now_ms() + wait_ms;
    struct pollfd poll_fd = {.fd = store->event_fd, .events = POLLIN};
    for (;;) {
        pthread_mutex_lock(&store->mutex);
        const bool has_result = store->result_count > 0;
        const int error = has_result ? store->results[0].outcome.error : 0;
        pthread_mutex_unlock(&store->mutex);
        if (has_result)
            return error;
        const int64_t left_ms = end_ms - clock_now_ms();
        if (left_ms <= 0)
            return -EINPROGRESS;
        (void)poll(&poll_fd, 1, (int)left_ms);
    }
}

int store_load(struct store *store, int wait_ms)
{
    if (store->is_volatile)
        return -EOPNOTSUPP;
    if (store->jobs > 0)
        return -EBUSY;
    batch_empty(filled_batch(store));
    begin_job(store, STORE_LOAD);
    return wait_for_result(store, wait_ms);
}

bool store_next_loaded(struct store *store, struct saved_row *ret_row)
{
    const struct saved_row *row = store->jobs > 0 ? NULL : batch_next(&store->loaded);
    if (row) {
        *ret_row = *row;
        return true;
    }
    if (store->jobs == 0)
        batch_clear(&store->loaded);
    return false;
}

void store_keep(struct store *store)
{
    store->status.orphans++;
}

static bool takes_rows(const struct store *store)
{
    return !store->is_volatile && (store->jobs == 0 || store->has_room);
}

int store_add(struct store *store, const struct saved_row *row)
{
    if (!takes_rows(store))
        return -EBUSY;
    const int r = batch_add(filled_batch(store), row);
    if (r < 0)
        store_drop(store);
    return r;
}

/* What was handed over and not begun is handed over no more. */
static void take_back(struct store *store)
{
    pthread_mutex_lock(&store->mutex);
    if (store->has_job)
        store->jobs--;
    store->has_job = false;
    store->is_filling = false;
    pthread_mutex_unlock(&store->mutex);
}

void store_drop(struct store *store)
{
    if (!takes_rows(store))
        return;
    take_back(store);
    batch_empty(filled_batch(store));
    store->has_room = false;
}

int store_move(struct store *store, const char *endpoint)
{
    if (store->is_volatile)
        return 0;
    char *copy = strdup(endpoint);
    if (!copy)
        return -ENOMEM;
    free(store->next_endpoint);
    store->next_endpoint = copy;
    return 0;
}

void store_commit(struct store *store)
{
    if (!takes_rows(store))
        return;
    store->has_room = false;
    if (store->next_endpoint && store->jobs == 0) {
        free(store->endpoint);
        store->endpoint = store->next_endpoint;
        store->next_endpoint = NULL;
    }
    begin_job(store, STORE_COMMIT);
}

int store_event_fd(const struct store *store)
{
    return store->event_fd;
}

/* --- results --- */

static void note_state(struct store *store, int64_t now_ms)
{
    struct store_status *status = &store->status;
    const struct state_outcome *told = &store->told.outcome;
    const enum store_state state = told->error == 0 ? STORE_GOOD : STORE_TROUBLE;
    if (status->state != state)
        status->since_ms = now_ms;
    status->state = state;
    status->error = told->error;
    memcpy(status->text, told->text, sizeof(status->text));
    if (told->set_aside[0])
        memcpy(status->set_aside, told->set_aside, sizeof(status->set_aside));
    if (state == STORE_TROUBLE)
        status->failures++;
}

static struct figures get_figures(const struct store *store)
{
    struct store *locked = (struct store *)store; /* the mutex alone is touched */
    pthread_mutex_lock(&locked->mutex);
    const struct figures figures = locked->figures;
    pthread_mutex_unlock(&locked->mutex);
    return figures;
}

/* Blocks of the file system that the thread has made dirty: what a flash has to take, where the
 * kernel counts it, else what was given to the log. */
static uint64_t read_written(const struct store *store)
{
    struct store *locked = (struct store *)store; /* the mutex alone is touched */
    pthread_mutex_lock(&locked->mutex);
    const int io_fd = store->io_fd;
    pthread_mutex_unlock(&locked->mutex);
    char text[512];
    const ssize_t size = io_fd < 0 ? -1 : pread(io_fd, text, sizeof(text) - 1, 0);
    if (size > 0) {
        text[size] = '\0';
        const char *line = strstr(text, "\nwrite_bytes: ");
        if (line)
            return strtoull(line + strlen("\nwrite_bytes: "), NULL, 10);
    }
    return get_figures(store).log_bytes;
}

/* To put it to its hour a look now and then is enough. */
static void note_written(struct store *store, int64_t now_ms)
{
    if (store->noted_ms != 0 && now_ms - store->noted_ms < NOTE_WRITTEN_MS)
        return;
    store->noted_ms = now_ms;
    written_note(&store->written, read_written(store), now_ms);
}

static void note_commit(struct store *store, int64_t now_ms)
{
    struct store_status *status = &store->status;
    status->commits++;
    status->rows += store->told.rows;
    status->last_commit_ms = now_ms;
    status->last_commit_us = store->told.took_us;
}

static void note_load(struct store *store)
{
    store->needs_load = false;
    store->status.orphans = 0;
    batch_rewind(&store->loaded);
}

/* After all but a plain success what was to follow is given up, and the thread may go on. */
static bool take_told(struct store *store)
{
    pthread_mutex_lock(&store->mutex);
    const bool has_result = store->result_count > 0;
    if (has_result) {
        store->told = store->results[0];
        store->result_count--;
        store->results[0] = store->results[1];
    }
    pthread_mutex_unlock(&store->mutex);
    if (!has_result)
        return false;
    store->jobs--;
    if (store_is_plain(&store->told.outcome))
        return true;
    take_back(store);
    batch_empty(filled_batch(store));
    pthread_mutex_lock(&store->mutex);
    store->is_closed = false;
    pthread_mutex_unlock(&store->mutex);
    return true;
}

bool store_next_result(struct store *store, struct store_result *ret_result)
{
    if (store->jobs == 0)
        return false;
    uint64_t count;
    (void)!read(store->event_fd, &count, sizeof(count));
    if (!take_told(store))
        return false;
    const struct state_outcome *told = &store->told.outcome;
    const int64_t now_ms = clock_now_ms();
    note_state(store, now_ms);
    note_written(store, now_ms);
    if (told->needs_load)
        store->needs_load = true;
    if (told->error == 0 && store->told.job == STORE_LOAD)
        note_load(store);
    else if (told->error == 0)
        note_commit(store, now_ms);
    *ret_result = (struct store_result){
        .job = store->told.job,
        .error = told->error,
        .text = told->text,
        .is_fresh = told->is_fresh,
        .set_aside = told->set_aside,
        .moved_from = told->moved_from,
        .left_out = store->told.job == STORE_LOAD ? store->loaded.left_out : 0,
    };
    return true;
}

/* --- what it is --- */

bool store_is_durable(const struct store *store)
{
    return !store->is_volatile && !get_figures(store).is_in_memory;
}

const char *store_mode_name(const struct store *store)
{
    return store->is_volatile ? "volatile" : "durable";
}

void store_get_status(const struct store *store, struct store_status *ret_status)
{
    const int64_t now_ms = clock_now_ms();
    struct written written = store->written;
    *ret_status = store->status;
    ret_status->is_durable = store_is_durable(store);
    ret_status->file_bytes = get_figures(store).file_bytes;
    if (store->is_volatile)
        return;
    ret_status->bytes_written = read_written(store);
    written_note(&written, ret_status->bytes_written, now_ms);
    ret_status->bytes_day = written_day(&written, now_ms);
}
