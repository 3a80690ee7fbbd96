#include "daemon/shadow/desired.h"

int desired_restore(struct desired *desired, const json_t *object, int64_t changed_ms)
{
    int r = desired_replace(desired, object, NULL, changed_ms);
    struct flux_property *root = desired->set.root;
    desired->serial = DESIRED_SERIAL_ANSWERED + 1;
    for (struct flux_property *p = root; p; p = flux_property_next(root, p))
        desire_of(p)->serial = desired->serial;
    return r;
}

static void take_known(struct desired *desired, const struct flux_property *known)
{
    const struct flux_property *leaf =
        flux_property_set_find(&desired->set, known->path, known->path_size);
    if (!leaf || !desired_is_leaf(leaf) || !flux_value_equal(&leaf->value, &known->value))
        return; /* a newer wish has taken its place */
    bool is_said_again = desire_of(leaf)->timestamp > desire_of(known)->timestamp;
    if (is_said_again && desire_of(known)->timestamp > 0)
        return;
    desire_of(leaf)->serial = DESIRED_SERIAL_ANSWERED;
    desire_of(leaf)->timestamp = desire_of(known)->timestamp;
}

int desired_restore_known(struct desired *desired, const struct cloud_message *known)
{
    struct desired answered;
    if (known->desired.state != CLOUD_SECTION_OBJECT)
        return 0;
    int r = desired_init(&answered, desired->set.hash_seed);
    if (r < 0)
        return r;
    r = desired_replace(&answered, known->desired.object, known->desired_metadata, 0);
    const struct flux_property *root = answered.set.root;
    for (const struct flux_property *p = root; p && r == 0; p = flux_property_next(root, p)) {
        if (desired_is_leaf(p))
            take_known(desired, p);
    }
    desired_clear(&answered);
    return r;
}

int64_t desired_changed_ms(const struct desired *desired)
{
    int64_t changed_ms = 0;
    const struct flux_property *root = desired->set.root;
    for (const struct flux_property *p = root; p; p = flux_property_next(root, p)) {
        if (desire_of(p)->changed_ms > changed_ms)
            changed_ms = desire_of(p)->changed_ms;
    }
    return changed_ms;
}
