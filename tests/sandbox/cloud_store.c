#include "tests/sandbox/cloud_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sandbox/cloud_request.h"

#define KEY_SIZE (CLOUD_THING_MAX + 1 + CLOUD_NAME_MAX + 1)

/* Neither name can hold a slash, so the key is unambiguous. */
static void make_key(char key[static KEY_SIZE], const char *thing, const char *name)
{
    snprintf(key, KEY_SIZE, "%s/%s", thing, name ? name : "");
}

/* Return the index of the key, or of where it belongs. */
static size_t position(const struct cloud_store *store, const char *key, bool *ret_found)
{
    size_t low = 0;
    size_t high = store->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(store->shadows[middle]->key, key);
        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_found = false;
    return low;
}

struct cloud_shadow *cloud_store_find(const struct cloud_store *store, const char *thing,
                                      const char *name)
{
    char key[KEY_SIZE];
    bool found;
    make_key(key, thing, name);
    size_t at = position(store, key, &found);
    return found ? store->shadows[at] : NULL;
}

static struct cloud_shadow *shadow_new(const char *key)
{
    struct cloud_shadow *shadow = calloc(1, sizeof(*shadow));
    if (shadow)
        shadow->key = strdup(key);
    if (shadow && !shadow->key) {
        free(shadow);
        return NULL;
    }
    return shadow;
}

static void shadow_free(struct cloud_shadow *shadow)
{
    cloud_document_clear(&shadow->document);
    cloud_window_clear(&shadow->rate);
    cloud_window_clear(&shadow->in_flight);
    free(shadow->key);
    free(shadow);
}

static int grow(struct cloud_store *store)
{
    if (store->count < store->capacity)
        return 0;
    if (store->count >= CLOUD_STORE_MAX_SHADOWS)
        return -ENOSPC;
    size_t capacity = store->capacity ? store->capacity * 2 : 16;
    void *shadows = realloc(store->shadows, capacity * sizeof(struct cloud_shadow *));
    if (!shadows)
        return -ENOMEM;
    store->shadows = shadows;
    store->capacity = capacity;
    return 0;
}

int cloud_store_ensure(struct cloud_store *store, const char *thing, const char *name,
                       struct cloud_shadow **ret_shadow)
{
    char key[KEY_SIZE];
    bool found;
    make_key(key, thing, name);
    size_t at = position(store, key, &found);
    if (!found) {
        int r = grow(store);
        if (r < 0)
            return r;
        struct cloud_shadow *shadow = shadow_new(key);
        if (!shadow)
            return -ENOMEM;
        memmove(store->shadows + at + 1, store->shadows + at,
                (store->count - at) * sizeof(struct cloud_shadow *));
        store->shadows[at] = shadow;
        store->count++;
    }
    *ret_shadow = store->shadows[at];
    return 0;
}

void cloud_store_remove(struct cloud_store *store, const char *thing, const char *name)
{
    char key[KEY_SIZE];
    bool found;
    make_key(key, thing, name);
    size_t at = position(store, key, &found);
    if (!found)
        return;
    shadow_free(store->shadows[at]);
    store->count--;
    memmove(store->shadows + at, store->shadows + at + 1,
            (store->count - at) * sizeof(struct cloud_shadow *));
}

void cloud_store_clear(struct cloud_store *store)
{
    for (size_t i = 0; i < store->count; i++)
        shadow_free(store->shadows[i]);
    free(store->shadows);
    memset(store, 0, sizeof(*store));
}
