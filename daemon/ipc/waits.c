#include "daemon/ipc/waits.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct waits_entry {
    uint64_t first_id, last_id;
    int64_t version;           /* the newest of the operations that were accepted so far */
    struct shadow_wait single; /* in place of `pairs` where there is but one */
    struct shadow_wait *pairs; /* owned; sorted by property once the entry is shared */
    uint32_t count, capacity;
    bool shared;
    bool deadband; /* some operation was accepted because of one */
};

void waits_init(struct waits *waits, struct shadow *shadow, struct waits_budget *budget)
{
    *waits = (struct waits){.shadow = shadow, .budget = budget};
}

static struct shadow_wait *entry_pairs(struct waits_entry *entry)
{
    return entry->pairs ? entry->pairs : &entry->single;
}

static void count_pairs(struct waits *waits, size_t added, size_t removed)
{
    waits->pair_count += added - removed;
    waits->budget->pair_count += added - removed;
}

static void entry_clear(struct waits *waits, struct waits_entry *entry)
{
    struct shadow_wait *pairs = entry_pairs(entry);
    for (uint32_t i = 0; i < entry->count; i++)
        shadow_release(waits->shadow, &pairs[i]);
    count_pairs(waits, 0, entry->count);
    free(entry->pairs);
    *entry = (struct waits_entry){0};
}

void waits_clear(struct waits *waits)
{
    waits_end_scan(waits);
    for (size_t i = 0; i < waits->count; i++)
        entry_clear(waits, &waits->entries[i]);
    free(waits->entries);
    *waits = (struct waits){.shadow = waits->shadow, .budget = waits->budget};
}

static bool waits_is_full(const struct waits *waits)
{
    return waits->count >= WAITS_ENTRIES_MAX;
}

static int pair_compare(const void *a, const void *b)
{
    const uintptr_t x = (uintptr_t)((const struct shadow_wait *)a)->property;
    const uintptr_t y = (uintptr_t)((const struct shadow_wait *)b)->property;
    return x < y ? -1 : x > y;
}

static int entry_reserve(struct waits_entry *entry, uint32_t capacity)
{
    if (capacity <= 1 || capacity <= entry->capacity)
        return 0;
    uint32_t rounded = entry->capacity ? entry->capacity : 4;
    while (rounded < capacity)
        rounded *= 2;
    struct shadow_wait *pairs = realloc(entry->pairs, rounded * sizeof(*pairs));
    if (!pairs)
        return -ENOMEM;
    if (!entry->pairs && entry->count == 1)
        pairs[0] = entry->single;
    entry->pairs = pairs;
    entry->capacity = rounded;
    return 0;
}

/* Sort by property and keep the newest revision of each: a newer one's fate stands for the older's.
 */
static void entry_share(struct waits *waits, struct waits_entry *entry)
{
    struct shadow_wait *pairs = entry_pairs(entry);
    entry->shared = true;
    if (entry->count < 2)
        return;
    qsort(pairs, entry->count, sizeof(*pairs), pair_compare);
    uint32_t kept = 0;
    for (uint32_t i = 1; i < entry->count; i++) {
        if (pairs[i].property != pairs[kept].property) {
            pairs[++kept] = pairs[i];
            continue;
        }
        if (pairs[i].revision > pairs[kept].revision)
            pairs[kept].revision = pairs[i].revision;
        shadow_release(waits->shadow, &pairs[i]);
    }
    count_pairs(waits, kept + 1u, entry->count);
    entry->count = kept + 1;
}

/* Find where a property stands in the sorted pairs, or where it belongs. */
static uint32_t entry_search(struct waits_entry *entry, const struct shadow_wait *pair)
{
    const struct shadow_wait *pairs = entry_pairs(entry);
    uint32_t low = 0, high = entry->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (pair_compare(&pairs[middle], pair) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Let a further report share the entry, which has room for all of its pairs. */
static void entry_join(struct waits *waits, struct waits_entry *entry, struct shadow_wait *pairs,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct shadow_wait *held = entry_pairs(entry);
        const uint32_t place = entry_search(entry, &pairs[i]);
        if (place < entry->count && held[place].property == pairs[i].property) {
            if (pairs[i].revision > held[place].revision)
                held[place].revision = pairs[i].revision;
            shadow_release(waits->shadow, &pairs[i]);
            continue;
        }
        memmove(&held[place + 1], &held[place], (entry->count - place) * sizeof(*held));
        held[place] = pairs[i];
        entry->count++;
        count_pairs(waits, 1, 0);
    }
}

static int waits_join_newest(struct waits *waits, uint64_t id, struct shadow_wait *pairs,
                             size_t count)
{
    struct waits_entry *newest = &waits->entries[waits->count - 1];
    const int r = entry_reserve(newest, newest->count + (uint32_t)count);
    if (r < 0)
        return r;
    if (!newest->shared)
        entry_share(waits, newest);
    entry_join(waits, newest, pairs, count);
    newest->last_id = id;
    return 0;
}

static int waits_grow(struct waits *waits)
{
    if (waits->count < waits->capacity)
        return 0;
    const size_t capacity = waits->capacity ? waits->capacity * 2 : 16;
    struct waits_entry *entries = realloc(waits->entries, capacity * sizeof(*entries));
    if (!entries)
        return -ENOMEM;
    waits->entries = entries;
    waits->capacity = capacity;
    return 0;
}

bool waits_has_room(const struct waits *waits, size_t count)
{
    if (waits->pair_count + count <= WAITS_PAIRS_ASSURED)
        return true;
    return waits->pair_count + count <= WAITS_PAIRS_MAX &&
           waits->budget->pair_count + count <= WAITS_PAIRS_TOTAL_MAX;
}

int waits_add(struct waits *waits, uint64_t id, struct shadow_wait *pairs, size_t count)
{
    assert(waits->scanned == 0);
    if (!waits_has_room(waits, count))
        return -ENOBUFS;
    if (waits_is_full(waits))
        return waits_join_newest(waits, id, pairs, count);

    int r = waits_grow(waits);
    if (r < 0)
        return r;
    struct waits_entry entry = {.first_id = id, .last_id = id, .version = -1};
    r = entry_reserve(&entry, (uint32_t)count);
    if (r < 0)
        return r;
    if (count > 0)
        memcpy(entry_pairs(&entry), pairs, count * sizeof(*pairs));
    entry.count = (uint32_t)count;
    count_pairs(waits, count, 0);
    waits->entries[waits->count++] = entry;
    return 0;
}

void waits_answer_refuse(struct waits_answer *ret_answer, const struct shadow_fate *fate,
                         uint64_t first_id, uint64_t last_id)
{
    ret_answer->refused = true;
    ret_answer->first_id = first_id;
    ret_answer->last_id = last_id;
    ret_answer->version = 0;
    ret_answer->deadband = false;
    ret_answer->code = fate->code;
    (void)snprintf(ret_answer->path, sizeof(ret_answer->path), "%s",
                   fate->property ? fate->property->path : "");
    (void)snprintf(ret_answer->text, sizeof(ret_answer->text), "%s", fate->text ? fate->text : "");
}

/* Look at what the entry still waits for and let go what was accepted. Returns true with an answer
 * when the entry has ended. */
static bool entry_settle(struct waits *waits, struct waits_entry *entry,
                         struct waits_answer *ret_answer)
{
    struct shadow_wait *pairs = entry_pairs(entry);
    uint32_t kept = 0;
    ret_answer->refused = false;
    for (uint32_t i = 0; i < entry->count; i++) {
        const struct shadow_fate fate = shadow_fate(waits->shadow, &pairs[i]);
        if (fate.state == SHADOW_REFUSED && !ret_answer->refused)
            waits_answer_refuse(ret_answer, &fate, entry->first_id, entry->last_id);
        if (fate.state != SHADOW_ACCEPTED) {
            pairs[kept++] = pairs[i];
            continue;
        }
        if (fate.version > entry->version)
            entry->version = fate.version;
        entry->deadband |= fate.deadband;
        shadow_release(waits->shadow, &pairs[i]);
    }
    count_pairs(waits, kept, entry->count);
    entry->count = kept;
    if (kept > 0 && !ret_answer->refused)
        return false;

    ret_answer->first_id = entry->first_id;
    ret_answer->last_id = entry->last_id;
    ret_answer->version = entry->version;
    ret_answer->deadband = entry->deadband;
    return true;
}

bool waits_next(struct waits *waits, struct waits_answer *ret_answer)
{
    while (waits->scanned < waits->count) {
        struct waits_entry *entry = &waits->entries[waits->scanned++];
        if (entry_settle(waits, entry, ret_answer)) {
            entry_clear(waits, entry);
            return true;
        }
        if (waits->kept + 1 != waits->scanned)
            waits->entries[waits->kept] = *entry;
        waits->kept++;
    }
    waits_end_scan(waits);
    return false;
}

void waits_end_scan(struct waits *waits)
{
    if (waits->scanned == 0)
        return;
    const size_t rest = waits->count - waits->scanned;
    memmove(&waits->entries[waits->kept], &waits->entries[waits->scanned],
            rest * sizeof(*waits->entries));
    waits->count = waits->kept + rest;
    waits->scanned = 0;
    waits->kept = 0;
}
