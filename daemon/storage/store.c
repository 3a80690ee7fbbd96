#include "daemon/storage/store.h"

#include <errno.h>
#include <stdlib.h>

struct store {
    bool is_durable;
};

int store_new(struct store **ret_store, const struct store_options *options)
{
    (void)options;
    return null_store_new(ret_store);
}

int null_store_new(struct store **ret_store)
{
    struct store *store = calloc(1, sizeof(*store));
    if (!store)
        return -ENOMEM;
    *ret_store = store;
    return 0;
}

struct store *store_free(struct store *store)
{
    free(store);
    return NULL;
}

int store_set_aside(const char *directory, char *ret_path, size_t size)
{
    (void)directory;
    (void)ret_path;
    (void)size;
    return 0;
}

bool store_needs_load(const struct store *store)
{
    (void)store;
    return false;
}

int store_load(struct store *store, int wait_ms)
{
    (void)store;
    (void)wait_ms;
    return -EOPNOTSUPP;
}

bool store_next_loaded(struct store *store, struct saved_row *ret_row)
{
    (void)store;
    (void)ret_row;
    return false;
}

void store_keep(struct store *store)
{
    (void)store;
}

bool store_is_busy(const struct store *store)
{
    (void)store;
    return false;
}

int store_add(struct store *store, const struct saved_row *row)
{
    (void)store;
    (void)row;
    return 0;
}

void store_commit(struct store *store)
{
    (void)store;
}

int store_event_fd(const struct store *store)
{
    (void)store;
    return -1;
}

bool store_next_result(struct store *store, struct store_result *ret_result)
{
    (void)store;
    (void)ret_result;
    return false;
}

bool store_is_durable(const struct store *store)
{
    return store->is_durable;
}

const char *store_mode_name(const struct store *store)
{
    return store->is_durable ? "durable" : "volatile";
}

void store_get_status(const struct store *store, struct store_status *ret_status)
{
    *ret_status = (struct store_status){.state = STORE_VOLATILE, .is_durable = store->is_durable};
}
