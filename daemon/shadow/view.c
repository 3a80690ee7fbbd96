#include "daemon/shadow/view.h"

#include "daemon/shadow/property_json.h"

#include <errno.h>
#include <string.h>

int view_init(struct view *view, uint64_t hash_seed)
{
    *view = (struct view){
        .state = SHADOW_VIEW_UNKNOWN, .version = -1, .seen_version = -1, .asked_version = -1};
    return flux_property_set_init(&view->desired, 0, hash_seed);
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
    if (view->desired.root)
        flux_property_set_clear(&view->desired);
}

void view_unprove(struct view *view)
{
    drop_early(view);
    view->state = SHADOW_VIEW_UNKNOWN;
    view->seen_version = -1;
    view->asked_version = -1;
}

/* --- reported, in the slots --- */

static void make_objects(struct flux_property *property)
{
    for (struct flux_property *p = property; p; p = p->parent) {
        struct flux_value *cloud = &slot_of(p)->cloud;
        if (cloud->type == FLUX_VALUE_EMPTY_OBJECT)
            return;
        flux_value_clear(cloud);
        *cloud = flux_value_empty_object();
    }
}

static void clear_cloud(struct flux_property *top)
{
    for (struct flux_property *p = top; p; p = flux_property_next(top, p))
        flux_value_clear(&slot_of(p)->cloud);
}

static int set_cloud(struct flux_property *property, const struct flux_value *value)
{
    struct flux_value copy;
    int r = flux_value_copy(&copy, value);
    if (r < 0)
        return r;
    clear_cloud(property);
    slot_of(property)->cloud = copy;
    make_objects(property->parent);
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
    make_objects(child);
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
        flux_value_clear(&slot_of(merge->at)->cloud);
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
        clear_cloud(child);
        return 0;
    }
    if (item->step == CLOUD_LEAF)
        return set_cloud(child, &item->value);
    enter_object(merge, child, object);
    return 0;
}

int view_merge_reported(struct ledger *ledger, const json_t *object, bool from_get)
{
    struct merge merge = {.ledger = ledger, .at = ledger->set.root, .from_get = from_get};
    struct cloud_walk walk;
    struct cloud_item item = {.step = CLOUD_LEAVE};
    int r = 0;

    make_objects(merge.at);
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

/* --- desired, as a document of its own --- */

static int set_desired(struct view *view, const struct flux_property *at,
                       const struct cloud_item *item, struct flux_property **ret_child)
{
    struct flux_value object = flux_value_empty_object();
    const struct flux_value *value = item->step == CLOUD_LEAF ? &item->value : &object;
    enum flux_operation kind = item->step == CLOUD_NULL ? FLUX_UNSET : FLUX_SET;
    struct flux_property *child;
    struct flux_applied applied;

    int r = flux_property_set_child(&view->desired, (struct flux_property *)at, item->key,
                                    item->key_size, &child);
    if (r < 0)
        return r;
    r = flux_property_set_apply(&view->desired, kind, child->path, child->path_size,
                                kind == FLUX_SET ? value : NULL, 1, 0, &applied);
    if (r < 0)
        return r;
    if (child->cut)
        flux_property_set_drop_cut(&view->desired, child);
    if (applied.converted)
        flux_property_set_drop_cut(&view->desired, applied.converted);
    *ret_child = child;
    return 0;
}

static void prune_desired(struct view *view)
{
    struct flux_property *root = view->desired.root;
    struct flux_property *p = flux_property_next(root, root);
    while (p) {
        struct flux_property *next = flux_property_next(root, p);
        while (p && p->parent) {
            struct flux_property *parent = p->parent;
            if (!flux_property_set_prune(&view->desired, p))
                break;
            p = parent;
        }
        p = next;
    }
}

static int merge_desired(struct view *view, const json_t *object, bool from_get)
{
    struct cloud_walk walk;
    struct cloud_item item = {.step = CLOUD_LEAVE};
    struct flux_property *at = view->desired.root;
    int r = 0;

    cloud_walk_begin(&walk, object);
    while (r == 0) {
        struct flux_property *child;
        r = cloud_walk_next(&walk, &item);
        if (r < 0 || item.step == CLOUD_END)
            break;
        if (item.step == CLOUD_LEAVE) {
            at = at->parent;
            continue;
        }
        if (item.step == CLOUD_NULL && from_get)
            continue;
        r = set_desired(view, at, &item, &child);
        if (r == 0 && item.step == CLOUD_ENTER)
            at = child;
    }
    cloud_walk_end(&walk);
    return r;
}

static void empty_desired(struct view *view)
{
    struct flux_property *root = view->desired.root;
    for (struct flux_property *p = root; p; p = flux_property_next(root, p))
        flux_property_set_drop_value(&view->desired, p);
    prune_desired(view);
}

static void write_desired_below(const struct flux_property *top, struct flux_json_writer *writer)
{
    const struct flux_property *p = top;
    flux_json_begin_object(writer);
    while (true) {
        const struct flux_property *next = p->first_child;
        while (!next) { /* leave as many objects as end here */
            if (p == top) {
                flux_json_end_object(writer);
                return;
            }
            if (p->value.type == FLUX_VALUE_EMPTY_OBJECT)
                flux_json_end_object(writer);
            next = p->next;
            p = p->parent;
        }
        p = next;
        property_write_key(writer, p);
        if (p->value.type == FLUX_VALUE_EMPTY_OBJECT)
            flux_json_begin_object(writer);
        else
            flux_json_value(writer, &p->value);
    }
}

int view_write_desired(const struct view *view, const char *path, size_t path_size,
                       struct flux_json_writer *writer)
{
    const struct flux_property *top = flux_property_set_find(&view->desired, path, path_size);
    if (!top || (!top->first_child && top->value.type == FLUX_VALUE_NONE))
        return -ENOENT;
    if (top->parent && top->value.type != FLUX_VALUE_EMPTY_OBJECT)
        flux_json_value(writer, &top->value);
    else
        write_desired_below(top, writer);
    return writer->error;
}

static int count_desired(struct view *view)
{
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 0);
    int r = view_write_desired(view, "", 0, &writer);
    view->desired_bytes = r == 0 ? writer.size : 0;
    flux_json_writer_clear(&writer);
    return r == -ENOENT ? 0 : r;
}

/* --- versions --- */

static void take_version(struct view *view, int64_t version)
{
    view->version = version;
    view->generation++;
    view->held = true;
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

static int merge_sections(struct view *view, struct ledger *ledger,
                          const struct cloud_message *message, bool from_get)
{
    int r = 0;
    if (message->reported.state == CLOUD_SECTION_NULL)
        clear_cloud(ledger->set.root);
    if (message->desired.state == CLOUD_SECTION_NULL)
        empty_desired(view);
    if (message->reported.state == CLOUD_SECTION_OBJECT)
        r = view_merge_reported(ledger, message->reported.object, from_get);
    if (r == 0 && message->desired.state == CLOUD_SECTION_OBJECT) {
        r = merge_desired(view, message->desired.object, from_get);
        prune_desired(view);
    }
    if (r == 0)
        r = count_desired(view);
    return r == -ENOSPC || r == -ENAMETOOLONG ? -E2BIG : r;
}

int view_replace(struct view *view, struct ledger *ledger, const struct cloud_message *message)
{
    clear_cloud(ledger->set.root);
    empty_desired(view);
    int r = merge_sections(view, ledger, message, true);
    if (r < 0) {
        view->state = SHADOW_VIEW_UNREADABLE;
        return r;
    }
    bool is_anew = view->asked_version > message->version;
    drop_early_upto(view, is_anew ? view->asked_version : message->version);
    take_version(view, message->version);
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
    clear_cloud(ledger->set.root);
    empty_desired(view);
    view->desired_bytes = 0;
    drop_early(view);
    take_version(view, -1);
    view->seen_version = -1;
}

int view_merge(struct view *view, struct ledger *ledger, const struct cloud_message *message)
{
    int r = merge_sections(view, ledger, message, false);
    if (r < 0) {
        view->state = SHADOW_VIEW_UNREADABLE;
        return r;
    }
    take_version(view, message->version);
    return 0;
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
