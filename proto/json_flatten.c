#include "proto/json_flatten.h"
#include "proto/path.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Objects and arrays inside each other, keys or not: nested arrays have no keys to count. */
#define FLATTEN_NESTING_MAX 64u

/* A place for strings with escapes, if there are any. */
static int flatten_allocate(struct flux_json_flatten *flatten, const char *text, size_t size,
                            size_t *ret_size)
{
    *ret_size = 0;
    if (size == 0 || memchr(text, '\\', size) == NULL)
        return 0;
    *ret_size = size < FLUX_VALUE_BYTES_MAX ? size : FLUX_VALUE_BYTES_MAX;
    flatten->buffer = malloc(*ret_size);
    return flatten->buffer == NULL ? -ENOMEM : 0;
}

int flux_json_flatten_init(struct flux_json_flatten *flatten, const char *text, size_t size,
                           const char *prefix, size_t prefix_size, unsigned max_depth)
{
    memset(flatten, 0, sizeof(*flatten));
    flux_json_writer_init(&flatten->array, FLUX_VALUE_BYTES_MAX);
    flatten->max_depth = max_depth < FLUX_PATH_DEPTH_MAX ? max_depth : FLUX_PATH_DEPTH_MAX;
    if (prefix_size > 0) {
        if (flux_path_check(prefix, prefix_size, &flatten->depth) != FLUX_PATH_OK)
            return -EINVAL;
        memcpy(flatten->path, prefix, prefix_size);
        flatten->path_size = prefix_size;
    }
    flatten->base_depth = flatten->depth;

    size_t buffer_size;
    int r = flatten_allocate(flatten, text, size, &buffer_size);
    if (r < 0)
        return r;
    flux_json_scanner_init(&flatten->scanner, flatten->buffer, buffer_size, FLATTEN_NESTING_MAX);
    flux_json_scanner_feed(&flatten->scanner, text, size, true);
    return 0;
}

void flux_json_flatten_clear(struct flux_json_flatten *flatten)
{
    flux_json_writer_clear(&flatten->array);
    free(flatten->buffer);
    flatten->buffer = NULL;
}

/* Fail at the token that was read last. */
static int flatten_fail(struct flux_json_flatten *flatten, int error, const char *text)
{
    flatten->path[flatten->path_size] = '\0';
    flatten->error = error;
    flatten->error_offset = flatten->scanner.token_offset;
    flatten->error_text = text;
    return error;
}

/* Fail with what the scanner found. */
static int flatten_fail_scan(struct flux_json_flatten *flatten)
{
    int r = flatten_fail(flatten, flatten->scanner.error, flatten->scanner.error_text);
    flatten->error_offset = flatten->scanner.error_offset;
    return r;
}

static int flatten_push(struct flux_json_flatten *flatten)
{
    size_t parent_size = flatten->path_size;
    enum flux_path_error error = flux_path_append(flatten->path, &flatten->path_size,
                                                  flatten->scanner.text, flatten->scanner.size);
    if (error != FLUX_PATH_OK)
        return flatten_fail(flatten, error == FLUX_PATH_TOO_LONG ? -E2BIG : -EINVAL,
                            flux_path_strerror(error));
    if (flatten->depth >= flatten->max_depth)
        return flatten_fail(flatten, -E2BIG, "too many levels of keys");
    flatten->parent_sizes[flatten->depth++] = (uint16_t)parent_size;
    flatten->is_fresh = false;
    return 0;
}

/* The value at `path` is complete: step back to its parent. The bytes stay, since the operation
 * handed out may borrow them. */
static void flatten_pop(struct flux_json_flatten *flatten)
{
    if (flatten->depth > flatten->base_depth)
        flatten->path_size = flatten->parent_sizes[--flatten->depth];
}

/* Write one scalar of an array. */
static int flatten_array_scalar(struct flux_json_flatten *flatten, enum flux_json_event event)
{
    struct flux_json_scanner *scanner = &flatten->scanner;
    struct flux_json_writer *array = &flatten->array;
    if (event == FLUX_JSON_STRING)
        flux_json_string(array, scanner->text, scanner->size);
    else if (event == FLUX_JSON_INT64)
        flux_json_int64(array, scanner->int64);
    else if (event == FLUX_JSON_BOOL)
        flux_json_bool(array, scanner->boolean);
    else if (event == FLUX_JSON_NULL)
        return flatten_fail(flatten, -EINVAL, "null inside an array");
    else if (scanner->is_overflow)
        return flatten_fail(flatten, -EINVAL, "an integer beyond 64 bits");
    else
        flux_json_double(array, scanner->real);
    return 0;
}

/* Write one event inside an array. `keys` counts the objects open in it. */
static int flatten_array_event(struct flux_json_flatten *flatten, enum flux_json_event event,
                               unsigned *keys)
{
    struct flux_json_scanner *scanner = &flatten->scanner;
    struct flux_json_writer *array = &flatten->array;
    switch (event) {
    case FLUX_JSON_BEGIN_OBJECT:
        ++*keys;
        flux_json_begin_object(array);
        return 0;
    case FLUX_JSON_END_OBJECT:
        --*keys;
        flux_json_end_object(array);
        return 0;
    case FLUX_JSON_BEGIN_ARRAY:
        flux_json_begin_array(array);
        return 0;
    case FLUX_JSON_END_ARRAY:
        flux_json_end_array(array);
        return 0;
    case FLUX_JSON_KEY:
        if (scanner->size == 0)
            return flatten_fail(flatten, -EINVAL, "an empty key inside an array");
        if (flatten->depth + *keys > flatten->max_depth)
            return flatten_fail(flatten, -E2BIG, "too many levels of keys");
        flux_json_key(array, scanner->text, scanner->size);
        return 0;
    case FLUX_JSON_STRING:
    case FLUX_JSON_INT64:
    case FLUX_JSON_DOUBLE:
    case FLUX_JSON_BOOL:
    case FLUX_JSON_NULL:
        return flatten_array_scalar(flatten, event);
    case FLUX_JSON_END_INPUT:
    case FLUX_JSON_END_DOCUMENT:
    case FLUX_JSON_MORE:
    case FLUX_JSON_ERROR:
        break;
    }
    return flatten_fail_scan(flatten);
}

/* Read the rest of an array whose opening bracket has been read. */
static int flatten_array(struct flux_json_flatten *flatten, struct flux_value *ret_value)
{
    struct flux_json_scanner *scanner = &flatten->scanner;
    unsigned outside = scanner->depth - 1;
    unsigned keys = 0;
    flux_json_writer_reset(&flatten->array);
    flux_json_begin_array(&flatten->array);
    while (scanner->depth > outside) {
        int r = flatten_array_event(flatten, flux_json_scanner_next(scanner), &keys);
        if (r < 0)
            return r;
        if (flatten->array.error == -ENOMEM)
            return flatten_fail(flatten, -ENOMEM, "out of memory");
        if (flatten->array.error != 0)
            return flatten_fail(flatten, -E2BIG, "an array is too long");
    }
    *ret_value = flux_value_array(flatten->array.text, flatten->array.size);
    return 0;
}

/* Make the value of the leaf, array or null that begins with `event`. */
static int flatten_leaf(struct flux_json_flatten *flatten, enum flux_json_event event,
                        struct flux_value *ret_value)
{
    struct flux_json_scanner *scanner = &flatten->scanner;
    switch (event) {
    case FLUX_JSON_STRING:
        if (scanner->size > FLUX_VALUE_BYTES_MAX)
            return flatten_fail(flatten, -E2BIG, "a string is too long");
        *ret_value = flux_value_string(scanner->text, scanner->size);
        return 0;
    case FLUX_JSON_INT64:
        *ret_value = flux_value_int64(scanner->int64);
        return 0;
    case FLUX_JSON_DOUBLE:
        if (scanner->is_overflow)
            return flatten_fail(flatten, -EINVAL, "an integer beyond 64 bits");
        *ret_value = flux_value_double(scanner->real);
        return 0;
    case FLUX_JSON_BOOL:
        *ret_value = flux_value_bool(scanner->boolean);
        return 0;
    case FLUX_JSON_NULL:
        *ret_value = (struct flux_value){.type = FLUX_VALUE_NONE};
        return 0;
    case FLUX_JSON_BEGIN_ARRAY:
        return flatten_array(flatten, ret_value);
    case FLUX_JSON_END_INPUT:
    case FLUX_JSON_BEGIN_OBJECT:
    case FLUX_JSON_END_OBJECT:
    case FLUX_JSON_END_ARRAY:
    case FLUX_JSON_KEY:
    case FLUX_JSON_END_DOCUMENT:
    case FLUX_JSON_MORE:
    case FLUX_JSON_ERROR:
        break;
    }
    return flatten_fail_scan(flatten);
}

/* Hand out the value at `path`. */
static int flatten_emit(struct flux_json_flatten *flatten, struct flux_value value,
                        struct flux_change *ret_change)
{
    *ret_change = (struct flux_change){
        .kind = value.type == FLUX_VALUE_NONE ? FLUX_UNSET : FLUX_SET,
        .path = flatten->path,
        .path_size = flatten->path_size,
        .value = value,
    };
    flatten_pop(flatten);
    return 1;
}

/* The document is complete: nothing may follow. */
static int flatten_end(struct flux_json_flatten *flatten)
{
    enum flux_json_event event = flux_json_scanner_next(&flatten->scanner);
    if (event == FLUX_JSON_ERROR)
        return flatten_fail_scan(flatten);
    if (event != FLUX_JSON_END_INPUT)
        return flatten_fail(flatten, -EINVAL, "something follows the document");
    flatten->is_done = true;
    return 0;
}

int flux_json_flatten_next(struct flux_json_flatten *flatten, struct flux_change *ret_change)
{
    while (flatten->error == 0 && !flatten->is_done) {
        enum flux_json_event event = flux_json_scanner_next(&flatten->scanner);
        if (event == FLUX_JSON_ERROR)
            return flatten_fail_scan(flatten);
        if (event == FLUX_JSON_END_INPUT)
            return flatten_fail(flatten, -EINVAL, "the document is empty");
        if (event == FLUX_JSON_END_DOCUMENT)
            return flatten_end(flatten);

        int r = 0;
        if (event == FLUX_JSON_BEGIN_OBJECT) {
            flatten->is_fresh = true;
        } else if (event == FLUX_JSON_KEY) {
            r = flatten_push(flatten);
        } else if (event == FLUX_JSON_END_OBJECT) {
            bool is_empty = flatten->is_fresh;
            flatten->is_fresh = false;
            if (is_empty && flatten->path_size > 0)
                return flatten_emit(flatten, flux_value_empty_object(), ret_change);
            flatten_pop(flatten);
        } else {
            struct flux_value value;
            if (flatten->path_size == 0)
                return flatten_fail(flatten, -EINVAL, "the document is not an object");
            r = flatten_leaf(flatten, event, &value);
            if (r == 0)
                return flatten_emit(flatten, value, ret_change);
        }
        if (r < 0)
            return r;
    }
    return flatten->error;
}
