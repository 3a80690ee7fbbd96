#include "proto/limits.h"
#include "proto/property_set.h"
#include <errno.h>
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

/* Time and revision rise together here: the operation of revision n is made at n microseconds. */
struct fixture {
    struct flux_property_set set;
    struct flux_applied applied;
    uint64_t revision;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    assert_int_equal(flux_property_set_init(&fixture->set, sizeof(uint64_t), 0x5eed), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    flux_property_set_clear(&fixture->set);
    free(fixture);
    return 0;
}

static int try_set(struct fixture *f, const char *path, struct flux_value value)
{
    f->revision++;
    return flux_property_set_apply(&f->set, FLUX_SET, path, strlen(path), &value, f->revision,
                                   (int64_t)f->revision, &f->applied);
}

static void set_value(struct fixture *f, const char *path, struct flux_value value)
{
    assert_int_equal(try_set(f, path, value), 0);
}

static void set_int64(struct fixture *f, const char *path, int64_t int64)
{
    set_value(f, path, flux_value_int64(int64));
}

static void set_object(struct fixture *f, const char *path)
{
    set_value(f, path, flux_value_empty_object());
}

static void unset(struct fixture *f, const char *path)
{
    f->revision++;
    assert_int_equal(flux_property_set_apply(&f->set, FLUX_UNSET, path, strlen(path), NULL,
                                             f->revision, (int64_t)f->revision, &f->applied),
                     0);
}

static struct flux_property *find(struct fixture *f, const char *path)
{
    return flux_property_set_find(&f->set, path, strlen(path));
}

static struct flux_property *must_find(struct fixture *f, const char *path)
{
    struct flux_property *property = find(f, path);
    assert_non_null(property);
    assert_string_equal(property->path, path);
    return property;
}

/* The whole set as text: "/a=5 /b! /c!{}" - in walking order, ! is a cut, ~ one that replaced. */
static void assert_entries(struct fixture *f, const char *expected)
{
    char text[1024] = "";
    size_t size = 0, values = 0, cuts = 0, nodes = 1;
    struct flux_property *p = f->set.root;
    while ((p = flux_property_next(f->set.root, p)) != NULL) {
        nodes++;
        bool has_value = p->value.type != FLUX_VALUE_NONE;
        values += has_value;
        cuts += p->cut;
        if (!has_value && !p->cut)
            continue;
        const char *mark = !p->cut ? "" : p->replaced ? "~" : "!";
        char value[64] = "";
        if (p->value.type == FLUX_VALUE_INT64)
            snprintf(value, sizeof(value), "=%d", (int)p->value.int64);
        else if (p->value.type == FLUX_VALUE_EMPTY_OBJECT)
            snprintf(value, sizeof(value), "{}");
        else if (has_value)
            snprintf(value, sizeof(value), "=?");
        size += (size_t)snprintf(text + size, sizeof(text) - size, "%s%s%s%s", size > 0 ? " " : "",
                                 p->path, mark, value);
    }
    assert_string_equal(text, expected);
    assert_int_equal(f->set.value_count, values);
    assert_int_equal(f->set.cut_count, cuts);
    assert_int_equal(f->set.node_count, nodes);
}

static void test_newer_value_replaces_older(void **state)
{
    struct fixture *f = *state;
    set_int64(f, "/a", 1);
    assert_true(f->applied.value_changed);
    set_int64(f, "/a", 2);
    assert_true(f->applied.value_changed);
    assert_ptr_equal(f->applied.property, must_find(f, "/a"));
    assert_int_equal(f->applied.property->revision, 2);
    assert_int_equal(f->applied.property->set_us, 2);
    assert_entries(f, "/a=2");
}

static void test_an_equal_value_is_no_change_but_a_newer_revision(void **state)
{
    struct fixture *f = *state;
    set_int64(f, "/a", 1);
    set_value(f, "/a", flux_value_double(1.0));
    assert_false(f->applied.value_changed);
    assert_int_equal(must_find(f, "/a")->revision, 2);
    assert_int_equal(must_find(f, "/a")->value.type, FLUX_VALUE_DOUBLE);
    set_value(f, "/s", flux_value_string("x", 1));
    set_value(f, "/s", flux_value_string("x", 1));
    assert_false(f->applied.value_changed);
    set_value(f, "/l", flux_value_array("[1,2]", 5));
    set_value(f, "/l", flux_value_array("[1.0,2]", 7));
    assert_false(f->applied.value_changed);
    set_object(f, "/o");
    assert_true(f->applied.value_changed);
    set_object(f, "/o");
    assert_false(f->applied.value_changed);
    unset(f, "/o");
    assert_true(f->applied.value_changed);
    unset(f, "/o");
    assert_false(f->applied.value_changed);
    unset(f, "/never/heard/of");
    assert_true(f->applied.value_changed);
}

static void test_the_set_keeps_a_copy(void **state)
{
    struct fixture *f = *state;
    char path[] = "/name", text[] = "first";
    set_value(f, path, flux_value_string(text, 5));
    path[1] = 'X';
    text[0] = 'X';
    assert_string_equal(must_find(f, "/name")->value.text, "first");
    set_value(f, "/name", flux_value_string("other", 5));
    assert_string_equal(must_find(f, "/name")->value.text, "other");
    /* Even of what this very operation takes away. */
    set_value(f, "/name/first", must_find(f, "/name")->value);
    assert_string_equal(must_find(f, "/name/first")->value.text, "other");
    set_value(f, "/name", must_find(f, "/name/first")->value);
    assert_string_equal(must_find(f, "/name")->value.text, "other");
    assert_entries(f, "/name=?");
}

static void test_a_scalar_replaces_all_below(void **state)
{
    struct fixture *f = *state;
    set_int64(f, "/a/b/c", 1);
    unset(f, "/a/d");
    set_object(f, "/a/e");
    set_int64(f, "/ab", 2);
    assert_false(f->applied.cleared);
    set_int64(f, "/a", 5);
    assert_true(f->applied.cleared);
    assert_null(f->applied.converted);
    assert_entries(f, "/a=5 /ab=2");
    assert_non_null(find(f, "/a/b/c")); /* still there to be walked */
    set_int64(f, "/a", 6);
    assert_false(f->applied.cleared);
}

static void test_a_set_below_a_scalar_turns_it_into_a_cut(void **state)
{
    struct fixture *f = *state;
    set_int64(f, "/a", 5);
    set_int64(f, "/a/b/c", 1);
    struct flux_property *a = must_find(f, "/a");
    assert_ptr_equal(f->applied.converted, a);
    assert_int_equal(a->cut_revision, 2);
    assert_int_equal(a->revision, 1);
    assert_int_equal(a->set_us, 1);
    assert_int_equal(a->replaced_us, 2);
    assert_entries(f, "/a~ /a/b/c=1");
    set_int64(f, "/a/b/d", 1);
    assert_null(f->applied.converted);
    assert_int_equal(a->cut_revision, 2);
    flux_property_set_drop_cut(&f->set, a);
    assert_false(a->replaced);
    assert_entries(f, "/a/b/c=1 /a/b/d=1");
}

static void test_every_operation_below_a_scalar_replaces_it(void **state)
{
    struct fixture *f = *state;
    set_value(f, "/a", flux_value_array("[]", 2));
    set_object(f, "/a/b");
    assert_ptr_equal(f->applied.converted, must_find(f, "/a"));
    assert_entries(f, "/a~ /a/b{}");
    set_int64(f, "/c", 1);
    unset(f, "/c/d");
    assert_ptr_equal(f->applied.converted, must_find(f, "/c"));
    assert_entries(f, "/a~ /a/b{} /c~ /c/d!");
}

static void test_a_scalar_ends_the_cut_on_its_path(void **state)
{
    struct fixture *f = *state;
    unset(f, "/a");
    assert_entries(f, "/a!");
    set_int64(f, "/a", 1);
    assert_entries(f, "/a=1");
    assert_null(f->applied.converted);
}

static void test_a_cut_stays_under_what_is_set_below_it(void **state)
{
    struct fixture *f = *state;
    unset(f, "/a");
    set_int64(f, "/a/b", 1);
    assert_null(f->applied.converted);
    assert_entries(f, "/a! /a/b=1");
    assert_int_equal(must_find(f, "/a")->cut_revision, 1);
    unset(f, "/a");
    assert_true(f->applied.cleared);
    assert_entries(f, "/a!");
    assert_int_equal(must_find(f, "/a")->cut_revision, 3);
}

static void test_an_empty_object_merges_into_an_object(void **state)
{
    struct fixture *f = *state;
    set_int64(f, "/a/b", 1);
    set_object(f, "/a");
    assert_false(f->applied.cleared);
    assert_entries(f, "/a{} /a/b=1");
    set_int64(f, "/a/c", 2);
    assert_null(f->applied.converted);
    assert_entries(f, "/a{} /a/b=1 /a/c=2");
}

static void test_an_empty_object_over_a_scalar_cuts(void **state)
{
    struct fixture *f = *state;
    set_int64(f, "/a", 5);
    set_object(f, "/a");
    assert_true(f->applied.value_changed);
    assert_null(f->applied.converted);
    assert_entries(f, "/a!{}");
    assert_int_equal(must_find(f, "/a")->cut_revision, 2);
    assert_int_equal(must_find(f, "/a")->replaced_us, 0);
}

static void test_an_empty_object_keeps_the_cut_that_is_there(void **state)
{
    struct fixture *f = *state;
    unset(f, "/a");
    set_object(f, "/a");
    assert_entries(f, "/a!{}");
    assert_int_equal(must_find(f, "/a")->cut_revision, 1);
    unset(f, "/a");
    assert_entries(f, "/a!");
    set_int64(f, "/b", 1);
    set_int64(f, "/b/c", 1);
    set_object(f, "/b");
    assert_entries(f, "/a! /b~{} /b/c=1");
    unset(f, "/b");
    assert_entries(f, "/a! /b!");
}

static void test_an_unset_drops_all_below_and_leaves_one_cut(void **state)
{
    struct fixture *f = *state;
    set_object(f, "/a");
    set_int64(f, "/a/b", 1);
    unset(f, "/a/c");
    unset(f, "/a");
    assert_true(f->applied.cleared);
    assert_true(f->applied.value_changed);
    assert_entries(f, "/a!");
    assert_int_equal(must_find(f, "/a")->revision, 4);
    assert_int_equal(must_find(f, "/a")->cut_revision, 4);
}

static void test_the_empty_path_is_no_property(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(try_set(f, "", flux_value_int64(1)), -EINVAL);
    assert_ptr_equal(find(f, ""), f->set.root);
    assert_entries(f, "");
}

static void test_unsetting_the_root_drops_everything_and_leaves_one_cut(void **state)
{
    struct fixture *f = *state;
    set_int64(f, "/a/b", 1);
    set_int64(f, "/c", 2);
    unset(f, "/d");
    unset(f, "");
    assert_true(f->applied.cleared);
    assert_ptr_equal(f->applied.property, f->set.root);
    assert_true(f->set.root->cut);
    assert_int_equal(f->set.value_count, 0);
    assert_int_equal(f->set.cut_count, 1);
    set_int64(f, "/a/b", 3);
    assert_true(f->set.root->cut);
    assert_int_equal(f->set.value_count, 1);
    assert_true(flux_property_set_is_superseded(&f->set, "/c", 2, 0));
}

static void fill(struct fixture *f, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char path[32];
        snprintf(path, sizeof(path), "/full/%u", i);
        set_int64(f, path, i);
    }
}

static void test_values_and_cuts_together_are_bounded(void **state)
{
    struct fixture *f = *state;
    fill(f, FLUX_PROPERTIES_MAX - 1);
    unset(f, "/cut");
    size_t nodes = f->set.node_count;
    assert_int_equal(try_set(f, "/one/more", flux_value_int64(1)), -ENOSPC);
    assert_int_equal(try_set(f, "/cut", flux_value_empty_object()), -ENOSPC);
    assert_int_equal(try_set(f, "/full/1", flux_value_empty_object()), -ENOSPC);
    assert_int_equal(f->set.node_count, nodes);
    assert_int_equal(must_find(f, "/full/1")->value.int64, 1);
    assert_int_equal(f->set.value_count, FLUX_PROPERTIES_MAX - 1);
    assert_int_equal(f->set.cut_count, 1);
    assert_true(must_find(f, "/cut")->cut);
}

static void test_a_full_set_takes_what_needs_no_more_room(void **state)
{
    struct fixture *f = *state;
    fill(f, FLUX_PROPERTIES_MAX);
    set_int64(f, "/full/1", 77);
    unset(f, "/full/1");
    set_int64(f, "/full/1", 78);
    /* One entry becomes a cut, one is new: no room. */
    assert_int_equal(try_set(f, "/full/1/below", flux_value_int64(1)), -ENOSPC);
    assert_int_equal(must_find(f, "/full/1")->value.int64, 78);
    set_int64(f, "/full", 1);
    assert_entries(f, "/full=1");
}

static void test_a_full_set_finds_every_path(void **state)
{
    struct fixture *f = *state;
    fill(f, FLUX_PROPERTIES_MAX);
    assert_int_equal(f->set.node_count, FLUX_PROPERTIES_MAX + 2);
    for (unsigned i = 0; i < FLUX_PROPERTIES_MAX; i++) {
        char path[32];
        snprintf(path, sizeof(path), "/full/%u", i);
        assert_int_equal(must_find(f, path)->value.int64, i);
    }
    assert_null(find(f, "/full/4096"));
    assert_null(find(f, "/ful"));
}

static void test_nodes_know_their_place(void **state)
{
    struct fixture *f = *state;
    set_int64(f, "/ab/c~1d", 1);
    struct flux_property *leaf = must_find(f, "/ab/c~1d");
    assert_int_equal(leaf->depth, 2);
    assert_string_equal(leaf->path + leaf->key_offset, "c~1d");
    assert_ptr_equal(leaf->parent, must_find(f, "/ab"));
    assert_ptr_equal(leaf->parent->parent, f->set.root);
    assert_null(f->set.root->parent);
    assert_int_equal(leaf->parent->key_offset, 1);
    assert_int_equal(f->set.root->path_size, 0);
}

static void test_extensions_begin_zeroed_and_stay(void **state)
{
    struct fixture *f = *state;
    set_int64(f, "/a", 1);
    uint64_t *mine = (uint64_t *)must_find(f, "/a")->extension;
    assert_int_equal(*mine, 0);
    *mine = UINT64_MAX;
    set_int64(f, "/a", 2);
    unset(f, "/a");
    assert_int_equal(*(uint64_t *)must_find(f, "/a")->extension, UINT64_MAX);
    assert_string_equal(must_find(f, "/a")->path, "/a");
}

static void test_a_childs_key_is_escaped(void **state)
{
    struct fixture *f = *state;
    struct flux_property *child, *again;
    assert_int_equal(flux_property_set_child(&f->set, f->set.root, "a/b~c", 5, &child), 0);
    assert_string_equal(child->path, "/a~1b~0c");
    assert_int_equal(flux_property_set_child(&f->set, f->set.root, "a/b~c", 5, &again), 0);
    assert_ptr_equal(child, again);
    assert_int_equal(flux_property_set_child(&f->set, child, "", 0, &again), 0);
    assert_string_equal(again->path, "/a~1b~0c/");
    assert_entries(f, "");
}

static void test_a_childs_path_has_a_limit(void **state)
{
    struct fixture *f = *state;
    char key[FLUX_PATH_BYTES_MAX + 1];
    memset(key, 'x', sizeof(key));
    struct flux_property *child, *grandchild;
    struct flux_property *root = f->set.root;
    assert_int_equal(flux_property_set_child(&f->set, root, key, FLUX_PATH_BYTES_MAX, &child),
                     -ENAMETOOLONG);
    key[FLUX_PATH_BYTES_MAX - 2] = '/';
    assert_int_equal(flux_property_set_child(&f->set, root, key, FLUX_PATH_BYTES_MAX - 1, &child),
                     -ENAMETOOLONG);
    key[FLUX_PATH_BYTES_MAX - 2] = 'x';
    assert_int_equal(flux_property_set_child(&f->set, root, key, FLUX_PATH_BYTES_MAX - 1, &child),
                     0);
    assert_int_equal(child->path_size, FLUX_PATH_BYTES_MAX);
    assert_int_equal(flux_property_set_child(&f->set, child, "", 0, &grandchild), -ENAMETOOLONG);
}

static void test_touching_puts_no_entry(void **state)
{
    struct fixture *f = *state;
    struct flux_property *property, *again;
    assert_int_equal(flux_property_set_touch(&f->set, "/a/b", 4, &property), 0);
    assert_string_equal(property->path, "/a/b");
    assert_int_equal(flux_property_set_touch(&f->set, "/a/b", 4, &again), 0);
    assert_ptr_equal(property, again);
    assert_int_equal(flux_property_set_touch(&f->set, "", 0, &again), 0);
    assert_ptr_equal(again, f->set.root);
    assert_entries(f, "");
    assert_int_equal(f->set.node_count, 3);
}

static void test_prune_frees_only_what_holds_nothing(void **state)
{
    struct fixture *f = *state;
    set_int64(f, "/a/b", 1);
    set_int64(f, "/a/c", 1);
    unset(f, "/a/d");
    struct flux_property *a = must_find(f, "/a"), *b = must_find(f, "/a/b");
    struct flux_property *d = must_find(f, "/a/d");
    assert_false(flux_property_set_prune(&f->set, f->set.root));
    assert_false(flux_property_set_prune(&f->set, a));
    assert_false(flux_property_set_prune(&f->set, b));
    assert_false(flux_property_set_prune(&f->set, d));
    flux_property_set_drop_value(&f->set, b);
    flux_property_pin(b);
    flux_property_pin(b);
    flux_property_unpin(b);
    assert_false(flux_property_set_prune(&f->set, b));
    flux_property_unpin(b);
    assert_true(flux_property_set_prune(&f->set, b));
    assert_null(find(f, "/a/b"));
    flux_property_set_drop_cut(&f->set, d);
    flux_property_set_drop_cut(&f->set, d);
    assert_true(flux_property_set_prune(&f->set, d));
    assert_entries(f, "/a/c=1");
    flux_property_set_drop_value(&f->set, must_find(f, "/a/c"));
    flux_property_set_drop_value(&f->set, must_find(f, "/a/c"));
    assert_true(flux_property_set_prune(&f->set, must_find(f, "/a/c")));
    assert_true(flux_property_set_prune(&f->set, a));
    assert_entries(f, "");
    assert_int_equal(f->set.node_count, 1);
    assert_null(f->set.root->first_child);
    assert_null(f->set.root->last_child);
}

static void test_the_walk_is_in_pre_order_and_stays_below(void **state)
{
    struct fixture *f = *state;
    set_int64(f, "/a/b/c", 1);
    set_int64(f, "/a/d", 2);
    set_int64(f, "/e", 3);
    static const char *const order[] = {"/a", "/a/b", "/a/b/c", "/a/d", "/e"};
    struct flux_property *root = f->set.root, *p = root;
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        p = flux_property_next(root, p);
        assert_string_equal(p->path, order[i]);
    }
    assert_null(flux_property_next(root, p));
    struct flux_property *a = must_find(f, "/a"), *b = must_find(f, "/a/b");
    assert_string_equal(flux_property_skip(a, b)->path, "/a/d");
    assert_null(flux_property_next(a, must_find(f, "/a/d")));
    assert_null(flux_property_skip(a, a));
    assert_null(flux_property_next(b, must_find(f, "/a/b/c")));
}

static bool is_superseded(struct fixture *f, const char *path, int64_t set_us)
{
    return flux_property_set_is_superseded(&f->set, path, strlen(path), set_us);
}

static void test_resent_is_superseded_by_what_came_later_on_its_path(void **state)
{
    struct fixture *f = *state;
    f->revision = 9;
    set_int64(f, "/a/b", 1);
    assert_true(is_superseded(f, "/a/b", 9));
    assert_false(is_superseded(f, "/a/b", 10));
    assert_false(is_superseded(f, "/a/b", 11));
    assert_false(is_superseded(f, "/a/c", 1));
    assert_false(is_superseded(f, "/x/y", 1));
    unset(f, "/u");
    assert_true(is_superseded(f, "/u", 10));
    assert_false(is_superseded(f, "/u", 11));
}

static void test_resent_is_superseded_by_what_replaced_it_from_below(void **state)
{
    struct fixture *f = *state;
    f->revision = 9;
    set_int64(f, "/a", 1);
    set_int64(f, "/a/b", 1);
    assert_true(is_superseded(f, "/a", 10));
    assert_false(is_superseded(f, "/a", 11));
    flux_property_set_drop_value(&f->set, must_find(f, "/a/b"));
    assert_true(is_superseded(f, "/a", 10));
    /* Also when nobody here had heard of the older one. */
    set_int64(f, "/n/b", 1);
    assert_true(is_superseded(f, "/n", 11));
    assert_false(is_superseded(f, "/n", 12));
}

static void test_resent_is_superseded_by_what_replaced_it_from_above(void **state)
{
    struct fixture *f = *state;
    f->revision = 9;
    set_int64(f, "/a", 1);
    assert_true(is_superseded(f, "/a/b/c", 9));
    assert_false(is_superseded(f, "/a/b/c", 10));
    unset(f, "/u");
    assert_true(is_superseded(f, "/u/x", 10));
    assert_false(is_superseded(f, "/u/x", 11));
    set_int64(f, "/u/y", 1);
    assert_true(is_superseded(f, "/u/x", 10));
}

static void test_resent_is_not_superseded_by_an_object_above(void **state)
{
    struct fixture *f = *state;
    f->revision = 9;
    set_object(f, "/o");
    assert_false(is_superseded(f, "/o/x", 1));
    set_int64(f, "/a", 1);
    set_object(f, "/a");
    assert_true(is_superseded(f, "/a/x", 10));  /* the scalar replaced it */
    assert_false(is_superseded(f, "/a/x", 11)); /* the object does not */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_newer_value_replaces_older),
        TEST(test_an_equal_value_is_no_change_but_a_newer_revision),
        TEST(test_the_set_keeps_a_copy),
        TEST(test_a_scalar_replaces_all_below),
        TEST(test_a_set_below_a_scalar_turns_it_into_a_cut),
        TEST(test_every_operation_below_a_scalar_replaces_it),
        TEST(test_a_scalar_ends_the_cut_on_its_path),
        TEST(test_a_cut_stays_under_what_is_set_below_it),
        TEST(test_an_empty_object_merges_into_an_object),
        TEST(test_an_empty_object_over_a_scalar_cuts),
        TEST(test_an_empty_object_keeps_the_cut_that_is_there),
        TEST(test_an_unset_drops_all_below_and_leaves_one_cut),
        TEST(test_the_empty_path_is_no_property),
        TEST(test_unsetting_the_root_drops_everything_and_leaves_one_cut),
        TEST(test_values_and_cuts_together_are_bounded),
        TEST(test_a_full_set_takes_what_needs_no_more_room),
        TEST(test_a_full_set_finds_every_path),
        TEST(test_nodes_know_their_place),
        TEST(test_extensions_begin_zeroed_and_stay),
        TEST(test_a_childs_key_is_escaped),
        TEST(test_a_childs_path_has_a_limit),
        TEST(test_touching_puts_no_entry),
        TEST(test_prune_frees_only_what_holds_nothing),
        TEST(test_the_walk_is_in_pre_order_and_stays_below),
        TEST(test_resent_is_superseded_by_what_came_later_on_its_path),
        TEST(test_resent_is_superseded_by_what_replaced_it_from_below),
        TEST(test_resent_is_superseded_by_what_replaced_it_from_above),
        TEST(test_resent_is_not_superseded_by_an_object_above),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
