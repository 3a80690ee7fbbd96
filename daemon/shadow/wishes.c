#include "daemon/shadow/wishes.h"

#include <errno.h>
#include <string.h>

int wishes_init(struct wishes *wishes, uint64_t hash_seed)
{
    *wishes = (struct wishes){0};
    return flux_property_set_init(&wishes->set, sizeof(struct wish), hash_seed);
}

void wishes_clear(struct wishes *wishes)
{
    if (!wishes->set.root)
        return;
    struct flux_property *root = wishes->set.root;
    for (struct flux_property *p = root; p; p = flux_property_next(root, p))
        flux_value_clear(&wish_of(p)->value);
    flux_property_set_clear(&wishes->set);
}

/* --- the order --- */

static void take_out(struct wishes *wishes, struct flux_property *node)
{
    struct wish *wish = wish_of(node);
    if (wish->serial == 0)
        return;
    if (wish->previous)
        wish_of(wish->previous)->next = wish->next;
    else
        wishes->first = wish->next;
    if (wish->next)
        wish_of(wish->next)->previous = wish->previous;
    else
        wishes->last = wish->previous;
    if (wishes->hint == node)
        wishes->hint = NULL;
}

/* There is news of the node: it becomes the newest. */
static void make_newest(struct wishes *wishes, struct flux_property *node)
{
    struct wish *wish = wish_of(node);
    take_out(wishes, node);
    wish->serial = ++wishes->serial;
    wish->previous = wishes->last;
    wish->next = NULL;
    if (wishes->last)
        wish_of(wishes->last)->next = node;
    else
        wishes->first = node;
    wishes->last = node;
}

/* --- bits --- */

static bool is_set(const uint64_t *bits, uint32_t bit)
{
    return (bits[bit / 64] >> (bit % 64)) & 1;
}

static void set_bit(uint64_t *bits, uint32_t bit, bool value)
{
    uint64_t mask = UINT64_C(1) << (bit % 64);
    bits[bit / 64] = value ? bits[bit / 64] | mask : bits[bit / 64] & ~mask;
}

/* Returns whether there was one left. */
static bool take_bit(struct wishes *wishes, uint32_t *ret_bit)
{
    for (uint32_t i = 0; i < WISHES_MAX / 64; i++) {
        if (wishes->used[i] == UINT64_MAX)
            continue;
        *ret_bit = 64 * i + (uint32_t)__builtin_ctzll(~wishes->used[i]);
        set_bit(wishes->used, *ret_bit, true);
        return true;
    }
    return false;
}

/* --- beginning and ending --- */

static void drop(struct wishes *wishes, struct flux_property *node)
{
    struct wish *wish = wish_of(node);
    take_out(wishes, node);
    set_bit(wishes->used, wish->bit, false);
    if (wish->differs)
        wishes->differing_count--;
    else
        wishes->ended_count--;
    flux_value_clear(&wish->value);
    *wish = (struct wish){0};
    flux_property_unpin(node);
    while (node->parent) {
        struct flux_property *parent = node->parent;
        if (!flux_property_set_prune(&wishes->set, node))
            return;
        node = parent;
    }
}

/* Who stands before its end may hold its bit: the serial tells that it cannot be relied on. */
static void forget_oldest_end(struct wishes *wishes)
{
    struct flux_property *node = wishes->first;
    while (wish_of(node)->differs)
        node = wish_of(node)->next;
    wishes->forgotten = wish_of(node)->serial;
    drop(wishes, node);
}

static void end(struct wishes *wishes, struct flux_property *node)
{
    make_newest(wishes, node);
    wish_of(node)->differs = false;
    wishes->differing_count--;
    wishes->ended_count++;
    if (wishes->ended_count > SHADOW_WISHES_ENDED_MAX)
        forget_oldest_end(wishes);
}

static int begin(struct wishes *wishes, struct flux_property *node)
{
    struct wish *wish = wish_of(node);
    bool is_known = wish->serial > 0;
    if (!is_known && !take_bit(wishes, &wish->bit))
        return -ENOMEM;
    if (is_known)
        wishes->ended_count--;
    else
        flux_property_pin(node);
    wish->differs = true;
    wishes->differing_count++;
    return 0;
}

static int note_differing(struct wishes *wishes, const struct flux_property *leaf)
{
    struct flux_property *node;
    int r = flux_property_set_touch(&wishes->set, leaf->path, leaf->path_size, &node);
    if (r < 0)
        return r;
    struct wish *wish = wish_of(node);
    if (wish->differs && flux_value_equal(&wish->value, &leaf->value))
        return 0;
    r = flux_value_assign(&wish->value, &leaf->value);
    if (r == 0 && !wish->differs)
        r = begin(wishes, node);
    if (r == 0)
        make_newest(wishes, node);
    return r;
}

static void find_known(struct wishes *wishes, const struct desired *desired)
{
    struct flux_property *root = desired->set.root;
    wishes->round++;
    for (struct flux_property *p = root; p; p = flux_property_next(root, p)) {
        struct flux_property *node =
            desire_of(p)->differs ? flux_property_set_find(&wishes->set, p->path, p->path_size)
                                  : NULL;
        if (node)
            wish_of(node)->round = wishes->round;
    }
}

int wishes_note(struct wishes *wishes, const struct desired *desired)
{
    struct flux_property *root = desired->set.root;
    int r = 0;
    /* The ends come first: what takes the place of a value is told after the value has gone. */
    find_known(wishes, desired);
    struct flux_property *next = NULL;
    for (struct flux_property *p = wishes->differing_count > 0 ? wishes->first : NULL; p;
         p = next) {
        next = wish_of(p)->next;
        if (wish_of(p)->differs && wish_of(p)->round != wishes->round)
            end(wishes, p);
    }
    for (struct flux_property *p = root; p && r == 0; p = flux_property_next(root, p)) {
        if (desire_of(p)->differs)
            r = note_differing(wishes, p);
    }
    return r;
}

void wishes_renew(struct wishes *wishes)
{
    struct flux_property *last = wishes->last, *next = NULL;
    for (struct flux_property *p = wishes->first; p; p = next) {
        next = p == last ? NULL : wish_of(p)->next;
        if (wish_of(p)->differs)
            make_newest(wishes, p);
    }
}

void wishes_forget(struct wishes *wishes)
{
    while (wishes->first)
        drop(wishes, wishes->first);
    wishes->forgotten = wishes->serial;
}

/* --- reading --- */

static bool is_below(const char *path, size_t path_size, const char *top, size_t top_size)
{
    return path_size >= top_size && memcmp(path, top, top_size) == 0 &&
           (path_size == top_size || path[top_size] == '/');
}

/* Tell what is news of the node for a watcher, if anything, and note it. A value takes the place of
 * all below it and matters to who watches there; `{}` does not. */
static bool tell(const struct flux_property *node, const char *path, size_t path_size,
                 struct shadow_wish_cursor *cursor, struct shadow_wish *ret_wish)
{
    const struct wish *wish = wish_of(node);
    bool is_inside = is_below(node->path, node->path_size, path, path_size);
    bool is_around = is_below(path, path_size, node->path, node->path_size) &&
                     wish->value.type != FLUX_VALUE_EMPTY_OBJECT;
    bool differs = wish->differs && (is_inside || is_around);
    if (!differs && !is_set(cursor->told, wish->bit))
        return false;
    set_bit(cursor->told, wish->bit, differs);
    *ret_wish = (struct shadow_wish){
        .path = node->path,
        .path_size = node->path_size,
        .value = differs ? &wish->value : NULL,
    };
    return true;
}

static struct flux_property *first_after(const struct wishes *wishes, uint64_t serial)
{
    if (serial == 0)
        return wishes->first;
    if (wishes->hint && wish_of(wishes->hint)->serial == serial)
        return wish_of(wishes->hint)->next;
    struct flux_property *found = NULL;
    for (struct flux_property *p = wishes->last; p && wish_of(p)->serial > serial;
         p = wish_of(p)->previous)
        found = p;
    return found;
}

/* Ends that concern the watcher may have been forgotten: all is told anew. Returns whether it knows
 * of anything at all that has to be taken back. */
static bool begin_anew(struct wishes *wishes, struct shadow_wish_cursor *cursor)
{
    bool has_lost = wishes->forgotten > cursor->forgotten && cursor->serial > 0 &&
                    cursor->serial < wishes->forgotten;
    bool knows = false;
    cursor->forgotten = wishes->forgotten;
    if (!has_lost)
        return false;
    for (size_t i = 0; i < WISHES_MAX / 64; i++)
        knows = knows || cursor->told[i] != 0;
    *cursor = (struct shadow_wish_cursor){.forgotten = wishes->forgotten};
    return knows;
}

bool wishes_next(struct wishes *wishes, const char *path, size_t path_size,
                 struct shadow_wish_cursor *cursor, struct shadow_wish *ret_wish)
{
    if (begin_anew(wishes, cursor)) {
        *ret_wish = (struct shadow_wish){.path = path, .path_size = path_size};
        return true;
    }
    for (struct flux_property *p = first_after(wishes, cursor->serial); p; p = wish_of(p)->next) {
        if (!tell(p, path, path_size, cursor, ret_wish))
            continue;
        cursor->serial = wish_of(p)->serial;
        wishes->hint = p;
        return true;
    }
    cursor->serial = wishes->serial;
    return false;
}
