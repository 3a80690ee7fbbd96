#include "tests/sandbox/cloud_document.h"

#include <errno.h>
#include <string.h>

#include "tests/sandbox/cloud_json.h"

static const char *const sections[] = {"desired", "reported"};

static int set_new(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new_nocheck(object, key, value) ? -ENOMEM : 0;
}

int cloud_document_init(struct cloud_document *ret_document)
{
    struct cloud_document document = {.state = json_object(), .metadata = json_object()};
    if (!document.state || !document.metadata) {
        cloud_document_clear(&document);
        return -ENOMEM;
    }
    *ret_document = document;
    return 0;
}

int cloud_document_copy(const struct cloud_document *document, struct cloud_document *ret_copy)
{
    struct cloud_document copy = {.state = json_deep_copy(document->state),
                                  .metadata = json_deep_copy(document->metadata),
                                  .version = document->version};
    if (!copy.state || !copy.metadata) {
        cloud_document_clear(&copy);
        return -ENOMEM;
    }
    *ret_copy = copy;
    return 0;
}

void cloud_document_clear(struct cloud_document *document)
{
    json_decref(document->state);
    json_decref(document->metadata);
    memset(document, 0, sizeof(*document));
}

static json_t *array_metadata(const json_t *array, int64_t at_sec)
{
    json_t *metadata = json_array();
    for (size_t i = 0; metadata && i < json_array_size(array); i++) {
        if (json_array_append_new(metadata, cloud_metadata_new(json_array_get(array, i), at_sec))) {
            json_decref(metadata);
            return NULL;
        }
    }
    return metadata;
}

json_t *cloud_metadata_new(const json_t *value, int64_t at_sec)
{
    if (json_is_array(value))
        return array_metadata(value, at_sec);
    json_t *metadata = json_object();
    if (!metadata)
        return NULL;
    int r = 0;
    if (!json_is_object(value)) {
        r = set_new(metadata, "timestamp", json_integer(at_sec));
    } else {
        const char *key;
        json_t *member;
        json_object_foreach((json_t *)value, key, member)
        {
            r = set_new(metadata, key, cloud_metadata_new(member, at_sec));
            if (r < 0)
                break;
        }
    }
    if (r < 0) {
        json_decref(metadata);
        return NULL;
    }
    return metadata;
}

struct merge {
    int64_t at_sec;
    bool null_only_makes_nothing;
};

static int merge_object(const struct merge *merge, json_t *into, json_t *metadata, json_t *patch);

/* Merge an object into the member `key`, which becomes an object if it is something else or
 * missing. */
static int merge_child(const struct merge *merge, json_t *into, json_t *metadata, const char *key,
                       json_t *patch)
{
    bool was_missing = json_object_get(into, key) == NULL;
    if (!json_is_object(json_object_get(into, key))) {
        int r = set_new(into, key, json_object());
        if (r == 0)
            r = set_new(metadata, key, json_object());
        if (r < 0)
            return r;
    }
    json_t *child = json_object_get(into, key);
    int r = merge_object(merge, child, json_object_get(metadata, key), patch);
    if (r < 0)
        return r;
    if (merge->null_only_makes_nothing && was_missing && json_object_size(child) == 0 &&
        json_object_size(patch) > 0) {
        (void)json_object_del(into, key);
        (void)json_object_del(metadata, key);
    }
    return 0;
}

/* Recursion ends at CLOUD_JSON_MAX_NESTING: no deeper patch is ever parsed. */
static int merge_object(const struct merge *merge, json_t *into, json_t *metadata, json_t *patch)
{
    const char *key;
    json_t *value;
    json_object_foreach(patch, key, value)
    {
        int r = 0;
        if (json_is_null(value)) {
            (void)json_object_del(into, key);
            (void)json_object_del(metadata, key);
        } else if (json_is_object(value)) {
            r = merge_child(merge, into, metadata, key, value);
        } else {
            r = set_new(into, key, json_deep_copy(value));
            if (r == 0)
                r = set_new(metadata, key, cloud_metadata_new(value, merge->at_sec));
        }
        if (r < 0)
            return r;
    }
    return 0;
}

int cloud_document_merge(struct cloud_document *document, json_t *patch, int64_t at_sec,
                         bool null_only_makes_nothing)
{
    const struct merge merge = {at_sec, null_only_makes_nothing};
    if (json_is_null(patch)) {
        json_object_clear(document->state);
        json_object_clear(document->metadata);
        return 0;
    }
    for (size_t i = 0; i < 2; i++) {
        json_t *section = json_object_get(patch, sections[i]);
        if (json_is_object(section)) {
            int r = merge_child(&merge, document->state, document->metadata, sections[i], section);
            if (r < 0)
                return r;
        }
        json_t *merged = json_object_get(document->state, sections[i]);
        if (json_is_null(section) || json_object_size(merged) == 0) {
            (void)json_object_del(document->state, sections[i]);
            (void)json_object_del(document->metadata, sections[i]);
        }
    }
    return 0;
}

static int delta_object(json_t *desired, json_t *reported, json_t *metadata, bool exact,
                        json_t *delta, json_t *delta_metadata);

/* Add one desired member to the delta if it differs. */
static int delta_member(const char *key, json_t *desired, json_t *reported, json_t *metadata,
                        bool exact, json_t *delta, json_t *delta_metadata)
{
    if (json_is_object(desired) && json_is_object(reported)) {
        json_t *child = json_object();
        json_t *child_metadata = json_object();
        int r = child && child_metadata ? 0 : -ENOMEM;
        if (r == 0)
            r = delta_object(desired, reported, metadata, exact, child, child_metadata);
        if (r == 0 && json_object_size(child) > 0) {
            r = json_object_set_nocheck(delta, key, child) ? -ENOMEM : 0;
            if (r == 0 && json_object_set_nocheck(delta_metadata, key, child_metadata))
                r = -ENOMEM;
        }
        json_decref(child);
        json_decref(child_metadata);
        return r;
    }
    if (reported && cloud_json_equal(desired, reported, exact))
        return 0;
    int r = set_new(delta, key, json_deep_copy(desired));
    return r < 0 ? r : set_new(delta_metadata, key, json_deep_copy(metadata));
}

static int delta_object(json_t *desired, json_t *reported, json_t *metadata, bool exact,
                        json_t *delta, json_t *delta_metadata)
{
    const char *key;
    json_t *value;
    json_object_foreach(desired, key, value)
    {
        int r = delta_member(key, value, json_object_get(reported, key),
                             json_object_get(metadata, key), exact, delta, delta_metadata);
        if (r < 0)
            return r;
    }
    return 0;
}

int cloud_document_delta(const struct cloud_document *document, bool exact_numbers,
                         json_t **ret_delta, json_t **ret_metadata)
{
    json_t *delta = json_object();
    json_t *metadata = json_object();
    int r = delta && metadata ? 0 : -ENOMEM;
    if (r == 0)
        r = delta_object(json_object_get(document->state, "desired"),
                         json_object_get(document->state, "reported"),
                         json_object_get(document->metadata, "desired"), exact_numbers, delta,
                         metadata);
    if (r < 0 || json_object_size(delta) == 0) {
        json_decref(delta);
        json_decref(metadata);
        delta = metadata = NULL;
    }
    if (r == 0) {
        *ret_delta = delta;
        *ret_metadata = metadata;
    }
    return r;
}

size_t cloud_document_size(const struct cloud_document *document)
{
    return cloud_json_size(json_object_get(document->state, "desired")) +
           cloud_json_size(json_object_get(document->state, "reported"));
}

unsigned cloud_section_depth(const json_t *section, bool arrays_count)
{
    unsigned deepest = 0;
    if (json_is_array(section)) {
        for (size_t i = 0; i < json_array_size(section); i++) {
            unsigned depth = cloud_section_depth(json_array_get(section, i), arrays_count);
            deepest = depth > deepest ? depth : deepest;
        }
        return deepest + (arrays_count ? 1 : 0);
    }
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)section, key, member)
    {
        unsigned depth = 1 + cloud_section_depth(member, arrays_count);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest;
}

bool cloud_has_null_in_array(const json_t *value)
{
    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            const json_t *element = json_array_get(value, i);
            if (json_is_null(element) || cloud_has_null_in_array(element))
                return true;
        }
        return false;
    }
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)value, key, member)
    {
        if (cloud_has_null_in_array(member))
            return true;
    }
    return false;
}
