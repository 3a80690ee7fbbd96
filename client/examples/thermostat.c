/* A device that does what the cloud wants: it watches `desired.target`, takes over what makes
 * sense, reports what is, and settles the wish, so that nothing stays open in the shadow. The room
 * is simulated; all the rest is what a real program would do.
 *
 *     fluxctl watch                          shows the wishes as they come
 *     fluxaws-sandbox desired THING '{"target":22.5}'    plays the cloud application */
#include "client/fluxaws.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TARGET_MIN 5.0
#define TARGET_MAX 30.0
#define STEP_MS    1000

struct thermostat {
    struct fluxaws_client *client;
    double target, temperature;
    bool is_heating;
};

static volatile sig_atomic_t is_interrupted;

static void interrupt(int signal_number)
{
    (void)signal_number;
    is_interrupted = 1;
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static double rounded(double number)
{
    return (double)(int64_t)(number * 10 + 0.5) / 10;
}

/* A callback must not wait, but it may report. A wish that is refused is settled too, beside the
 * value that stays: the cloud application sees both in one update. */
static void on_wish(struct fluxaws_client *client, const struct fluxaws_desired *desired,
                    void *data)
{
    struct thermostat *thermostat = data;
    if (desired->error != 0) {
        fprintf(stderr, "thermostat: may not watch %s: %s\n", desired->path, desired->text);
        return;
    }
    if (desired->json == NULL) /* met by what we reported, or withdrawn */
        return;
    char *end = NULL;
    double wanted = strtod(desired->json, &end);
    if (end != desired->json && *end == '\0' && wanted >= TARGET_MIN && wanted <= TARGET_MAX)
        thermostat->target = wanted;
    printf("%s is wished to be %s at version %lld: it is %g now\n", desired->path, desired->json,
           (long long)desired->version, thermostat->target);
    (void)fluxaws_report_begin(client);
    (void)fluxaws_set_double(client, "target", thermostat->target);
    (void)fluxaws_settle(client, desired->path);
    if (fluxaws_report_send(client) < 0)
        fprintf(stderr, "thermostat: %s\n", fluxaws_error_text(client));
}

/* A second in the life of the room. Only what has changed is worth a report; a value that has not
 * would cost nothing in the cloud either. */
static void step(struct thermostat *thermostat)
{
    double before = rounded(thermostat->temperature);
    bool was_heating = thermostat->is_heating;
    thermostat->temperature += thermostat->is_heating ? 0.2 : -0.1;
    if (thermostat->temperature < thermostat->target - 0.5)
        thermostat->is_heating = true;
    if (thermostat->temperature > thermostat->target + 0.5)
        thermostat->is_heating = false;
    if (rounded(thermostat->temperature) != before)
        (void)fluxaws_set_double(thermostat->client, "temperature",
                                 rounded(thermostat->temperature));
    if (thermostat->is_heating != was_heating)
        (void)fluxaws_set_bool(thermostat->client, "heating", thermostat->is_heating);
}

/* Say what is so from the start, and what is to be said if we end without a word. */
static int begin(struct thermostat *thermostat)
{
    struct fluxaws_client *client = thermostat->client;
    int r = fluxaws_will_json(client, "{\"online\":false}");
    if (r < 0)
        return r;
    (void)fluxaws_report_begin(client);
    (void)fluxaws_set_bool(client, "online", true);
    (void)fluxaws_set_double(client, "target", thermostat->target);
    (void)fluxaws_set_double(client, "temperature", thermostat->temperature);
    (void)fluxaws_set_bool(client, "heating", thermostat->is_heating);
    r = fluxaws_report_send(client);
    return r < 0 ? r : fluxaws_watch(client, "target", on_wish, thermostat);
}

static int run(struct thermostat *thermostat)
{
    int r = begin(thermostat);
    int64_t next_ms = now_ms();
    while (r >= 0 && !is_interrupted) {
        if (now_ms() >= next_ms) {
            step(thermostat);
            next_ms += STEP_MS;
        }
        int64_t left_ms = next_ms - now_ms();
        r = fluxaws_dispatch(thermostat->client, left_ms > 0 ? (int)left_ms : 0);
    }
    if (r < 0)
        return r;
    (void)fluxaws_set_bool(thermostat->client, "online", false);
    r = fluxaws_flush(thermostat->client, FLUXAWS_QUEUED, 5000);
    return r;
}

int main(void)
{
    struct sigaction action = {.sa_handler = interrupt};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    struct thermostat thermostat = {.target = 20, .temperature = 18};
    struct fluxaws_options options = {.size = sizeof(options), .name = "thermostat"};
    int r = fluxaws_open(&thermostat.client, &options);
    if (r < 0) {
        fprintf(stderr, "thermostat: %s\n", fluxaws_strerror(r));
        return 1;
    }
    r = run(&thermostat);
    if (r < 0)
        fprintf(stderr, "thermostat: %s\n", fluxaws_error_text(thermostat.client));
    thermostat.client = fluxaws_close(thermostat.client);
    return r < 0 ? 1 : 0;
}
