#include "tests/scenario/sim_events.h"

#include <stdlib.h>

static bool sim_event_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->serial < b->serial;
}

static void sim_event_swap(struct sim_event *a, struct sim_event *b)
{
    struct sim_event other = *a;
    *a = *b;
    *b = other;
}

void sim_event_push(struct sim *sim, const struct sim_event *event)
{
    if (sim->net->event_count == sim->net->event_capacity) {
        sim->net->event_capacity = sim->net->event_capacity * 2 + 64;
        sim->net->events =
            realloc(sim->net->events, sim->net->event_capacity * sizeof(*sim->net->events));
        if (sim->net->events == NULL)
            abort();
    }
    size_t i = sim->net->event_count++;
    sim->net->events[i] = *event;
    sim->net->events[i].serial = sim->net->event_serial++;
    while (i > 0 && sim_event_before(&sim->net->events[i], &sim->net->events[(i - 1) / 2])) {
        sim_event_swap(&sim->net->events[i], &sim->net->events[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
}

bool sim_event_pop(struct sim *sim, struct sim_event *ret_event)
{
    if (sim->net->event_count == 0)
        return false;
    *ret_event = sim->net->events[0];
    sim->net->events[0] = sim->net->events[--sim->net->event_count];
    for (size_t i = 0;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++)
            if (child < sim->net->event_count &&
                sim_event_before(&sim->net->events[child], &sim->net->events[least]))
                least = child;
        if (least == i)
            return true;
        sim_event_swap(&sim->net->events[i], &sim->net->events[least]);
        i = least;
    }
}

int64_t sim_event_next_ms(const struct sim *sim)
{
    return sim->net->event_count > 0 ? sim->net->events[0].at_ms : INT64_MAX;
}

void sim_event_clear(struct sim_event *event)
{
    for (size_t i = 0; i < event->filter_count; i++)
        free(event->filters[i]);
    free(event->topic);
    free(event->payload);
    *event = (struct sim_event){0};
}
