#include "tests/scenario/doc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *doc_at(const json_t *root, const char *path)
{
    json_t *node = (json_t *)root;
    while (node != NULL && *path == '/') {
        const char *key = path + 1;
        size_t size = strcspn(key, "/");
        node = json_is_object(node) ? json_object_getn(node, key, size) : NULL;
        path = key + size;
    }
    return node;
}

json_t *doc_nest(const char *path, json_t *value)
{
    const char *key;
    size_t size = strlen(path);
    while (size > 0) {
        size_t start = size;
        while (path[start - 1] != '/')
            start--;
        key = path + start;
        json_t *object = json_object();
        json_object_setn_new(object, key, size - start, value);
        value = object;
        size = start - 1;
    }
    return value;
}

void doc_merge(json_t *target, const json_t *patch)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)patch, key, value)
    {
        if (json_is_null(value)) {
            json_object_del(target, key);
            continue;
        }
        if (!json_is_object(value)) {
            json_object_set_new(target, key, json_deep_copy(value));
            continue;
        }
        if (!json_is_object(json_object_get(target, key)))
            json_object_set_new(target, key, json_object());
        doc_merge(json_object_get(target, key), value);
    }
}

json_t *doc_mark(const json_t *patch, json_int_t mark)
{
    if (json_is_null(patch))
        return json_null();
    if (!json_is_object(patch))
        return json_integer(mark);
    json_t *copy = json_object();
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)patch, key, value)
    {
        json_object_set_new(copy, key, doc_mark(value, mark));
    }
    return copy;
}

static bool doc_numbers_equal(const json_t *a, const json_t *b)
{
    if (json_is_integer(a) && json_is_integer(b))
        return json_integer_value(a) == json_integer_value(b);
    double real_a = json_number_value(a);
    double real_b = json_number_value(b);
    return real_a <= real_b && real_a >= real_b;
}

static bool doc_objects_equal(const json_t *a, const json_t *b, bool ignore_hollow)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)a, key, value)
    {
        const json_t *other = json_object_get(b, key);
        if (ignore_hollow && other == NULL && doc_is_hollow(value))
            continue;
        if (!doc_equal(value, other, ignore_hollow))
            return false;
    }
    json_object_foreach((json_t *)b, key, value)
    {
        bool absent = json_object_get(a, key) == NULL;
        if (absent && !(ignore_hollow && doc_is_hollow(value)))
            return false;
    }
    return true;
}

static bool doc_arrays_equal(const json_t *a, const json_t *b)
{
    if (json_array_size(a) != json_array_size(b))
        return false;
    for (size_t i = 0; i < json_array_size(a); i++)
        if (!doc_equal(json_array_get(a, i), json_array_get(b, i), false))
            return false;
    return true;
}

bool doc_equal(const json_t *a, const json_t *b, bool ignore_hollow)
{
    if (a == NULL || b == NULL)
        return a == b;
    if (json_is_number(a) && json_is_number(b))
        return doc_numbers_equal(a, b);
    if (json_is_object(a) && json_is_object(b))
        return doc_objects_equal(a, b, ignore_hollow);
    if (json_is_array(a) && json_is_array(b))
        return doc_arrays_equal(a, b);
    return json_equal(a, b) != 0;
}

bool doc_is_hollow(const json_t *node)
{
    if (node == NULL || json_is_null(node))
        return true;
    if (!json_is_object(node))
        return false;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)node, key, value)
    {
        if (!doc_is_hollow(value))
            return false;
    }
    return true;
}

bool doc_covers(const char *above, const char *path)
{
    size_t size = strlen(above);
    return strncmp(above, path, size) == 0 && (path[size] == '\0' || path[size] == '/');
}

bool doc_overlaps(const char *a, const char *b)
{
    return doc_covers(a, b) || doc_covers(b, a);
}

static void doc_walk(const json_t *node, char *path, size_t size, doc_visit visit, void *data)
{
    if (!json_is_object(node) || json_object_size(node) == 0) {
        if (size > 0)
            visit(data, path, node);
        return;
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)node, key, value)
    {
        size_t key_size = strlen(key);
        if (size + key_size + 2 > DOC_PATH_MAX)
            abort();
        path[size] = '/';
        memcpy(path + size + 1, key, key_size + 1);
        doc_walk(value, path, size + 1 + key_size, visit, data);
        path[size] = '\0';
    }
}

void doc_each_leaf(const json_t *root, doc_visit visit, void *data)
{
    char path[DOC_PATH_MAX] = "";
    doc_walk(root, path, 0, visit, data);
}

json_t *doc_parse(const char *text)
{
    json_error_t error;
    json_t *node = json_loads(text, JSON_DECODE_ANY, &error);
    if (node == NULL) {
        fprintf(stderr, "not JSON: %s\n%s\n", text, error.text);
        abort();
    }
    return node;
}
