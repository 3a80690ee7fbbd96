/* Sequential truth, at random: operations applied one by one to a document by the shadow service's
 * merge rules must end like the same operations coalesced in the set and sent as one document,
 * although the set never saw what the cloud held before. */
#include "proto/property_set.h"
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#define RUNS           4000u
#define ROUNDS         3u
#define OPERATIONS_MAX 12u
#define DEPTH_MAX      4u
#define PATH_MAX_SIZE  (2 * DEPTH_MAX + 1)

static uint64_t current_seed;

struct operation {
    enum flux_operation kind;
    char path[PATH_MAX_SIZE];
    struct flux_value value;
    int64_t set_us;
};

struct run {
    uint64_t random;
    struct flux_property_set set;
    json_t *sequential; /* what the operations one by one make of the cloud */
    json_t *cloud;      /* what the documents built from the set make of it */
    struct operation operations[OPERATIONS_MAX];
    size_t operation_count;
    int64_t now_us;
};

static unsigned draw(struct run *run, unsigned below)
{
    run->random ^= run->random << 13;
    run->random ^= run->random >> 7;
    run->random ^= run->random << 17;
    return (unsigned)((run->random >> 20) % below);
}

static json_t *random_leaf(struct run *run)
{
    switch (draw(run, 4)) {
    case 0:
        return json_pack("[i]", (int)draw(run, 3));
    case 1:
        return json_string("cloud");
    default:
        return json_integer(draw(run, 3));
    }
}

static json_t *random_object(struct run *run, unsigned depth)
{
    json_t *object = json_object();
    for (char key = 'a'; key <= 'c'; key++) {
        unsigned kind = draw(run, 3);
        const char name[2] = {key, '\0'};
        if (kind == 1 || (kind == 2 && depth == DEPTH_MAX))
            json_object_set_new(object, name, random_leaf(run));
        else if (kind == 2)
            json_object_set_new(object, name, random_object(run, depth + 1));
    }
    return object;
}

static struct operation random_operation(struct run *run)
{
    struct operation operation = {.kind = draw(run, 4) == 0 ? FLUX_UNSET : FLUX_SET};
    unsigned depth = 1 + draw(run, DEPTH_MAX);
    for (unsigned i = 0; i < depth; i++) {
        operation.path[2 * i] = '/';
        operation.path[2 * i + 1] = (char)('a' + draw(run, 3));
    }
    switch (draw(run, 5)) {
    case 0:
        operation.value = flux_value_empty_object();
        break;
    case 1:
        operation.value = flux_value_string("ours", 4);
        break;
    case 2:
        operation.value = flux_value_array("[1]", 3);
        break;
    default:
        operation.value = flux_value_int64(draw(run, 3));
        break;
    }
    operation.set_us = ++run->now_us;
    return operation;
}

static json_t *to_json(const struct flux_value *value)
{
    switch (value->type) {
    case FLUX_VALUE_NONE:
        return json_null();
    case FLUX_VALUE_INT64:
        return json_integer(value->int64);
    case FLUX_VALUE_STRING:
        return json_stringn(value->text, value->size);
    case FLUX_VALUE_ARRAY:
        return json_loadb(value->text, value->size, 0, NULL);
    case FLUX_VALUE_EMPTY_OBJECT:
        return json_object();
    case FLUX_VALUE_BOOL:
    case FLUX_VALUE_DOUBLE:
        break;
    }
    return NULL;
}

/* Takes over `value`. Puts it into a document under a path, making the objects on the way. */
static void put(json_t *document, const char *path, json_t *value)
{
    while (strlen(path) > 2) {
        const char key[2] = {path[1], '\0'};
        json_t *next = json_object_get(document, key);
        if (json_is_null(next)) { /* goes already, with all below */
            assert_true(json_is_null(value));
            return;
        }
        if (!json_is_object(next)) {
            next = json_object();
            json_object_set_new(document, key, next);
        }
        document = next;
        path += 2;
    }
    /* {} says nothing that members there do not say. */
    json_t *old = json_object_get(document, path + 1);
    if (json_is_object(old) && json_is_object(value))
        json_decref(value);
    else
        json_object_set_new(document, path + 1, value);
}

/* The value at a path; *ret_leaf_above tells that a scalar or array stands in the way. */
static json_t *get(json_t *document, const char *path, bool *ret_leaf_above)
{
    *ret_leaf_above = false;
    for (; *path != '\0' && document != NULL; path += 2) {
        if (!json_is_object(document)) {
            *ret_leaf_above = true;
            return NULL;
        }
        const char key[2] = {path[1], '\0'};
        document = json_object_get(document, key);
    }
    return document;
}

/* The shadow service's merge: objects merge, null removes, all else replaces. */
static void merge(json_t *target, const json_t *patch)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)patch, key, value)
    {
        if (json_is_null(value)) {
            json_object_del(target, key);
        } else if (json_is_object(value)) {
            json_t *inner = json_object_get(target, key);
            if (!json_is_object(inner)) {
                inner = json_object();
                json_object_set_new(target, key, inner);
            }
            merge(inner, value);
        } else {
            json_object_set(target, key, value);
        }
    }
}

static void drop_empty_objects(json_t *object)
{
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(object, next, key, value)
    {
        if (!json_is_object(value))
            continue;
        drop_empty_objects(value);
        if (json_object_size(value) == 0)
            json_object_del(object, key);
    }
}

static bool holds_value_below(const struct flux_property *top)
{
    for (const struct flux_property *p = top; p != NULL; p = flux_property_next(top, p))
        if (p->value.type != FLUX_VALUE_NONE)
            return true;
    return false;
}

/* The cut at `path` as nulls for all that the cloud holds there and the set does not. */
static void put_cut(struct run *run, json_t *document, const char *path)
{
    bool leaf_above;
    json_t *held = get(run->cloud, path, &leaf_above);
    const struct flux_property *property = flux_property_set_find(&run->set, path, strlen(path));
    if (property == NULL || !holds_value_below(property)) {
        /* The removal also makes an object of a foreign scalar above. */
        if (held != NULL || leaf_above)
            put(document, path, json_null());
        return;
    }
    if (flux_property_is_leaf(property) || !json_is_object(held))
        return;
    const char *key;
    json_t *value;
    json_object_foreach(held, key, value)
    {
        char below[PATH_MAX_SIZE + 2];
        snprintf(below, sizeof(below), "%s/%s", path, key);
        put_cut(run, document, below);
    }
}

static json_t *build_document(struct run *run)
{
    json_t *document = json_object();
    struct flux_property *p = run->set.root;
    while ((p = flux_property_next(run->set.root, p)) != NULL) {
        if (p->cut)
            put_cut(run, document, p->path);
        if (p->value.type != FLUX_VALUE_NONE)
            put(document, p->path, to_json(&p->value));
    }
    return document;
}

static void apply_to_set(struct run *run, const struct operation *operation, uint64_t revision)
{
    struct flux_applied applied;
    bool is_set = operation->kind == FLUX_SET;
    assert_int_equal(flux_property_set_apply(
                         &run->set, operation->kind, operation->path, strlen(operation->path),
                         is_set ? &operation->value : NULL, revision, operation->set_us, &applied),
                     0);
    assert_string_equal(applied.property->path, operation->path);
}

static void apply_one_by_one(struct run *run, const struct operation *operation)
{
    json_t *patch = json_object();
    json_t *value = operation->kind == FLUX_SET ? to_json(&operation->value) : json_null();
    put(patch, operation->path, value);
    merge(run->sequential, patch);
    json_decref(patch);
}

/* No entry has a scalar or array above it; the counts are true. */
static void assert_consistent(const struct flux_property_set *set)
{
    size_t values = 0, cuts = 0, nodes = 0;
    for (const struct flux_property *p = set->root; p != NULL;
         p = flux_property_next(set->root, p)) {
        nodes++;
        bool has_value = p->value.type != FLUX_VALUE_NONE;
        values += has_value;
        cuts += p->cut;
        assert_false(p->cut && flux_property_is_leaf(p));
        for (const struct flux_property *up = p->parent; up != NULL; up = up->parent)
            assert_false((has_value || p->cut) && flux_property_is_leaf(up));
    }
    assert_int_equal(set->value_count, values);
    assert_int_equal(set->cut_count, cuts);
    assert_int_equal(set->node_count, nodes);
}

/* What was set to {} is an object at both ends, though empty ones do not count otherwise. */
static void assert_objects_stand(struct run *run)
{
    bool leaf_above;
    struct flux_property *p = run->set.root;
    while ((p = flux_property_next(run->set.root, p)) != NULL) {
        if (p->value.type != FLUX_VALUE_EMPTY_OBJECT)
            continue;
        assert_true(json_is_object(get(run->sequential, p->path, &leaf_above)));
        assert_true(json_is_object(get(run->cloud, p->path, &leaf_above)));
    }
}

static void send_and_compare(struct run *run)
{
    json_t *document = build_document(run);
    json_t *cloud = json_deep_copy(run->cloud);
    json_t *held = run->cloud;
    merge(cloud, document);
    run->cloud = cloud;
    assert_objects_stand(run);
    json_t *expected = json_deep_copy(run->sequential), *got = json_deep_copy(cloud);
    drop_empty_objects(expected);
    drop_empty_objects(got);
    if (!json_equal(expected, got)) {
        char *texts[] = {json_dumps(held, 0), json_dumps(document, 0), json_dumps(expected, 0),
                         json_dumps(got, 0)};
        print_error("cloud %s\nsent %s\nexpected %s\ngot %s\n", texts[0], texts[1], texts[2],
                    texts[3]);
        for (size_t i = 0; i < 4; i++)
            free(texts[i]);
        fail();
    }
    json_decref(expected);
    json_decref(got);
    json_decref(held);
    json_decref(document);
}

/* What was applied and comes again, in whatever order, is overtaken or changes nothing. */
static void resend_all(struct run *run, uint64_t revision)
{
    for (size_t i = 0; i < run->operation_count; i++) {
        const struct operation *operation =
            &run->operations[draw(run, (unsigned)run->operation_count)];
        if (!flux_property_set_is_superseded(&run->set, operation->path, strlen(operation->path),
                                             operation->set_us))
            apply_to_set(run, operation, revision + i);
    }
}

static void accept_all(struct run *run)
{
    struct flux_property *p = run->set.root;
    while ((p = flux_property_next(run->set.root, p)) != NULL)
        flux_property_set_drop_cut(&run->set, p);
}

static void run_seed(uint64_t seed, bool resend)
{
    struct run run = {.random = seed * 0x9e3779b97f4a7c15u + 1};
    for (int i = 0; i < 8; i++)
        (void)draw(&run, 1);
    assert_int_equal(flux_property_set_init(&run.set, 0, seed), 0);
    run.cloud = random_object(&run, 1);
    run.sequential = json_deep_copy(run.cloud);
    uint64_t revision = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        run.operation_count = 1 + draw(&run, OPERATIONS_MAX);
        for (size_t i = 0; i < run.operation_count; i++) {
            run.operations[i] = random_operation(&run);
            apply_one_by_one(&run, &run.operations[i]);
            apply_to_set(&run, &run.operations[i], ++revision);
            assert_consistent(&run.set);
        }
        if (resend)
            resend_all(&run, revision);
        assert_consistent(&run.set);
        send_and_compare(&run);
        accept_all(&run);
    }
    json_decref(run.cloud);
    json_decref(run.sequential);
    flux_property_set_clear(&run.set);
}

/* TEST_SEED=n runs that one alone. */
static void run_seeds(bool resend)
{
    const char *only = getenv("TEST_SEED");
    uint64_t first = only != NULL ? strtoull(only, NULL, 10) : 1;
    uint64_t last = only != NULL ? first : RUNS;
    for (uint64_t seed = first; seed <= last; seed++) {
        current_seed = seed;
        run_seed(seed, resend);
    }
}

static void test_coalesced_operations_end_like_single_ones(void **state)
{
    (void)state;
    run_seeds(false);
}

static void test_operations_sent_again_change_nothing(void **state)
{
    (void)state;
    run_seeds(true);
}

static int report_seed(void **state)
{
    (void)state;
    if (current_seed != RUNS)
        print_error("ended at TEST_SEED=%llu\n", (unsigned long long)current_seed);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_coalesced_operations_end_like_single_ones, report_seed),
        cmocka_unit_test_teardown(test_operations_sent_again_change_nothing, report_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
