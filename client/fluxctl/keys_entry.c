#include "client/fluxctl/keys_entry.h"
#include <string.h>

static const char *const field_names[KEYS_FIELDS] = {
    [KEYS_FIELD_PATH] = "path",
    [KEYS_FIELD_VALUE] = "value",
    [KEYS_FIELD_STATE] = "state",
    [KEYS_FIELD_VERSION] = "version",
    [KEYS_FIELD_ACCEPTED] = "accepted_ms_ago",
    [KEYS_FIELD_DEADBAND] = "deadband",
    [KEYS_FIELD_CLOUD] = "cloud",
    [KEYS_FIELD_CODE] = "code",
    [KEYS_FIELD_TEXT] = "text",
    [KEYS_FIELD_HELD_BY] = "held_by",
    [KEYS_FIELD_HELD_UNTIL] = "held_until_ms_from_now",
    [KEYS_FIELD_SETTLING] = "settling",
    [KEYS_FIELD_AGE] = "age_ms",
    [KEYS_FIELD_WRITER_NAME] = "name",
    [KEYS_FIELD_WRITER_UNIT] = "unit",
    [KEYS_FIELD_WRITER_UID] = "uid",
};

bool keys_slice_is(struct keys_slice slice, const char *text)
{
    return slice.text != NULL && slice.size == strlen(text) &&
           memcmp(slice.text, text, slice.size) == 0;
}

static enum keys_field find_field(struct keys_slice key)
{
    unsigned i = 0;
    while (i < KEYS_FIELDS && !keys_slice_is(key, field_names[i]))
        i++;
    return (enum keys_field)i;
}

/* Read the value behind a key. Strings lose their quotes, but not where any JSON may stand. */
static struct keys_slice read_value(struct json_walk *walk, enum keys_field field)
{
    enum json_walk_event event = json_walk_next(walk);
    if (event == JSON_WALK_BEGIN_OBJECT || event == JSON_WALK_BEGIN_ARRAY)
        json_walk_skip(walk);
    struct keys_slice slice = {walk->text, walk->size};
    if (event == JSON_WALK_STRING && (field == KEYS_FIELD_VALUE || field == KEYS_FIELD_CLOUD))
        slice = (struct keys_slice){walk->text - 1, walk->size + 2};
    return slice;
}

/* The writer's fields stand in an object of their own. */
void keys_entry_read(struct json_walk *walk, struct keys_slice ret_fields[static KEYS_FIELDS])
{
    unsigned depth = 1;
    while (depth > 0) {
        enum json_walk_event event = json_walk_next(walk);
        if (event == JSON_WALK_END)
            return;
        if (event == JSON_WALK_END_OBJECT)
            depth--;
        if (event != JSON_WALK_KEY)
            continue;
        struct keys_slice key = {walk->text, walk->size};
        if (depth == 1 && keys_slice_is(key, "writer")) {
            (void)json_walk_next(walk);
            depth++;
            continue;
        }
        enum keys_field field = find_field(key);
        bool is_ours = (depth == 2) == (field >= KEYS_FIELD_WRITER_NAME);
        struct keys_slice value = read_value(walk, field);
        if (field < KEYS_FIELDS && is_ours)
            ret_fields[field] = value;
    }
}
