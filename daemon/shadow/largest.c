#include "daemon/shadow/largest.h"

#include <stdio.h>

struct largest {
    const struct flux_property *property[LARGEST_COUNT]; /* falling */
    size_t count;
};

static size_t bytes_of(const struct flux_property *property)
{
    return slot_of(property)->walk_bytes;
}

static void offer(struct largest *largest, const struct flux_property *property)
{
    size_t at = largest->count;
    while (at > 0 && bytes_of(largest->property[at - 1]) < bytes_of(property))
        at--;
    if (at == LARGEST_COUNT)
        return;
    if (largest->count < LARGEST_COUNT)
        largest->count++;
    for (size_t i = largest->count - 1; i > at; i--)
        largest->property[i] = largest->property[i - 1];
    largest->property[at] = property;
}

static struct largest find(const struct ledger *ledger)
{
    struct largest largest = {0};
    const struct flux_property *root = ledger->set.root;
    const struct flux_property *p = root;
    while (p) {
        const struct slot *slot = slot_of(p);
        bool is_value = slot->present && slot->walk_children == 0 && p->parent;
        if (is_value)
            offer(&largest, p);
        /* What lies below a value, or below what is not there, was not measured. */
        bool goes_on = slot->present && !is_value;
        p = goes_on ? flux_property_next(root, p) : flux_property_skip(root, p);
    }
    return largest;
}

void largest_describe(const struct ledger *ledger, char *ret_text, size_t text_size)
{
    struct largest largest = find(ledger);
    size_t used = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < largest.count && used < text_size; i++) {
        const struct flux_property *p = largest.property[i];
        bool is_cut = p->path_size > LARGEST_PATH_SHOWN;
        int size =
            snprintf(ret_text + used, text_size - used, "%s%.*s%s (%zu%s)",
                     i == 0 ? "; largest: " : ", ", is_cut ? LARGEST_PATH_SHOWN : (int)p->path_size,
                     p->path, is_cut ? "..." : "", bytes_of(p), i == 0 ? " bytes" : "");
        used += size > 0 ? (size_t)size : 0;
    }
}
