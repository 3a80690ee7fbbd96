#include "tests/scenario/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sim *scenario_begin(const struct sim_options *options, const char *document)
{
    struct sim *sim = sim_new(options);
    if (document != NULL)
        sim_seed(sim, document, 7);
    return sim;
}

struct sim *scenario_new(const char *document)
{
    struct sim_options options;
    sim_options_init(&options, 1);
    return scenario_begin(&options, document);
}

struct sim *scenario_up_with(const struct sim_options *options, const char *document)
{
    struct sim *sim = scenario_begin(options, document);
    sim_link_up(sim);
    sim_run(sim, 2 * SIM_SECOND);
    assert_good(sim);
    return sim;
}

struct sim *scenario_up(const char *document)
{
    struct sim_options options;
    sim_options_init(&options, 1);
    return scenario_up_with(&options, document);
}

void scenario_end(struct sim *sim)
{
    sim_run(sim, SIM_MINUTE);
    (void)oracle_end(sim, true);
    assert_good(sim);
    sim_free(sim);
}

static void scenario_compare(struct sim *sim, const json_t *held, const char *text,
                             const char *what, const char *file, int line)
{
    assert_good(sim);
    json_t *expected = doc_parse(text);
    bool equal = doc_equal(expected, held, false);
    json_decref(expected);
    if (equal)
        return;
    char *shown = held != NULL ? json_dumps(held, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    print_error("%s is %s\nexpected %s\n", what, shown != NULL ? shown : "nothing", text);
    free(shown);
    _fail(file, line);
}

void scenario_assert_reported(struct sim *sim, const char *text, const char *file, int line)
{
    scenario_compare(sim, sim_reported(sim), text, "the cloud's reported", file, line);
}

void scenario_assert_sent(struct sim *sim, const char *text, const char *file, int line)
{
    const json_t *state = json_object_get(sim->last_update, "state");
    scenario_compare(sim, json_object_get(state, "reported"), text, "the last update", file, line);
}

void scenario_assert_believed(struct sim *sim, const char *text, const char *file, int line)
{
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 0);
    int rc = shadow_write(sim->shadow, SHADOW_SECTION_REPORTED, "", 0, &writer);
    json_t *held = rc == 0 ? json_loadb(writer.text, writer.size, 0, NULL) : json_object();
    flux_json_writer_clear(&writer);
    scenario_compare(sim, held, text, "what the daemon believes", file, line);
    json_decref(held);
}

void scenario_assert_fate(struct sim *sim, size_t op, enum shadow_fate_state fate, const char *file,
                          int line)
{
    assert_good(sim);
    if (op < sim->op_count && sim->ops[op].fate == fate)
        return;
    static const char *const names[] = {"waiting", "accepted", "rejected"};
    print_error("%s is %s, expected %s\n", op < sim->op_count ? sim->ops[op].path : "?",
                op < sim->op_count ? names[sim->ops[op].fate] : "refused whole", names[fate]);
    _fail(file, line);
}

const char *scenario_string(size_t size)
{
    static char text[65536];
    memset(text, 'x', size);
    text[0] = '"';
    text[size - 1] = '"';
    text[size] = '\0';
    return text;
}
