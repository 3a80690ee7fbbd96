#include "daemon/base/clock.h"
#include "daemon/status_json.h"

#include <string.h>

/* A clock that was never set says nothing about a certificate: 2020. */
#define CLOCK_PLAUSIBLE_SEC INT64_C(1577836800)

static int64_t certificate_ends_in_sec(const struct uplink_status *link)
{
    const int64_t now_sec = clock_wall_sec();
    if (link->not_after_sec == 0 || now_sec < CLOCK_PLAUSIBLE_SEC)
        return INT64_MAX;
    return link->not_after_sec - now_sec;
}

static void collect_link(const struct status_source *source, int64_t now_ms,
                         struct status_facts *facts)
{
    struct uplink_status link;
    uplink_get_status(source->uplink, &link);
    facts->is_paused = link.paused;
    facts->link = link.state;
    facts->link_for_ms = now_ms - link.since_ms;
    facts->link_reason = link.reason;
    facts->link_failure = link.failure;
    facts->link_was_up = link.was_up;
    facts->has_proxy = *link.proxy != '\0';
    facts->credentials_missing = strcmp(link.credentials, "missing") == 0;
    facts->certificate_ends_in_sec = certificate_ends_in_sec(&link);
}

void status_collect(const struct status_source *source, int64_t now_ms,
                    char place[static STATUS_PLACE_MAX], struct status_facts *ret_facts)
{
    const struct reload_report *reload = source->reload;
    struct thing_status thing;
    thing_get_status(source->thing, &thing);
    *ret_facts = (struct status_facts){
        .is_stopping = source->is_stopping,
        .awaits_name = source->awaits_name,
        .storage_trouble =
            source->storage->trouble == COMMIT_GOOD ? NULL : source->storage->trouble_text,
        .config_rejected = source->config_rejected,
        .config_degraded = config_is_degraded(source->config),
        .config_problem = place,
        .needs_restart = reload->needs_restart_count > 0 ? reload->needs_restart[0] : NULL,
        .own_thing = source->thing_name,
        .interval_ms = config_number(source->config, CONFIG_INTERVAL_MS),
        .is_spread = thing.daily_spacing_ms > 0,
        .shadows = thing.shadows,
        .shadows_unheard = thing.shadows_unheard,
    };
    ret_facts->config_mistakes = status_find_problem(source, place);
    collect_link(source, now_ms, ret_facts);
    struct shadow *shadow = NULL;
    while ((shadow = thing_next_shadow(source->thing, shadow))) {
        struct shadow_status status;
        shadow_get_status(shadow, &status);
        status_facts_add(ret_facts, &status, now_ms);
    }
}
