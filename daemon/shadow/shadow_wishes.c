/* The watchers' side of a shadow: what the cloud wishes against what is reported. */
#include "daemon/shadow/path_glob.h"
#include "daemon/shadow/projection.h"
#include "daemon/shadow/shadow_private.h"

/* An object that only removals have left over is nobody's wish, but the service shows it. */
enum marking { MARK_WISHES, MARK_DELTA };

static bool differs(struct shadow *shadow, const struct flux_property *node, enum marking marking)
{
    if (!desired_is_leaf(node) || (marking == MARK_WISHES && desire_of(node)->left_over))
        return false;
    if (settles_covers(&shadow->settles, node))
        return false; /* answered; it only has to go */
    struct flux_value reported = projection_at(&shadow->ledger, node->path, node->path_size);
    return !flux_value_equal(&node->value, &reported);
}

static void mark_differing(struct shadow *shadow, enum marking marking)
{
    struct flux_property *root = shadow->view.desired.set.root;
    for (struct flux_property *p = root; p; p = flux_property_next(root, p))
        desire_of(p)->differs = differs(shadow, p, marking);
}

int shadow_write_delta(struct shadow *shadow, const char *path, size_t path_size,
                       const struct path_filter *filter, struct flux_json_writer *writer)
{
    const struct flux_property *root = shadow->view.desired.set.root;
    mark_differing(shadow, MARK_DELTA);
    for (const struct flux_property *p = filter ? root : NULL; p; p = flux_property_next(root, p))
        desire_of(p)->differs =
            desire_of(p)->differs && path_filter_has(filter, p->path, p->path_size);
    return desired_write_differing(&shadow->view.desired, path, path_size, writer);
}

/* Tell whether reports, refusals or the cloud may have made a difference since the last look. */
static bool has_changed(struct shadow *shadow)
{
    struct shadow_look look = {
        .revision = shadow->ledger.newest_revision,
        .fate_serial = shadow->ledger.fate_serial,
        .refused_count = shadow->ledger.refused_count,
        .generation = shadow->view.generation,
        .from_disk = shadow->view.from_disk,
        .known = true,
    };
    const struct shadow_look *last = &shadow->look;
    bool same = last->known && last->revision == look.revision &&
                last->fate_serial == look.fate_serial &&
                last->refused_count == look.refused_count && last->generation == look.generation;
    shadow->look = look;
    return !same;
}

/* Bring the wishes up to date, as far as anybody wants to know. An unreadable document tells
 * nothing, so what was known before stays. */
static void look(struct shadow *shadow)
{
    bool was_from_disk = shadow->look.known && shadow->look.from_disk;
    if (shadow->watcher_count == 0 || shadow->view.state == SHADOW_VIEW_UNREADABLE ||
        !has_changed(shadow))
        return;
    if (shadow->view.desired.set.value_count == 0 && shadow->wishes.differing_count == 0)
        return;
    mark_differing(shadow, MARK_WISHES);
    if (was_from_disk && !shadow->view.from_disk)
        wishes_renew(&shadow->wishes);
    if (wishes_note(&shadow->wishes, &shadow->view.desired) < 0)
        shadow->look.known = false; /* no memory: look again */
}

void shadow_add_watcher(struct shadow *shadow)
{
    shadow->watcher_count++;
    shadow_touch(shadow);
}

void shadow_remove_watcher(struct shadow *shadow)
{
    shadow->watcher_count--;
    shadow_touch(shadow);
    if (shadow->watcher_count > 0)
        return;
    wishes_forget(&shadow->wishes);
    shadow->look.known = false;
}

uint64_t shadow_wish_serial(struct shadow *shadow)
{
    look(shadow);
    return shadow->wishes.serial;
}

/* A shadow that is gone has no version: what goes with it is told at the last one. */
static int64_t version_told(struct shadow *shadow)
{
    if (shadow->view.version >= 0)
        shadow->wish_version = shadow->view.version;
    return shadow->wish_version;
}

bool shadow_next_wish(struct shadow *shadow, const char *path, size_t path_size,
                      struct shadow_wish_cursor *cursor, struct shadow_wish *ret_wish)
{
    look(shadow);
    if (!wishes_next(&shadow->wishes, path, path_size, cursor, ret_wish))
        return false;
    ret_wish->version = version_told(shadow);
    /* Nothing of this connection has confirmed it yet. */
    ret_wish->stale = shadow->view.state != SHADOW_VIEW_PROVEN;
    return true;
}

bool shadow_knows_wishes(struct shadow *shadow, int64_t *ret_version)
{
    *ret_version = version_told(shadow);
    return (shadow->view.held || shadow->view.state == SHADOW_VIEW_PROVEN) &&
           !shadow->view.from_disk && shadow->view.state != SHADOW_VIEW_UNREADABLE;
}
