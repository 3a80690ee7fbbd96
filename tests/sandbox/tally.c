#include "tests/sandbox/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Return the index of the key, or of where it belongs. */
static size_t position(const struct tally *tally, const char *key)
{
    size_t low = 0;
    size_t high = tally->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(tally->entries[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool make_room(struct tally *tally)
{
    if (tally->count < tally->capacity)
        return true;
    size_t capacity = tally->capacity ? tally->capacity * 2 : 16;
    struct tally_entry *entries =
        capacity <= TALLY_MAX ? realloc(tally->entries, capacity * sizeof(*entries)) : NULL;
    if (!entries)
        return false;
    tally->entries = entries;
    tally->capacity = capacity;
    return true;
}

struct tally_entry *tally_entry(struct tally *tally, const char *thing, const char *name)
{
    char key[256];
    int length = snprintf(key, sizeof(key), "%s/%s", thing, name);
    if (length < 0 || (size_t)length >= sizeof(key))
        return NULL;
    size_t at = position(tally, key);
    if (at < tally->count && strcmp(tally->entries[at].key, key) == 0)
        return &tally->entries[at];
    char *copy = make_room(tally) ? strdup(key) : NULL;
    if (!copy)
        return NULL;
    struct tally_entry *entry = &tally->entries[at];
    memmove(entry + 1, entry, (tally->count - at) * sizeof(*entry));
    *entry = (struct tally_entry){.key = copy};
    tally->count++;
    return entry;
}

void tally_clear(struct tally *tally)
{
    for (size_t i = 0; i < tally->count; i++)
        free(tally->entries[i].key);
    free(tally->entries);
    memset(tally, 0, sizeof(*tally));
}
