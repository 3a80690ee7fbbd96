/* What is under way in the simulated world: a heap of events by time. Part of the simulator. */
#ifndef FLUX_TESTS_SCENARIO_SIM_EVENTS_H
#define FLUX_TESTS_SCENARIO_SIM_EVENTS_H

#include "tests/scenario/sim.h"

enum sim_event_kind {
    SIM_TO_CLOUD,  /* a publish of the engine arrives */
    SIM_TO_ENGINE, /* a message of the cloud arrives */
    SIM_SUBSCRIBE, /* a subscribe of the engine arrives */
    SIM_SUBACK,
    SIM_UNSUBSCRIBE,
    SIM_UNSUBACK,
    SIM_PUBACK,
    SIM_COMMITTED,
    SIM_REDIAL,
    SIM_HANG_UP, /* the broker ends the connection */
};

struct sim_event {
    int64_t at_ms;
    uint64_t serial;
    enum sim_event_kind kind;
    unsigned connection;
    uint32_t request_id;
    int code; /* of a PUBACK */
    int codes[THING_FILTERS_MAX];
    size_t filter_count;
    char *filters[THING_FILTERS_MAX]; /* owned */
    char *topic, *payload;            /* owned */
    size_t size;
};

/* Add an event; takes what it owns. Dies when out of memory. */
void sim_event_push(struct sim *sim, const struct sim_event *event);
/* Take the earliest. Returns false where there is none. */
bool sim_event_pop(struct sim *sim, struct sim_event *ret_event);
int64_t sim_event_next_ms(const struct sim *sim);
void sim_event_clear(struct sim_event *event);

/* The link: hand over what the engine wants to send, and let an event happen. */
void sim_link_send(struct sim *sim, const struct thing_request *request);
void sim_link_event(struct sim *sim, struct sim_event *event);
/* --- sim_shadow.c --- */
void sim_shadow_init(struct sim *sim, const char *thing, const char *shadow);
/* Open the shadow in a daemon that has just started. */
void sim_shadow_start(struct sim *sim);
/* What was not answered is sent again, unless its programs are gone. */
void sim_shadow_send_again(struct sim *sim, bool has_programs);
/* The name as the service takes it: NULL for the classic shadow. */
const char *sim_service_name(const struct sim *sim);

/* Scatter the requests in flight at a cut. */
void sim_link_scatter(struct sim *sim);
void sim_link_forget_filters(struct sim *sim);
/* The link is lost, and dialled again after redial_ms. */
void sim_lose_link(struct sim *sim, const char *why);
/* Copy bytes and end them with a NUL. */
char *sim_copy(const void *data, size_t size);
/* How long a message takes now. */
int64_t sim_delay(struct sim *sim);

/* --- sim_filters.c --- */
void sim_send_subscribe(struct sim *sim, const struct thing_request *request);
void sim_subscribe_arrives(struct sim *sim, struct sim_event *event);
void sim_unsubscribe_arrives(struct sim *sim, const struct sim_event *event);
bool sim_matches(const char *filter, const char *topic);
/* Count the filters by which the broker passes messages of this topic on to the engine. */
unsigned sim_is_subscribed(const struct sim *sim, const char *topic);
/* Publish to the cloud at once; `ours`: by the engine. Returns the version made, 0: none. */
int64_t sim_link_to_cloud(struct sim *sim, const char *topic, const char *payload, size_t size,
                          bool ours);

#endif
