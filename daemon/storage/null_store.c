#include "daemon/storage/store.h"

#include <errno.h>
#include <stdlib.h>

struct store {
    bool durable;
};

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

bool store_is_durable(const struct store *store)
{
    return store->durable;
}

int store_commit(struct store *store, uint64_t revision)
{
    (void)store;
    (void)revision;
    return -EOPNOTSUPP;
}

uint64_t store_stored_revision(const struct store *store)
{
    (void)store;
    return 0;
}

const char *store_mode_name(const struct store *store)
{
    return store->durable ? "durable" : "volatile";
}
