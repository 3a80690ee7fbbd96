/* Last wills, and what else becomes of a program's values when it is gone. Invariant: a will is
 * reported once, when its program ended without a word and stayed away, and has the last word. */
#include "tests/scenario/life.h"

#include <stdlib.h>
#include <string.h>

#define GONE_AFTER (10 * SIM_SECOND) /* the default */

static const struct policy exits = {.unset_on_exit = true};

static struct sim *life_up(const char *document)
{
    struct sim *sim = scenario_up(document);
    life_no_policies(sim);
    return sim;
}

/* 1: the will of a program that ended without a word is reported when it is gone, once. */
static void test_01_a_will_is_reported_when_its_program_is_gone(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{}}");
    oracle_vague(sim, "/state");
    struct writer *writer = life_open(sim, "pump");
    (void)life_set(sim, writer, "/state", "1");
    assert_int_equal(life_will(sim, writer, "/state", 0, NULL), 0);
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"state\":1}");
    life_close(sim, writer, false);
    sim_run(sim, GONE_AFTER - 1);
    assert_reported(sim, "{\"state\":1}");
    sim_run(sim, SIM_SECOND);
    assert_reported(sim, "{\"state\":0}");
    assert_int_equal(sim->notices[THING_NOTICE_GONE], 1);
    writer = life_open(sim, "pump");
    (void)life_set(sim, writer, "/state", "2");
    life_close(sim, writer, false);
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"state\":2}"); /* it was reported and is done with */
    scenario_end(sim);
}

/* 2: a clean end drops the will; so does setting none. */
static void test_02_a_clean_end_drops_the_will(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{}}");
    struct writer *writer = life_open(sim, "pump");
    (void)life_set(sim, writer, "/state", "1");
    assert_int_equal(life_will(sim, writer, "/state", 0, NULL), 0);
    life_close(sim, writer, true);
    sim_run(sim, SIM_MINUTE);
    writer = life_open(sim, "pump");
    assert_int_equal(life_will(sim, writer, "/state", 0, NULL), 0);
    assert_int_equal(thing_writer_will(sim->thing, writer, sim->shadow, NULL, 0, NULL), 0);
    life_close(sim, writer, false);
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"state\":1}");
    scenario_end(sim);
}

/* 3: a later will replaces the one before; a bad one is refused at once and leaves it. */
static void test_03_a_bad_will_is_refused_at_once(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{}}");
    oracle_vague(sim, "/state");
    struct writer *writer = life_open(sim, "pump");
    (void)life_set(sim, writer, "/state", "1");
    assert_int_equal(life_will(sim, writer, "/state", 7, NULL), 0);
    assert_int_equal(life_will(sim, writer, "/state", 8, NULL), 0);
    struct shadow_refusal refusal = {0};
    assert_int_equal(life_will(sim, writer, "/a/b/c/d/e/f/g/h/i", 9, &refusal),
                     SHADOW_REPORT_REFUSED);
    assert_int_equal(refusal.code, 400);
    assert_true(refusal.text[0] != '\0');
    life_close(sim, writer, false);
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"state\":8}");
    scenario_end(sim);
}

/* 4: the will has the last word, also where OnExit removes what the program reported. */
static void test_04_a_will_outlives_what_goes_with_its_program(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{}}");
    life_policy(sim, "**", exits);
    oracle_vague(sim, "/state");
    oracle_vague(sim, "/a");
    struct writer *writer = life_open(sim, "pump");
    (void)life_set(sim, writer, "/state", "1");
    (void)life_set(sim, writer, "/a", "1");
    assert_int_equal(life_will(sim, writer, "/state", 0, NULL), 0);
    sim_run(sim, SIM_SECOND);
    life_close(sim, writer, false);
    sim_run(sim, SIM_HOUR);
    assert_reported(sim, "{\"state\":0}");
    scenario_end(sim);
}

/* 5: a program that is gone while the link is down: its end arrives with the link. */
static void test_05_a_program_that_is_gone_offline(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{}}");
    life_policy(sim, "a", exits);
    oracle_vague(sim, "/a");
    oracle_vague(sim, "/state");
    struct writer *writer = life_open(sim, "pump");
    (void)life_set(sim, writer, "/a", "1");
    assert_int_equal(life_will(sim, writer, "/state", 0, NULL), 0);
    sim_run(sim, SIM_SECOND);
    sim_link_down(sim);
    life_close(sim, writer, false);
    sim_run(sim, SIM_MINUTE);
    assert_believed(sim, "{\"state\":0}");
    sim_link_up(sim);
    sim_run(sim, SIM_SECOND);
    assert_reported(sim, "{\"state\":0}");
    scenario_end(sim);
}

/* 6: several programs are gone at the same time, with values and wills in several shadows. */
static void test_06_programs_are_gone_together_in_several_shadows(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{}}");
    struct sim *named = sim_open(sim, NULL, "config");
    sim_run(sim, 2 * SIM_SECOND);
    life_policy(sim, "**", exits);
    oracle_vague(sim, "/one");
    oracle_vague(sim, "/two");
    oracle_vague(named, "/two");
    oracle_vague(named, "/will");
    struct writer *one = life_open(sim, "one");
    struct writer *two = life_open(sim, "two");
    struct writer *stays = life_open(sim, "stays");
    (void)life_set(sim, one, "/one", "1");
    (void)life_set(sim, two, "/two", "1");
    (void)sim_set(named, "/two", "1");
    (void)life_set(sim, stays, "/three", "1");
    (void)sim_set(named, "/three", "1");
    assert_int_equal(life_will(named, one, "/will", 1, NULL), 0);
    sim_run(sim, 5 * SIM_SECOND);
    life_close(sim, one, false);
    life_close(sim, two, false);
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"three\":1}");
    assert_reported(named, "{\"three\":1,\"will\":1}");
    assert_int_equal(sim->notices[THING_NOTICE_GONE], 2);
    scenario_end(sim);
}

/* --- all at once --- */

#define PROGRAMS 4u
#define SHARED   6u

/* What must come of it: who is there, and what is left of what they said; -1: nothing. */
struct story {
    struct sim *sim;
    struct {
        struct writer *writer; /* NULL: away or gone */
        bool is_gone;
        int64_t away_ms;
        int will, said;
    } programs[PROGRAMS];
    struct {
        int value;
        size_t program;
    } shared[SHARED]; /* under OnExit=unset, of whoever reported it last */
};

static void story_pass(struct story *story, int64_t ms)
{
    sim_run(story->sim, ms);
    for (size_t i = 0; i < PROGRAMS; i++) {
        bool goes = !story->programs[i].writer && !story->programs[i].is_gone &&
                    story->sim->now_ms - story->programs[i].away_ms >= GONE_AFTER;
        if (!goes)
            continue;
        story->programs[i].is_gone = true;
        for (size_t j = 0; j < SHARED; j++) {
            if (story->shared[j].program == i)
                story->shared[j].value = -1;
        }
        if (story->programs[i].will >= 0)
            story->programs[i].said = story->programs[i].will;
        story->programs[i].will = -1;
    }
}

static void story_come_or_go(struct story *story, size_t i)
{
    char name[8];
    (void)snprintf(name, sizeof(name), "p%zu", i);
    if (!story->programs[i].writer) {
        story->programs[i].writer = life_open(story->sim, name);
        story->programs[i].is_gone = false;
        return;
    }
    bool clean = sim_chance(story->sim, 40);
    life_close(story->sim, story->programs[i].writer, clean);
    story->programs[i].writer = NULL;
    story->programs[i].away_ms = story->sim->now_ms;
    if (clean)
        story->programs[i].will = -1;
}

static void story_say(struct story *story, size_t i)
{
    struct sim *sim = story->sim;
    struct writer *writer = story->programs[i].writer;
    int number = (int)sim_random(sim, 1000);
    size_t shared = (size_t)sim_random(sim, SHARED);
    char path[16], text[16];
    (void)snprintf(text, sizeof(text), "%d", number);
    switch (sim_random(sim, 4)) {
    case 0:
        (void)snprintf(path, sizeof(path), "/w%zu", i);
        assert_int_equal(life_will(sim, writer, path, number, NULL), 0);
        story->programs[i].will = number;
        return;
    case 1:
        (void)snprintf(path, sizeof(path), "/w%zu", i);
        (void)life_set(sim, writer, path, text);
        story->programs[i].said = number;
        return;
    case 2:
        (void)snprintf(path, sizeof(path), "/e%zu", shared);
        (void)life_set(sim, writer, path, text);
        return;
    default:
        (void)snprintf(path, sizeof(path), "/o%zu", shared);
        (void)life_set(sim, writer, path, text);
        story->shared[shared].value = number;
        story->shared[shared].program = i;
    }
}

static void story_check(const struct story *story)
{
    json_t *expected = json_object();
    char name[8];
    for (size_t i = 0; i < PROGRAMS; i++) {
        (void)snprintf(name, sizeof(name), "w%zu", i);
        if (story->programs[i].said >= 0)
            json_object_set_new(expected, name, json_integer(story->programs[i].said));
    }
    for (size_t i = 0; i < SHARED; i++) {
        (void)snprintf(name, sizeof(name), "o%zu", i);
        if (story->shared[i].value >= 0)
            json_object_set_new(expected, name, json_integer(story->shared[i].value));
    }
    char *text = json_dumps(expected, 0);
    assert_reported(story->sim, text);
    free(text);
    json_decref(expected);
}

static void story_run(uint64_t seed)
{
    struct sim_options options;
    sim_options_init(&options, seed);
    options.faults.lose_requests = 5;
    options.faults.lose_answers = 5;
    struct story story = {.sim = scenario_up_with(&options, "{\"reported\":{}}")};
    life_no_policies(story.sim);
    life_policy(story.sim, "o*", exits);
    life_policy(story.sim, "e*", (struct policy){.expire_ms = 5 * SIM_SECOND});
    char path[8];
    for (size_t i = 0; i < 3 * SHARED; i++) {
        (void)snprintf(path, sizeof(path), "/%c%zu", "owe"[i % 3], i / 3);
        oracle_vague(story.sim, path);
    }
    for (size_t i = 0; i < PROGRAMS; i++)
        story.programs[i].will = story.programs[i].said = -1;
    for (size_t i = 0; i < SHARED; i++)
        story.shared[i].value = -1;
    for (size_t i = 0; i < 300; i++) {
        size_t program = (size_t)sim_random(story.sim, PROGRAMS);
        if (sim_chance(story.sim, 15) || !story.programs[program].writer)
            story_come_or_go(&story, program);
        else
            story_say(&story, program);
        story_pass(&story, (int64_t)sim_random(story.sim, 3000));
        if (sim_chance(story.sim, 3))
            sim_link_down(story.sim);
        if (sim_chance(story.sim, 15))
            sim_link_up(story.sim);
        assert_good(story.sim);
    }
    sim_link_up(story.sim);
    story_pass(&story, 2 * SIM_MINUTE);
    story_check(&story);
    scenario_end(story.sim);
}

/* 7: programs that come, go, die, share properties and leave wills, over a link that drops. */
static void test_07_what_is_left_is_what_those_who_are_left_said(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++)
        story_run(seed);
}

/* 8: of several that are found gone at once the last to go has the last word. */
static void test_08_who_went_last_has_the_last_word(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{}}");
    struct shadow_refusal refusal;
    life_no_policies(sim);
    const char *names[] = {"meter", "panel", "updater"};
    struct writer *writers[3];
    for (size_t i = 0; i < 3; i++) {
        writers[i] = life_open(sim, names[i]);
        assert_int_equal(life_will(sim, writers[i], "/a", (int64_t)i + 1, &refusal),
                         SHADOW_REPORT_QUEUED);
    }
    oracle_vague(sim, "/a");
    life_close(sim, writers[1], false);
    life_close(sim, writers[2], false);
    life_close(sim, writers[0], false);
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"a\":1}");
    scenario_end(sim);
}

SCENARIO_MAIN(cmocka_unit_test(test_01_a_will_is_reported_when_its_program_is_gone),
              cmocka_unit_test(test_02_a_clean_end_drops_the_will),
              cmocka_unit_test(test_03_a_bad_will_is_refused_at_once),
              cmocka_unit_test(test_04_a_will_outlives_what_goes_with_its_program),
              cmocka_unit_test(test_05_a_program_that_is_gone_offline),
              cmocka_unit_test(test_06_programs_are_gone_together_in_several_shadows),
              cmocka_unit_test(test_07_what_is_left_is_what_those_who_are_left_said),
              cmocka_unit_test(test_08_who_went_last_has_the_last_word))
