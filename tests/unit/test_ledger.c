#include "daemon/shadow/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
    static struct ledger ledger;
    *state = &ledger;
    return ledger_init(&ledger, 1);
}

static int teardown(void **state)
{
    ledger_clear(*state);
    return 0;
}

static struct flux_property *set(struct ledger *ledger, const char *path, int64_t number)
{
    struct flux_value value = flux_value_int64(number);
    struct flux_property *property = NULL;
    assert_int_equal(ledger_apply(ledger, FLUX_SET, path, strlen(path), &value, 0, &property), 0);
    return property;
}

static struct flux_property *unset(struct ledger *ledger, const char *path)
{
    struct flux_property *property = NULL;
    assert_int_equal(ledger_apply(ledger, FLUX_UNSET, path, strlen(path), NULL, 0, &property), 0);
    return property;
}

/* Let the cloud hold a scalar, and objects above it. */
static void cloud_holds(struct ledger *ledger, const char *path, int64_t number)
{
    struct flux_property *property;
    assert_int_equal(flux_property_set_touch(&ledger->set, path, strlen(path), &property), 0);
    slot_of(property)->cloud = flux_value_int64(number);
    for (struct flux_property *p = property->parent; p; p = p->parent)
        slot_of(p)->cloud = flux_value_empty_object();
}

static enum ledger_fate fate(const struct flux_property *property, uint64_t revision)
{
    const struct flux_property *decider;
    int64_t version;
    return ledger_fate(property, revision, &decider, &version);
}

static void test_accepting_ends_all_older_revisions(void **state)
{
    struct ledger *ledger = *state;
    struct flux_property *a = set(ledger, "/a", 1);
    uint64_t first = ledger->newest_revision;
    (void)set(ledger, "/a", 2);
    uint64_t second = ledger->newest_revision;
    (void)set(ledger, "/a", 3);

    ledger_accept(ledger, a, second, 7);
    assert_int_equal(fate(a, first), LEDGER_ACCEPTED);
    assert_int_equal(fate(a, second), LEDGER_ACCEPTED);
    assert_int_equal(fate(a, second + 1), LEDGER_WAITING);
    assert_int_equal(slot_of(a)->state, SLOT_PENDING);
    assert_int_equal(ledger_settled_revision(ledger), second);

    ledger_accept(ledger, a, second + 1, 8);
    assert_int_equal(slot_of(a)->state, SLOT_SETTLED);
    assert_int_equal(slot_of(a)->accepted_version, 8);
    assert_int_equal(ledger_settled_revision(ledger), second + 1);
}

static void test_refusing_takes_what_the_value_had_replaced(void **state)
{
    struct ledger *ledger = *state;
    struct flux_property *a = set(ledger, "/a", 1);
    uint64_t accepted = ledger->newest_revision;
    ledger_accept(ledger, a, accepted, 7);
    (void)set(ledger, "/a", 2);
    (void)set(ledger, "/a", 3);
    ledger_refuse(ledger, a, accepted + 2, 400, "no");

    assert_int_equal(fate(a, accepted), LEDGER_ACCEPTED);
    assert_int_equal(fate(a, accepted + 1), LEDGER_REFUSED);
    assert_int_equal(fate(a, accepted + 2), LEDGER_REFUSED);
    assert_int_equal(slot_of(a)->state, SLOT_REFUSED);
    assert_false(ledger_has_value(a));
    assert_int_equal(a->value.int64, 3);
    assert_int_equal(ledger->refused_count, 1);
}

static void test_refusals_in_a_row_are_all_remembered(void **state)
{
    struct ledger *ledger = *state;
    struct flux_property *a = set(ledger, "/a", 1);
    uint64_t first = ledger->newest_revision;
    ledger_refuse(ledger, a, first, 400, "no");
    (void)set(ledger, "/a", 2);
    uint64_t second = ledger->newest_revision;
    ledger_refuse(ledger, a, second, 400, "no");
    assert_int_equal(fate(a, first), LEDGER_REFUSED);
    assert_int_equal(fate(a, second), LEDGER_REFUSED);
    (void)set(ledger, "/a", 3);
    uint64_t third = ledger->newest_revision;
    ledger_accept(ledger, a, third, 8);
    (void)set(ledger, "/a", 4);
    ledger_refuse(ledger, a, ledger->newest_revision, 400, "no");
    assert_int_equal(fate(a, third), LEDGER_ACCEPTED);
    assert_int_equal(fate(a, third + 1), LEDGER_REFUSED);
}

static void test_a_newer_value_survives_the_refusal_of_an_older(void **state)
{
    struct ledger *ledger = *state;
    struct flux_property *a = set(ledger, "/a", 1);
    uint64_t refused = ledger->newest_revision;
    (void)set(ledger, "/a", 2);
    ledger_refuse(ledger, a, refused, 400, "no");
    assert_int_equal(fate(a, refused), LEDGER_REFUSED);
    assert_int_equal(fate(a, refused + 1), LEDGER_WAITING);
    assert_int_equal(slot_of(a)->state, SLOT_PENDING);
}

static void test_a_replaced_subtree_shares_the_end_of_what_replaced_it(void **state)
{
    struct ledger *ledger = *state;
    struct flux_property *ab = set(ledger, "/a/b", 1);
    flux_property_pin(ab);
    uint64_t below = ledger->newest_revision;
    struct flux_property *a = set(ledger, "/a", 2);
    uint64_t above = ledger->newest_revision;

    assert_int_equal(slot_of(ab)->state, SLOT_EMPTY);
    assert_int_equal(fate(ab, below), LEDGER_WAITING);
    assert_int_equal(ledger_settled_revision(ledger), below - 1);
    ledger_accept(ledger, a, above, 5);
    assert_int_equal(fate(ab, below), LEDGER_ACCEPTED);
    assert_int_equal(ledger_settled_revision(ledger), above);
    flux_property_unpin(ab);
}

static void step(struct ledger *ledger, uint64_t random)
{
    static const char *const paths[] = {"/a", "/a/b", "/a/b/c", "/d", "/d/e", "/f"};
    const char *path = paths[random % 6];
    struct flux_value value = flux_value_int64((int64_t)(random >> 32));
    struct flux_property *p = flux_property_set_find(&ledger->set, path, strlen(path));
    uint64_t back = random >> 16 & 3;
    switch (random >> 8 & 7) {
    case 0:
        if (p && ledger_newest(p) > back)
            ledger_accept(ledger, p, ledger_newest(p) - back, 1);
        return;
    case 1:
        if (p && ledger_newest(p) > back)
            ledger_refuse(ledger, p, ledger_newest(p) - back, 400, "no");
        return;
    case 2:
        if (p && slot_of(p)->state == SLOT_REFUSED)
            ledger_retry(ledger, p);
        return;
    case 3:
        (void)ledger_apply(ledger, FLUX_UNSET, path, strlen(path), NULL, 0, &p);
        return;
    default:
        (void)ledger_apply(ledger, FLUX_SET, path, strlen(path), &value, 0, &p);
    }
}

static void test_what_has_settled_is_counted_anew_when_it_must(void **state)
{
    struct ledger *ledger = *state;
    uint64_t random = 0x9e3779b97f4a7c15u;
    for (int i = 0; i < 20000; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        step(ledger, random);
        uint64_t remembered = ledger_settled_revision(ledger);
        ledger->settled_known = false;
        assert_int_equal(remembered, ledger_settled_revision(ledger));
    }
}

static void test_refusing_a_child_brings_back_what_it_would_have_cut(void **state)
{
    struct ledger *ledger = *state;
    struct flux_property *a = set(ledger, "/a", 5);
    uint64_t scalar = ledger->newest_revision;
    struct flux_property *ac = set(ledger, "/a/c", 1);
    assert_true(a->cut);
    ledger_refuse(ledger, ac, ledger->newest_revision, 400, "no");
    assert_false(a->cut);
    assert_int_equal(fate(a, scalar), LEDGER_REFUSED);
    assert_int_equal(slot_of(a)->state, SLOT_EMPTY);
    assert_int_equal(ledger->pending.count, 0);
}

static void test_a_set_below_a_refused_scalar_cuts_nothing(void **state)
{
    struct ledger *ledger = *state;
    struct flux_property *a = set(ledger, "/a", 5);
    ledger_refuse(ledger, a, ledger->newest_revision, 413, "no");
    (void)set(ledger, "/a/c", 1);
    assert_false(a->cut);
    assert_int_equal(ledger->refused_count, 0);
}

static void test_a_cut_counts_the_foreign_keys_below_it(void **state)
{
    struct ledger *ledger = *state;
    cloud_holds(ledger, "/a/b", 1);
    cloud_holds(ledger, "/a/d/e", 1);
    (void)set(ledger, "/a", 5);
    struct flux_property *ac = set(ledger, "/a/c", 1);
    struct flux_property *a = ac->parent;
    assert_int_equal(ledger_mark_cut(a, LEDGER_CUT_MARK), 2);
    assert_true(slot_of(flux_property_set_find(&ledger->set, "/a/b", 4))->emit_null);
    assert_true(slot_of(flux_property_set_find(&ledger->set, "/a/d", 4))->emit_null);
    assert_false(slot_of(ac)->emit_null);
    assert_false(ledger_is_in_cloud(a));
}

static void test_a_cut_with_nothing_of_ours_below_removes_the_whole(void **state)
{
    struct ledger *ledger = *state;
    cloud_holds(ledger, "/a/b", 1);
    struct flux_property *a = unset(ledger, "/a");
    assert_int_equal(ledger_mark_cut(a, LEDGER_CUT_MARK), 1);
    assert_true(slot_of(a)->emit_null);
}

static void test_an_unset_of_what_the_cloud_lacks_is_done(void **state)
{
    struct ledger *ledger = *state;
    struct flux_property *a = unset(ledger, "/a");
    assert_true(ledger_is_in_cloud(a));
    ledger_accept(ledger, a, ledger->newest_revision, 3);
    assert_int_equal(slot_of(a)->state, SLOT_EMPTY);
    assert_int_equal(ledger->set.cut_count, 0);
}

static void test_held_updates_reach_up_and_down(void **state)
{
    struct ledger *ledger = *state;
    struct flux_property *ab = set(ledger, "/a/b", 1);
    struct flux_property *abc;
    assert_int_equal(flux_property_set_touch(&ledger->set, "/a/b/c", 6, &abc), 0);
    struct flux_property *x = set(ledger, "/x", 1);
    ledger_hold(ab);
    assert_true(ledger_is_unsettled(ab));
    assert_true(ledger_is_unsettled(ab->parent));
    assert_true(ledger_is_unsettled(abc));
    assert_false(ledger_is_unsettled(x));
    ledger_unhold(ab);
    assert_false(ledger_is_unsettled(ab->parent));
    assert_false(ledger_is_unsettled(abc));
}

static void test_removals_are_remembered_but_bounded(void **state)
{
    struct ledger *ledger = *state;
    char path[32];
    for (int i = 0; i < 20000; i++) {
        (void)snprintf(path, sizeof(path), "/p%d", i);
        struct flux_property *p = unset(ledger, path);
        while (ledger_next_fresh(ledger))
            ;
        ledger_accept(ledger, p, ledger->newest_revision, 1);
        if (i % 1000 == 0)
            ledger_prune(ledger);
    }
    ledger_prune(ledger);
    assert_in_range(ledger->set.node_count, LEDGER_NODES_KEPT / 2, LEDGER_NODES_KEPT + 1);
    assert_int_equal(ledger->set.cut_count, 0);
}

/* What was removed from above has ended with that, whatever is reported there afterwards. */
static void test_a_newer_operation_does_not_make_an_ended_one_wait(void **state)
{
    struct ledger *ledger = *state;
    struct flux_property *below = set(ledger, "/a/b", 1);
    uint64_t first = ledger->newest_revision;
    struct flux_property *a = unset(ledger, "/a");
    uint64_t second = ledger->newest_revision;
    struct flux_property *root = unset(ledger, "");
    ledger_accept(ledger, root, ledger->newest_revision, 5);
    struct flux_value object = flux_value_empty_object();
    struct flux_property *again = NULL;
    assert_int_equal(ledger_apply(ledger, FLUX_SET, "/a", 2, &object, 0, &again), 0);
    assert_ptr_equal(again, a);
    const struct flux_property *decider;
    int64_t version = 0;
    assert_int_equal(ledger_fate(below, first, &decider, &version), LEDGER_ACCEPTED);
    assert_int_equal(version, 5);
    assert_int_equal(ledger_fate(a, second, &decider, &version), LEDGER_ACCEPTED);
    assert_int_equal(version, 5);
    assert_int_equal(fate(a, ledger->newest_revision), LEDGER_WAITING);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_accepting_ends_all_older_revisions),
        CASE(test_refusing_takes_what_the_value_had_replaced),
        CASE(test_refusals_in_a_row_are_all_remembered),
        CASE(test_a_newer_value_survives_the_refusal_of_an_older),
        CASE(test_a_replaced_subtree_shares_the_end_of_what_replaced_it),
        CASE(test_what_has_settled_is_counted_anew_when_it_must),
        CASE(test_refusing_a_child_brings_back_what_it_would_have_cut),
        CASE(test_a_set_below_a_refused_scalar_cuts_nothing),
        CASE(test_a_cut_counts_the_foreign_keys_below_it),
        CASE(test_a_cut_with_nothing_of_ours_below_removes_the_whole),
        CASE(test_an_unset_of_what_the_cloud_lacks_is_done),
        CASE(test_held_updates_reach_up_and_down),
        CASE(test_removals_are_remembered_but_bounded),
        CASE(test_a_newer_operation_does_not_make_an_ended_one_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
