#include "daemon/shadow/shadow_private.h"
#include <errno.h>

/* --- forgetting: the device lets go, the cloud keeps --- */

int shadow_forget(struct shadow *shadow, const char *path, size_t path_size, int64_t now_ms)
{
    struct ledger *ledger = &shadow->ledger;
    struct flux_property *top = flux_property_set_find(&ledger->set, path, path_size);
    size_t count = 0;
    (void)now_ms;
    shadow_touch(shadow);
    shadow_drop_prepared(shadow);
    for (struct flux_property *p = top; p; p = flux_property_next(top, p)) {
        if (slot_of(p)->state == SLOT_EMPTY)
            continue;
        ledger_forget(ledger, p, SHADOW_CODE_FORGOTTEN,
                      "forgotten on this device before it was accepted (fluxctl forget)");
        count++;
    }
    count += shadow_forget_settles(shadow, path, path_size);
    if (count == 0)
        return -ENOENT;
    ledger->newest_revision++; /* what is forgotten is to be so on the disk as well */
    shadow->size.known = false;
    ledger_prune(ledger);
    return 0;
}

/* --- resetting: what this device reported leaves the cloud, then the device --- */

/* Tell whether the cloud holds something below that is not ours. */
static bool has_foreign_below(const struct flux_property *top)
{
    const struct flux_property *p = top;
    while ((p = flux_property_next(top, p)) != NULL) {
        enum flux_value_type held = slot_of(p)->cloud.type;
        bool is_leaf = held != FLUX_VALUE_NONE && held != FLUX_VALUE_EMPTY_OBJECT;
        if (is_leaf && !ledger_has_value(p))
            return true;
    }
    return false;
}

/* Take one property of ours out. Returns 1 if nothing below it is left to look at, 0, or -ENOMEM.
 */
static int reset_property(struct shadow *shadow, struct flux_property *property, int64_t now_us)
{
    struct ledger *ledger = &shadow->ledger;
    bool was_never_there = slot_of(property)->state == SLOT_REFUSED;
    bool is_shared = !flux_property_is_leaf(property) && has_foreign_below(property);
    if (was_never_there || is_shared) {
        ledger_forget(ledger, property, SHADOW_CODE_FORGOTTEN, "taken back by a reset");
        return 0;
    }
    struct flux_property *same;
    int r =
        ledger_apply(ledger, FLUX_UNSET, property->path, property->path_size, NULL, now_us, &same);
    return r < 0 ? r : 1;
}

int shadow_reset(struct shadow *shadow, int64_t now_ms)
{
    struct flux_property *root = shadow->ledger.set.root;
    int64_t now_us = now_ms * 1000 + 999; /* not older than any report of this millisecond */
    shadow_touch(shadow);
    shadow_drop_prepared(shadow);
    struct flux_property *p = flux_property_next(root, root);
    while (p) {
        int r = 0;
        if (p->value.type != FLUX_VALUE_NONE)
            r = reset_property(shadow, p, now_us);
        if (r < 0)
            return r;
        p = r > 0 ? flux_property_skip(root, p) : flux_property_next(root, p);
    }
    shadow->size.known = false;
    shadow->reset_revision = shadow->ledger.newest_revision;
    saves_mark_shadow(shadow->ledger.saves);
    shadow_flush(shadow, now_ms);
    shadow_finish_reset(shadow);
    return 0;
}

void shadow_finish_reset(struct shadow *shadow)
{
    uint64_t revision = shadow->reset_revision;
    if (revision == 0 || ledger_settled_revision(&shadow->ledger) < revision)
        return;
    shadow->reset_revision = 0;
    saves_mark_shadow(shadow->ledger.saves);
    shadow->ledger.forgotten_revision = revision;
    ledger_prune(&shadow->ledger);
}

bool shadow_is_reset(const struct shadow *shadow)
{
    return shadow->reset_revision == 0;
}
