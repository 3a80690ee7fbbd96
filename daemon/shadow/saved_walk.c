#include "daemon/shadow/saved_walk.h"

#include "daemon/shadow/thing_private.h"

void saved_walk_begin(struct saved_walk *walk)
{
    *walk = (struct saved_walk){0};
    flux_json_writer_init(&walk->text, 0);
}

void saved_walk_end(struct saved_walk *walk)
{
    flux_json_writer_clear(&walk->text);
}

static const struct flux_property *first_node(const struct shadow *shadow, enum saved_kind kind)
{
    switch (kind) {
    case SAVED_PROPERTY:
        return shadow->ledger.set.root;
    case SAVED_SETTLE:
        return shadow->settles.set.root;
    case SAVED_SHADOW:
    case SAVED_DESIRED:
        break;
    }
    return NULL;
}

static const struct flux_property *top_of(const struct flux_property *node)
{
    while (node->parent)
        node = node->parent;
    return node;
}

/* Go on; returns false at the end. */
static bool step(struct saved_walk *walk, const struct thing *thing)
{
    if (walk->at)
        walk->at = flux_property_next(top_of(walk->at), walk->at);
    if (walk->at)
        return true;
    if (walk->kind < SAVED_SETTLE) {
        walk->kind++;
    } else {
        walk->kind = SAVED_SHADOW;
        do
            walk->place++;
        while (walk->place < thing->places && !thing->shadows[walk->place]);
    }
    if (walk->place >= thing->places)
        return false;
    walk->at = first_node(thing->shadows[walk->place], walk->kind);
    return true;
}

static struct save_mark *mark_of(struct shadow *shadow, const struct saved_walk *walk)
{
    switch (walk->kind) {
    case SAVED_SHADOW:
        return &shadow->saves.shadow;
    case SAVED_PROPERTY:
        return &slot_of(walk->at)->save;
    case SAVED_DESIRED:
        return &shadow->saves.desired;
    case SAVED_SETTLE:
        return &settle_of(walk->at)->save;
    }
    return NULL;
}

bool saved_walk_next(struct saved_walk *walk, struct thing *thing, struct saved_row *ret_row,
                     bool *ret_is_clean)
{
    for (bool more = walk->place < thing->places; more; more = step(walk, thing)) {
        struct shadow *shadow = thing->shadows[walk->place];
        struct save_mark *mark = mark_of(shadow, walk);
        mark->kind = (uint64_t)walk->kind & 3u;
        if (shadow_describe(shadow, mark, &walk->text, ret_row) < 0)
            return false;
        *ret_is_clean = mark->place == SAVE_CLEAN;
        bool is_nothing =
            mark->hash == SAVE_HASH_NONE && (ret_row->is_gone || ret_row->kind == SAVED_SHADOW);
        if (*ret_is_clean && is_nothing)
            continue; /* it never was on the disk, and need not be */
        (void)step(walk, thing);
        return true;
    }
    return false;
}
