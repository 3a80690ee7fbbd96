#include "daemon/ipc/interests.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void interests_init(struct interests *interests, struct shadow *shadow, struct waits_budget *budget)
{
    *interests = (struct interests){.shadow = shadow, .budget = budget};
}

static void interests_release(struct interests *interests, struct shadow_wait *wait)
{
    shadow_release(interests->shadow, wait);
    interests->budget->pair_count--;
}

void interests_clear(struct interests *interests)
{
    interests_end_scan(interests);
    for (size_t i = 0; i < interests->count; i++)
        interests_release(interests, &interests->entries[i].wait);
    free(interests->entries);
    free(interests->index);
    interests_init(interests, interests->shadow, interests->budget);
}

/* The slot where a property stands in the table, or the free one where it belongs. */
static uint32_t *interests_slot(const struct interests *interests,
                                const struct flux_property *property)
{
    const size_t mask = interests->capacity * 2 - 1;
    const uint64_t hash = ((uintptr_t)property >> 4) * UINT64_C(0x9e3779b97f4a7c15);
    size_t slot = (size_t)(hash >> 32) & mask;
    while (interests->index[slot] &&
           interests->entries[interests->index[slot] - 1].wait.property != property)
        slot = (slot + 1) & mask;
    return &interests->index[slot];
}

static void interests_build_index(struct interests *interests)
{
    memset(interests->index, 0, interests->capacity * 2 * sizeof(*interests->index));
    for (size_t i = 0; i < interests->count; i++)
        *interests_slot(interests, interests->entries[i].wait.property) = (uint32_t)(i + 1);
}

static bool interests_grow(struct interests *interests)
{
    const size_t capacity = interests->capacity ? interests->capacity * 2 : 16;
    if (capacity > INTERESTS_MAX)
        return false;
    struct interest *entries = realloc(interests->entries, capacity * sizeof(*entries));
    if (!entries)
        return false;
    interests->entries = entries;
    uint32_t *index = realloc(interests->index, capacity * 2 * sizeof(*index));
    if (!index)
        return false;
    interests->index = index;
    interests->capacity = capacity;
    interests_build_index(interests);
    return true;
}

void interests_add(struct interests *interests, uint64_t id, struct shadow_wait *wait)
{
    assert(interests->scanned == 0);
    if (interests->count > 0) {
        const uint32_t found = *interests_slot(interests, wait->property);
        if (found) {
            struct interest *entry = &interests->entries[found - 1];
            entry->id = id;
            entry->wait.revision = wait->revision;
            shadow_release(interests->shadow, wait);
            return;
        }
    }
    const bool has_budget = interests->budget->pair_count < WAITS_PAIRS_TOTAL_MAX;
    if (!has_budget || (interests->count == interests->capacity && !interests_grow(interests))) {
        shadow_release(interests->shadow, wait);
        return;
    }
    interests->entries[interests->count++] = (struct interest){.wait = *wait, .id = id};
    *interests_slot(interests, wait->property) = (uint32_t)interests->count;
    interests->budget->pair_count++;
}

bool interests_next(struct interests *interests, struct waits_answer *ret_answer)
{
    while (interests->scanned < interests->count) {
        struct interest *entry = &interests->entries[interests->scanned++];
        const struct shadow_fate fate = shadow_fate(interests->shadow, &entry->wait);
        if (fate.state == SHADOW_WAITING) {
            interests->entries[interests->kept++] = *entry;
            continue;
        }
        if (fate.state == SHADOW_REFUSED)
            waits_answer_refuse(ret_answer, &fate, entry->id, entry->id);
        interests_release(interests, &entry->wait);
        if (fate.state == SHADOW_REFUSED)
            return true;
    }
    interests_end_scan(interests);
    return false;
}

void interests_end_scan(struct interests *interests)
{
    if (interests->scanned == interests->kept) {
        interests->scanned = 0;
        interests->kept = 0;
        return;
    }
    const size_t rest = interests->count - interests->scanned;
    memmove(&interests->entries[interests->kept], &interests->entries[interests->scanned],
            rest * sizeof(*interests->entries));
    interests->count = interests->kept + rest;
    interests->scanned = 0;
    interests->kept = 0;
    interests_build_index(interests);
}
