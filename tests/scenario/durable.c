#include "tests/scenario/durable.h"

void durable_options(struct sim_options *ret_options)
{
    sim_options_init(ret_options, 1);
    ret_options->thing.durable = true;
}

struct sim *durable_new(const char *document)
{
    struct sim_options options;
    durable_options(&options);
    struct sim *sim = sim_new(&options);
    if (document != NULL)
        sim_seed(sim, document, 7);
    return sim;
}

struct sim *durable_up(const char *document)
{
    struct sim *sim = durable_new(document);
    durable_connect(sim);
    return sim;
}

void durable_connect(struct sim *sim)
{
    sim_link_up(sim);
    sim_run(sim, 5 * SIM_SECOND);
    assert_good(sim);
}

void durable_commit(struct sim *sim)
{
    sim_run(sim, sim->options.sync_interval_ms + SIM_SECOND);
    assert_good(sim);
}

void durable_restart_beside(struct sim *sim, enum sim_end end, const char *payload)
{
    sim_restart_after(sim, end);
    if (payload != NULL)
        (void)sim_foreign(sim, payload);
    durable_connect(sim);
}

void durable_assert(struct sim *sim, const char *path, enum saved_state state, const char *file,
                    int line)
{
    static const char *const names[] = {"nothing", "pending", "accepted", "refused"};
    assert_good(sim);
    const struct saved_row *row = sim_store_find(sim, SAVED_PROPERTY, path);
    enum saved_state held = row != NULL ? row->of_property.state : SAVED_NOTHING;
    if (held == state)
        return;
    print_error("on the disk %s is %s, expected %s\n", path, names[held], names[state]);
    _fail(file, line);
}

void durable_end(struct sim *sim)
{
    sim_run(sim, SIM_MINUTE);
    assert_good(sim);
    sim_store_audit(sim);
    scenario_end(sim);
}
