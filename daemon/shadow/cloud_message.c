#include "daemon/shadow/cloud_message.h"

#include "proto/json_scanner.h"
#include <errno.h>
#include <string.h>

/* Every integer up to it is exact as a real, too. */
#define VERSION_MAX (INT64_C(1) << 53)

static struct cloud_section read_section(const json_t *state, const char *name)
{
    if (json_is_null(state))
        return (struct cloud_section){.state = CLOUD_SECTION_NULL};
    const json_t *section = json_object_get(state, name);
    if (!section)
        return (struct cloud_section){.state = CLOUD_SECTION_ABSENT};
    if (json_is_null(section))
        return (struct cloud_section){.state = CLOUD_SECTION_NULL};
    return (struct cloud_section){.state = CLOUD_SECTION_OBJECT, .object = section};
}

static bool is_object_or_null(const json_t *json)
{
    return !json || json_is_null(json) || json_is_object(json);
}

static bool has_sound_state(const json_t *root)
{
    const json_t *state = json_object_get(root, "state");
    return is_object_or_null(state) && is_object_or_null(json_object_get(state, "desired")) &&
           is_object_or_null(json_object_get(state, "reported"));
}

/* A shadow's version, -1: none. One that no other could follow is none, and so is a fraction. */
static int64_t read_version(const json_t *version)
{
    if (json_is_integer(version)) {
        json_int_t number = json_integer_value(version);
        return number >= 0 && number <= VERSION_MAX ? number : -1;
    }
    /* All integers are read as reals where one of them is beyond 64 bits. */
    double real = json_is_real(version) ? json_real_value(version) : -1;
    return real >= 0 && real <= (double)VERSION_MAX && real == (double)(int64_t)real ? (int64_t)real
                                                                                     : -1;
}

static void read_envelope(struct cloud_message *message)
{
    const json_t *version = json_object_get(message->root, "version");
    const json_t *code = json_object_get(message->root, "code");
    const json_t *token = json_object_get(message->root, "clientToken");
    const json_t *state = json_object_get(message->root, "state");

    message->version = read_version(version);
    if (json_is_integer(code) && json_integer_value(code) > 0 && json_integer_value(code) < 1000)
        message->code = (int)json_integer_value(code);
    if (json_is_string(token) && json_string_length(token) <= CLOUD_TOKEN_MAX)
        memcpy(message->token, json_string_value(token), json_string_length(token) + 1);
    if (state) {
        message->desired = read_section(state, "desired");
        message->reported = read_section(state, "reported");
        message->desired_metadata =
            json_object_get(json_object_get(message->root, "metadata"), "desired");
    }
}

/* Returns as cloud_message_parse(); what cannot be read as JSON is NULL. */
static int load(json_t **ret_root, const void *text, size_t size, const char **ret_reason)
{
    if (size > CLOUD_MESSAGE_MAX || flux_json_depth_check(text, size, CLOUD_DEPTH_MAX) < 0) {
        *ret_reason = size > CLOUD_MESSAGE_MAX ? "too large" : "nested too deeply";
        return CLOUD_MESSAGE_UNREADABLE;
    }
    json_error_t error;
    json_t *root = json_loadb(text, size, 0, &error);
    bool overflow = !root && json_error_code(&error) == json_error_numeric_overflow;
    if (overflow)
        root = json_loadb(text, size, JSON_DECODE_INT_AS_REAL, &error);
    if (!root && json_error_code(&error) == json_error_out_of_memory)
        return -ENOMEM;
    *ret_root = root;
    return CLOUD_MESSAGE_READ;
}

int cloud_message_parse(struct cloud_message *ret_message, const void *payload, size_t size,
                        const char **ret_reason)
{
    struct cloud_message message = {.version = -1};
    int r = load(&message.root, payload, size, ret_reason);
    if (r != CLOUD_MESSAGE_READ)
        return r;
    if (!json_is_object(message.root) || !has_sound_state(message.root)) {
        *ret_reason = message.root ? "not a shadow document" : "not JSON that can be read";
        json_decref(message.root);
        return CLOUD_MESSAGE_UNREADABLE;
    }
    read_envelope(&message);
    *ret_message = message;
    return CLOUD_MESSAGE_READ;
}

int cloud_message_parse_desired(struct cloud_message *ret_message, const void *text, size_t size)
{
    struct cloud_message message = {.version = -1};
    const char *reason;
    int r = load(&message.root, text, size, &reason);
    if (r != CLOUD_MESSAGE_READ)
        return r;
    if (!json_is_object(message.root)) {
        json_decref(message.root);
        return CLOUD_MESSAGE_UNREADABLE;
    }
    message.desired = (struct cloud_section){.state = CLOUD_SECTION_OBJECT, .object = message.root};
    *ret_message = message;
    return CLOUD_MESSAGE_READ;
}

void cloud_message_clear(struct cloud_message *message)
{
    json_decref(message->root);
    *message = (struct cloud_message){.version = -1};
}

bool cloud_message_tells_nothing(const struct cloud_message *message)
{
    return message->desired.state == CLOUD_SECTION_ABSENT &&
           message->reported.state == CLOUD_SECTION_ABSENT;
}

void cloud_walk_begin(struct cloud_walk *walk, const json_t *object)
{
    walk->depth = 1;
    walk->levels[0].object = (json_t *)object;
    walk->levels[0].iterator = json_object_iter((json_t *)object);
    flux_json_writer_init(&walk->array, 0);
}

void cloud_walk_end(struct cloud_walk *walk)
{
    flux_json_writer_clear(&walk->array);
}

/* A place inside an array that is being written. */
struct array_level {
    json_t *container;
    size_t index;
    void *iterator;
};

static void write_scalar(struct flux_json_writer *writer, const json_t *scalar)
{
    switch (json_typeof(scalar)) {
    case JSON_STRING:
        flux_json_string(writer, json_string_value(scalar), json_string_length(scalar));
        break;
    case JSON_INTEGER:
        flux_json_int64(writer, json_integer_value(scalar));
        break;
    case JSON_REAL:
        flux_json_double(writer, json_real_value(scalar));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        flux_json_bool(writer, json_is_true(scalar));
        break;
    case JSON_NULL:
    case JSON_OBJECT:
    case JSON_ARRAY:
        flux_json_null(writer);
        break;
    }
}

/* Take the next element of the container on top; NULL: it has no more. Writes the key of an
 * object's. */
static json_t *next_element(struct array_level *level, struct flux_json_writer *writer)
{
    if (json_is_array(level->container))
        return json_array_get(level->container, level->index++);
    if (!level->iterator)
        return NULL;
    flux_json_key(writer, json_object_iter_key(level->iterator),
                  json_object_iter_key_len(level->iterator));
    json_t *element = json_object_iter_value(level->iterator);
    level->iterator = json_object_iter_next(level->container, level->iterator);
    return element;
}

static void open_container(struct array_level *level, json_t *container,
                           struct flux_json_writer *writer)
{
    *level = (struct array_level){.container = container};
    if (json_is_array(container)) {
        flux_json_begin_array(writer);
    } else {
        level->iterator = json_object_iter(container);
        flux_json_begin_object(writer);
    }
}

static int write_array(struct flux_json_writer *writer, json_t *array)
{
    struct array_level levels[CLOUD_DEPTH_MAX + 1];
    unsigned depth = 1;

    flux_json_writer_reset(writer);
    open_container(&levels[0], array, writer);
    while (depth > 0) {
        struct array_level *top = &levels[depth - 1];
        json_t *element = next_element(top, writer);
        if (!element) {
            if (json_is_array(top->container))
                flux_json_end_array(writer);
            else
                flux_json_end_object(writer);
            depth--;
        } else if ((json_is_array(element) || json_is_object(element)) &&
                   depth <= CLOUD_DEPTH_MAX) {
            open_container(&levels[depth++], element, writer);
        } else {
            write_scalar(writer, element);
        }
    }
    return writer->error;
}

static int read_leaf(struct cloud_walk *walk, json_t *json, struct cloud_item *item)
{
    item->step = CLOUD_LEAF;
    switch (json_typeof(json)) {
    case JSON_STRING:
        item->value = flux_value_string(json_string_value(json), json_string_length(json));
        return 0;
    case JSON_INTEGER:
        item->value = flux_value_int64(json_integer_value(json));
        return 0;
    case JSON_REAL:
        item->value = flux_value_double(json_real_value(json));
        return 0;
    case JSON_TRUE:
    case JSON_FALSE:
        item->value = flux_value_bool(json_is_true(json));
        return 0;
    case JSON_ARRAY: {
        int r = write_array(&walk->array, json);
        item->value = flux_value_array(walk->array.text, walk->array.size);
        return r;
    }
    case JSON_NULL:
    case JSON_OBJECT:
        break;
    }
    item->step = CLOUD_NULL;
    return 0;
}

int cloud_walk_next(struct cloud_walk *walk, struct cloud_item *ret_item)
{
    if (walk->depth == 0) {
        *ret_item = (struct cloud_item){.step = CLOUD_END};
        return 0;
    }
    void **iterator = &walk->levels[walk->depth - 1].iterator;
    json_t *object = walk->levels[walk->depth - 1].object;
    if (!*iterator) {
        walk->depth--;
        *ret_item = (struct cloud_item){.step = walk->depth > 0 ? CLOUD_LEAVE : CLOUD_END};
        return 0;
    }
    struct cloud_item item = {.key = json_object_iter_key(*iterator),
                              .key_size = json_object_iter_key_len(*iterator)};
    json_t *value = json_object_iter_value(*iterator);
    *iterator = json_object_iter_next(object, *iterator);
    if (json_is_object(value) && walk->depth < CLOUD_DEPTH_MAX) {
        item.step = CLOUD_ENTER;
        walk->levels[walk->depth].object = value;
        walk->levels[walk->depth].iterator = json_object_iter(value);
        walk->depth++;
        *ret_item = item;
        return 0;
    }
    int r = read_leaf(walk, value, &item);
    if (r < 0)
        return r;
    *ret_item = item;
    return 0;
}
