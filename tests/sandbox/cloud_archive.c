#include "tests/sandbox/cloud_archive.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/sandbox/cloud_request.h"

static json_t *entry_new(const struct cloud_shadow *shadow)
{
    if (shadow->exists)
        return json_pack("{s:I, s:O, s:O}", "version", (json_int_t)shadow->document.version,
                         "state", shadow->document.state, "metadata", shadow->document.metadata);
    return json_pack("{s:I, s:I}", "tombstone", (json_int_t)shadow->tombstone_version,
                     "deletedAtMs", (json_int_t)shadow->deleted_at_ms);
}

json_t *cloud_archive_new(const struct cloud_store *store)
{
    json_t *archive = json_object();
    for (size_t i = 0; archive && i < store->count; i++) {
        const struct cloud_shadow *shadow = store->shadows[i];
        if (!shadow->exists && shadow->tombstone_version == 0)
            continue;
        if (json_object_set_new(archive, shadow->key, entry_new(shadow))) {
            json_decref(archive);
            return NULL;
        }
    }
    return archive;
}

/* Take "THING/NAME" apart, as the store makes its keys. */
static bool split_key(const char *key, char thing[static CLOUD_THING_MAX + 1],
                      char name[static CLOUD_NAME_MAX + 1])
{
    const char *slash = strchr(key, '/');
    if (!slash || slash - key > CLOUD_THING_MAX || strlen(slash + 1) > CLOUD_NAME_MAX)
        return false;
    snprintf(thing, CLOUD_THING_MAX + 1, "%.*s", (int)(slash - key), key);
    snprintf(name, CLOUD_NAME_MAX + 1, "%s", slash + 1);
    return cloud_names_are_valid(thing, name[0] ? name : NULL);
}

static int read_entry(const json_t *entry, struct cloud_shadow *shadow)
{
    const json_t *state = json_object_get(entry, "state");
    const json_t *metadata = json_object_get(entry, "metadata");
    const json_t *tombstone = json_object_get(entry, "tombstone");
    if (tombstone) {
        shadow->tombstone_version = json_integer_value(tombstone);
        shadow->deleted_at_ms = json_integer_value(json_object_get(entry, "deletedAtMs"));
        return 0;
    }
    int64_t version = json_integer_value(json_object_get(entry, "version"));
    if (!json_is_object(state) || !json_is_object(metadata) || version < 1)
        return -EINVAL;
    const struct cloud_document written = {(json_t *)state, (json_t *)metadata, version};
    struct cloud_document document;
    int r = cloud_document_copy(&written, &document);
    if (r < 0)
        return r;
    cloud_document_clear(&shadow->document);
    shadow->document = document;
    shadow->exists = true;
    return 0;
}

int cloud_archive_read(const json_t *archive, struct cloud_store *store)
{
    if (!json_is_object(archive))
        return -EINVAL;
    const char *key;
    json_t *entry;
    json_object_foreach((json_t *)archive, key, entry)
    {
        char thing[CLOUD_THING_MAX + 1];
        char name[CLOUD_NAME_MAX + 1];
        if (!split_key(key, thing, name))
            return -EINVAL;
        struct cloud_shadow *shadow;
        int r = cloud_store_ensure(store, thing, name, &shadow);
        if (r == 0)
            r = read_entry(entry, shadow);
        if (r < 0)
            return r == -ENOSPC ? -ENOMEM : r;
    }
    return 0;
}
