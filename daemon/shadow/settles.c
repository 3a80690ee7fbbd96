#include "daemon/shadow/settles.h"

#include "proto/limits.h"
#include <stdlib.h>
#include <string.h>

int settles_init(struct settles *settles, uint64_t hash_seed)
{
    *settles = (struct settles){0};
    return flux_property_set_init(&settles->set, sizeof(struct settle), hash_seed);
}

void settles_clear(struct settles *settles)
{
    struct flux_property *root = settles->set.root;
    if (!root)
        return;
    for (struct flux_property *p = root; p; p = flux_property_next(root, p))
        free(settle_of(p)->text);
    flux_property_set_clear(&settles->set);
}

/* --- what waits --- */

static void append(struct settles *settles, struct flux_property *node)
{
    struct settle *settle = settle_of(node);
    settle->waits = true;
    settle->previous = settles->last;
    settle->next = NULL;
    if (settles->last)
        settle_of(settles->last)->next = node;
    else
        settles->first = node;
    settles->last = node;
    settles->count++;
    flux_property_pin(node);
}

static void take_out(struct settles *settles, struct flux_property *node)
{
    struct settle *settle = settle_of(node);
    if (settle->previous)
        settle_of(settle->previous)->next = settle->next;
    else
        settles->first = settle->next;
    if (settle->next)
        settle_of(settle->next)->previous = settle->previous;
    else
        settles->last = settle->previous;
    settle->waits = false;
    settle->suspect = false;
    settles_touch(settles, node);
    settles->count--;
    flux_property_unpin(node);
}

int settles_add(struct settles *settles, const char *path, size_t path_size, uint64_t revision,
                uint64_t known_serial, struct flux_property **ret_node)
{
    int r = flux_property_set_touch(&settles->set, path, path_size, ret_node);
    if (r < 0)
        return r;
    struct settle *settle = settle_of(*ret_node);
    if (!settle->waits) {
        settle->oldest_revision = revision;
        settle->known_serial = known_serial;
        append(settles, *ret_node);
    }
    settles_touch(settles, *ret_node);
    settle->revision = revision;
    settle->report_first = revision;
    settle->report_last = revision;
    if (known_serial > settle->known_serial)
        settle->known_serial = known_serial;
    settles->fresh = true;
    return 0;
}

/* Move what was appended last before all that is newer. */
static void sink(struct settles *settles, struct flux_property *node)
{
    struct flux_property *before = settle_of(node)->previous;
    while (before && settle_of(before)->oldest_revision > settle_of(node)->oldest_revision)
        before = settle_of(before)->previous;
    if (before == settle_of(node)->previous)
        return;
    settles->last = settle_of(node)->previous;
    settle_of(settles->last)->next = NULL;
    struct flux_property *after = before ? settle_of(before)->next : settles->first;
    settle_of(node)->previous = before;
    settle_of(node)->next = after;
    settle_of(after)->previous = node;
    if (before)
        settle_of(before)->next = node;
    else
        settles->first = node;
}

int settles_restore(struct settles *settles, const char *path, size_t path_size, uint64_t revision,
                    uint64_t known_serial, struct flux_property **ret_node)
{
    const struct flux_property *known = flux_property_set_find(&settles->set, path, path_size);
    if (known && settle_of(known)->waits) {
        *ret_node = (struct flux_property *)known;
        return 0;
    }
    int r = settles_add(settles, path, path_size, revision, known_serial, ret_node);
    if (r < 0)
        return r;
    sink(settles, *ret_node);
    saves_forget(settles->saves, &settle_of(*ret_node)->save); /* as the disk has it */
    return 0;
}

void settles_end(struct settles *settles, struct flux_property *node, int64_t version)
{
    struct settle *settle = settle_of(node);
    settle->ended_revision = settle->revision;
    settle->version = version > 0 ? version : 0;
    take_out(settles, node);
}

void settles_refuse(struct settles *settles, struct flux_property *node, uint64_t revision,
                    int code, const char *text)
{
    struct settle *settle = settle_of(node);
    if (settle->refused_revision != settle->ended_revision) /* else one refusal follows another */
        settle->refused_above = settle->ended_revision;
    settle->refused_revision = revision;
    settle->ended_revision = revision;
    settle->code = code;
    free(settle->text);
    settle->text = strdup(text);
    settles_touch(settles, node);
    if (settle->revision <= revision)
        take_out(settles, node);
    else
        settle->oldest_revision = revision + 1;
}

enum ledger_fate settles_fate(const struct flux_property *node, uint64_t revision,
                              int64_t *ret_version)
{
    const struct settle *settle = settle_of(node);
    *ret_version = settle->version;
    if (revision > settle->refused_above && revision <= settle->refused_revision)
        return LEDGER_REFUSED;
    return revision > settle->ended_revision ? LEDGER_WAITING : LEDGER_ACCEPTED;
}

void settles_prune(struct settles *settles)
{
    struct flux_property *root = settles->set.root;
    struct flux_property *p = flux_property_next(root, root);
    while (p) {
        struct flux_property *next = flux_property_next(root, p);
        while (p->parent && !p->first_child && p->pin_count == 0 &&
               settle_of(p)->save.hash == SAVE_HASH_NONE) {
            struct flux_property *parent = p->parent;
            saves_forget(settles->saves, &settle_of(p)->save);
            free(settle_of(p)->text);
            (void)flux_property_set_prune(&settles->set, p);
            p = parent;
        }
        p = next;
    }
    settles->crowded_above = 2 * settles->set.node_count;
}

bool settles_is_crowded(const struct settles *settles)
{
    return settles->set.node_count > FLUX_PROPERTIES_MAX &&
           settles->set.node_count > settles->crowded_above;
}

/* --- against desired --- */

bool settles_covers(const struct settles *settles, const struct flux_property *leaf)
{
    if (settles->count == 0)
        return false;
    for (const struct flux_property *p = leaf; p; p = p->parent) {
        const struct flux_property *node =
            flux_property_set_find(&settles->set, p->path, p->path_size);
        if (node && settle_of(node)->waits &&
            desire_of(leaf)->serial <= settle_of(node)->known_serial)
            return true;
    }
    return false;
}

bool settles_has_left(const struct flux_property *node, const struct desired *desired)
{
    const struct flux_property *top =
        flux_property_set_find(&desired->set, node->path, node->path_size);
    for (const struct flux_property *p = top; p; p = flux_property_next(top, p)) {
        if (desired_is_leaf(p) && desire_of(p)->serial <= settle_of(node)->known_serial)
            return true;
    }
    return false;
}

/* Note at every node below whether a newer wish stands there. */
static void mark_staying(struct flux_property *top, uint64_t known_serial)
{
    for (struct flux_property *p = top; p; p = flux_property_next(top, p))
        desire_of(p)->stays = false;
    for (struct flux_property *p = top; p; p = flux_property_next(top, p)) {
        bool stays = desired_is_leaf(p) && desire_of(p)->serial > known_serial;
        for (struct flux_property *a = p; stays && !desire_of(a)->stays; a = a->parent) {
            desire_of(a)->stays = true;
            if (a == top)
                break;
        }
    }
}

bool settles_mark(struct desired *desired, const char *path, size_t path_size,
                  uint64_t known_serial)
{
    bool any = false;
    struct flux_property *top = flux_property_set_find(&desired->set, path, path_size);
    if (!top || (!top->first_child && !desired_is_leaf(top)))
        return false;
    mark_staying(top, known_serial);
    for (struct flux_property *p = top; p;) {
        bool goes = !desire_of(p)->stays;
        desire_of(p)->emit_null = desire_of(p)->emit_null || goes;
        any = any || goes;
        p = goes ? flux_property_skip(top, p) : flux_property_next(top, p);
    }
    return any;
}

void settles_mark_all(const struct settles *settles, struct desired *desired)
{
    for (const struct flux_property *p = settles->first; p; p = settle_of(p)->next)
        (void)settles_mark(desired, p->path, p->path_size, settle_of(p)->known_serial);
}

void settles_unmark(struct desired *desired)
{
    struct flux_property *root = desired->set.root;
    for (struct flux_property *p = root; p; p = flux_property_next(root, p))
        desire_of(p)->emit_null = false;
}
