/* Nothing lost, nothing set back: what a crash of the daemon or of the machine leaves. Invariant:
 * what was STORED or ACCEPTED is in the cloud or on the disk, and no restart makes the cloud go
 * back to an older value of ours. The oracle compares the disk with the reports after each commit.
 */
#include "tests/scenario/durable.h"

#include "tests/scenario/sim_watch.h"
#include <string.h>

#define REPORTED(text) "{\"state\":{\"reported\":" text "}}"
#define DESIRED(text)  "{\"state\":{\"desired\":" text "}}"

static size_t set_at(struct sim *sim, enum sim_level level, const char *path, const char *json)
{
    sim->level = level;
    size_t op = sim_set(sim, path, json);
    sim->level = SIM_ACCEPTED;
    return op;
}

/* 700: what was committed and not sent goes out after a crash, although nobody sends it again. */
static void test_700_what_is_stored_reaches_the_cloud_after_a_crash(void **state)
{
    (void)state;
    struct sim *sim = durable_new("{\"reported\":{\"a\":0}}");
    (void)set_at(sim, SIM_STORED, "/a", "1");
    sim_run(sim, SIM_SECOND);
    assert_on_disk(sim, "/a", SAVED_PENDING);
    sim_restart(sim);
    assert_int_equal(sim->waiting_count, 0);
    durable_connect(sim);
    assert_reported(sim, "{\"a\":1}");
    durable_end(sim);
}

/* 701: the same after a power cut. */
static void test_701_what_is_stored_survives_a_power_cut(void **state)
{
    (void)state;
    struct sim *sim = durable_new("{\"reported\":{\"a\":0,\"b\":{\"c\":1}}}");
    (void)set_at(sim, SIM_STORED, "/a", "[1,{\"q\":\"\\u00e4\"}]");
    (void)set_at(sim, SIM_STORED, "/n/m", "0.1");
    (void)set_at(sim, SIM_STORED, "/e", "{}");
    (void)set_at(sim, SIM_STORED, "/s", "\"\"");
    sim_run(sim, SIM_SECOND);
    sim_restart_after(sim, SIM_POWER_CUT);
    durable_connect(sim);
    assert_reported(
        sim,
        "{\"a\":[1,{\"q\":\"\\u00e4\"}],\"b\":{\"c\":1},\"n\":{\"m\":0.1},\"e\":{},\"s\":\"\"}");
    durable_end(sim);
}

/* 702: what was QUEUED only may go with a crash; what the cloud has stays. */
static void test_702_only_what_was_queued_is_lost(void **state)
{
    (void)state;
    struct sim *sim = durable_up("{\"reported\":{}}");
    size_t op = sim_set(sim, "/a", "1");
    sim_run(sim, 5 * SIM_SECOND);
    assert_accepted(sim, op);
    sim_link_down(sim);
    (void)set_at(sim, SIM_QUEUED, "/a", "2");
    sim_restart(sim);
    durable_connect(sim);
    assert_reported(sim, "{\"a\":1}");
    durable_end(sim);
}

/* 703: an update that arrived, but whose answer died with the daemon, is found in the cloud: no
 * second one. */
static void test_703_what_arrived_is_not_sent_twice(void **state)
{
    (void)state;
    struct sim *sim = durable_up("{\"reported\":{\"a\":0}}");
    sim->hold_answer_ms = SIM_MINUTE;
    (void)set_at(sim, SIM_STORED, "/a", "1");
    sim_run(sim, SIM_SECOND);
    assert_reported(sim, "{\"a\":1}");
    assert_on_disk(sim, "/a", SAVED_PENDING);
    sim_restart(sim);
    durable_connect(sim);
    assert_true(sim->updates <= 2); /* it cannot know: then the version says so */
    assert_reported(sim, "{\"a\":1}");
    durable_end(sim);
}

/* 704: newer reported, older on the disk: a crash before the commit cannot set the cloud back,
 * because nothing newer went out. */
static void test_704_never_backwards_across_a_crash(void **state)
{
    (void)state;
    struct sim_options options;
    durable_options(&options);
    options.commit_ms = 300;
    options.thing.interval_ms = 100;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{\"a\":0}}");
    for (int i = 1; i < 40; i++) {
        char text[16];
        (void)snprintf(text, sizeof(text), "%d", i);
        (void)set_at(sim, i % 3 == 0 ? SIM_STORED : SIM_QUEUED, "/a", text);
        sim_run(sim, 170);
        json_int_t before = json_integer_value(json_object_get(sim_reported(sim), "a"));
        if (i % 7 != 0)
            continue;
        sim_restart_after(sim, i % 2 == 0 ? SIM_KILLED : SIM_POWER_CUT);
        durable_connect(sim);
        assert_true(json_integer_value(json_object_get(sim_reported(sim), "a")) >= before);
    }
    durable_end(sim);
}

/* 705: unchanged is no reason to claim what a crash would take back. */
static void test_705_accepted_implies_stored(void **state)
{
    (void)state;
    struct sim *sim = durable_up("{\"reported\":{}}");
    size_t op = sim_set(sim, "/a", "1");
    sim_run(sim, 5 * SIM_SECOND);
    assert_accepted(sim, op);
    shadow_service_reject_next(sim->cloud, SHADOW_SERVICE_UPDATE, 1, 429);
    (void)set_at(sim, SIM_STORED, "/a", "2");
    sim_run(sim, 500);
    assert_on_disk(sim, "/a", SAVED_PENDING);
    op = sim_set(sim, "/a", "1"); /* what the cloud holds */
    sim_run(sim, 3);              /* a commit takes longer */
    assert_waiting(sim, op);
    sim_run(sim, SIM_SECOND);
    assert_accepted(sim, op);
    sim_restart(sim);
    durable_connect(sim);
    assert_reported(sim, "{\"a\":1}");
    durable_end(sim);
}

/* 706: and where the disk says it already, it is free: no commit at all. */
static void test_706_unchanged_costs_no_commit(void **state)
{
    (void)state;
    struct sim_options options;
    durable_options(&options);
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{}}");
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, SIM_MINUTE);
    size_t commits = sim->store->commits;
    for (int i = 0; i < 1000; i++) {
        size_t op = sim_set(sim, "/a", "1");
        sim_run(sim, 10);
        assert_accepted(sim, op);
    }
    assert_true(sim->store->commits <= commits + 1); /* SyncIntervalMs, for the times */
    assert_int_equal(sim->updates, 1);
    durable_end(sim);
}

/* 707: sent again after a crash, and overtaken by what is on the disk. */
static void test_707_resent_is_not_newer_across_a_restart(void **state)
{
    (void)state;
    struct sim *sim = durable_new("{\"reported\":{}}");
    int64_t before_us = sim_take_us(sim);
    sim_run(sim, 10);
    (void)set_at(sim, SIM_STORED, "/a", "2");
    (void)set_at(sim, SIM_STORED, "/b/c", "2");
    sim_run(sim, SIM_SECOND);
    sim_restart(sim);
    size_t a = sim_resend(sim, "/a", "1", before_us);
    size_t b = sim_resend(sim, "/b", "1", before_us);
    durable_connect(sim);
    assert_reported(sim, "{\"a\":2,\"b\":{\"c\":2}}");
    assert_accepted(sim, a);
    assert_accepted(sim, b);
    durable_end(sim);
}

/* 708: the same where what overtook it was a removal, accepted long ago. */
static void test_708_removals_are_remembered_across_a_restart(void **state)
{
    (void)state;
    struct sim *sim = durable_up("{\"reported\":{\"a\":1,\"b\":{\"c\":1}}}");
    int64_t before_us = sim_take_us(sim);
    sim_run(sim, 10);
    size_t a = sim_unset(sim, "/a"), b = sim_unset(sim, "/b");
    sim_run(sim, 2 * SIM_MINUTE);
    assert_accepted(sim, a);
    assert_accepted(sim, b);
    sim_restart_after(sim, SIM_STOPPED);
    a = sim_resend(sim, "/a", "1", before_us);
    b = sim_resend(sim, "/b/c", "1", before_us);
    durable_connect(sim);
    assert_reported(sim, "{}");
    assert_accepted(sim, a);
    assert_accepted(sim, b);
    durable_end(sim);
}

/* 709: times of an earlier boot say nothing: who reports now is newer. */
static void test_709_times_end_with_the_boot(void **state)
{
    (void)state;
    struct sim *sim = durable_up("{\"reported\":{}}");
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, SIM_MINUTE);
    sim_restart_after(sim, SIM_POWER_CUT);
    size_t op = sim_resend(sim, "/a", "2", 1000); /* a second after this boot */
    durable_connect(sim);
    assert_accepted(sim, op);
    assert_reported(sim, "{\"a\":2}");
    durable_end(sim);
}

/* 710: a refused value is not tried again because of a restart. */
static void test_710_refused_survives_a_restart(void **state)
{
    (void)state;
    struct sim *sim = durable_up("{\"reported\":{}}");
    sim->allow_refusals = true;
    assert_int_equal(shadow_service_poison(sim->cloud, "bad", 400), 0);
    size_t op = sim_set(sim, "/bad", "1");
    (void)sim_set(sim, "/good", "1");
    sim_run(sim, SIM_MINUTE);
    assert_rejected(sim, op);
    assert_on_disk(sim, "/bad", SAVED_REFUSED);
    uint64_t rejected = shadow_service_rejected_with(sim->cloud, 400);
    sim_restart_after(sim, SIM_POWER_CUT);
    durable_connect(sim);
    (void)sim_set(sim, "/good", "2");
    assert_true(sim_set(sim, "/bad", "1") == SIZE_MAX); /* the very value: refused at once */
    sim_run(sim, SIM_MINUTE);
    assert_int_equal(shadow_service_rejected_with(sim->cloud, 400), rejected);
    assert_int_equal(sim_status(sim).refused, 1);
    assert_reported(sim, "{\"good\":2}");
    (void)sim_set(sim, "/bad", "2"); /* it has changed: tried once */
    sim_run(sim, SIM_MINUTE);
    assert_int_equal(shadow_service_rejected_with(sim->cloud, 400), rejected + 1);
    durable_end(sim);
}

/* 711: booted offline, a scalar that became an object: the cut is on the disk. */
static void test_711_cuts_survive(void **state)
{
    (void)state;
    struct sim *sim = durable_new("{\"reported\":{\"a\":{\"b\":1},\"x\":{\"y\":1}}}");
    (void)sim_set(sim, "/a", "5");
    durable_commit(sim);
    sim_restart(sim);
    const struct sim_operation report[] = {{"/a", NULL}, {"/a/c", "1"}};
    sim->level = SIM_STORED;
    (void)sim_report(sim, report, 2);
    (void)sim_unset(sim, "/x");
    sim_run(sim, SIM_SECOND);
    sim_restart_after(sim, SIM_POWER_CUT);
    durable_connect(sim);
    assert_reported(sim, "{\"a\":{\"c\":1}}");
    durable_end(sim);
}

/* 712: a cut that stands for a scalar takes no object with it, after a restart either. */
static void test_712_scalar_cuts_stay_scalar(void **state)
{
    (void)state;
    struct sim *sim = durable_new("{\"reported\":{\"a\":{\"b\":1}}}");
    sim->level = SIM_STORED;
    (void)sim_set(sim, "/a", "5");
    (void)sim_set(sim, "/a/c", "1");
    sim_run(sim, SIM_SECOND);
    sim_restart(sim);
    durable_connect(sim);
    assert_int_equal(json_object_size(doc_at(sim_reported(sim), "/a")), 1);
    durable_end(sim);
}

/* 713: what the cloud has changed since is taken as it is, until a program says otherwise. */
static void test_713_not_defended_after_a_restart(void **state)
{
    (void)state;
    struct sim *sim = durable_up("{\"reported\":{}}");
    (void)sim_set(sim, "/a", "1");
    (void)sim_set(sim, "/b", "1");
    sim_run(sim, SIM_MINUTE);
    size_t updates = sim->updates;
    durable_restart_beside(sim, SIM_STOPPED, REPORTED("{\"a\":9,\"b\":null}"));
    sim_run(sim, 2 * SIM_HOUR);
    assert_int_equal(sim->updates, updates);
    assert_reported(sim, "{\"a\":9}");
    assert_believed(sim, "{\"a\":9}");
    size_t op = sim_set(sim, "/a", "1"); /* now it is this device's again */
    sim_run(sim, 10 * SIM_SECOND);
    assert_accepted(sim, op);
    (void)sim_foreign(sim, REPORTED("{\"a\":8}"));
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"a\":1}");
    durable_end(sim);
}

/* 714: nor when the change comes while it runs; and a deletion takes it all. */
static void test_714_not_defended_against_what_comes_later(void **state)
{
    (void)state;
    struct sim *sim = durable_up("{\"reported\":{}}");
    (void)sim_set(sim, "/a", "1");
    (void)sim_set(sim, "/b", "1");
    sim_run(sim, SIM_MINUTE);
    sim_restart_after(sim, SIM_STOPPED);
    durable_restart_beside(sim, SIM_POWER_CUT, NULL);
    size_t updates = sim->updates;
    (void)sim_foreign(sim, REPORTED("{\"a\":9}"));
    sim_run(sim, SIM_HOUR);
    assert_reported(sim, "{\"a\":9,\"b\":1}");
    sim_restart(sim);
    sim_delete(sim);
    durable_connect(sim);
    sim_run(sim, SIM_HOUR);
    assert_int_equal(sim->updates, updates);
    assert_int_equal(sim_status(sim).properties, 0);
    durable_end(sim);
}

/* 715: what waited to be sent goes, whatever the cloud holds meanwhile. */
static void test_715_pending_is_ours(void **state)
{
    (void)state;
    struct sim *sim = durable_up("{\"reported\":{}}");
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, SIM_MINUTE);
    sim_link_down(sim);
    (void)set_at(sim, SIM_STORED, "/a", "2");
    sim_run(sim, SIM_SECOND);
    durable_restart_beside(sim, SIM_KILLED, REPORTED("{\"a\":9}"));
    assert_reported(sim, "{\"a\":2}");
    durable_end(sim);
}

/* 716: a report of what the disk says was accepted is answered only after a look at the cloud. */
static void test_716_unchanged_is_free_only_once_proven(void **state)
{
    (void)state;
    struct sim *sim = durable_up("{\"reported\":{}}");
    (void)sim_set(sim, "/a", "1");
    (void)sim_set(sim, "/b", "1");
    sim_run(sim, SIM_MINUTE);
    size_t updates = sim->updates;
    sim_restart(sim);
    size_t a = sim_set(sim, "/a", "1");
    sim_run(sim, SIM_MINUTE);
    assert_waiting(sim, a);
    sim_link_up(sim);
    sim_run(sim, SIM_MINUTE);
    assert_accepted(sim, a);
    assert_true(sim->updates <= updates + 1); /* that may be how it was proved */
    size_t b = sim_set(sim, "/b", "1");
    updates = sim->updates;
    sim_run(sim, SIM_SECOND);
    assert_accepted(sim, b);
    assert_int_equal(sim->updates, updates);
    durable_end(sim);
}

/* 717: and where the cloud had been changed, it is sent. */
static void test_717_a_foreign_change_while_away_is_seen(void **state)
{
    (void)state;
    struct sim *sim = durable_up("{\"reported\":{}}");
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, SIM_MINUTE);
    sim_restart(sim);
    (void)sim_foreign(sim, REPORTED("{\"a\":9,\"x\":1}"));
    size_t op = sim_set(sim, "/a", "1");
    sim_run(sim, SIM_SECOND);
    assert_waiting(sim, op);
    durable_connect(sim);
    assert_accepted(sim, op);
    assert_reported(sim, "{\"a\":1,\"x\":1}");
    durable_end(sim);
}

/* 718: booted offline, the device answers from the disk, and says that it is old. */
static void test_718_boot_offline(void **state)
{
    (void)state;
    struct sim *sim = durable_up("{\"reported\":{\"x\":1},\"desired\":{\"led\":\"on\"}}");
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, SIM_MINUTE);
    sim_restart_after(sim, SIM_POWER_CUT);
    sim_run(sim, SIM_MINUTE);
    assert_believed(sim, "{\"a\":1,\"x\":1}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    sim_turn(sim);
    assert_int_equal(watcher->news, 1);
    assert_int_equal(watcher->stale_news, 1);
    assert_string_equal(json_string_value(json_object_get(watcher->told, "/led")), "on");
    int64_t version;
    assert_false(shadow_knows_wishes(sim->shadow, &version));
    durable_connect(sim);
    assert_true(shadow_knows_wishes(sim->shadow, &version));
    assert_string_equal(json_string_value(json_object_get(watcher->told, "/led")), "on");
    durable_end(sim);
}

/* 719: what was wished while it was away is told after connecting, and what was taken back. */
static void test_719_stale_wishes_are_brought_up_to_date(void **state)
{
    (void)state;
    struct sim *sim = durable_up("{\"desired\":{\"led\":\"on\",\"fan\":1,\"old\":1}}");
    sim_run(sim, SIM_MINUTE);
    (void)sim_set(sim, "/other", "1"); /* a commit takes what else is unsaved along */
    sim_run(sim, SIM_MINUTE);
    sim_restart(sim);
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    sim_turn(sim);
    assert_int_equal(json_object_size(watcher->told), 3);
    (void)sim_foreign(sim, DESIRED("{\"led\":\"off\",\"old\":null}"));
    durable_connect(sim);
    assert_int_equal(json_object_size(watcher->told), 2);
    assert_string_equal(json_string_value(json_object_get(watcher->told, "/led")), "off");
    durable_end(sim);
}

/* 720: after connecting only the difference goes out. */
static void test_720_only_the_difference_goes_out(void **state)
{
    (void)state;
    struct sim *sim = durable_up("{\"reported\":{}}");
    char path[16];
    for (int i = 0; i < 50; i++) {
        (void)snprintf(path, sizeof(path), "/p%d", i);
        (void)sim_set(sim, path, "1");
    }
    sim_run(sim, SIM_MINUTE);
    sim_link_down(sim);
    (void)set_at(sim, SIM_STORED, "/p3", "2");
    (void)set_at(sim, SIM_STORED, "/p4", "2");
    sim_run(sim, SIM_SECOND);
    size_t updates = sim->updates;
    durable_restart_beside(sim, SIM_KILLED, NULL);
    assert_int_equal(sim->updates, updates + 1);
    assert_sent(sim, "{\"p3\":2,\"p4\":2}");
    durable_end(sim);
}

/* 721: an answer to a wish goes on across a restart. */
static void test_721_settling_survives(void **state)
{
    (void)state;
    struct sim *sim = durable_up("{\"desired\":{\"led\":\"on\",\"fan\":1}}");
    sim_link_down(sim);
    sim->level = SIM_STORED;
    (void)sim_settle(sim, "/led", "\"on\"");
    (void)sim_settle(sim, "/fan", "1");
    sim_run(sim, SIM_SECOND);
    sim_restart(sim);
    (void)sim_foreign(sim, DESIRED("{\"fan\":2}")); /* newer: it stays */
    durable_connect(sim);
    sim_run(sim, SIM_MINUTE);
    const struct sim_version *now = &sim->history[sim->history_count - 1];
    assert_null(doc_at(now->desired, "/led"));
    assert_int_equal(json_integer_value(doc_at(now->desired, "/fan")), 2);
    assert_reported(sim, "{\"led\":\"on\",\"fan\":1}");
    durable_end(sim);
}

/* 722: a reset goes on across a restart. */
static void test_722_a_reset_goes_on(void **state)
{
    (void)state;
    struct sim *sim = durable_up("{\"reported\":{\"x\":1}}");
    (void)sim_set(sim, "/a", "1");
    (void)sim_set(sim, "/b/c", "1");
    sim_run(sim, SIM_MINUTE);
    sim_link_down(sim);
    sim->careless = true;
    assert_int_equal(shadow_reset(sim->shadow, sim->now_ms), 0);
    sim_run(sim, SIM_MINUTE);
    sim_restart(sim);
    sim_link_up(sim);
    sim_run(sim, SIM_MINUTE);
    assert_good(sim);
    assert_int_equal(
        json_object_size(sim_reported(sim)) - (json_object_get(sim_reported(sim), "b") != NULL), 1);
    assert_null(json_object_get(sim_reported(sim), "a"));
    assert_true(shadow_is_reset(sim->shadow));
    assert_int_equal(sim_status(sim).properties, 0);
    sim_free(sim);
}

/* 723: a value that was accepted stands below a cut that still waits: what another writer put in
 * its place goes with the cut, and the value comes back. (Found at random: the cut took it, too.)
 */
static void test_723_a_waiting_cut_keeps_what_was_set_after_it(void **state)
{
    (void)state;
    struct sim *sim = durable_up("{\"reported\":{\"x\":1}}");
    const struct sim_operation report[] = {{"", NULL}, {"/e", "1"}};
    (void)sim_report(sim, report, 2);
    sim_run(sim, 5 * SIM_SECOND);
    assert_reported(sim, "{\"e\":1}");
    sim_restart(sim);
    (void)sim_foreign(sim, REPORTED("{\"y\":1}"));
    shadow_service_reject_next(sim->cloud, SHADOW_SERVICE_UPDATE, 100, 409);
    sim_link_up(sim);
    sim_run(sim, 5 * SIM_SECOND);
    sim_restart_after(sim, SIM_STOPPED);
    shadow_service_reject_next(sim->cloud, SHADOW_SERVICE_UPDATE, 0, 0);
    assert_on_disk(sim, "/e", SAVED_ACCEPTED);
    assert_on_disk(sim, "", SAVED_PENDING);
    (void)sim_foreign(sim, REPORTED("{\"e\":9}"));
    durable_connect(sim);
    assert_reported(sim, "{\"e\":1}");
    durable_end(sim);
}

/* 724: what was overtaken by a removal that still waits is answered as that is. */
static void test_724_overtaken_waits_for_what_overtook_it(void **state)
{
    (void)state;
    struct sim *sim = durable_up("{\"reported\":{\"a\":1,\"b\":{\"c\":1}}}");
    int64_t before_us = sim_take_us(sim);
    sim_link_down(sim);
    sim_run(sim, 10);
    sim->level = SIM_STORED;
    (void)sim_unset(sim, "/a");
    (void)sim_unset(sim, "/b");
    sim_run(sim, SIM_SECOND);
    sim_restart(sim);
    size_t a = sim_resend(sim, "/a", "2", before_us);
    size_t b = sim_resend(sim, "/b/c", "2", before_us);
    sim_run(sim, SIM_SECOND);
    assert_waiting(sim, a);
    assert_waiting(sim, b);
    durable_connect(sim);
    assert_reported(sim, "{}");
    assert_accepted(sim, a);
    assert_accepted(sim, b);
    assert_true(sim->ops[a].version > 7);
    assert_true(sim->ops[b].version > 7);
    durable_end(sim);
}

/* 725: an answer to a wish takes up after a restart what it was about, and nothing that was wished
 * after it, although the disk holds that as well. */
static void test_725_settling_takes_no_more_than_it_was_about(void **state)
{
    (void)state;
    struct sim *sim = durable_up("{\"desired\":{\"p\":{\"a\":1}}}");
    shadow_service_reject_next(sim->cloud, SHADOW_SERVICE_UPDATE, 1, 503);
    sim->level = SIM_STORED;
    (void)sim_settle(sim, "/p", NULL);
    sim_run(sim, 500);
    (void)sim_foreign(sim, DESIRED("{\"p\":{\"b\":2}}"));
    sim_run(sim, 100);
    (void)sim_set(sim, "/x", "1");
    sim_run(sim, 100);
    assert_non_null(sim_store_find(sim, SAVED_SETTLE, "/p"));
    sim_restart(sim);
    durable_connect(sim);
    const struct sim_version *now = &sim->history[sim->history_count - 1];
    assert_null(doc_at(now->desired, "/p/a"));
    assert_int_equal(json_integer_value(doc_at(now->desired, "/p/b")), 2);
    durable_end(sim);
}

/* 727: what was set and removed from above in one report waits for the removal after a restart;
 * that an earlier value there was accepted does not count. */
static void test_727_what_was_removed_from_above_waits_for_the_removal(void **state)
{
    (void)state;
    const struct sim_operation both[] = {{"/a/b", "2"}, {"/a", NULL}};
    struct sim *sim = durable_up("{}");
    (void)sim_set(sim, "/a/b", "1");
    sim_run(sim, SIM_SECOND);
    sim_link_down(sim);
    sim_run(sim, 10);
    sim->level = SIM_STORED;
    (void)sim_report(sim, both, 2);
    const int64_t reported_us = sim->net->last_us;
    (void)sim_set(sim, "/a/b/c", "3");
    sim_run(sim, SIM_SECOND);
    sim_restart(sim);
    const size_t again = sim_resend_all(sim, both, 2, reported_us);
    sim_run(sim, SIM_SECOND);
    assert_waiting(sim, again);
    durable_connect(sim);
    assert_accepted(sim, again);
    assert_reported(sim, "{\"a\":{\"b\":{\"c\":3}}}");
    durable_end(sim);
}

/* 726: the version on the disk may prove the view, but not after a reboot: nobody knows how long it
 * took, and versions begin anew two days after a deletion. */
static void test_726_a_version_of_another_boot_proves_nothing(void **state)
{
    (void)state;
    static const enum sim_end ends[] = {SIM_KILLED, SIM_POWER_CUT};
    for (size_t i = 0; i < 2; i++) {
        struct sim *sim = durable_up("{\"reported\":{\"x\":1}}");
        sim_link_down(sim);
        (void)set_at(sim, SIM_STORED, "/a", "1");
        sim_run(sim, SIM_SECOND);
        size_t gets = sim->gets;
        durable_restart_beside(sim, ends[i], NULL);
        assert_int_equal(sim->gets, gets + (ends[i] == SIM_POWER_CUT));
        assert_int_equal(sim->updates, 1);
        assert_reported(sim, "{\"x\":1,\"a\":1}");
        durable_end(sim);
    }
}

SCENARIO_MAIN(cmocka_unit_test(test_700_what_is_stored_reaches_the_cloud_after_a_crash),
              cmocka_unit_test(test_701_what_is_stored_survives_a_power_cut),
              cmocka_unit_test(test_702_only_what_was_queued_is_lost),
              cmocka_unit_test(test_703_what_arrived_is_not_sent_twice),
              cmocka_unit_test(test_704_never_backwards_across_a_crash),
              cmocka_unit_test(test_705_accepted_implies_stored),
              cmocka_unit_test(test_706_unchanged_costs_no_commit),
              cmocka_unit_test(test_707_resent_is_not_newer_across_a_restart),
              cmocka_unit_test(test_708_removals_are_remembered_across_a_restart),
              cmocka_unit_test(test_709_times_end_with_the_boot),
              cmocka_unit_test(test_710_refused_survives_a_restart),
              cmocka_unit_test(test_711_cuts_survive),
              cmocka_unit_test(test_712_scalar_cuts_stay_scalar),
              cmocka_unit_test(test_713_not_defended_after_a_restart),
              cmocka_unit_test(test_714_not_defended_against_what_comes_later),
              cmocka_unit_test(test_715_pending_is_ours),
              cmocka_unit_test(test_716_unchanged_is_free_only_once_proven),
              cmocka_unit_test(test_717_a_foreign_change_while_away_is_seen),
              cmocka_unit_test(test_718_boot_offline),
              cmocka_unit_test(test_719_stale_wishes_are_brought_up_to_date),
              cmocka_unit_test(test_720_only_the_difference_goes_out),
              cmocka_unit_test(test_721_settling_survives),
              cmocka_unit_test(test_722_a_reset_goes_on),
              cmocka_unit_test(test_723_a_waiting_cut_keeps_what_was_set_after_it),
              cmocka_unit_test(test_724_overtaken_waits_for_what_overtook_it),
              cmocka_unit_test(test_725_settling_takes_no_more_than_it_was_about),
              cmocka_unit_test(test_726_a_version_of_another_boot_proves_nothing),
              cmocka_unit_test(test_727_what_was_removed_from_above_waits_for_the_removal))
