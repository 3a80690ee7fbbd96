#include "daemon/shadow/view.h"

#include <errno.h>

int view_init(struct view *view, uint64_t hash_seed)
{
    *view = (struct view){
        .state = SHADOW_VIEW_UNKNOWN, .version = -1, .seen_version = -1, .asked_version = -1};
    return desired_init(&view->desired, hash_seed);
}

static void drop_early(struct view *view)
{
    for (size_t i = 0; i < view->early_count; i++)
        cloud_message_clear(&view->early[i]);
    view->early_count = 0;
}

void view_clear(struct view *view)
{
    drop_early(view);
    desired_clear(&view->desired);
}

void view_unprove(struct view *view)
{
    drop_early(view);
    view->state = SHADOW_VIEW_UNKNOWN;
    view->seen_version = -1;
    view->asked_version = -1;
}

/* --- reported, in the slots --- */

static void make_objects(struct ledger *ledger, struct flux_property *property)
{
    for (struct flux_property *p = property; p; p = p->parent) {
        struct flux_value *cloud = &slot_of(p)->cloud;
        if (cloud->type == FLUX_VALUE_EMPTY_OBJECT)
            return;
        ledger_mark(ledger, p);
        flux_value_clear(cloud);
        *cloud = flux_value_empty_object();
    }
}

static void clear_cloud(struct ledger *ledger, struct flux_property *top)
{
    for (struct flux_property *p = top; p; p = flux_property_next(top, p)) {
        if (slot_of(p)->cloud.type == FLUX_VALUE_NONE)
            continue;
        ledger_mark(ledger, p);
        flux_value_clear(&slot_of(p)->cloud);
    }
}

static int set_cloud(struct ledger *ledger, struct flux_property *property,
                     const struct flux_value *value)
{
    struct flux_value copy;
    int r = flux_value_copy(&copy, value);
    if (r < 0)
        return r;
    clear_cloud(ledger, property);
    ledger_mark(ledger, property);
    slot_of(property)->cloud = copy;
    make_objects(ledger, property->parent);
    return 0;
}

/* A walk through a section that is merged into the slots. */
struct merge {
    struct ledger *ledger;
    struct flux_property *at;
    bool from_get;
    unsigned depth;
    uint64_t is_new; /* bit by depth: the object was none before */
};
_Static_assert(CLOUD_DEPTH_MAX < 64, "a bit for every depth");

static bool has_cloud_below(const struct flux_property *property)
{
    for (const struct flux_property *p = property->first_child; p; p = p->next) {
        if (slot_of(p)->cloud.type != FLUX_VALUE_NONE)
            return true;
    }
    return false;
}

static void enter_object(struct merge *merge, struct flux_property *child, const json_t *object)
{
    bool is_new = slot_of(child)->cloud.type != FLUX_VALUE_EMPTY_OBJECT;
    bool may_be_none = is_new && !merge->from_get && json_object_size(object) > 0;
    make_objects(merge->ledger, child);
    merge->at = child;
    merge->depth++;
    merge->is_new &= ~(UINT64_C(1) << merge->depth);
    merge->is_new |= (uint64_t)may_be_none << merge->depth;
}

/* Whether nulls alone leave an object where none was is not documented: it counts as absent. */
static void leave_object(struct merge *merge)
{
    bool may_be_none = (merge->is_new >> merge->depth) & 1;
    if (may_be_none && !has_cloud_below(merge->at))
        clear_cloud(merge->ledger, merge->at);
    merge->depth--;
    merge->at = merge->at->parent;
}

static int merge_item(struct merge *merge, const struct cloud_item *item, const json_t *object)
{
    if (item->step == CLOUD_LEAVE) {
        leave_object(merge);
        return 0;
    }
    if (item->step == CLOUD_NULL && merge->from_get)
        return 0;
    struct flux_property *child;
    int r =
        flux_property_set_child(&merge->ledger->set, merge->at, item->key, item->key_size, &child);
    if (r < 0)
        return r;
    if (item->step == CLOUD_NULL) {
        clear_cloud(merge->ledger, child);
        return 0;
    }
    if (item->step == CLOUD_LEAF)
        return set_cloud(merge->ledger, child, &item->value);
    enter_object(merge, child, object);
    return 0;
}

int view_merge_reported(struct ledger *ledger, const json_t *object, bool from_get)
{
    struct merge merge = {.ledger = ledger, .at = ledger->set.root, .from_get = from_get};
    struct cloud_walk walk;
    struct cloud_item item = {.step = CLOUD_LEAVE};
    int r = 0;

    make_objects(ledger, merge.at);
    cloud_walk_begin(&walk, object);
    while (r == 0) {
        r = cloud_walk_next(&walk, &item);
        if (r < 0 || item.step == CLOUD_END)
            break;
        r = merge_item(&merge, &item, walk.levels[walk.depth - 1].object);
    }
    cloud_walk_end(&walk);
    return r;
}

/* --- both sections, and their version --- */

static void take_version(struct view *view, struct ledger *ledger, int64_t version)
{
    saves_mark_shadow(ledger->saves);
    view->version = version;
    view->generation++;
    view->held = true;
    view->from_disk = false;
    view->state = SHADOW_VIEW_PROVEN;
    if (version > view->seen_version)
        view->seen_version = version;
}

static void drop_early_upto(struct view *view, int64_t version)
{
    size_t kept = 0;
    for (size_t i = 0; i < view->early_count; i++) {
        if (view->early[i].version <= version)
            cloud_message_clear(&view->early[i]);
        else
            view->early[kept++] = view->early[i];
    }
    view->early_count = kept;
}

static int merge_desired(struct view *view, struct ledger *ledger,
                         const struct cloud_message *message, bool from_get, int64_t now_ms)
{
    uint64_t change_count = view->desired.change_count;
    int r = 0;
    switch (message->desired.state) {
    case CLOUD_SECTION_ABSENT:
        if (!from_get)
            return 0;
        desired_empty(&view->desired);
        break;
    case CLOUD_SECTION_NULL:
        desired_empty(&view->desired);
        break;
    case CLOUD_SECTION_OBJECT:
        r = (from_get ? desired_replace : desired_merge)(&view->desired, message->desired.object,
                                                         message->desired_metadata, now_ms);
        break;
    }
    view->desired_bytes = desired_measure(&view->desired);
    if (view->desired.change_count != change_count)
        saves_mark_desired(ledger->saves);
    return r;
}

/* The contents are neither those of the version held nor of the next. */
static int fail(struct view *view, struct ledger *ledger, int error)
{
    view->state = SHADOW_VIEW_UNREADABLE;
    view->held = false;
    saves_mark_shadow(ledger->saves);
    return error;
}

static int merge_sections(struct view *view, struct ledger *ledger,
                          const struct cloud_message *message, bool from_get, int64_t now_ms)
{
    int r = 0;
    if (message->reported.state == CLOUD_SECTION_NULL)
        clear_cloud(ledger, ledger->set.root);
    if (message->reported.state == CLOUD_SECTION_OBJECT)
        r = view_merge_reported(ledger, message->reported.object, from_get);
    if (r == 0)
        r = merge_desired(view, ledger, message, from_get, now_ms);
    return r == -ENOSPC || r == -ENAMETOOLONG ? -E2BIG : r;
}

int view_replace(struct view *view, struct ledger *ledger, const struct cloud_message *message,
                 int64_t now_ms)
{
    clear_cloud(ledger, ledger->set.root);
    int r = merge_sections(view, ledger, message, true, now_ms);
    if (r < 0)
        return fail(view, ledger, r);
    bool is_anew = view->asked_version > message->version;
    drop_early_upto(view, is_anew ? view->asked_version : message->version);
    take_version(view, ledger, message->version);
    view->seen_version = message->version;
    view->asked_version = -1;
    for (size_t i = 0; i < view->early_count; i++) {
        if (view->early[i].version > view->seen_version)
            view->seen_version = view->early[i].version;
    }
    return 0;
}

void view_empty(struct view *view, struct ledger *ledger)
{
    clear_cloud(ledger, ledger->set.root);
    if (view->desired.set.value_count > 0)
        saves_mark_desired(ledger->saves);
    desired_empty(&view->desired);
    view->desired_bytes = 0;
    drop_early(view);
    take_version(view, ledger, -1);
    view->seen_version = -1;
}

int view_merge(struct view *view, struct ledger *ledger, const struct cloud_message *message,
               int64_t now_ms)
{
    int r = merge_sections(view, ledger, message, false, now_ms);
    if (r < 0)
        return fail(view, ledger, r);
    take_version(view, ledger, message->version);
    return 0;
}

int view_merge_own(struct view *view, struct ledger *ledger, const struct cloud_message *message,
                   int64_t now_ms)
{
    return merge_sections(view, ledger, message, false, now_ms);
}

void view_keep_early(struct view *view, struct cloud_message *message, int64_t now_ms)
{
    if (message->version > view->seen_version)
        view->seen_version = message->version;
    if (view->state == SHADOW_VIEW_PROVEN) {
        view->state = SHADOW_VIEW_GAP;
        view->gap_until_ms = now_ms + VIEW_GAP_MS;
    }
    if (view->early_count == VIEW_EARLY_MAX) {
        cloud_message_clear(message);
        return;
    }
    view->early[view->early_count++] = *message;
    *message = (struct cloud_message){.version = -1};
}

int64_t view_next_version(const struct view *view)
{
    return view->version < 0 ? 1 : view->version + 1;
}

bool view_next_early(struct view *view, struct cloud_message *ret_message)
{
    drop_early_upto(view, view->version);
    for (size_t i = 0; i < view->early_count; i++) {
        if (view->early[i].version != view_next_version(view))
            continue;
        *ret_message = view->early[i];
        view->early[i] = view->early[--view->early_count];
        return true;
    }
    return false;
}
